"""What goes wrong at GitLab before a plan is made, or beside it: a sentence, and its cure."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, chat_rows
from forges.gitlab import PROJECT as PROJECT_ID
from forges.gitlab import TOKEN, GitLab, JobRun, template
from forges.gitlab_project import PROJECT, project
from forges.gitlab_scripts import LABELS
from forges.standby import Standby
from test_gitlab_template import GIVEN, pytestmark

__all__ = ["pytestmark"]

FILES = {
    "ftctl.yaml": PROJECT, ".gitignore": ".ftctl/\n", "finetunes/tone.yaml": FINETUNE,
    "data/train.jsonl": chat_rows(12),
}  # fmt: skip


@pytest.fixture(scope="module")
def gitlab(tmp_path_factory: pytest.TempPathFactory, standby: Standby) -> Iterator[GitLab]:
    with project(tmp_path_factory.mktemp("errors"), standby.program, FILES) as gitlab:
        yield gitlab


@pytest.fixture(autouse=True)
def _as_it_was(gitlab: GitLab) -> Iterator[None]:
    inputs, scoped = dict(gitlab.inputs), {key: dict(one) for key, one in gitlab.scoped.items()}
    yield
    gitlab.inputs, gitlab.scoped, gitlab.instead = inputs, scoped, lambda _: None
    gitlab.role = "Developer"


def _job(gitlab: GitLab, name: str, **variables: str) -> JobRun:
    pipeline = {
        "id": 1, "project_id": PROJECT_ID, "source": "push", "ref": "main",
        "sha": gitlab.git("rev-parse", "main"),
    }  # fmt: skip
    known = {
        "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_SHA": pipeline["sha"], "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main", "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": pipeline["sha"], **variables,
    }  # fmt: skip
    return gitlab.run_job(name, pipeline, [], known)


def _prepared(tmp_path: Path, programs: dict[str, str], shell: str = "bash") -> str:
    """What the first lines of every job say where the image has these programs alone."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in programs.items():
        if text:
            (folder / name).write_text(text, "utf-8")
            (folder / name).chmod(0o755)
        else:
            (folder / name).symlink_to(str(shutil.which(name)))
    script = "\n".join(template(GIVEN)[".ftctl"]["before_script"])
    done = subprocess.run(
        [str(shutil.which(shell)), "-e", "-c", script], cwd=tmp_path, text=True,
        capture_output=True, check=False, env={"PATH": str(folder), "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("missing", ["bash", "git", "python3"])
def test_an_image_that_lacks_a_program_is_told(tmp_path: Path, missing: str) -> None:
    there = dict.fromkeys({"bash", "git", "python3"} - {missing}, "")
    shell = "bash" if missing != "bash" else "sh"

    said = _prepared(tmp_path, there, shell)

    assert f"ftctl: the image has no {missing}: the input 'image' names one with bash, git" in said


def test_an_image_with_an_older_python_is_told(tmp_path: Path) -> None:
    quiet = "#!/bin/sh\nexit 0\n"
    programs = dict.fromkeys(("bash", "mktemp", "rm"), "")

    said = _prepared(tmp_path, programs | {"git": quiet, "python3": quiet})

    assert "ftctl: the image has an older Python: the input 'image' names one with Python" in said


@pytest.mark.parametrize("source", ["file:///nowhere/at/all", "http://127.0.0.1:9/OWNER/ftctl"])
def test_a_source_that_cannot_be_read_is_told(gitlab: GitLab, source: str) -> None:
    gitlab.inputs["source"] = source

    run = _job(gitlab, "ftctl:approved")

    commit = gitlab.inputs["commit"]
    assert run.status == 1
    assert f"ftctl: git could not fetch commit {commit} of {source}: its words stand" in run.log
    assert "Settings, CI/CD, Job token permissions" in run.log
    assert "glcbt-of-the-job" not in run.log


@pytest.mark.parametrize("name", ["ftctl:drift", "ftctl:plan:fork"])
@pytest.mark.parametrize(
    ("directory", "why"),
    [
        ("services/nowhere", "the folder 'services/nowhere' is not in this checkout"),
        ("data", "the folder 'data' has no ftctl.yaml"),
    ],
)
def test_a_directory_that_is_not_the_projects_is_told(
    gitlab: GitLab, name: str, directory: str, why: str
) -> None:
    gitlab.inputs["directory"] = directory

    run = _job(gitlab, name)

    assert run.status == 1
    assert f"{why}: the input 'directory' names the one that has it" in run.log
    assert "Traceback" not in run.log


def test_a_plan_of_a_directory_that_is_not_there_says_so_in_the_note(gitlab: GitLab) -> None:
    gitlab.inputs["directory"] = "services/nowhere"
    gitlab.commit("change", {"README.md": "x\n"})
    request = gitlab.open_request()

    runs = gitlab.plan(request)

    assert {name: run.status for name, run in runs.items()} == {
        "ftctl:begin": 0, "ftctl:plan": 1, "ftctl:note": 0,
    }  # fmt: skip
    body = next(one["body"] for one in gitlab.notes if one["iid"] == request["iid"])
    assert "the folder 'services/nowhere' is not in this checkout" in body


@pytest.mark.parametrize("name", ["ftctl:begin", "ftctl:approved"])
@pytest.mark.parametrize(
    ("token", "why"),
    [
        (None, "this job has no FTCTL_GITLAB_TOKEN: store it for the environment scope"),
        ("glpat-expired", "with 401: FTCTL_GITLAB_TOKEN has expired, was revoked or is not whole"),
        ("two words", "FTCTL_GITLAB_TOKEN holds a space, a line break or another odd character"),
    ],
)
def test_a_token_that_is_none_is_told(
    gitlab: GitLab, name: str, token: str | None, why: str
) -> None:
    gitlab.scoped["ftctl/notes"] = {"FTCTL_GITLAB_TOKEN": token} if token else {}

    run = _job(gitlab, name)

    assert run.status == 1
    assert why in run.log
    assert "Traceback" not in run.log


def test_labels_that_the_token_may_not_set_stop_nothing(gitlab: GitLab) -> None:
    gitlab.role = "Reporter"
    gitlab.commit("labels", {"README.md": "y\n"})

    runs = gitlab.plan(gitlab.open_request("labels"))

    assert {run.status for run in runs.values()} == {0}, runs["ftctl:note"].log
    assert "Labels want the role Developer; to do without, set the variable FTCTL_LABELS" in (
        runs["ftctl:note"].log
    )


@pytest.mark.parametrize(
    ("plan", "status", "kinds"),
    [
        ({"summary": {}}, 0, {"nothing-to-do"}),
        ({"summary": {"create": 1}, "cost": {"high": 0.5}}, 2, {"cost-below-1"}),
        ({"summary": {"replace": 1}, "cost": {"high": 99.99}}, 2, {"cost-below-100"}),
        ({"summary": {"defer": 1}, "cost": {"high": 1000}}, 2, {"cost-1000-or-more"}),
        ({"summary": {"create": 1}, "cost": {"high": None}}, 2, {"cost-unknown"}),
        ({"summary": {"delete": 1}, "cost": {"high": 0}}, 2, set()),
        ({"summary": {"attention": 1}}, 2, {"attention"}),
        ({"summary": {"create": 1}, "cost": {"high": 7}}, 3, {"refused", "cost-below-10"}),
        ({"summary": {"create": 1}}, 1, set()),
        (None, 0, set()),
    ],
)
def test_labels_say_what_a_plan_comes_to(plan: Any, status: int, kinds: set[str]) -> None:
    assert LABELS.kinds_of(plan, status) == kinds
    assert kinds <= LABELS.KINDS


def test_labels_of_two_places_are_two() -> None:
    long = "prod@" + "a" * 100

    assert LABELS.label("refused", "default@.") == "ftctl-refused"
    assert LABELS.label("refused", "prod@.") == "ftctl-refused:prod@."
    assert len(LABELS.label("refused", long)) == 60
    assert LABELS.label("refused", long) != LABELS.label("refused", f"{long}b")


def test_no_key_reaches_a_job_that_talks_to_gitlab(gitlab: GitLab) -> None:
    run = _job(gitlab, "ftctl:approved")

    assert run.environ["FTCTL_GITLAB_TOKEN"] == TOKEN
    assert KEY not in run.environ.values()
