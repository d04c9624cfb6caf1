"""The same at GitLab, where a job says for whom its token is (`id_tokens`)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import FINETUNE, ROOT, chat_rows
from forges.exchanges import Exchanges, Trust, signed
from forges.gitlab import TOKEN, GitLab
from forges.standby import Standby
from plain_server import Answer, PlainServer, World

_MISSING = [name for name in ("bash", "git") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} is not here")

AUDIENCE = "https://api.openai.com/v1"
BRANCH = "project_path:acme/support:ref_type:branch:ref:"
WARM = FINETUNE.replace("tone", "warm").replace("train.jsonl", "warm.jsonl")
READS, BUYS = "svcacct_reads", "svcacct_buys"


@pytest.fixture
def exchanges() -> Iterator[Exchanges]:
    with Exchanges("") as running:
        running.openai = Trust(AUDIENCE, "", "https://gitlab.example")
        yield running


@pytest.fixture
def gitlab(
    tmp_path: Path, world: World, standby: Standby, exchanges: Exchanges
) -> Iterator[GitLab]:
    def judge(method: str, _path: str) -> Answer | None:
        key = world.headers[-1].get("authorization", "").removeprefix("Bearer ")
        account = exchanges.account_of(key)
        if account is None:
            return 401, {"error": {"message": "no such key"}}
        allowed = method == "GET" or account == BUYS
        return None if allowed else (403, {"error": {"message": "this account reads"}})

    world.before = judge
    variable = "FTCTL_OPENAI_SERVICE_ACCOUNT"
    with PlainServer(world) as server:
        own = yaml.safe_load((ROOT / "examples/ci/keys/gitlab.yml").read_text("utf-8"))
        del own["include"]
        forge = GitLab(
            tmp_path / "gitlab",
            {},
            {
                "ftctl/plan": {variable: READS},
                "production": {variable: BUYS},
                "ftctl/wait": {variable: BUYS},
                "ftctl/record": {"FTCTL_GITLAB_TOKEN": TOKEN},
                "ftctl/notes": {"FTCTL_GITLAB_TOKEN": TOKEN},
            },
            standby.program,
            over=own,
            sign=lambda claims: signed(dict(claims)),
        )
        command = ["ftctl", "token", "openai", "--identity-provider", "idp_1"]
        printed = json.dumps([*command, "--exchange-url", exchanges.url])
        with forge:
            forge.set_up(
                {
                    "ftctl.yaml": "project: demo\nprovider:\n  type: compatible\n"
                    f"  base_url: {server.url}\n"
                    f"  api_key_command: {printed}\n",
                    ".gitignore": ".ftctl/\n",
                    "finetunes/tone.yaml": FINETUNE,
                    "data/train.jsonl": chat_rows(12),
                    "data/warm.jsonl": chat_rows(20, "surely"),
                }
            )
            forge.commit("change", {"finetunes/warm.yaml": WARM})
            yield forge


def subjects(forge: GitLab, exchanges: Exchanges) -> dict[str, object]:
    """Who plans is of the merge request's branch, who buys of main."""
    request = forge.open_request()
    exchanges.subjects = {READS: (f"{BRANCH}change", *_refs(request)), BUYS: (f"{BRANCH}main",)}
    return request


def _refs(request: dict[str, object]) -> tuple[str, ...]:
    return tuple(
        f"{BRANCH}refs/merge-requests/{request['iid']}/{kind}" for kind in ("head", "merge")
    )


def test_a_merge_request_reads_and_its_merge_buys_without_a_stored_key(
    gitlab: GitLab, exchanges: Exchanges, world: World
) -> None:
    request = subjects(gitlab, exchanges)

    planned = gitlab.plan(request)
    gitlab.merge(request)
    merged = gitlab.on_main("push")

    runs = {**planned, **merged}
    assert {name: run.log for name, run in runs.items() if run.status} == {}
    assert len(world.jobs) == 2
    assert set(exchanges.accounts.values()) == {READS, BUYS}
    holders = {name for name, run in runs.items() if "FTCTL_ID_TOKEN" in run.environ}
    assert holders == {"ftctl:plan", "ftctl:apply", "ftctl:wait"} & set(runs)
    told = "".join(run.log for run in runs.values()) + json.dumps(gitlab.notes)
    told += "".join(
        content.decode("utf-8", "replace")
        for files in gitlab.artifacts.values()
        for content in files.values()
    )
    secrets = {*exchanges.keys, *(one.token for one in exchanges.asked)}
    assert len(secrets) > 3
    assert [one for one in secrets if one in told or one[-20:] in told] == []


def test_a_merge_requests_job_gets_no_key_that_buys(gitlab: GitLab, exchanges: Exchanges) -> None:
    gitlab.scoped["ftctl/plan"]["FTCTL_OPENAI_SERVICE_ACCOUNT"] = BUYS
    request = subjects(gitlab, exchanges)

    planned = gitlab.plan(request)

    assert planned["ftctl:plan"].status != 0
    assert "no rule fits this subject" in planned["ftctl:plan"].log
    assert exchanges.keys == []


def test_git_and_python_of_the_job_are_not_given_the_token(
    gitlab: GitLab, exchanges: Exchanges, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    real = shutil.which("git")
    path = gitlab.programs / "git"
    path.write_text(f'#!/bin/sh\nenv > {seen}/git-$$\nexec {real} "$@"\n', "utf-8")
    path.chmod(0o755)

    run = gitlab.plan(subjects(gitlab, exchanges))["ftctl:plan"]

    texts = [one.read_text("utf-8", "replace") for one in seen.iterdir()]
    assert run.status == 0
    assert len(texts) > 3
    assert "FTCTL_ID_TOKEN" in run.environ
    assert not [text for text in texts if re.search(r"(?m)^FTCTL_ID_TOKEN", text)]
