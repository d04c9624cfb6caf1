"""A team's day: pull requests in a real git repository, on the embedded API."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import KEY, Shell, chat_rows
from plain_server import PlainServer, World

Write = Callable[[Mapping[str, str]], Path]

PROJECT = """\
project: acme
prune: true
policy:
  max_jobs_created: 3
  max_cost_per_job: 5
  base_models: [gpt-4.1-mini-*]
catalog:
  emulator:
    gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 500, as_of: 2026-11}
"""
TONE = """\
apiVersion: ftctl/v1
kind: FineTune
name: tone
base_model: gpt-4.1-mini-2025-04-14
training: {source: ../data/tone.jsonl}
hyperparameters: {n_epochs: 3}
"""


class Repository:
    """A git repository with a project, and ftctl in it."""

    def __init__(self, shell: Shell, write: Write) -> None:
        self.shell = shell
        self.write = write

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.shell.folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def commit(self, files: Mapping[str, str], *, removed: tuple[str, ...] = ()) -> None:
        self.write(files)
        for name in removed:
            (self.shell.folder / name).unlink()
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")

    def branch(self, name: str) -> None:
        self.git("checkout", "--quiet", "-b", name, "main")

    def merge(self, name: str) -> None:
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-edit", name)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for what the first test makes and the others copy."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def repository(shell: Shell, write_project: Write, trained: Path) -> Repository:
    """Two fine-tunes that are trained, on main."""
    found = Repository(shell, write_project)
    if (trained / "now").exists():
        shutil.copytree(trained / "repository", shell.folder, symlinks=True, dirs_exist_ok=True)
        shell.clock.time = float((trained / "now").read_text("utf-8"))
        return found
    found.git("init", "--quiet", "--initial-branch", "main")
    found.write({".gitignore": ".ftctl/\n"})
    warm = TONE.replace("tone", "warm")
    found.commit(
        {
            "ftctl.yaml": PROJECT,
            "finetunes/tone.yaml": TONE,
            "finetunes/warm.yaml": warm,
            "data/tone.jsonl": chat_rows(30),
            "data/warm.jsonl": chat_rows(30, "surely"),
        }
    )
    shell.ok("apply", "--auto-approve", "--wait")
    shutil.copytree(shell.folder, trained / "repository", symlinks=True)
    (trained / "now").write_text(repr(shell.clock.time), "utf-8")
    return found


def test_one_that_adds_a_fine_tune(repository: Repository) -> None:
    repository.branch("cool")
    cool = TONE.replace("tone", "cool")
    repository.commit({"finetunes/cool.yaml": cool, "data/cool.jsonl": chat_rows(20, "maybe")})

    result = repository.shell.ok("plan", "--base", "main", "--format", "markdown")

    head, *_ = result.out.splitlines()
    assert head.startswith("<!-- ftctl plan: acme")
    assert "cool" in result.out
    assert "data/cool.jsonl" in result.out
    assert "$" in result.out


def test_one_that_changes_five_rows(repository: Repository) -> None:
    repository.branch("rows")
    rows = chat_rows(30).splitlines(keepends=True)
    rows[3:8] = [row.replace("yes", "yes, always") for row in rows[3:8]]
    repository.commit({"data/tone.jsonl": "".join(rows)})

    document = repository.shell.ok("plan", "--base", "main", "--format", "json").json

    (change,) = document["data"]
    assert (change["path"], change["changed"], change["unchanged"]) == ("data/tone.jsonl", 5, 25)
    assert change["tokens"] == 10  # ", always" is two tokens
    assert change["cost"] == {"currency": "USD", "low": 0.015, "high": 0.015}  # 30 tokens at $500
    assert document["summary"]["replace"] == 1


def test_one_that_breaks_a_policy(repository: Repository) -> None:
    repository.branch("dear")
    dear = TONE.replace("tone", "dear").replace("gpt-4.1-mini", "gpt-4.1")
    loose = PROJECT.replace("base_models: [gpt-4.1-mini-*]", "base_models: ['*']")
    repository.commit(
        {"ftctl.yaml": loose, "finetunes/dear.yaml": dear, "data/dear.jsonl": chat_rows(20)}
    )

    refused = repository.shell("plan", "--base", "main", "--format", "markdown")

    assert refused.status == 3
    assert "policy.base_models" in refused.err or "base_models" in refused.err
    assert "base_models" in refused.out
    assert repository.shell("plan").status == 0  # its own file says otherwise, and is not asked


def test_one_that_removes_a_fine_tune(repository: Repository) -> None:
    repository.branch("away")
    repository.commit({}, removed=("finetunes/warm.yaml", "data/warm.jsonl"))

    result = repository.shell.ok("plan", "--base", "main", "--format", "markdown")

    assert "warm" in result.out
    assert "not in the manifests" in result.out


def test_the_merge_applies_what_was_reviewed(repository: Repository) -> None:
    repository.branch("cool")
    cool = TONE.replace("tone", "cool")
    repository.commit({"finetunes/cool.yaml": cool, "data/cool.jsonl": chat_rows(20, "maybe")})
    digest = repository.shell.ok("plan", "--base", "main", "--format", "json").json["digest"]
    repository.merge("cool")

    applied = repository.shell.ok("apply", "--approve", digest, "--wait")

    assert "cool: started ftjob-" in applied.out
    assert "tone: started" not in applied.out


def test_a_second_reviewers_digest_is_stale_once_main_has_moved(repository: Repository) -> None:
    digests = {}
    for name, answer in (("cool", "maybe"), ("dry", "no")):
        repository.branch(name)
        repository.commit(
            {
                f"finetunes/{name}.yaml": TONE.replace("tone", name),
                f"data/{name}.jsonl": chat_rows(20, answer),
            }
        )
        plan = repository.shell.ok("plan", "--base", "main", "--format", "json").json
        digests[name] = plan["digest"]
    repository.merge("cool")
    repository.merge("dry")

    stale = repository.shell("apply", "--approve", digests["dry"])

    assert stale.status == 5
    assert "cool: was not in the approved plan, and would now be bought (not found)" in stale.err
    assert "started" not in stale.out
    selected = repository.shell.ok("plan", "--select", "cool", "--format", "json").json["digest"]
    assert selected != digests["cool"]  # a digest covers the options of its plan
    repository.shell.ok("apply", "--approve", selected, "--select", "cool", "--wait")
    after = repository.shell.ok("apply", "--approve", digests["dry"], "--wait")
    assert "dry: started ftjob-" in after.out


def test_a_plan_that_was_carried_out_in_part_is_applied_again(
    repository: Repository, tmp_path: Path
) -> None:
    both = {
        f"finetunes/{name}.yaml": TONE.replace("tone", name).replace("gpt-4.1-mini", base)
        for name, base in (("cool", "gpt-4.1-mini"), ("odd", "gpt-nowhere"))
    }
    loose = PROJECT.replace("base_models: [gpt-4.1-mini-*]", "base_models: ['*']").replace(
        "  max_cost_per_job: 5\n", ""
    )
    data = {"data/cool.jsonl": chat_rows(20, "maybe"), "data/odd.jsonl": chat_rows(20, "odd")}
    repository.commit({"ftctl.yaml": loose, **both, **data})
    repository.shell.ok("plan", "--out", "plan.json")
    approved = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert approved["summary"]["create"] == 2

    first = repository.shell("apply", "plan.json")
    again = repository.shell("apply", "plan.json")

    assert first.status == 4
    assert "cool: started" in first.out
    assert again.status == 1
    assert "nothing is left to do for: cool" in again.out
    assert "cool: started" not in again.out
    assert "odd: create a job:" in again.err


def test_the_same_plan_made_twice_is_the_same_bytes(repository: Repository, tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        repository.shell.ok("plan", "--base", "main", "--out", name)

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_rows_that_leak_or_repeat_are_refused_from_the_share_on_that_policy_names(
    shell: Shell, write_project: Write
) -> None:
    rows = chat_rows(20).splitlines(keepends=True)
    policy = "policy: {max_leakage_share: 0.1, max_duplicate_share: 0.05}\n"
    write_project(
        {
            "ftctl.yaml": f"project: demo\n{policy}",
            "finetunes/tone.yaml": f"{TONE}validation: {{source: ../data/v.jsonl}}\n",
            "data/tone.jsonl": "".join((*rows, *rows[1:3])),
            "data/v.jsonl": "".join((*rows[3:5], chat_rows(23).splitlines(keepends=True)[22])),
        }
    )

    refused = shell("plan")

    assert refused.status == 3
    assert "2 of 3 validation rows of tone" in refused.err
    assert "2 of 22 rows of data/tone.jsonl (9.1 %; data of tone) are repetitions" in refused.err
    assert "To carry it out" not in refused.out
    assert shell("plan", "--allow", "max_leakage_share,max_duplicate_share").status == 0


CHECK = """\
import json, os, sys
plan = json.load(sys.stdin)
keys = [name for name in os.environ if "KEY" in name or "TOKEN" in name]
print(f"{plan['summary']['create']} to create, keys: {keys}")
sys.exit(STATUS)
"""


def test_a_change_does_not_bring_along_the_program_that_judges_it(repository: Repository) -> None:
    shell = repository.shell
    shell.environ |= {"PATH": os.environ["PATH"], "OPENAI_API_KEY": KEY, "GITHUB_TOKEN": "ghp_x"}
    commands = f"  commands: [[{sys.executable}, policy/check.py]]\ncatalog:"
    repository.git("checkout", "--quiet", "main")
    repository.commit(
        {
            "ftctl.yaml": PROJECT.replace("catalog:", commands),
            "policy/check.py": CHECK.replace("STATUS", "1"),
        }
    )
    repository.branch("cool")
    repository.commit(
        {
            "finetunes/cool.yaml": TONE.replace("tone", "cool"),
            "data/cool.jsonl": chat_rows(20, "maybe"),
            "policy/check.py": CHECK.replace("STATUS", "0"),
        }
    )

    judged_by_base = shell("plan", "--base", "main")

    assert judged_by_base.status == 3
    assert "1 to create, keys: []" in judged_by_base.err
    own = shlex.join([sys.executable, "policy/check.py"])
    assert shell("plan", "--allow-command", own).status == 0
    assert shell("plan", "--base", "main", "--allow", "commands").status == 0


def test_a_base_model_that_the_service_says_will_stop_is_refused(
    shell: Shell, write_project: Write
) -> None:
    """The service's own day goes before what is on record here."""
    model = {"id": "gpt-4.1-mini-2025-04-14", "shutdown_date": "2026-10-01"}
    listed = (200, {"object": "list", "data": [model]})
    world = World(before=lambda _method, path: listed if path == "/models" else None)
    with PlainServer(world) as server:
        shell.environ |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        write_project(
            {
                "ftctl.yaml": "project: demo\nprovider: {type: compatible}\n",
                "finetunes/tone.yaml": TONE,
                "data/tone.jsonl": chat_rows(12),
            }
        )

        refused = shell("plan")
        allowed = shell("plan", "--allow", "min_days_to_shutdown")

    assert refused.status == 3
    assert "which shuts down on 2026-10-01, in 10 days" in refused.err
    assert allowed.status == 0


def test_a_plan_is_for_one_project_and_one_environment(repository: Repository) -> None:
    shell = repository.shell
    cool = TONE.replace("tone", "cool")
    environments = "environments: {stage: {prune: true}}\n"
    repository.commit(
        {
            "ftctl.yaml": PROJECT + environments,
            "finetunes/cool.yaml": cool,
            "data/cool.jsonl": chat_rows(20, "maybe"),
        }
    )
    shell.ok("--env", "stage", "plan", "--out", "plan.json")

    elsewhere = shell("apply", "plan.json")
    repository.write({"ftctl.yaml": PROJECT.replace("acme", "other") + environments})
    of_others = shell("--env", "stage", "apply", "plan.json")

    assert (elsewhere.status, of_others.status) == (5, 5)
    assert "the plan was made for stage, and not for none" in elsewhere.err
    assert "it was made for the project acme, and not for other" in of_others.err
    assert "started" not in elsewhere.out + of_others.out


def test_a_digest_stands_for_the_options_too(repository: Repository) -> None:
    shell = repository.shell
    plan = shell.ok("plan", "--replace", "tone", "--format", "json").json

    applied = shell.ok("apply", "--approve", plan["digest"])

    assert "tone: started ftjob-" in applied.out


def test_children_that_a_waiting_apply_starts_count_against_the_limit(
    shell: Shell, write_project: Write
) -> None:
    child = TONE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    write_project(
        {
            "ftctl.yaml": "project: demo\npolicy: {max_jobs_created: 1}\n",
            "finetunes/tone.yaml": TONE,
            "finetunes/child.yaml": child,
            "data/tone.jsonl": chat_rows(12),
        }
    )

    waiting = shell("apply", "--auto-approve", "--wait")

    assert waiting.status == 3
    assert "the plan starts 2 training jobs (tone, child)" in waiting.err
    assert shell("apply", "--auto-approve").status == 0


def test_plans_are_not_kept_through_a_link(repository: Repository) -> None:
    shell = repository.shell
    repository.write({f"cfg/{number}.json": "{}" for number in range(25)})
    kept = shell.folder / ".ftctl" / "plans"
    shutil.rmtree(kept, ignore_errors=True)
    kept.symlink_to(shell.folder / "cfg")

    shell.ok("plan", "--replace", "tone")

    assert len(list((shell.folder / "cfg").iterdir())) == 25


def test_no_manifest_starts_a_line_of_a_log(repository: Repository) -> None:
    shell = repository.shell
    tagged = f'{TONE}metadata: {{owner: "x\\n::error::pwned"}}\n'
    repository.commit({"finetunes/tone.yaml": tagged.replace("n_epochs: 3", "n_epochs: 4")})
    shell.ok("plan", "--out", "plan.json")
    repository.commit({"finetunes/tone.yaml": tagged.replace("n_epochs: 3", "n_epochs: 5")})

    told = [shell("apply", "plan.json"), shell("status"), shell("output"), shell("plan")]

    assert told[0].status == 5
    lines = [line for one in told for line in (one.out + one.err).splitlines()]
    assert not [line for line in lines if line.strip().startswith("::")]
