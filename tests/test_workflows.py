"""This repository's own workflows: what they may do, and that anyone can run what they run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text("utf-8")) for path in FILES
}
STEPS: list[tuple[str, dict[str, Any]]] = [
    (job, step)
    for workflow in WORKFLOWS.values()
    for job, settings in workflow["jobs"].items()
    for step in settings["steps"]
]


def test_one_job_alone_may_write_and_it_runs_nothing_that_was_just_published() -> None:
    rights = {
        job: settings["permissions"]
        for workflow in WORKFLOWS.values()
        for job, settings in workflow["jobs"].items()
    }
    writers = [job for job, right in rights.items() if right != {"contents": "read"}]
    scripts = [step["run"] for job, step in STEPS if job == "propose" and "run" in step]

    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())
    assert writers == ["propose"]
    assert not any(re.search(r"pip|uv|make|python", script) for script in scripts)


def test_a_checkout_leaves_a_token_behind_only_where_a_branch_is_pushed() -> None:
    keep = {
        job
        for job, step in STEPS
        if step.get("uses", "").startswith("actions/checkout@")
        and step.get("with", {}).get("persist-credentials") is not False
    }

    assert keep == {"propose"}


def test_everything_of_others_is_pinned_by_commit_with_its_version_beside_it() -> None:
    for path in FILES:
        uses = re.findall(r"uses: (.*)", path.read_text("utf-8"))

        assert uses
        assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v[\d.]+", one) for one in uses)


def test_a_workflow_keeps_its_published_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]

    done = subprocess.run(
        [*command, "vendor.github-workflows", *FILES], capture_output=True, text=True, check=False
    )

    assert len(FILES) == 2
    assert done.returncode == 0, done.stdout


def test_whatever_a_workflow_runs_can_be_run_by_hand() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"(?m)^([a-z]+):", makefile))
    matrix = json.dumps(
        [job.get("strategy", {}) for job in WORKFLOWS["dependencies"]["jobs"].values()]
    )
    goals = set(re.findall(r'"target": "(\w+)"', matrix))

    for job, step in STEPS:
        script = step.get("run", "make")
        if job != "propose" and script != "bash .ci/run":
            assert script.split()[0] == "make"
            goals |= set(script.split()[1:]) - {"${{", "matrix.target", "}}"}

    assert goals == {"newest", "oldest", "lock", "setup", "check", "lint", "types"}
    assert goals <= targets


# What proposes pins, run in a clone with a stand-in for GitHub's program.

GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$0.log"
case "$2" in list) cat "$0.open" ;; esac
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with one commit, whose remote is a folder beside it."""
    remote, clone, programs = (tmp_path / name for name in ("remote", "clone", "programs"))
    programs.mkdir()
    (programs / "gh").write_text(GH, "utf-8")
    (programs / "gh").chmod(0o755)
    (programs / "gh.open").write_text("0\n", "utf-8")
    monkeypatch.setenv("PATH", f"{programs}:{Path(shutil.which('git') or '').parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    (clone / "requirements-dev.txt").write_text("a==1\n", "utf-8")
    git(clone, "add", ".")
    git(clone, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "a")
    return clone


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def propose(clone: Path) -> list[str]:
    """What GitHub's program was asked."""
    (script,) = (step["run"] for job, step in STEPS if job == "propose" and "run" in step)
    subprocess.run(["bash", "-e", "-c", script], cwd=clone, check=True, capture_output=True)
    log = clone.parent / "programs" / "gh.log"
    return (
        [line.partition(" --")[0] for line in log.read_text().splitlines()] if log.exists() else []
    )


needs_git = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("bash") is None, reason="git or bash is not here"
)


@needs_git
def test_pins_that_did_not_change_are_not_proposed(clone: Path) -> None:
    assert propose(clone) == []
    assert git(clone, "ls-remote", "--heads", "origin") == ""


@needs_git
@pytest.mark.parametrize(("open_before", "asked"), [("0", ["list", "create"]), ("1", ["list"])])
def test_newer_pins_are_proposed_in_one_pull_request(
    clone: Path, open_before: str, asked: list[str]
) -> None:
    (clone / "requirements-dev.txt").write_text("a==2\n", "utf-8")
    (clone.parent / "programs" / "gh.open").write_text(f"{open_before}\n", "utf-8")

    said = propose(clone)

    assert said == [f"pr {verb}" for verb in asked]
    assert git(clone, "show", "origin/lock:requirements-dev.txt") == "a==2\n"
