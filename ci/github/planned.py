"""What a plan's job found in; the comment and the labels of its pull request out."""

from __future__ import annotations

import json

import comments
import labels
from forge import Api, Missing, Unanswered, at
from job import Job


def announce(api: Api, job: Job) -> int:
    """Take the plan of before out of sight while another is made.

    A run that is cancelled or breaks then leaves nothing behind that looks like the plan of this
    commit; a merge that finds this text refuses. A pull request without a comment gets none yet.
    """
    head = str(at(job.event, "pull_request", "head", "sha"))
    try:
        if (pull := _pull(api, job)) is None:
            return 0
        ours = comments.put(
            api, job, pull, job.mark("comment"), lambda before: _being_planned(job, head, before)
        )
        if ours:
            labels.remove(api, job, pull, [labels.label(labels.OUTDATED, job.place)])
    except (Missing, Unanswered) as fault:
        # The comment's own step says so once more, and fails.
        job.warn(f"the comment could not say that another commit is being planned: {fault}")
    return 0


def _being_planned(job: Job, head: str, before: str) -> str | None:
    if not before:
        return None
    old = comments.head_of(before)
    of_before = "an earlier plan of the same commit" if old == head else f"of commit {old}"
    stood = f"What stood here was {of_before}" if old else "What stood here is no plan any more"
    return "\n".join(
        [
            job.mark("comment"),
            f"<!-- ftctl reviewed: {head} none {job.run} {job.attempt} -->",
            f"<!-- ftctl planning since: {job.environ['FTCTL_STARTED']} -->",
            f"### ftctl: commit {head[:12]} is being planned",
            "",
            f"[This run]({job.run_url}) plans commit {head}.",
            f"{stood}; a merge does not carry it out.",
            "",
            "If this stands here when the run is over, it was cancelled or broke. To plan again,",
            f"push, or add the label `{labels.AGAIN}`.",
            "",
        ]
    )


def comment(api: Api, job: Job) -> int:
    """Put `comment.md` on the pull request, and label it by the plan."""
    text = job.words("comment.md")
    pull = _pull(api, job) if text else None
    if pull is None:
        return 0
    if comments.put(api, job, pull, job.mark("comment"), lambda _: text):
        status = int(job.environ.get("PLAN_STATUS") or 1)
        plan = json.loads(job.words("plan.json") or "null")
        labels.put(api, job, pull, labels.kinds_of(plan, status), keep=[labels.OUTDATED])
        labels.remove(api, job, pull, [labels.AGAIN])
    return 0


def _pull(api: Api, job: Job) -> int | None:
    """The number of the pull request, as long as it is open.

    What stands on a merged one is what its merge goes by; a plan that comes later approves nothing.
    """
    found = at(job.event, "pull_request", "number")
    if type(found) is not int:
        return None
    if at(api.get(f"pulls/{found}"), "state") != "open":
        job.warn(f"pull request #{found} is not open: what stands on it is left as it is")
        return None
    return found
