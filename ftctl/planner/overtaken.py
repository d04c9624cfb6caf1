"""What is asked for and the jobs in; which cancelled jobs another checkout may have gone past, out.

A merge that is applied while an earlier one still waits cancels that one's job and buys its own.
Whoever waits for the earlier one is told so, and neither buys nor stops anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ftctl.domain.desired import Desired
from ftctl.domain.observed import Job
from ftctl.planner.scope import Scope


class Overtaken(NamedTuple):
    """A cancelled job, and those bought under its name since for what is not asked for here."""

    job: Job
    by: tuple[Job, ...]  # newest first; they run or came to a model


def overtaken_jobs(desired: Desired, jobs: Iterable[Job], scope: Scope) -> Mapping[str, Overtaken]:
    """The fine-tunes whose newest job was cancelled, and that were bought otherwise since.

    By whom tells the commit of each job: see `Scope.overtakes`.
    """
    newest: dict[str, Job] = {}
    by_name: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.age_order):
        if job.digest is not None:
            newest[job.digest] = job
        if job.finetune is not None:
            by_name.setdefault(job.finetune, []).append(job)
    wanted = desired.by_digest
    found = {}
    for finetune in desired.finetunes:
        if finetune.adopt is not None or finetune.digest not in newest:
            continue
        job = newest[finetune.digest]
        since = tuple(
            one
            for one in reversed(by_name.get(finetune.name, []))
            if job.status == "cancelled"
            and one.age_order > job.age_order
            and one.digest is not None
            and one.digest not in wanted
            and one.commit is not None
            and scope.shares_environment(one)
            and not one.is_unreadable
            and one.status not in ("failed", "cancelled")
        )
        if since:
            found[finetune.name] = Overtaken(job, since)
    return found
