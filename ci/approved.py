"""A push to a branch in; the plans that its merges approved out, oldest first, or why none.

Nothing that anybody can write is believed. The comment on a merged pull request says which run
planned it; what that run kept is taken only where GitHub's API says of the run, the workflow and
the pull request what must be so (docs/decisions/0018). A push may carry several merges, such as a
group of a merge queue: each is looked at by itself (0023). Each refusal is a sentence. Python's own
library is all that is used, since this runs before anything of the repository may.

Shapes of answers: docs.github.com/rest, API version 2022-11-28, as read on 2026-11-30.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

MOST_ANSWER = 16 * 1024 * 1024  # bytes of one answer of the API
MOST_ARCHIVE = 16 * 1024 * 1024  # of what a run kept, packed
MOST_RATIO = 200  # of a file to its place in the archive; a plan's JSON packs to a tenth
MOST_PAGES = 30
MOST_COMMITS = 250  # of a push, along main; a merge queue puts 100 pull requests into a group
MOST_HANDED = 100  # plans that one job hands to the next
MOST_PLAN = 64 * 1024 * 1024
# What plan.sh keeps, and how large it may be. A comment at GitHub has 65,536 characters at most.
MOST_KEPT = {
    "comment.md": 512 * 1024,
    "plan.json": MOST_PLAN,
    "reviewed.json": 16 * 1024,
}
# Services of GitHub have clocks of their own; somebody who edits a comment needs longer than this.
SKEW = timedelta(seconds=5)
COMMENT_SKEW = timedelta(seconds=60)

_LINE = re.compile(
    r"<!-- ftctl reviewed: ([0-9a-f]{40}|[0-9a-f]{64}) (none|sha256:[0-9a-f]{64})"
    r"(?: ([1-9][0-9]{0,19}) ([1-9][0-9]{0,4}))? -->"
)
_LOCAL = re.compile(r"""^[^#\n]*\buses['"]?\s*:\s*['"]?(\./[^\s'"]*)""", re.MULTILINE)
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error)
_AGAIN = "push to the branch again before it is merged, or close and reopen the pull request"


class Refused(Exception):
    """Nothing was approved; the sentence says why."""


class Unplanned(Refused):
    """A pull request that was never planned with a key: it approves nothing."""


class Unanswered(Exception):
    """GitHub did not say what is needed to know; the sentence says what it said."""


class Missing(Exception):
    """What was asked for is not there."""


# A path of the API and the most bytes of its answer in; the answer out.
Ask = Callable[[str, int], bytes]


@dataclass(frozen=True)
class Merge:
    """What the runner knows of a push, and how this project is known on pull requests."""

    repository: str  # owner/name
    sha: str
    ref: str
    before: str  # what the branch was before the push
    workflow: str  # path of the workflow that plans
    place: str  # environment and folder, as they stand in names
    mark: str  # first line of our comment
    bot: str  # who writes it


@dataclass(frozen=True)
class Approval:
    """What people saw on the pull request and merged."""

    number: int
    digest: str
    plan: bytes


@dataclass(frozen=True)
class Approvals:
    """What a push stands for: plans, oldest first, and why others of its merges have none."""

    plans: tuple[Approval, ...]
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Claim:
    """What the comment says of itself."""

    head: str
    digest: str
    run: int
    attempt: int


def find_approvals(merge: Merge, ask: Ask) -> Approvals:
    """The plans that the merges of a push stand for; `Refused`, or `Unanswered`.

    One that can not be believed refuses all. One that was never planned, such as a fork's, approves
    nothing and stops nothing: what it would buy is in no approved plan, so apply refuses that.
    """
    api = _Api(merge.repository, ask)
    merges = _merges(api, merge)
    plans, without = [], []
    for pull in merges:
        try:
            plans.append(_approval(api, merge, pull))
        except Unplanned as reason:
            without.append(str(reason))
        except Refused as reason:
            if len(merges) == 1:
                raise
            raise Refused(
                f"of the {len(merges)} merges of this push, that of pull request"
                f" #{_number(pull, 'number')} approves nothing: {reason}"
            ) from None
    if not plans:
        raise Refused(without[0])
    return Approvals(tuple(plans), tuple(without))


def _approval(api: _Api, merge: Merge, pull: Any) -> Approval:
    """What one merge of a push stands for.

    It was planned before any of the push was taken into the branch: the workflow must be one that
    was there before all of it, also where another merge of the push brought it along.
    """
    number, head = _number(pull, "number"), _text(pull, "head", "sha")
    if _at(pull, "head", "repo", "id") != _number(pull, "base", "repo", "id"):
        raise Unplanned(f"pull request #{number} came from a fork, which is planned without a key")
    comment = _our_comment(api, merge, number)
    claim = _claim(comment, number, head)
    run = _verified_run(api, merge, pull, claim)
    _refuse_other_bases(api, pull, run)
    _refuse_changed_workflow(api, merge, head)
    kept = _kept(api, merge, claim, run)
    _compare(merge, claim, number, kept)
    _refuse_edited(api, comment, number, claim, kept["comment.md"])
    # A comment and a merge have the one clock; a plan that came later was read by nobody.
    if _time(comment, "updated_at") > _time(pull, "merged_at") + SKEW:
        raise Refused(
            f"the plan on pull request #{number} was written after it was merged: nobody had read"
            " it then"
        )
    return Approval(number, claim.digest, kept["plan.json"])


def _merges(api: _Api, merge: Merge) -> list[Any]:
    """The pull request of each merge of the push, oldest first.

    GitHub lets a branch go forward by the commits of its merges. A merge commit and a squashed one
    stand for a pull request; of rebased ones the last does, and GitHub says of those before it that
    they are of the same.
    """
    branch = merge.ref.removeprefix("refs/heads/")
    if branch == merge.ref:
        raise Refused(f"{_shown(merge.ref)} is no branch")
    found: list[Any] = []
    for sha in _pushed(api, merge):
        pulls = [
            pull
            for pull in api.pages(f"commits/{sha}/pulls")
            if _at(pull, "merged_at") is not None
            and _at(pull, "base", "ref") == branch
            and _at(pull, "base", "repo", "full_name") == merge.repository
        ]
        ours = [pull for pull in pulls if _at(pull, "merge_commit_sha") == sha]
        if len(ours) > 1:
            numbers = ", ".join(f"#{_at(pull, 'number')}" for pull in ours)
            raise Refused(f"commit {sha} is the merge of several pull requests: {numbers}")
        if ours:
            found.append(ours[0])
        elif not found or _at(found[-1], "number") not in [_at(pull, "number") for pull in pulls]:
            raise Refused(f"commit {sha} was merged by no pull request")
    return found[::-1]


def _pushed(api: _Api, merge: Merge) -> Iterator[str]:
    """The commits by which the branch went forward, newest first."""
    if not re.fullmatch(r"[0-9a-f]{40,64}", merge.before) or not merge.before.strip("0"):
        raise Refused("the push does not say what the branch was before")
    compared = api.get(f"compare/{merge.before}...{merge.sha}?per_page=1")
    if _text(compared, "merge_base_commit", "sha") != merge.before:
        raise Refused(f"the branch did not go forward from {merge.before}, but was moved")
    sha = merge.sha
    for _ in range(min(_number(compared, "ahead_by"), MOST_COMMITS)):
        parents = _at(api.get(f"git/commits/{sha}"), "parents")
        if not isinstance(parents, list) or not parents:
            break
        yield sha
        sha = _text(parents[0], "sha")
        if sha == merge.before:
            return
    raise Refused(
        f"the push has more than {MOST_COMMITS} commits, or does not lead back to {merge.before}"
    )


def _our_comment(api: _Api, merge: Merge, number: int) -> Any:
    """The one comment with our mark; somewhere in it counts, so that none stands beside it."""
    ours = [
        comment
        for comment in api.pages(f"issues/{number}/comments")
        if _at(comment, "user", "login") == merge.bot
        and merge.mark in str(_at(comment, "body") or "")
    ]
    if not ours:
        raise Unplanned(
            f"pull request #{number} has no comment of {merge.bot} with a plan for this environment"
        )
    if len(ours) > 1:
        raise Refused(
            f"pull request #{number} has {len(ours)} comments of {merge.bot} that say what would be"
            " done here: one of them is not ours"
        )
    return ours[0]


def _claim(comment: Any, number: int, head: str) -> _Claim:
    lines = [line.rstrip("\r") for line in str(_at(comment, "body")).split("\n")]
    found = _LINE.fullmatch(lines[1]) if len(lines) > 1 else None
    if found is None:
        raise Refused(f"the comment on pull request #{number} was changed by hand")
    commit, digest, run, attempt = found.groups()
    if commit != head:
        raise Refused(
            f"the plan on pull request #{number} is of commit {commit}; what was merged is {head}"
        )
    if digest == "none":
        raise Refused(f"pull request #{number} was merged without a plan that may be applied")
    if run is None:
        raise Refused(
            f"the comment on pull request #{number} does not name the run that made it: an earlier"
            f" version of the action wrote it. Next time, {_AGAIN}"
        )
    return _Claim(commit, digest, int(run), int(attempt))


def _verified_run(api: _Api, merge: Merge, pull: Any, claim: _Claim) -> Any:
    """The run that the comment names, if it is of the plan's own workflow and of this head."""
    name = f"run {claim.run}, which the comment names,"
    try:
        run = api.get(f"actions/runs/{claim.run}")
    except Missing:
        raise Refused(f"{name} is not there (any more)") from None
    try:
        workflow = api.get(f"actions/workflows/{quote(Path(merge.workflow).name, safe='')}")
    except Missing:
        workflow = None
    if _at(workflow, "path") != merge.workflow:
        raise Refused(
            f"this repository has no workflow {_shown(merge.workflow)}: 'plan-workflow' is the path"
            " of the one that plans pull requests"
        )
    repository = _at(pull, "base", "repo", "id")
    head, branch = claim.head, _text(pull, "head", "ref")
    wanted = [
        (("repository", "id"), repository, "of another repository"),
        (("head_repository", "id"), repository, "of a fork"),
        (("workflow_id",), _at(workflow, "id"), f"of another workflow than {merge.workflow}"),
        (("event",), "pull_request", "of another event than a pull request"),
        (("head_sha",), head, f"of another commit than {head}"),
        (("head_branch",), branch, "of another branch than the pull request's"),
        (("status",), "completed", "not over"),
    ]
    for keys, value, problem in wanted:
        if _at(run, *keys) != value:
            raise Refused(f"{name} is {problem}: {_shown(_at(run, *keys))}")
    if not _same_path(_at(run, "path"), merge.workflow):
        raise Refused(f"{name} is of another file: {_shown(_at(run, 'path'))}")
    if _at(run, "conclusion") != "success":
        raise Refused(f"{name} did not end well: {_shown(_at(run, 'conclusion'))}")
    if _number(run, "run_attempt") < claim.attempt:
        raise Refused(f"{name} has no attempt {claim.attempt}")
    _refuse_newer_runs(api, workflow, run, claim)
    return run


def _same_path(path: Any, wanted: str) -> bool:
    # Some answers have the revision behind it. The workflow's id is compared as well.
    return isinstance(path, str) and (path == wanted or path.startswith(f"{wanted}@"))


def _refuse_newer_runs(api: _Api, workflow: Any, run: Any, claim: _Claim) -> None:
    path = (
        f"actions/workflows/{_number(workflow, 'id')}/runs?event=pull_request&head_sha={claim.head}"
    )
    newer = [
        other
        for other in api.pages(path, "workflow_runs")
        if _at(other, "head_branch") == _at(run, "head_branch")
        and _at(other, "head_repository", "id") == _at(run, "head_repository", "id")
        and _number(other, "run_number") > _number(run, "run_number")
    ]
    ran = _ran(api, f"actions/runs/{claim.run}/attempts/{claim.attempt}/jobs") if newer else set()
    newer = [other for other in newer if not _planned_nothing(api, other, ran)]
    if newer:
        raise Refused(
            f"run {_number(newer[0], 'id')} planned the same commit after run {claim.run}, and the"
            " comment is not of it"
        )


def _planned_nothing(api: _Api, other: Any, ran: set[str]) -> bool:
    """Whether a run did nothing that a plan is made by, such as one for somebody's label.

    It must have ended well, and no job that ran in it may have the name of one that ran in the run
    which is believed. What GitHub skipped has no part in that.
    """
    if _at(other, "status") != "completed":
        return False
    if _at(other, "conclusion") == "skipped":
        return True
    if _at(other, "conclusion") != "success":
        return False
    theirs = _ran(api, f"actions/runs/{_number(other, 'id')}/jobs?filter=all")
    return bool(theirs) and not theirs & ran


def _ran(api: _Api, path: str) -> set[str]:
    """The names of jobs that were not skipped."""
    return {
        _text(job, "name") for job in api.pages(path, "jobs") if _at(job, "conclusion") != "skipped"
    }


def _refuse_other_bases(api: _Api, pull: Any, run: Any) -> None:
    """The run's file was the merge of head and base: it must have been this base.

    A run does not say of which pull request it is once that is closed (`pull_requests` is empty
    then), so every other one of the branch and every change of the base is looked at.
    """
    number, started = _number(pull, "number"), _time(run, "created_at")
    owner = _text(pull, "head", "repo", "full_name").partition("/")[0]
    head = quote(f"{owner}:{_text(pull, 'head', 'ref')}", safe="")
    for other in api.pages(f"pulls?state=all&head={head}"):
        theirs, ours = _at(other, "head"), _at(pull, "head")
        same_branch = _at(theirs, "ref") == _at(ours, "ref") and (
            _at(theirs, "repo", "id") == _at(ours, "repo", "id")
        )
        if _at(other, "number") == number or not same_branch:
            continue
        over = _at(other, "closed_at") is not None and (
            _time(other, "closed_at") < _time(pull, "created_at") - SKEW
        )
        if not over and _time(other, "created_at") <= started + SKEW:
            raise Refused(
                f"pull request #{_number(other, 'number')} was open for the same branch, and a run"
                " does not say for which of the two it was"
            )
    for event in api.pages(f"issues/{number}/events"):
        if _at(event, "event") in {"base_ref_changed", "automatic_base_change_succeeded"} and (
            _time(event, "created_at") >= started - SKEW
        ):
            raise Refused(
                f"the base of pull request #{number} was changed after its plan was made. Next"
                f" time, {_AGAIN}"
            )


def _refuse_changed_workflow(api: _Api, merge: Merge, head: str) -> None:
    """Under pull_request the workflow is the change's own: what it changed, proves nothing."""
    compared = api.get(f"compare/{merge.before}...{head}?per_page=1")
    fork_point = _text(compared, "merge_base_commit", "sha")
    before, after = (_blob(api, merge.workflow, commit) for commit in (fork_point, head))
    if after is None or before is None:
        raise Refused(
            f"{merge.workflow} was not there when the branch was made. Next time, bring the branch"
            " up to date first"
        )
    if after != before:
        raise Refused(
            f"the pull request changes {merge.workflow}, the workflow that planned it: change that"
            " in a pull request of its own"
        )
    blob = api.get(f"git/blobs/{after}")
    text = base64.b64decode(str(_at(blob, "content"))).decode("utf-8", "replace")
    if local := _LOCAL.search(text):
        raise Refused(
            f"{merge.workflow} uses {_shown(local[1])}, which is the change's own: pin what it uses"
            " by a commit of another repository"
        )


def _blob(api: _Api, path: str, commit: str) -> str | None:
    """The id of a file at a commit; None where none is. A folder's list does not follow links."""
    folder, _, name = path.rpartition("/")
    try:
        entries = api.get(f"contents/{quote(folder)}?ref={commit}")
    except Missing:
        return None
    for entry in entries if isinstance(entries, list) else []:
        if _at(entry, "name") == name and _at(entry, "type") == "file":
            return _text(entry, "sha")
    return None


def _kept(api: _Api, merge: Merge, claim: _Claim, run: Any) -> dict[str, bytes]:
    """What the run kept for this merge, unpacked."""
    for attempt in range(_number(run, "run_attempt"), claim.attempt, -1):
        if _artifacts(api, merge, claim, attempt):
            raise Refused(
                f"attempt {attempt} of run {claim.run} made another plan than that of the comment"
            )
    artifacts = _artifacts(api, merge, claim, claim.attempt)
    if not artifacts:
        raise Refused(
            f"what run {claim.run} kept is gone: it was deleted, has expired, or was never kept"
        )
    if len(artifacts) > 1:
        raise Refused(
            f"run {claim.run} has {len(artifacts)} artifacts of one name: one of them replaced ours"
        )
    artifact = artifacts[0]
    if _at(artifact, "expired") is not False:
        raise Refused(
            f"what run {claim.run} kept has expired (the plan's 'retention-days'). Next time,"
            f" {_AGAIN}"
        )
    repository = _at(run, "repository", "id")
    for key, value in (
        ("id", claim.run),
        ("head_sha", claim.head),
        ("repository_id", repository),
        ("head_repository_id", repository),
    ):
        if _at(artifact, "workflow_run", key) != value:
            raise Refused(f"the artifact was made by another run than {claim.run}, or by a fork")
    return unpack(_download(api, artifact, f"run {claim.run}"), MOST_KEPT)


def _artifacts(api: _Api, merge: Merge, claim: _Claim, attempt: int) -> list[Any]:
    return _named(api, claim.run, f"ftctl-plan-{merge.place}-{claim.head}-{attempt}")


def _named(api: _Api, run: int, name: str) -> list[Any]:
    path = f"actions/runs/{run}/artifacts?name={quote(name, safe='')}"
    return [one for one in api.pages(path, "artifacts") if _at(one, "name") == name]


def _download(api: _Api, artifact: Any, whose: str) -> bytes:
    if _number(artifact, "size_in_bytes") > MOST_ARCHIVE:
        raise Refused(f"what {whose} kept has more than {MOST_ARCHIVE:,} bytes")
    try:
        data = api.download(f"actions/artifacts/{_number(artifact, 'id')}/zip", MOST_ARCHIVE)
    except Missing:
        raise Refused(f"what {whose} kept can not be fetched any more") from None
    # Only what upload-artifact of version 4 and later made has a digest.
    digest = _at(artifact, "digest")
    if digest is not None and digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
        raise Refused(f"what {whose} kept is not what it uploaded: its hash differs")
    return data


def find_handed(api: _Api, merge: Merge, run: int, attempt: int, *, to_wait: bool) -> list[bytes]:
    """The plans that the job of this run which applied them has kept for its other jobs.

    For a wait only what is wholly begun: it must not begin what that job did not. Nobody but the
    jobs of this run, whose workflow is the branch's own, can have put them there. `Refused` where
    there are none.
    """
    kinds = ["waiting"] if to_wait else ["waiting", "approved"]
    for earlier in range(attempt, 0, -1):
        artifacts = [
            artifact
            for kind in kinds
            for artifact in _named(api, run, f"ftctl-{kind}-{merge.place}-{earlier}")
        ]
        if len(artifacts) > 1:
            raise Refused(f"this run has {len(artifacts)} artifacts with what was approved")
        for artifact in artifacts:
            if _at(artifact, "workflow_run", "id") != run or _at(artifact, "expired") is not False:
                raise Refused("what this run kept of the approval has expired, or is another run's")
            return _plans(_download(api, artifact, "this run"))
    raise Refused("this run has kept nothing that was approved")


def _plans(data: bytes) -> list[bytes]:
    count = _entries(data)
    if not 1 <= count <= MOST_HANDED:
        raise Refused("what the run kept holds other files than plans")
    names = [f"{number}.plan.json" for number in range(1, count + 1)]
    files = unpack(data, dict.fromkeys(names, MOST_PLAN))
    return [files[name] for name in names]


def unpack(data: bytes, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """The files of an archive, each within its limit; `Refused` for anything else in it.

    The size of the list of entries is looked at first: zipfile reads all of it.
    """
    if _entries(data) != len(wanted):
        raise Refused("what the run kept holds other files than a plan's")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return dict(_files(archive, wanted))
    except (*_BROKEN, ValueError, OSError, EOFError, RuntimeError):
        raise Refused("what the run kept is an archive that can not be read") from None


def _entries(data: bytes) -> int:
    """How many files an archive says that it has; 0 where its list is not what is read later."""
    ending = data.rfind(b"PK\x05\x06")
    if len(data) > MOST_ARCHIVE or ending < 0 or len(data) - ending < 22:
        raise Refused("what the run kept is no archive")
    entries = int.from_bytes(data[ending + 10 : ending + 12], "little")
    listed = int.from_bytes(data[ending + 12 : ending + 16], "little")
    another_list = data[max(ending - 20, 0) : ending].startswith(b"PK\x06\x07")
    return 0 if listed > 4096 + 256 * min(entries, MOST_HANDED) or another_list else entries


def _files(archive: zipfile.ZipFile, wanted: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    infos = archive.infolist()
    if sorted(info.filename for info in infos) != sorted(wanted):
        raise Refused("what the run kept holds other files than a plan's")
    for info in infos:
        yield info.filename, _read(archive, info, wanted[info.filename])


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    kind = info.external_attr >> 16
    if info.flag_bits & 1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Refused(f"{info.filename} of what the run kept is packed in an odd way")
    if kind & 0o170000 not in {0, 0o100000}:
        raise Refused(f"{info.filename} of what the run kept is no file")
    if info.file_size > most or info.file_size > MOST_RATIO * max(info.compress_size, 1):
        raise Refused(f"{info.filename} of what the run kept is larger than a plan's")
    with archive.open(info) as packed:
        content = packed.read(most + 1)
    if len(content) != info.file_size:
        raise Refused(f"{info.filename} of what the run kept has another size than it says")
    return content


def _compare(merge: Merge, claim: _Claim, number: int, kept: Mapping[str, bytes]) -> None:
    """What the run says of itself must be what the API and the comment say of it."""
    said = _parsed(kept["reviewed.json"], "reviewed.json")
    if not isinstance(said, dict) or said.get("format") != 1:
        raise Refused("what the run kept is of another version of the action")
    if said.get("digest") != claim.digest:
        raise Refused(
            f"the comment on pull request #{number} says {claim.digest}, and run {claim.run}"
            f" planned {_shown(said.get('digest'))}"
        )
    branch = merge.ref.removeprefix("refs/heads/")
    wanted = {
        "head": claim.head,
        "place": merge.place,
        "repository": merge.repository,
        "workflow": f"{merge.repository}/{merge.workflow}@refs/pull/{number}/merge",
        "event": "pull_request",
        "base": branch,
        "number": str(number),
        "run": str(claim.run),
        "attempt": str(claim.attempt),
    }
    for key, value in wanted.items():
        if said.get(key) != value:
            raise Refused(
                f"run {claim.run} says that its {key} is {_shown(said.get(key))}, and it is"
                f" {_shown(value)}"
            )
    plan = _parsed(kept["plan.json"], "plan.json")
    if not isinstance(plan, dict) or plan.get("digest") != claim.digest:
        raise Refused(f"the plan that run {claim.run} kept is not the one that it names")


def _refuse_edited(api: _Api, comment: Any, number: int, claim: _Claim, wrote: bytes) -> None:
    if _plain(str(_at(comment, "body"))) != _plain(wrote.decode("utf-8", "replace")):
        raise Refused(
            f"the comment on pull request #{number} is not what run {claim.run} wrote: somebody"
            " changed it"
        )
    path = f"actions/runs/{claim.run}/attempts/{claim.attempt}/jobs"
    ends = [
        _time(job, "completed_at")
        for job in api.pages(path, "jobs")
        if _at(job, "completed_at") is not None
    ]
    if not ends:
        raise Refused(f"attempt {claim.attempt} of run {claim.run} has no jobs")
    if _time(comment, "updated_at") > max(ends) + COMMENT_SKEW:
        raise Refused(
            f"the comment on pull request #{number} was edited after run {claim.run} wrote it"
        )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip()


@dataclass(frozen=True)
class _Api:
    """Answers about one repository, as values."""

    repository: str
    ask: Ask

    def get(self, path: str) -> Any:
        return _parsed(self.download(path, MOST_ANSWER), path)

    def download(self, path: str, most: int) -> bytes:
        return self.ask(f"repos/{self.repository}/{path}", most)

    def pages(self, path: str, key: str | None = None) -> Iterator[Any]:
        """Each item of a list, which may stand under a key."""
        mark = "&" if "?" in path else "?"
        for page in range(1, MOST_PAGES + 1):
            answer = self.get(f"{path}{mark}per_page=100&page={page}")
            items = answer if key is None else _at(answer, key)
            if not isinstance(items, list):
                raise Unanswered(f"GitHub's answer to {path} is no list")
            yield from items
            if len(items) < 100:
                return
        raise Refused(f"GitHub has more than {MOST_PAGES * 100:,} entries for {path}")


def _parsed(data: bytes, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Unanswered(f"{name} is no JSON") from None


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _number(value: Any, *keys: str) -> int:
    number = _at(value, *keys)
    if type(number) is not int:
        raise Unanswered(f"GitHub gave no number for {'.'.join(keys)}")
    return number


def _text(value: Any, *keys: str) -> str:
    text = _at(value, *keys)
    if not isinstance(text, str):
        raise Unanswered(f"GitHub gave no text for {'.'.join(keys)}")
    return text


def _time(value: Any, *keys: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value, *keys))
        zone = moment.tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise Unanswered(f"GitHub gave no time for {'.'.join(keys)}")
    return moment


def _shown(value: Any) -> str:
    """A value that others chose, in a line of ours: short, and nothing but ordinary letters."""
    text = re.sub(r"[^A-Za-z0-9 ._/@:,+=~#()-]", "?", str(value))
    return f"'{text[:100]}'"


def ask_gh(path: str, most: int) -> bytes:
    """One answer of GitHub through its own program, which has the token in its environment."""
    with subprocess.Popen(  # noqa: S603 # no word of it is anybody's but ours
        ["gh", "api", path],  # noqa: S607 # the runner brings it
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        data = program.stdout.read(most + 1)
        if len(data) > most:
            program.kill()
            raise Refused(f"GitHub's answer to {path} has more than {most:,} bytes")
        words = program.stderr.read(10_000).decode("utf-8", "replace")
    if program.returncode == 0:
        return data
    if "HTTP 404" in words or "HTTP 410" in words:
        raise Missing(path)
    hint = ""
    if "HTTP 403" in words or "HTTP 401" in words:
        hint = ": the job needs 'actions', 'contents', 'issues' and 'pull-requests', each 'read'"
    raise Unanswered(f"GitHub did not answer {path} ({_shown(words.strip())}){hint}")


def main(environ: Mapping[str, str]) -> int:
    """Print what was found as JSON, and leave the plans in APPROVED_FOLDER."""
    folder = Path(environ["APPROVED_FOLDER"])
    event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text("utf-8"))
    merge = Merge(
        repository=environ["GITHUB_REPOSITORY"],
        sha=environ["GITHUB_SHA"],
        ref=environ["GITHUB_REF"],
        before=str(event.get("before")),
        workflow=environ["INPUT_PLAN_WORKFLOW"],
        place=environ["APPROVED_PLACE"],
        mark=environ["APPROVED_MARK"],
        bot=environ["INPUT_BOT"],
    )
    found: dict[str, Any] = {"numbers": [], "digests": [], "without": []}
    try:
        if environ.get("APPROVED_BY") == "run":
            run, attempt = int(environ["GITHUB_RUN_ID"]), int(environ["GITHUB_RUN_ATTEMPT"])
            waits = environ.get("INPUT_COMMAND") == "wait"
            api = _Api(merge.repository, ask_gh)
            plans = find_handed(api, merge, run, attempt, to_wait=waits)
            found["digests"] = [str(_at(_parsed(plan, "a plan"), "digest")) for plan in plans]
        else:
            approvals = find_approvals(merge, ask_gh)
            plans = [one.plan for one in approvals.plans]
            found["numbers"] = [one.number for one in approvals.plans]
            found["digests"] = [one.digest for one in approvals.plans]
            found["without"] = list(approvals.without)
    except Refused as refused:
        print(json.dumps({"why": str(refused)}))  # noqa: T201 # its one output
        return 0
    except Missing as missing:
        print(json.dumps({"why": f"GitHub has nothing at {missing}"}))  # noqa: T201
        return 0
    except Unanswered as unanswered:
        print(json.dumps({"fault": str(unanswered)}))  # noqa: T201
        return 0
    found["plans"] = [str(folder / f"{number}.plan.json") for number in range(1, len(plans) + 1)]
    for path, plan in zip(found["plans"], plans, strict=True):
        Path(path).write_bytes(plan)
    print(json.dumps(found))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
