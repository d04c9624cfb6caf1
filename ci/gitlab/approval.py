"""A push to a branch in; the digest that its merge approved and the plan out, or why not.

Nothing that anybody can write is believed. The note on the merged request says which job planned
it; what that job kept is taken only where GitLab's API says of the job, its pipeline and the merge
request what must be so, and only while the note still says the same, letter for letter. Each
refusal is a sentence.

When a note was changed last tells nothing: a reaction to it moves `updated_at`.

A push may carry several merges, oldest first: each is looked at by itself. What a merge train plans
stands in no note, since nobody would have read it before the train merges; so no job of a train
approves anything. What GitLab says where: docs/decisions/0025, as read on 2026-11-30.
"""

from __future__ import annotations

import base64
import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from forge import Api, Missing, at, in_path, number, parsed, shown, text

FOLDER = "ftctl-plan"  # of the plan's artifacts
# What a plan's job keeps, and how large it may be.
MOST_KEPT = {
    "note.md": 2 * 1024 * 1024,
    "plan.json": 64 * 1024 * 1024,
    "reviewed.json": 16 * 1024,
}
MOST_FILES = 100  # that say what a pipeline does
MOST_COMMITS = 100  # of one push, along its first parents

_LINE = re.compile(
    r"<!-- ftctl reviewed: ([0-9a-f]{40}|[0-9a-f]{64})"
    r" (?:none|(sha256:[0-9a-f]{64}) ([1-9][0-9]{0,19}) ([1-9][0-9]{0,19})) -->"
)
# Names of files in a pipeline's file: bare words, and what stands in quotes or behind a key.
_CONFIG = (
    re.compile(r"[\w./*@-]+\.ya?ml\b"),
    re.compile(r"""['"]([^'"\n]+\.ya?ml)['"]"""),
    re.compile(r"(?m)(?:^ *-|:) +([^'\"#\n]+\.ya?ml) *$"),
)


class Refused(Exception):
    """Nothing was approved; the sentence says why."""


class Unmerged(Refused):
    """A commit that no merge request became."""


@dataclass(frozen=True)
class Merge:
    """What a job knows of a push, and how this project is known on merge requests."""

    sha: str
    branch: str
    job: str  # the name of the job that plans
    place: str  # environment and folder, as they stand in names
    mark: str  # first line of our note
    config: str  # the file that says what a pipeline does


@dataclass(frozen=True)
class Approval:
    """What people saw on the merge request and merged."""

    iid: int
    digest: str
    plan: bytes


@dataclass(frozen=True)
class _Claim:
    """What the note says of itself."""

    head: str
    digest: str
    pipeline: int
    job: int


@dataclass(frozen=True)
class Found:
    """What the merges of a push approved, oldest first, and why others approved nothing."""

    approvals: tuple[Approval, ...]
    requests: tuple[int, ...]  # every merge request that became a commit of it
    problems: tuple[str, ...]


def find_approvals(merge: Merge, before: str, api: Api) -> Found:
    """Of each merge of a push by itself. `before` is what the branch was; zeros where it is new."""
    approvals: list[Approval] = []
    requests: list[int] = []
    problems: list[str] = []
    for sha in pushed(api, before, merge.sha):
        one = replace(merge, sha=sha)
        try:
            request = merged_request(api, one)
            requests.append(number(request, "iid"))
            approvals.append(_approval(api, one, request))
        except Unmerged as refused:
            # A commit that a merge brought along is no merge of its own.
            if sha == merge.sha:
                problems.append(str(refused))
        except Refused as refused:
            problems.append(str(refused))
    return Found(tuple(approvals), tuple(requests), tuple(problems))


def pushed(api: Api, before: str, sha: str) -> list[str]:
    """The commits that a push put on a branch, along first parents, the oldest first."""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", before) or not before.strip("0"):
        return [sha]
    path = f"repository/commits?ref_name={in_path(f'{before}..{sha}')}&first_parent=true"
    commits: list[str] = []
    try:
        for commit in api.pages(path):
            commits.insert(0, text(commit, "id"))
            if len(commits) > MOST_COMMITS:
                raise Refused(f"more than {MOST_COMMITS} commits were pushed at once")
    except Missing:  # a forced push: what the branch was before is not its past
        return [sha]
    return commits if commits[-1:] == [sha] else [sha]


def find_approval(merge: Merge, api: Api) -> Approval:
    """The plan that the merge stands for; or `Refused`, or `Unanswered`."""
    return _approval(api, merge, merged_request(api, merge))


def _approval(api: Api, merge: Merge, request: Any) -> Approval:
    if at(request, "source_project_id") != api.project:
        iid = number(request, "iid")
        raise Refused(f"merge request !{iid} came from a fork, which is planned without a key")
    iid, head = number(request, "iid"), text(request, "sha")
    note = _our_note(api, merge, iid)
    claim = _claim(note, iid, head)
    _refuse_other_jobs(api, merge, claim)
    _refuse_other_pipelines(api, merge, iid, claim)
    _refuse_changed_config(api, merge, request)
    kept = _kept(api, claim)
    _compare(api, merge, claim, iid, kept)
    if _plain(text(note, "body")) != _plain(kept["note.md"].decode("utf-8", "replace")):
        raise Refused(
            f"the note on merge request !{iid} is not what job {claim.job} wrote: somebody changed"
            " it"
        )
    return Approval(iid, claim.digest, kept["plan.json"])


def merged_request(api: Api, merge: Merge) -> Any:
    """The one merge request that became this commit."""
    requests = [
        request
        for request in api.pages(f"repository/commits/{merge.sha}/merge_requests")
        if at(request, "state") == "merged"
        and at(request, "target_branch") == merge.branch
        and at(request, "target_project_id") == api.project
        and _became(api, request, merge.sha)
    ]
    if not requests:
        raise Unmerged(f"commit {merge.sha} was merged by no merge request")
    if len(requests) > 1:
        numbers = ", ".join(f"!{at(request, 'iid')}" for request in requests)
        raise Refused(f"commit {merge.sha} is the merge of several merge requests: {numbers}")
    # The list may leave out what the request itself tells.
    iid = number(requests[0], "iid")
    return api.get(f"merge_requests/{iid}")


def _became(api: Api, request: Any, sha: str) -> bool:
    """Whether this commit is what the request was merged as: a merge, squashed, or its own last.

    Or what a train made of it, where it goes fast-forward.
    """
    made = [at(request, key) for key in ("merge_commit_sha", "squash_commit_sha")]
    if made != [None, None]:
        return sha in made
    iid = number(request, "iid")
    return at(request, "sha") == sha or any(
        at(one, "ref") == f"refs/merge-requests/{iid}/train"
        and at(one, "source") == "merge_request_event"
        and at(one, "sha") == sha
        for one in api.pages(f"merge_requests/{iid}/pipelines")
    )


def _our_note(api: Api, merge: Merge, iid: int) -> Any:
    """The one note of our user with our mark; anywhere in it counts, so that none stands beside."""
    bot = api.user()
    ours = [
        note
        for note in api.pages(f"merge_requests/{iid}/notes?sort=asc")
        if at(note, "author", "id") == bot and merge.mark in str(at(note, "body") or "")
    ]
    if not ours:
        raise Refused(
            f"merge request !{iid} has no note of our user with a plan for this environment"
        )
    if len(ours) > 1:
        raise Refused(
            f"merge request !{iid} has {len(ours)} notes of our user that say what would be done"
            " here: one of them is not ours"
        )
    return ours[0]


def read_claim(body: str) -> tuple[str, str | None, str | None, str | None] | None:
    """Commit, digest, pipeline and job that our note names; no digest where it has no plan."""
    lines = [line.rstrip("\r") for line in body.split("\n")]
    found = _LINE.fullmatch(lines[1]) if len(lines) > 1 else None
    return None if found is None else (found[1], found[2], found[3], found[4])


def _claim(note: Any, iid: int, head: str) -> _Claim:
    found = read_claim(text(note, "body"))
    if found is None:
        raise Refused(f"the note on merge request !{iid} was changed by hand")
    commit, digest, pipeline, job = found
    if commit != head:
        raise Refused(
            f"the plan on merge request !{iid} is of commit {commit}; what was merged is {head}"
        )
    if digest is None or pipeline is None or job is None:
        raise Refused(f"merge request !{iid} was merged without a plan that may be applied")
    return _Claim(commit, digest, int(pipeline), int(job))


def _refuse_other_jobs(api: Api, merge: Merge, claim: _Claim) -> None:
    """The job that the note names must be the last of its name, in the pipeline that it names."""
    name = f"job {claim.job}, which the note names,"
    try:
        job = api.get(f"jobs/{claim.job}")
    except Missing:
        raise Refused(f"{name} is not there (any more)") from None
    wanted = [
        (("name",), merge.job, f"not '{merge.job}'"),
        (("pipeline", "project_id"), api.project, "of another project"),
        (("pipeline", "id"), claim.pipeline, f"not of pipeline {claim.pipeline}"),
        (("status",), "success", "not one that ended well"),
    ]
    for keys, value, problem in wanted:
        if at(job, *keys) != value:
            raise Refused(f"{name} is {problem}: {shown(at(job, *keys))}")
    for other in api.pages(f"pipelines/{claim.pipeline}/jobs?include_retried=true"):
        if at(other, "name") == merge.job and number(other, "id") > claim.job:
            raise Refused(
                f"job {number(other, 'id')} planned the same commit after job {claim.job}, and the"
                " note is not of it"
            )


def _refuse_other_pipelines(api: Api, merge: Merge, iid: int, claim: _Claim) -> None:
    """It must be the last one of this merge request, of the commit that was merged.

    Those of a train come later and say nothing: no note is of them.
    """
    name = f"pipeline {claim.pipeline}, which the note names,"
    try:
        pipeline = api.get(f"pipelines/{claim.pipeline}")
    except Missing:
        raise Refused(f"{name} is not there (any more)") from None
    ref = text(pipeline, "ref")
    ours = [f"refs/merge-requests/{iid}/{kind}" for kind in ("head", "merge")]
    if at(pipeline, "project_id") != api.project:
        raise Refused(f"{name} is of another project")
    if at(pipeline, "source") != "merge_request_event":
        raise Refused(f"{name} is of no merge request: {shown(at(pipeline, 'source'))}")
    if ref not in ours:
        raise Refused(f"{name} is not of merge request !{iid}: {shown(ref)}")
    sha = text(pipeline, "sha")
    if ref == ours[0]:
        if sha != claim.head:
            raise Refused(f"{name} is of commit {shown(sha)}; what was merged is {claim.head}")
    else:
        _refuse_other_merges(api, merge, name, sha, claim.head)
    for other in api.pages(f"merge_requests/{iid}/pipelines"):
        if at(other, "ref") in ours and number(other, "id") > claim.pipeline:
            raise Refused(
                f"pipeline {number(other, 'id')} is of the same merge request and came after"
                f" pipeline {claim.pipeline}, and the note is not of it"
            )


def _refuse_other_merges(api: Api, merge: Merge, name: str, sha: str, head: str) -> None:
    """A merged result is of two: what was merged, and what the branch was or became."""
    parents = at(api.get(f"repository/commits/{in_path(sha)}"), "parent_ids")
    if not isinstance(parents, list) or head not in parents:
        raise Refused(f"{name} tested another commit than {head}")
    for parent in parents:
        if parent == head:
            continue
        base = api.get(f"repository/merge_base?refs[]={in_path(str(parent))}&refs[]={merge.sha}")
        if at(base, "id") != parent:
            raise Refused(
                f"{name} was planned for another branch than {shown(merge.branch)}, which does not"
                f" have commit {shown(parent)}"
            )


def _refuse_changed_config(api: Api, merge: Merge, request: Any) -> None:
    """A merge request's pipeline is its own: what it changed of that, proves nothing."""
    if "@" in merge.config or "://" in merge.config:
        return  # It lies in another project.
    base, head = text(request, "diff_refs", "base_sha"), text(request, "sha")
    waiting, seen = [merge.config], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if len(seen) > MOST_FILES:
            raise Refused(f"more than {MOST_FILES} files say what the pipeline does")
        if "*" in path:
            waiting += _matching(api, path, base) | _matching(api, path, head)
            continue
        before, after = (_file(api, path, commit) for commit in (base, head))
        if at(before, "blob_id") != at(after, "blob_id"):
            raise Refused(
                f"the merge request changes {shown(path)}, which says what its own pipeline does:"
                " change that in a merge request of its own"
            )
        if after is None:
            if path == merge.config:
                raise Refused(f"{shown(path)} was not there when the branch was made")
            continue  # A file of another project, or no file at all.
        written = base64.b64decode(text(after, "content")).decode("utf-8", "replace")
        waiting += _named(path, written)


def _named(path: str, written: str) -> Iterator[str]:
    """The files that a pipeline's file may name; those of other projects are among them."""
    for pattern in _CONFIG:
        for name in pattern.findall(written):
            if "$" in name:
                raise Refused(
                    f"{shown(path)} names {shown(name)} by a variable, so nobody can tell what the"
                    " pipeline was: write the name of the file"
                )
            yield name.strip().lstrip("/").removeprefix("./")


def _file(api: Api, path: str, commit: str) -> Any:
    try:
        return api.get(f"repository/files/{in_path(path)}?ref={commit}")
    except Missing:
        return None


def _matching(api: Api, pattern: str, commit: str) -> set[str]:
    folder = pattern.partition("*")[0].rpartition("/")[0]
    place = f"&path={in_path(folder)}" if folder else ""
    try:
        entries = list(api.pages(f"repository/tree?ref={commit}&recursive=true{place}"))
    except Missing:
        return set()
    return {
        str(at(entry, "path"))
        for entry in entries
        if at(entry, "type") == "blob" and fnmatch.fnmatchcase(str(at(entry, "path")), pattern)
    }


def _kept(api: Api, claim: _Claim) -> dict[str, bytes]:
    """What the job kept."""
    return dict(_files(api, claim))


def _files(api: Api, claim: _Claim) -> Iterator[tuple[str, bytes]]:
    for name, most in MOST_KEPT.items():
        try:
            yield name, api.download(f"jobs/{claim.job}/artifacts/{FOLDER}/{name}", most)
        except Missing:
            raise Refused(
                f"what job {claim.job} kept is gone: it was deleted, has expired, or was never kept"
            ) from None


def _compare(api: Api, merge: Merge, claim: _Claim, iid: int, kept: Mapping[str, bytes]) -> None:
    """What the job says of itself must be what the API and the note say of it."""
    said = parsed(kept["reviewed.json"], "reviewed.json")
    if not isinstance(said, dict) or said.get("format") != 1:
        raise Refused("what the job kept is of another version of the template")
    if said.get("digest") != claim.digest:
        raise Refused(
            f"the note on merge request !{iid} says {claim.digest}, and job {claim.job} planned"
            f" {shown(said.get('digest'))}"
        )
    wanted = {
        "head": claim.head,
        "place": merge.place,
        "project": str(api.project),
        "event": "merge_request_event",
        "base": merge.branch,
        "number": str(iid),
        "pipeline": str(claim.pipeline),
        "job": str(claim.job),
    }
    for key, value in wanted.items():
        if said.get(key) != value:
            raise Refused(
                f"job {claim.job} says that its {key} is {shown(said.get(key))}, and it is"
                f" {shown(value)}"
            )
    plan = parsed(kept["plan.json"], "plan.json")
    if not isinstance(plan, dict) or plan.get("digest") != claim.digest:
        raise Refused(f"the plan that job {claim.job} kept is not the one that it names")


def _plain(body: str) -> str:
    """A note as GitLab keeps it: ends of lines and of the text are not ours to say."""
    return "\n".join(line.rstrip() for line in body.replace("\r\n", "\n").strip().split("\n"))
