"""The projects of a repository in; those that a change touches, or that are waited for, out.

A list of projects has a folder on each line, and after a colon what else it depends on:

    services/support
    services/sales: shared/data libs/prompts

Only folders of that list come out, as JSON for a matrix. Names of changed files are compared and go
nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from forge import Api, at
from job import Job

MOST_PROJECTS = 256  # jobs that one matrix may have
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/+@#-]*")


class WrongList(Exception):
    """The list of projects cannot be read; the sentence says where."""


@dataclass(frozen=True)
class Project:
    """A folder with an ftctl.yaml, and other paths that it depends on."""

    folder: str
    paths: tuple[str, ...] = ()

    def is_touched(self, files: list[str]) -> bool:
        """Whether one of the files is below the folder or one of the paths, or is it."""
        places = (self.folder, *self.paths)
        return any(
            place in (".", file) or file.startswith(f"{place}/")
            for file in files
            for place in places
        )


def read_projects(text: str) -> list[Project]:
    """The list, one project a line, or a JSON list of folders; `WrongList`."""
    if text.lstrip().startswith("["):
        try:
            lines = json.loads(text)
        except ValueError:
            raise WrongList("'projects' begins as JSON and is none") from None
    else:
        lines = [line for line in text.splitlines() if line.strip()]
    projects: dict[str, Project] = {}
    for number, line in enumerate(lines, 1):
        folder, _, paths = str(line).partition(":")
        project = Project(
            _place(folder.strip(), number), tuple(_place(path, number) for path in paths.split())
        )
        if project.folder in projects:
            raise WrongList(f"line {number} of 'projects' names a folder that another line names")
        projects[project.folder] = project
    if not 0 < len(projects) <= MOST_PROJECTS and text.strip() != "[]":
        raise WrongList(f"'projects' names {len(projects)} projects: 1 to {MOST_PROJECTS} can be")
    return list(projects.values())


def _place(text: str, number: int) -> str:
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or text.startswith("-"):
        raise WrongList(f"line {number} of 'projects' names no folder of this checkout")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise WrongList(f"line {number} of 'projects' has a character that no name needs")
    return str(path)


def changed(_api: Api, job: Job) -> int:
    """Those projects of the list that this change touches; all, where git can not say."""

    def which(projects: list[Project]) -> list[str]:
        only = str(PurePosixPath(job.environ.get("INPUT_DIRECTORY") or "."))
        if only != ".":  # by hand, for one project
            chosen = [one.folder for one in projects if one.folder == only]
            if not chosen:
                raise WrongList("'directory' is none of 'projects'")
            return chosen
        files = _changed_files(job)
        if files is None:
            job.warn("what was changed is not known here: every project is looked at")
            return [one.folder for one in projects]
        return [one.folder for one in projects if one.is_touched(files)]

    return _listed(job, which)


def waiting(api: Api, job: Job) -> int:
    """Those projects of the list of which the last apply of this run has begun all that it was to.

    Where it has not, that is the apply's to do again, in its turn, and no wait's.
    """

    def which(projects: list[Project]) -> list[str]:
        names = {
            str(at(one, "name"))
            for one in api.pages(f"actions/runs/{job.run}/artifacts", "artifacts")
            if at(one, "expired") is False
        }
        return [one.folder for one in projects if is_waited_for(_named(job, one), names)]

    return _listed(job, which)


def is_waited_for(place: str, names: set[str]) -> bool:
    """Whether the last attempt that says something of a place says that there is a wait."""
    form = re.compile(rf"ftctl-(approved|waiting)-{re.escape(place)}-([1-9][0-9]{{0,4}})")
    found = [said for name in names if (said := form.fullmatch(name))]
    last = max(found, key=lambda said: int(said[2]), default=None)
    return last is not None and last[1] == "waiting"


def _listed(job: Job, which: Callable[[list[Project]], list[str]]) -> int:
    try:
        chosen = which(read_projects(job.environ["INPUT_PROJECTS"]))
    except WrongList as fault:
        job.fail(str(fault))
        return 1
    (job.folder / "projects.json").write_text(json.dumps(chosen), "utf-8")
    print("\n".join(chosen) or "none of the projects")  # noqa: T201 # lines of the workflow's list
    return 0


def _changed_files(job: Job) -> list[str] | None:
    """The paths that differ, from the top of the repository; None where git can not say."""
    ends = _ends(job)
    if ends is None:
        return None
    base, head = ends
    done = subprocess.run(  # noqa: S603 # commits, and a branch that is spelled out
        ["git", "-c", "core.fsmonitor=false", "diff", "--name-only", "--no-renames",  # noqa: S607
         "--no-ext-diff", "-z", f"{base}...{head}", "--"],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return None
    return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]


def _ends(job: Job) -> tuple[str, str] | None:
    event: Any = job.event
    head = job.environ["GITHUB_SHA"]
    match job.environ["GITHUB_EVENT_NAME"]:
        case "pull_request":
            branch = job.environ["GITHUB_BASE_REF"]
            base = f"refs/remotes/origin/{branch}" if _BRANCH.fullmatch(branch) else None
        case "merge_group":
            base = _commit(at(event, "merge_group", "base_sha"))
        case "push":
            base = _commit(at(event, "before"))
        case _:
            base = None
    return (base, head) if base and _COMMIT.fullmatch(head) else None


def _commit(value: Any) -> str | None:
    text = str(value)
    return text if _COMMIT.fullmatch(text) and text.strip("0") else None


def _named(job: Job, project: Project) -> str:
    """Environment and folder as they stand in names: what common.sh calls `place`."""
    environment = job.environ.get("INPUT_ENVIRONMENT", "")
    first = {"": "default", "default": "_64efault"}.get(environment, _spelled(environment))
    place = f"{first}@{_spelled(project.folder)}"
    if len(place) <= 120:
        return place
    return f"{place[:80]}~{hashlib.sha256(place.encode()).hexdigest()[:32]}"


def _spelled(text: str) -> str:
    kept = b"abcdefghijklmnopqrstuvwxyz0123456789.-"
    return "".join(
        chr(byte) if byte in kept else f"_{byte:02x}" for byte in text.encode("utf-8", "replace")
    )
