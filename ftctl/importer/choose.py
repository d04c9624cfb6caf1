"""The account's jobs and what the project declares in, those to import out, and why not others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ftctl.domain.desired import Desired
from ftctl.importer.account import AccountJob
from ftctl.text.escape.single_line import one_line, short

_LONGEST_NAME = 64  # of a project, in characters


@dataclass(frozen=True, slots=True)
class Chosen:
    """The jobs to import, the ids of those that are here already, and reasons against others."""

    jobs: tuple[AccountJob, ...]
    here: Mapping[str, str]  # job → the fine-tune that stands for it
    left_out: Mapping[str, str]  # job → why


def choose_jobs(
    jobs: Collection[AccountJob],
    desired: Desired,
    *,
    named: Collection[str] = (),
    statuses: Collection[str] = (),
) -> Chosen:
    """The jobs that no manifest stands for. With `statuses`, only those in one of them.

    Another ftctl project's jobs are left to it, unless somebody names them.
    """
    adopters = {one.adopt: one.name for one in desired.finetunes if one.adopt is not None}
    by_digest = {digest: one.name for digest, one in desired.by_digest.items()}
    chosen: list[AccountJob] = []
    here: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for job in jobs:
        owner = adopters.get(job.id) or _declared(job, desired, by_digest)
        if owner is not None:
            here[job.id] = owner
        elif job.project not in (None, desired.project) and job.id not in named:
            owner = short(one_line(job.project or ""), _LONGEST_NAME)
            left_out[job.id] = f"it is of the ftctl project '{owner}'; name it to import it"
        elif not statuses or job.status in statuses:
            chosen.append(job)
    return Chosen(tuple(chosen), here, left_out)


def _declared(job: AccountJob, desired: Desired, by_digest: Mapping[str, str]) -> str | None:
    """The fine-tune that a job of ours was bought for, under its name of then or of now."""
    if job.project != desired.project:
        return None
    known = desired.named(job.finetune) if job.finetune else None
    return known.name if known is not None else by_digest.get(job.digest or "")
