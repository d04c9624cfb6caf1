"""What is asked for and the jobs in; to which fine-tune each job belongs now, by its id, out.

Names change and are exchanged. A job is its fine-tune's by its digest; an earlier one by what was
bought after it under the same name. Where that leaves a doubt, it belongs to nobody, and stays.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping

from ftctl.domain.desired import Desired
from ftctl.domain.observed import Job

_Anchors = list[tuple[tuple[int, str], str]]  # age of a job, and the fine-tune that it is for


def lineage(desired: Desired, jobs: Iterable[Job]) -> Mapping[str, str]:
    """The fine-tune that each job is of, or was an earlier version of, by the job's id."""
    jobs = tuple(jobs)
    of_digest = _asking(desired)
    anchors: dict[str, _Anchors] = {}
    found: dict[str, str] = {}
    known_as: dict[str, set[str]] = {}  # fine-tune → the names that its own jobs have
    for job in sorted(jobs, key=lambda job: job.age_order):
        asking = of_digest.get(job.digest or "")
        if not asking:
            continue
        found[job.id] = job.finetune if job.finetune in asking else asking[0]
        if job.finetune is not None:
            anchors.setdefault(job.finetune, []).append((job.age_order, found[job.id]))
            known_as.setdefault(found[job.id], set()).add(job.finetune)
    for job in jobs:
        if job.id not in found and job.finetune is not None:
            name = job.finetune
            if name in anchors:
                found[job.id] = _next(anchors[name], job)
            elif desired.named(name) is not None and name not in known_as:
                found[job.id] = name
    return found


def _asking(desired: Desired) -> dict[str, list[str]]:
    """The fine-tunes that ask for a digest."""
    asking: dict[str, list[str]] = {}
    for finetune in desired.finetunes:
        if finetune.adopt is None:
            asking.setdefault(finetune.digest, []).append(finetune.name)
    for digest, finetune in desired.by_digest.items():
        if finetune.adopt is None:  # what it was bought under with the rows of an earlier version
            asking.setdefault(digest, [finetune.name])
    return asking


def _next(anchors: _Anchors, job: Job) -> str:
    """The fine-tune of the next job of the same name that is one's for sure; else of the last."""
    at = bisect(anchors, (job.age_order, ""))
    return anchors[min(at, len(anchors) - 1)][1]
