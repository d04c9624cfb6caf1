"""A plan in; the labels of this place on its pull request out.

Labels are for people: nothing that is bought or refused goes by one. The names of a place are its
own, so that two projects of one repository never take each other's away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from forge import Api, Missing, Unanswered, at
from job import Job

AGAIN = "ftctl-plan"  # asks for a plan, of every place
OUTDATED = "outdated"
# Colour and meaning, in GitHub's hundred letters.
_KINDS = {
    "nothing-to-do": ("c2e0c6", "All that the manifests ask for is there"),
    "cost-below-1": ("c2e0c6", "The plan costs less than $1 at most"),
    "cost-below-10": ("d4e8c0", "The plan costs less than $10 at most"),
    "cost-below-100": ("fef2c0", "The plan costs less than $100 at most"),
    "cost-below-1000": ("f9d0a0", "The plan costs less than $1,000 at most"),
    "cost-1000-or-more": ("e99695", "The plan may cost $1,000 or more"),
    "cost-unknown": ("f9d0c4", "What the plan costs is not known"),
    "refused": ("d93f0b", "A policy of the base branch refuses the plan"),
    "attention": ("fbca04", "Something in the plan waits for a person's decision"),
    OUTDATED: ("bfdadc", "An apply came after this plan: label ftctl-plan to plan again"),
}  # fmt: skip
_CLASSES = ((1, "cost-below-1"), (10, "cost-below-10"), (100, "cost-below-100"),
            (1000, "cost-below-1000"))  # fmt: skip
_MOST = 50  # letters of a label at GitHub


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
    kinds = set()
    if status == 3:
        kinds.add("refused")
    if summary.get("attention"):
        kinds.add("attention")
    pending = sum(summary.get(one, 0) for one in ("create", "replace", "cancel", "delete", "defer"))
    if pending:
        kinds |= _cost(at(plan, "cost"))
    elif not kinds:
        kinds.add("nothing-to-do")
    return kinds


def _cost(cost: Any) -> set[str]:
    high = at(cost, "high")
    if not isinstance(high, int | float):
        return {"cost-unknown"}
    if high <= 0:
        return set()
    return {next((name for most, name in _CLASSES if high < most), "cost-1000-or-more")}


def put(api: Api, job: Job, pull: int, kinds: Iterable[str], *, keep: Iterable[str] = ()) -> None:
    """Let exactly these of the place's labels be on a pull request; of `keep` those that are."""
    wanted = {label(kind, job.place) for kind in kinds}
    kept = {label(kind, job.place) for kind in keep}
    ours = {label(kind, job.place) for kind in _KINDS}
    for sentence in _changed(api, job, pull, wanted, ours - wanted - kept):
        job.warn(sentence)


def add(api: Api, job: Job, pull: int, kind: str) -> None:
    """Add one of the place's labels to a pull request."""
    for sentence in _changed(api, job, pull, {label(kind, job.place)}, set()):
        job.warn(sentence)


def remove(api: Api, job: Job, pull: int, names: Iterable[str]) -> None:
    """Take labels away from a pull request, if they are on it."""
    for sentence in _changed(api, job, pull, set(), set(names)):
        job.warn(sentence)


def _changed(
    api: Api, job: Job, pull: int, wanted: set[str], unwanted: set[str]
) -> Iterator[str]:  # fmt: skip
    """Sentences on what GitHub did not do: a label that is missing stops nothing."""
    if job.environ.get("INPUT_LABELS", "true") != "true":
        wanted, unwanted = set(), unwanted & {AGAIN}
    if not wanted | unwanted:
        return
    try:
        there = {str(at(one, "name")).lower() for one in api.pages(f"issues/{pull}/labels")}
        for name in sorted(unwanted & there):
            _take(api, pull, name)
        missing = sorted(wanted - there)
        for name in missing:
            _create(api, job, name)
        if missing:
            api.send("POST", f"issues/{pull}/labels", {"labels": missing})
    except (Missing, Unanswered) as fault:
        names = ", ".join(sorted(wanted)) or AGAIN
        yield (
            f"the labels of pull request #{pull} are not as they should be ({fault}): make {names}"
            " by hand once, or give the job 'issues: write', or set 'labels' to false"
        )


def _take(api: Api, pull: int, name: str) -> None:
    try:
        api.send("DELETE", f"issues/{pull}/labels/{quote(name, safe='')}")
    except Missing:
        return  # somebody was quicker


def _create(api: Api, job: Job, name: str) -> None:
    """Make it for the repository, with its colour. GitHub may make it by itself, too."""
    kind = next(kind for kind in _KINDS if label(kind, job.place) == name)
    color, description = _KINDS[kind]
    try:
        api.get(f"labels/{quote(name, safe='')}")
    except Missing:
        try:
            api.send("POST", "labels", {"name": name, "color": color, "description": description})
        except Unanswered as unanswered:
            # 422: made in between. 403: this token may only use labels that are there.
            if unanswered.status not in {403, 422}:
                raise
