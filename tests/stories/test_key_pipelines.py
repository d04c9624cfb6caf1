"""Pipelines without a stored key: a job proves who it is, the service decides what it gets."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import FINETUNE, ROOT, chat_rows
from forges.exchanges import Exchanges, claims_of
from forges.github import NAME, TEMPLATES, WORKFLOWS, GitHub, JobRun
from forges.standby import Standby
from plain_server import Answer, PlainServer, World

_MISSING = [name for name in ("bash", "curl", "git", "jq") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} is not here")

PULL, LIVE = f"repo:{NAME}:pull_request", f"repo:{NAME}:environment:production"
WAIT, MAIN = f"repo:{NAME}:environment:ftctl-wait", f"repo:{NAME}:ref:refs/heads/main"
TENANT = "11111111-2222-3333-4444-555555555555"
# By service: its `ftctl token`, the variable for the account, who reads, who buys.
SERVICES = {
    "openai": (
        ["openai", "--identity-provider", "idp_1"], "FTCTL_OPENAI_SERVICE_ACCOUNT",
        "svcacct_reads", "svcacct_buys",
    ),
    "azure": (
        ["azure", "--tenant", TENANT], "AZURE_CLIENT_ID",
        "66666666-0000-0000-0000-00000000000a", "66666666-0000-0000-0000-00000000000b",
    ),
    "bedrock": (
        ["bedrock", "--region", "us-west-2"], "AWS_ROLE_ARN",
        "arn:aws:iam::123456789012:role/reads", "arn:aws:iam::123456789012:role/buys",
    ),
}  # fmt: skip
WARM = FINETUNE.replace("tone", "warm").replace("train.jsonl", "warm.jsonl")


def with_identity(text: str, variable: str, accounts: Mapping[str, str]) -> str:
    """A workflow with the changes that docs/ci-keys.md asks for, in each job that has the key."""
    document: dict[Any, Any] = yaml.safe_load(text)
    for name, job in document["jobs"].items():
        for step in job["steps"]:
            if "api-key" in step.get("with", {}):
                del step["with"]["api-key"]
                step["with"]["identity"] = "true"
                job["permissions"]["id-token"] = "write"
                job["env"] = {variable: accounts.get(name, accounts["plan"])}
    document["on"] = document.pop(True)  # as YAML 1.1 reads it
    return yaml.safe_dump(document, sort_keys=False)


class Keys:
    """The repository, the forge's identity service, the exchanges and a service."""

    def __init__(
        self,
        folder: Path,
        service: str,
        *,
        exchanges: Exchanges,
        server: PlainServer,
        world: World,
        ftctl: str,
    ) -> None:
        words, self.variable, self.reads, self.buys = SERVICES[service]
        self.exchanges, self.world = exchanges, world
        exchanges.subjects = {self.reads: (PULL, MAIN), self.buys: (LIVE, WAIT)}
        world.before = self._judge
        self.github = GitHub(folder, {"OTHER": "a secret of another workflow"}, {}, ftctl)
        self.github.prove = exchanges.prove
        command = json.dumps(["ftctl", "token", *words, "--exchange-url", exchanges.url])
        settings = (
            f"project: demo\nprovider:\n  type: compatible\n  base_url: {server.url}\n"
            f"  api_key_command: {command}\n"
            "policy: {max_cost_per_job: 5}\ncatalog:\n  compatible:\n"
            "    gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 5, as_of: 2026-11}\n"
        )
        accounts = {"plan": self.reads, "apply": self.buys, "wait": self.buys}
        self.github.commit(
            "main",
            {
                "ftctl.yaml": settings,
                "finetunes/tone.yaml": FINETUNE,
                "data/train.jsonl": chat_rows(12),
                "data/warm.jsonl": chat_rows(20, "surely"),
                **{
                    f"{WORKFLOWS}/{path.name}": with_identity(
                        path.read_text("utf-8"), self.variable, accounts
                    )
                    for path in TEMPLATES.glob("*.yml")
                },
            },
        )

    def _judge(self, method: str, _path: str) -> Answer | None:
        """Take the keys that were given; what changes anything, from who buys alone."""
        key = self.world.headers[-1].get("authorization", "").removeprefix("Bearer ")
        account = self.exchanges.account_of(key)
        if account is None:
            return 401, {"error": {"message": "no such key"}}
        if method != "GET" and account != self.buys:
            return 403, {"error": {"message": "this account reads"}}
        return None

    def propose(self, files: Mapping[str, str]) -> tuple[int, JobRun]:
        self.github.commit("change", files)
        number = self.github.open_pull("change")
        return number, self.github.check_pull(number)["plan"]

    def tokens(self) -> set[str]:
        """All that must be told nowhere."""
        asked = {one.token for one in self.exchanges.asked}
        asking = {
            text
            for job in self.seen
            for step in job.steps
            for name, text in step.environ.items()
            if name == "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
        }
        return {*asked, *asking, *self.exchanges.keys}

    seen: list[JobRun]


@pytest.fixture
def keys(
    tmp_path: Path, world: World, standby: Standby, request: pytest.FixtureRequest
) -> Iterator[Keys]:
    # Extras that requirements-dev.txt has.
    packages = {"azure": "azure.identity", "bedrock": "aws_bedrock_token_generator"}
    if request.param in packages:
        pytest.importorskip(packages[request.param])
    with Exchanges(PULL) as exchanges, PlainServer(world) as server:
        folder = tmp_path / "github"
        yield Keys(
            folder, request.param, exchanges=exchanges, server=server, world=world,
            ftctl=standby.program,
        )  # fmt: skip


@pytest.mark.parametrize("keys", SERVICES, indirect=True)
def test_a_pull_request_reads_and_its_merge_buys_without_a_stored_key(
    keys: Keys, story: Any
) -> None:
    story.says("The repository has no key. ftctl.yaml says how a job gets one:")
    story.shows("ftctl.yaml", keys.github.git("show", "main:ftctl.yaml"))
    number, planned = keys.propose({"finetunes/warm.yaml": WARM})
    story.says(f"Ann opens #{number}. The job that plans is given a key of the account that reads.")
    keys.github.merge(number)
    applied = keys.github.push_main()
    keys.seen = [planned, *keys.github.last.values()]
    story.says("It is merged. The jobs of 'production' and 'ftctl-wait' are given one that buys.")
    for one in keys.exchanges.asked:
        said = json.dumps({**claims_of(one.token), **one.given}, indent=2, sort_keys=True)
        story.shows("What the exchange was asked, and by whom", said)
    story.shows("What was bought", "\n".join(map(str, keys.world.jobs)))

    assert planned.errors == []
    assert applied.errors == []
    assert len(keys.world.jobs) == 2  # tone, which was never bought, and warm
    assert {keys.exchanges.accounts[one] for one in keys.exchanges.accounts} == {
        keys.reads, keys.buys,
    }  # fmt: skip
    told = "".join(job.log + job.summary for job in keys.seen)
    told += keys.github.state_file.read_text("utf-8")
    secrets = keys.tokens()
    assert len(secrets) > 3
    assert [one for one in secrets if one in told or one[-20:] in told] == []


@pytest.mark.parametrize("keys", ["openai"], indirect=True)
def test_a_branchs_workflow_that_asks_for_the_buying_account_gets_no_key(keys: Keys) -> None:
    plan = keys.github.git("show", f"main:{WORKFLOWS}/ftctl-plan.yml")

    _, planned = keys.propose(
        {
            "finetunes/warm.yaml": WARM,
            f"{WORKFLOWS}/ftctl-plan.yml": plan.replace(keys.reads, keys.buys),
        }
    )

    assert planned.failed
    assert "no rule fits this subject" in planned.log
    assert keys.exchanges.keys == []
    assert keys.world.requests == []


@pytest.mark.parametrize("keys", ["openai"], indirect=True)
def test_a_change_of_the_settings_has_no_key_made_for_others(keys: Keys) -> None:
    settings = keys.github.git("show", "main:ftctl.yaml").replace("idp_1", "idp_of_a_stranger")

    _, planned = keys.propose({"ftctl.yaml": settings, "finetunes/warm.yaml": WARM})

    assert planned.errors == []
    assert {one.given["identity_provider_id"] for one in keys.exchanges.asked} == {"idp_1"}


@pytest.mark.parametrize("keys", ["openai"], indirect=True)
def test_without_identity_the_action_keeps_the_forges_token_from_ftctl(keys: Keys) -> None:
    for name in ("plan", "apply", "drift"):
        path = f"{WORKFLOWS}/ftctl-{name}.yml"
        text = keys.github.git("show", f"main:{path}").replace(
            "identity: 'true'", "identity: 'false'"
        )
        keys.github.commit("main", {path: text})

    _, planned = keys.propose({"finetunes/warm.yaml": WARM})

    assert planned.failed
    assert "there is no identity token here" in planned.log
    assert keys.exchanges.asked == []


@pytest.mark.parametrize("keys", ["openai"], indirect=True)
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("id-token: write", "id-token: none", "it needs 'permissions: {id-token: write}'"),
        ("identity: 'true'", "identity: 'true'\n        api-key: sk-x", "leave one of them out"),
        ("identity: 'true'", "identity: yes please", "'identity' is true or false"),
    ],
)
def test_a_job_that_cannot_prove_who_it_is_says_so(
    keys: Keys, old: str, new: str, why: str
) -> None:
    path = f"{WORKFLOWS}/ftctl-plan.yml"
    text = keys.github.git("show", f"main:{path}")
    assert old in text
    keys.github.commit("main", {path: text.replace(old, new)})

    _, planned = keys.propose({"finetunes/warm.yaml": WARM})

    assert planned.failed
    assert any(why in one for one in planned.errors)
    assert keys.exchanges.asked == []


@pytest.mark.parametrize("keys", ["openai"], indirect=True)
def test_nothing_but_our_program_has_the_forges_token(keys: Keys, tmp_path: Path) -> None:
    """A policy's program of the base and git, as a step of the action starts them."""
    seen = tmp_path / "seen"
    seen.mkdir()
    script = f'#!/bin/sh\nenv > {seen}/$(basename "$0")-$$\n'
    judge = tmp_path / "judge"
    judge.write_text(script, "utf-8")
    judge.chmod(0o755)
    for name in ("git", "jq", "gh"):
        real = shutil.which(name, path=f"{keys.github.programs}:{_path()}")
        path = keys.github.programs / name
        if path.exists():
            real = str(path.rename(path.with_name(f"{name}-itself")))
        path.write_text(f'{script}exec {real} "$@"\n', "utf-8")
        path.chmod(0o755)
    settings = keys.github.git("show", "main:ftctl.yaml")
    settings = settings.replace("policy: {", f"policy: {{commands: [[{judge}]], ")
    keys.github.commit("main", {"ftctl.yaml": settings})

    number, planned = keys.propose({"finetunes/warm.yaml": WARM})
    keys.github.merge(number)
    applied = keys.github.push_main()

    assert (planned.errors, applied.errors) == ([], [])
    assert len(keys.world.jobs) == 2
    texts = {path.name: path.read_text("utf-8", "replace") for path in seen.iterdir()}
    assert {re.sub(r"-\d+$", "", name) for name in texts} >= {"git", "jq", "gh", "judge"}
    holders = [name for name, text in texts.items() if "ACTIONS_ID_TOKEN_REQUEST" in text]
    assert holders == []


def _path() -> str:
    import os

    return os.environ["PATH"]


def test_the_examples_are_settings_that_ftctl_reads() -> None:
    from click.testing import CliRunner

    from ftctl.cli.main import cli

    for service, (_, _, _, account) in SERVICES.items():
        path = ROOT / "examples" / "ci" / "keys" / f"{service}.ftctl.yaml"
        command = yaml.safe_load(path.read_text("utf-8"))["provider"]["api_key_command"]
        option = {"openai": "--service-account", "azure": "--client", "bedrock": "--role"}[service]

        result = CliRunner().invoke(cli, [*command[1:], option, account], env={})

        assert command[:3] == ["ftctl", "token", service]
        assert "there is no identity token here" in str(result.exception)
