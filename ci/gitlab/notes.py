"""Words that a job left in; notes on merge requests and one issue out. With the token, without the
key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import labels
from approval import FOLDER, Merge, read_claim
from forge import Api, Missing, Unanswered, at, number, parsed, text
from job import (
    APPLIED,
    APPROVED,
    DRIFT,
    WAITED,
    Job,
    die,
    forge,
    left,
    plain_file,
    say,
    spoken,
    text_of,
    warn,
)

MOST_LOOKED_AT = 50  # open merge requests whose plans are compared with what was applied
_STUCK = (
    "If this still stands here when that pipeline is over, it was cancelled or broke: its log says"
    " why. To plan again, choose **Run pipeline** on the merge request's tab Pipelines, or push."
)
MOST_PIPELINES = 20  # of the branch, the newest first, in which an apply may still run
PATIENCE = timedelta(days=3)  # with an apply that waits for its turn or its approval
_RUNS = frozenset(
    {
        "created", "manual", "pending", "preparing", "running", "scheduled", "waiting_for_callback",
        "waiting_for_resource",
    }
)  # fmt: skip


def put(api: Api, iid: int, mark: str, words: Callable[[str], str]) -> None:
    """Put a note with this mark on a merge request: the one of before is changed, none is added.

    `words` is given what stands there.
    """
    notes = f"merge_requests/{iid}/notes"
    bot = api.user()
    ours = [
        one
        for one in api.pages(f"{notes}?sort=asc")
        if at(one, "author", "id") == bot and mark in str(at(one, "body") or "")
    ]
    body = words(str(at(ours[0], "body")) if ours else "")
    if not ours:
        api.send("POST", notes, {"body": body})
        return
    api.send("PUT", f"{notes}/{at(ours[0], 'id')}", {"body": body})
    for other in ours[1:]:
        api.send("DELETE", f"{notes}/{at(other, 'id')}")


def announce(job: Job, api: Api) -> None:
    """Take the plan of before out of sight while another is made. A merge that finds this refuses.

    A pipeline that is cancelled or breaks then leaves nothing that looks like this commit's plan.
    """
    iid, head = int(job.ci["CI_MERGE_REQUEST_IID"]), head_of(job)

    def words(before: str) -> str:
        claim = read_claim(before)
        old = claim[0] if claim else ""
        stood = "an earlier plan of the same commit" if old == head else f"of commit {old[:12]}"
        said = f" What stood here was {stood}." if old else ""
        return "\n".join(
            [
                job.mark("comment"),
                f"<!-- ftctl reviewed: {head} none -->",
                "",
                f"### ftctl: commit {head[:12]} is being planned",
                "",
                f"In {job.pipeline}.{said} A merge now carries nothing out.",
                "",
                _STUCK,
            ]
        )

    put(api, iid, job.mark("comment"), words)


def note(job: Job) -> int:
    """Put what was planned on the merge request, and label it."""
    said = left(job, Path(FOLDER, "reviewed.json"), f"{job.name}:plan")
    body = text_of(Path(FOLDER, "note.md"))
    api = forge(job)
    iid = int(job.ci["CI_MERGE_REQUEST_IID"])
    newest = at(api.get(f"merge_requests/{iid}"), "sha")
    if newest != said.get("head"):
        say(f"A newer commit was pushed to merge request !{iid}: its own plan will stand there.")
        return 0
    put(api, iid, job.mark("comment"), lambda _: body)
    plan = Path(FOLDER, "plan.json")
    planned = json.loads(text_of(plan)) if plain_file(plan) else said.get("summary")
    labels.put(api, job, iid, labels.kinds_of(planned, int(said.get("status", 1))))
    return 0


def report(job: Job) -> int:
    """Say on each merge request of this push what became of it."""
    approved = left(job, APPROVED / "approved.json", f"{job.name}:approved")
    folder, said = outcome(job)
    words = spoken(re.sub("<!--", "&lt;!--", text_of(folder / "result.md")))
    commit = job.ci["CI_COMMIT_SHA"]
    body = "\n".join(
        [
            job.mark("result"), "", words.strip(), "",
            f"Commit {commit[:12]}, {job.pipeline}.",
        ]
    )  # fmt: skip
    api = forge(job)
    _refuse_earlier(job, api, said)
    kind = _kind(said)
    # A later run that finds all done takes nothing away of what was told.
    idle = said.get("outcome") == "nothing-to-do"
    for iid in approved.get("requests", []):
        put(api, int(iid), job.mark("result"), lambda before: (idle and before) or body)
        if idle:
            continue
        labels.put(api, job, int(iid), {kind} if kind else set())
    if said.get("done"):
        _outdate(job, api, set(said["done"]), set(approved.get("requests", [])))
    return 0


def outcome(job: Job) -> tuple[Path, dict[str, Any]]:
    """The folder of the job that knows most of how the apply ended, and what it says."""
    applied = left(job, APPLIED / "applied.json", f"{job.name}:apply")
    if plain_file(WAITED / "applied.json"):
        waited = left(job, WAITED / "applied.json", f"{job.name}:wait")
        if int(waited["job"]) > int(applied["job"]):  # not of a wait before a retried apply
            return WAITED, waited
    return APPLIED, applied


def _refuse_earlier(job: Job, api: Api, said: dict[str, Any]) -> None:
    """What an attempt left says nothing of a later one that broke before it left anything."""
    name, path = (
        f"{job.name}:{said.get('stage')}",
        f"pipelines/{int(job.ci['CI_PIPELINE_ID'])}/jobs",
    )
    attempts = [
        number(one, "id")
        for one in api.pages(f"{path}?include_retried=true")
        if at(one, "name") == name
    ]
    if str(max(attempts, default=0)) != said.get("job"):
        die(
            f"the last attempt of '{name}' left no word, so what it did is not known: look at its"
            " log, and at 'ftctl status'. Nothing is told on the merge request"
        )


def _kind(said: dict[str, Any]) -> str:
    """A label of what `ftctl --report` says came of it."""
    return {
        "applied": "applied", "nothing-to-do": "", "started": "started", "timed-out": "started",
        "stale": "stale",
    }.get(str(said.get("outcome")), "failed")  # fmt: skip


def _outdate(job: Job, api: Api, done: set[str], merged: set[int]) -> None:
    """Label the open merge requests whose plan speaks of something that was just applied."""
    try:
        for one in islice(
            api.pages(f"merge_requests?state=opened&target_branch={job.branch}"), MOST_LOOKED_AT
        ):
            iid = number(one, "iid")
            if iid not in merged and done & _planned_names(job, api, iid):
                labels.add(api, job, iid, labels.OUTDATED)
                say(f"The plan on merge request !{iid} is outdated: run its pipeline again.")
    except (Missing, Unanswered) as fault:
        warn(f"which open merge requests have an outdated plan is not known: {fault}")


def _planned_names(job: Job, api: Api, iid: int) -> set[str]:
    mark, bot = job.mark("comment"), api.user()
    for note in api.pages(f"merge_requests/{iid}/notes?sort=asc"):
        body = str(at(note, "body") or "")
        claim = read_claim(body) if mark in body and at(note, "author", "id") == bot else None
        if claim and claim[1]:
            try:
                data = api.download(f"jobs/{claim[3]}/artifacts/{FOLDER}/plan.json", 64 * 2**20)
            except Missing:
                return set()
            return names_of(parsed(data, "plan.json"))
    return set()


def names_of(plan: Any) -> set[str]:
    """The fine-tunes that a plan would change."""
    changes = at(plan, "changes")
    return {
        str(at(change, "name"))
        for change in (changes if isinstance(changes, list) else [])
        if at(change, "action") not in {"no-op", None}
    }


def head_of(job: Job) -> str:
    """The commit that was pushed, also where its merge is what runs."""
    return job.ci.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or job.ci["CI_COMMIT_SHA"]


def keep_order(job: Job, api: Api) -> None:
    """See to it that merges are applied in the order of their pipelines; say so where they are not.

    GitLab's own default is none. It is set through the API alone, by the role Developer.
    """
    key = f"{job.name}-{job.production}"
    path = f"resource_groups/{key.replace('/', '%2F').replace(' ', '%20')}"
    try:
        mode = at(api.get(path), "process_mode")
        if mode == "oldest_first":
            return
        api.send("PUT", path, {"process_mode": "oldest_first"})
    except (Missing, Unanswered) as fault:
        warn(
            f"in which order merges are applied is not known ({fault}). Where the resource group"
            " is 'unordered', of two merges that come close together the newer one may be applied"
            " first, and the older one is then refused. Somebody with the role Developer sets it"
            ' once: curl --fail --request PUT --header "PRIVATE-TOKEN: $TOKEN" --data'
            f' process_mode=oldest_first "{api.url}/projects/{api.project}/{path}"'
        )
    else:
        say(f"Merges are applied oldest first from now on: resource group '{key}' was '{mode}'.")


def issue(job: Job) -> int:
    """Keep one issue while the service is not as the branch says."""
    said = left(job, DRIFT / "drift.json", f"{job.name}:drift")
    if said["status"] not in {0, 2}:
        say("Nobody knows whether the service differs: no issue is opened, changed or closed.")
        return 0
    description = text_of(DRIFT / "issue.md")
    api = forge(job)
    mark = job.mark("drift")
    open_ones = [
        at(one, "iid")
        for one in api.pages(f"issues?state=opened&labels=ftctl-drift&author_id={api.user()}")
        if str(at(one, "description") or "").split("\n")[0] == mark
    ]
    if said["status"] == 0:
        for iid in open_ones:
            api.send("PUT", f"issues/{iid}", {"state_event": "close"})
        return 0
    if running := _running(job, api):
        say(
            f"An apply is not over yet ({running}): what differs may be its work. No issue is made."
        )
        return 0
    place = job.environment or "default"
    words = {
        "title": f"ftctl: the service differs from the manifests ({place})",
        "labels": "ftctl-drift",
        "description": description,
    }
    if open_ones:
        api.send("PUT", f"issues/{min(open_ones)}", words)
    else:
        api.send("POST", "issues", words)
    return 0


def _running(job: Job, api: Api) -> str:
    """An apply of the branch that runs, or waits for its turn or its approval; else empty."""
    names = {f"{job.name}:{one}" for one in ("approved", "apply", "wait")}
    pipelines = api.pages(f"pipelines?ref={job.branch}&order_by=id&sort=desc")
    for pipeline in islice(pipelines, MOST_PIPELINES):
        if at(pipeline, "source") not in {"push", "web"}:
            continue
        for one in api.pages(f"pipelines/{number(pipeline, 'id')}/jobs"):
            if at(one, "name") in names and at(one, "status") in _RUNS and _begins_soon(one):
                return f"job {number(one, 'id')} is '{at(one, 'status')}'"
    return ""


def _begins_soon(one: Any) -> bool:
    """Whether it runs or may begin any moment. What nobody lets begin for days hides no drift."""
    if at(one, "status") == "running":
        return True
    try:
        created = datetime.fromisoformat(text(one, "created_at"))
        return datetime.now(UTC) - created < PATIENCE
    except (ValueError, TypeError, Unanswered):
        return True


def merge_of(job: Job) -> Merge:
    """The push that this job is of, and how this project is known on merge requests."""
    return Merge(
        sha=job.ci["CI_COMMIT_SHA"],
        branch=job.ci["CI_COMMIT_BRANCH"],
        job=f"{job.name}:plan",
        place=job.place,
        mark=job.mark("comment"),
        config=job.ci.get("CI_CONFIG_PATH") or ".gitlab-ci.yml",
    )
