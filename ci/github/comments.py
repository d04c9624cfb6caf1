"""A text in; the one comment of ours on a pull request that says it, out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from forge import Api, at, number
from job import Job

# Which run wrote a comment: `reviewed` on plans, whose line is of ci/plan.sh, `run` on results.
_WRITTEN = re.compile(
    r"<!-- ftctl (?:reviewed: (?P<head>[0-9a-f]{40}|[0-9a-f]{64})"
    r" (?P<digest>none|sha256:[0-9a-f]{64})"
    r"|run:) (?P<run>[1-9][0-9]{0,19}) (?P<attempt>[1-9][0-9]{0,4}) -->"
)
EMPTIED = (
    "This was nothing that ftctl keeps here, or it was older. Another comment has what it says."
)


def find(api: Api, job: Job, pull: int, mark: str) -> list[Any]:
    """Our comments with this mark, the oldest first; there should be one at most."""
    ours = [
        comment
        for comment in api.pages(f"issues/{pull}/comments")
        if at(comment, "user", "login") == job.bot and mark in str(at(comment, "body") or "")
    ]
    return sorted(ours, key=lambda comment: number(comment, "id"))


def put(
    api: Api, job: Job, pull: int, mark: str, text: Callable[[str], str | None]
) -> bool:  # fmt: skip
    """Change our comment to a text, or add it; what stood there in, the text out (None: leave it).

    What a newer run wrote stays: an old run that is run again has less to say. Where several have
    the mark, the oldest is kept and the others are emptied: a merge takes no plan from a pull
    request that has two. Whether it was this run's turn.
    """
    first, *rest = find(api, job, pull, mark) or [None]
    before = str(at(first, "body") or "")
    if first is not None and run_of(before) > (job.run, job.attempt):
        job.warn(
            f"run {run_of(before)[0]} is newer, and what it says on pull request #{pull} stays;"
            " delete that comment if it is not ours, and run this again"
        )
        return False
    body = text(before)
    if body is not None and first is None:
        api.send("POST", f"issues/{pull}/comments", {"body": body})
    elif body is not None:
        api.send("PATCH", f"issues/comments/{number(first, 'id')}", {"body": body})
    for other in rest:
        job.warn(f"a second comment on pull request #{pull} looked like ours: it was emptied")
        api.send("PATCH", f"issues/comments/{number(other, 'id')}", {"body": EMPTIED})
    return True


def run_of(body: str) -> tuple[int, int]:
    """Run and attempt that wrote it; zeros where it does not say."""
    written = written_by(body)
    return (int(written["run"]), int(written["attempt"])) if written else (0, 0)


def written_by(body: str) -> re.Match[str] | None:
    """The second line, which says of what a comment is."""
    lines = [line.rstrip("\r") for line in body.split("\n")]
    return _WRITTEN.fullmatch(lines[1]) if len(lines) > 1 else None


def head_of(body: str) -> str:
    """The commit that was planned, or nothing."""
    written = written_by(body)
    return (written["head"] or "") if written else ""
