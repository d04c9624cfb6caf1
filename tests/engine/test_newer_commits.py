"""A checkout that is behind stops and deletes nothing that a newer one has bought, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, Shell, small_project

from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import CancelJob
from ftctl.engine.context import RunContext
from ftctl.engine.newer_commits import make_plan_by_commits
from ftctl.engine.planning import PlanRequest, options_for
from ftctl.engine.session import open_session

Write = Callable[[Mapping[str, str]], Path]

EXTRA = FINETUNE.replace("name: tone", "name: extra") + "seed: 7\n"
NEWER = {
    "finetunes/tone.yaml": FINETUNE + "hyperparameters: {n_epochs: 9}\n",
    "finetunes/extra.yaml": EXTRA,
}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    quiet = ["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"]
    done = subprocess.run(
        ["git", *identity, *quiet, *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def committed(write_project: Write) -> Callable[[Mapping[str, str]], str]:
    """Write files and commit them; the commit's id."""

    def commit(files: Mapping[str, str]) -> str:
        root = write_project(files)
        if not (root / ".git").exists():
            git(root, "init", "-q", "-b", "main")
        git(root, "add", "-A", "--", "ftctl.yaml", "finetunes", "data")
        git(root, "commit", "-q", "-m", "work")
        return git(root, "rev-parse", "HEAD")

    return commit


Committed = Callable[[Mapping[str, str]], str]


def plan(shell: Shell, *options: str) -> dict[str, Any]:
    changes = shell.ok("plan", "--format", "json", *options).json["changes"]
    return {change["name"]: change for change in changes if change["kind"] == "FineTune"}


def steps(change: dict[str, Any]) -> list[str]:
    return [step["step"] for step in change["steps"]]


def writes(shell: Shell, *arguments: str) -> list[str]:
    return [line for line in shell.requests(*arguments) if not line.startswith("GET ")]


def cloned(shell: Shell, *options: str) -> None:
    """Go on in a clone, which knows the same account."""
    origin, clone = shell.folder, shell.folder / "clone"
    git(origin, "clone", "-q", *options, origin.as_uri(), str(clone))
    shutil.copytree(origin / ".ftctl", clone / ".ftctl")
    shell.folder = clone


@pytest.mark.parametrize("wait", [(), ("--wait",)], ids=["running", "succeeded"])
def test_an_older_checkout_with_prune_leaves_a_newer_ones_jobs_and_models(
    shell: Shell, committed: Committed, wait: tuple[str, ...]
) -> None:
    older = committed(small_project(FINETUNE + "keep: 1\n"))
    shell.ok("apply", "--auto-approve", "--wait")
    newer = committed(NEWER)
    shell.ok("apply", "--auto-approve", *wait)
    git(shell.folder, "checkout", "-q", older)

    found = plan(shell, "--prune")

    for name in ("tone", "extra"):
        assert (found[name]["action"], found[name]["steps"]) == ("no-op", []), found[name]
        assert f"(of commit {newer[:7]}) alone" in found[name]["reason"]
    assert writes(shell, "apply", "--auto-approve", "--prune") == []


def test_the_newest_checkout_retires_what_it_has_behind_it_without_a_word(
    shell: Shell, committed: Committed
) -> None:
    committed(small_project(FINETUNE + "keep: 1\n"))
    shell.ok("apply", "--auto-approve")
    committed({"finetunes/tone.yaml": FINETUNE + "keep: 1\nhyperparameters: {n_epochs: 9}\n"})

    change = plan(shell)["tone"]

    assert steps(change) == ["start-job", "cancel-job"]
    assert "commit" not in change["reason"]


def test_a_shallow_clone_stops_the_job_of_the_merge_before_and_names_its_commit(
    shell: Shell, committed: Committed
) -> None:
    before = committed(small_project())
    shell.ok("apply", "--auto-approve")
    committed(NEWER)
    cloned(shell, "--depth", "1")

    change = plan(shell)["tone"]

    assert steps(change) == ["start-job", "cancel-job"]
    assert f"is of commit {before[:7]}, which this checkout does not have" in change["reason"]


def test_a_clone_with_its_history_takes_a_commit_that_it_does_not_know_for_newer(
    shell: Shell, committed: Committed
) -> None:
    older = committed(small_project())
    newer = committed(NEWER)
    shell.ok("apply", "--auto-approve")
    git(shell.folder, "branch", "behind", older)
    cloned(shell, "--single-branch", "--branch", "behind")

    change = plan(shell, "--prune")["tone"]

    assert steps(change) == ["start-job"]
    assert f"(of commit {newer[:7]}) alone" in change["reason"]


def test_a_squashed_merge_stops_the_job_of_its_branch_and_names_its_commit(
    shell: Shell, committed: Committed
) -> None:
    committed(small_project())
    git(shell.folder, "checkout", "-q", "-b", "topic")
    topic = committed({"finetunes/tone.yaml": FINETUNE + "hyperparameters: {n_epochs: 8}\n"})
    shell.ok("apply", "--auto-approve")
    git(shell.folder, "checkout", "-q", "main")
    committed(NEWER)

    change = plan(shell)["tone"]

    assert steps(change) == ["start-job", "cancel-job"]
    assert f"is of commit {topic[:7]}, which this checkout does not have" in change["reason"]


def test_without_git_nothing_is_newer(
    shell: Shell, committed: Committed, write_project: Write
) -> None:
    committed(small_project())
    shell.ok("apply", "--auto-approve")
    shutil.rmtree(shell.folder / ".git")
    write_project(NEWER)

    assert steps(plan(shell)["tone"]) == ["start-job", "cancel-job"]


@pytest.mark.parametrize("forged", ["main", "HEAD", "--all", "a" * 39, "A" * 40, "a" * 40 + "\n"])
def test_what_is_no_commit_is_not_asked_of_git_and_keeps_nothing(
    shell: Shell, committed: Committed, forged: str
) -> None:
    committed(small_project())
    session = open_session(RunContext(shell.folder, clock=shell.clock, environ={}))
    job = Job("ftjob-1", "running", 1, "tone", "v1:" + "0" * 64, commit=forged)
    options = options_for(session, PlanRequest())

    plan = make_plan_by_commits(session, Observed((job,)), options)

    assert [step.job for step in plan.steps(CancelJob) if isinstance(step, CancelJob)] == [job.id]
    assert all("commit" not in change.reason for change in plan.changes)


def test_git_is_asked_about_history_only_where_something_would_be_stopped_or_deleted(
    shell: Shell, committed: Committed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(small_project())
    shell.ok("apply", "--auto-approve")
    committed({"finetunes/extra.yaml": EXTRA})
    asked = _listening_git(tmp_path, monkeypatch)
    plan(shell)
    before = asked()
    committed(NEWER)

    plan(shell)

    assert "merge-base" not in before
    assert "merge-base" in asked()


def _listening_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A git that writes down what it is asked; what it was asked until now."""
    real, log = shutil.which("git"), folder / "asked"
    shim = folder / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n', "utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    return lambda: log.read_text("utf-8") if log.exists() else ""
