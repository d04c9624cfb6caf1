"""A job of ours and those that are listed in; the one of its duplicates that stays, out.

Two runs may buy the same at the same time. Each looks, both come to the same winner, and what is
still in progress of the others is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ftctl.domain.observed import Job
from ftctl.errors import ProviderError
from ftctl.providers.protocol import Writer
from ftctl.text.escape.single_line import one_line


class Settled(NamedTuple):
    """The job that stays, and what was done about the others."""

    winner: Job
    sentences: tuple[str, ...] = ()


@dataclass(slots=True)
class Duplicates:
    """What is done about duplicates. Those that could not be stopped are told of once."""

    provider: Writer
    note: Callable[[str], None]
    is_alike: Callable[[Job, Job], bool]  # whether one create can have made both
    stubborn: set[str] = field(default_factory=set)

    def settle(self, own: Job, jobs: Iterable[Job], known: frozenset[str] = frozenset()) -> Settled:
        """Of a job and its duplicates the oldest stays, unless one has come to a model already.

        `known` are jobs that there were before ours was asked for: those are no duplicates.
        """
        duplicates = {
            job.id: job for job in jobs if job.id not in known and self._is_duplicate(own, job)
        }
        duplicates.setdefault(own.id, own)
        winner = min(duplicates.values(), key=lambda job: (_rank(job), *job.age_order))
        losers = [job for job in duplicates.values() if job.id != winner.id and _stoppable(job)]
        sentences = [self._cancelled(loser, winner) for loser in losers]
        if winner.id != own.id and own.status == "cancelled":
            sentences.append(f"another run cancelled {_because(own, winner)}")
        return Settled(winner, tuple(one for one in sentences if one is not None))

    def _is_duplicate(self, own: Job, job: Job) -> bool:
        asked = (own.digest, own.stands_in_for)
        same = job.digest is not None and (job.digest, job.stands_in_for) == asked
        return same and _counts(own, job) and self.is_alike(own, job)

    def _cancelled(self, loser: Job, winner: Job) -> str | None:
        if loser.id in self.stubborn:
            return None
        try:
            self.provider.cancel_job(loser.id)
        except ProviderError as fault:
            self.stubborn.add(loser.id)
            why = one_line(str(fault))
            self.note(
                f"warning: {loser.id} is the same as {winner.id}, and could not be cancelled:"
                f" {why}\n    hint: it is billed; 'ftctl apply' tries again, or cancel it at the"
                " service"
            )
            return None
        return f"cancelled {_because(loser, winner)}"


def _because(loser: Job, winner: Job) -> str:
    older = "older" if winner.age_order < loser.age_order else "goes on"
    return f"{loser.id}: {winner.id} is the same and {'done' if _has_model(winner) else older}"


def _rank(job: Job) -> int:
    """A job with a model comes first, and one that was cancelled or failed last."""
    return 0 if _has_model(job) else 1 if job.in_progress else 2


def _has_model(job: Job) -> bool:
    return job.status == "succeeded" and job.model is not None


def _stoppable(job: Job) -> bool:
    return job.in_progress and job.status != "succeeded"


def _counts(own: Job, job: Job) -> bool:
    """Whether a job can stand for ours: it runs, or has come to a model since ours was made.

    One that was over before has been there for whoever bought ours: it was bought all the same. Of
    one that cannot be read nobody knows what it is.
    """
    if job.is_unreadable:
        return False
    if job.in_progress:
        return True
    return _has_model(job) and (job.finished_at is None or job.finished_at >= own.created_at)
