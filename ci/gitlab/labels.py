"""A plan in; the labels of this place on its merge request out.

Labels are for people: nothing that is bought or refused goes by one. The names of a place are its
own, so that two projects of one repository never take each other's away. GitLab lets nobody below
the role Developer label a merge request (its ProjectPolicy, `update_merge_request`, as read on
2026-11-30): with a token of the role Reporter there are none, and the log says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from forge import Api, Missing, Unanswered, at
from job import Job, warn

OUTDATED = "outdated"
KINDS = frozenset(
    {
        "nothing-to-do", "cost-below-1", "cost-below-10", "cost-below-100", "cost-below-1000",
        "cost-1000-or-more", "cost-unknown", "refused", "attention", OUTDATED,
        "applied", "started", "stale", "failed",
    }
)  # fmt: skip
_CLASSES = (
    (1, "cost-below-1"), (10, "cost-below-10"), (100, "cost-below-100"), (1000, "cost-below-1000"),
)  # fmt: skip
_MOST = 60  # letters; GitLab takes 255


def label(kind: str, place: str) -> str:
    """The label's name; a place other than the repository's own project stands in it."""
    if place == "default@.":
        return f"ftctl-{kind}"
    room = _MOST - len(f"ftctl-{kind}:")
    if len(place) > room:
        place = f"{place[: room - 9]}~{hashlib.sha256(place.encode()).hexdigest()[:8]}"
    return f"ftctl-{kind}:{place}"


def kinds_of(plan: Any, status: int) -> set[str]:
    """What a plan is labelled with; nothing where there is none. `status` is ftctl's."""
    summary = at(plan, "summary")
    if status not in {0, 2, 3} or not isinstance(summary, dict):
        return set()
    kinds = {kind for kind, here in (
        ("refused", status == 3), ("attention", bool(summary.get("attention"))),
    ) if here}  # fmt: skip
    if sum(summary.get(one, 0) for one in ("create", "replace", "cancel", "delete", "defer")):
        return kinds | _cost(at(plan, "cost"))
    return kinds or {"nothing-to-do"}


def _cost(cost: Any) -> set[str]:
    high = at(cost, "high")
    if not isinstance(high, int | float):
        return {"cost-unknown"}
    if high <= 0:
        return set()
    return {next((name for most, name in _CLASSES if high < most), "cost-1000-or-more")}


def put(api: Api, job: Job, iid: int, kinds: Iterable[str]) -> None:
    """Let exactly these of the place's labels be on a merge request. One that is missing stops
    nothing.
    """
    wanted = {label(kind, job.place) for kind in kinds}
    unwanted = {label(kind, job.place) for kind in KINDS} - wanted
    _send(api, job, iid, {"add_labels": wanted, "remove_labels": unwanted})


def add(api: Api, job: Job, iid: int, kind: str) -> None:
    """Add one of the place's labels to a merge request."""
    _send(api, job, iid, {"add_labels": {label(kind, job.place)}})


def _send(api: Api, job: Job, iid: int, change: dict[str, set[str]]) -> None:
    if job.ci.get("FTCTL_LABELS", "true") != "true":
        return
    body = {key: ",".join(sorted(names)) for key, names in change.items() if names}
    try:
        api.send("PUT", f"merge_requests/{iid}", body)
    except (Missing, Unanswered) as fault:
        warn(
            f"merge request !{iid} has no labels of ours ({fault}). Labels want the role Developer;"
            " to do without, set the variable FTCTL_LABELS to false"
        )
