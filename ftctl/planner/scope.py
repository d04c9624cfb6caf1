"""An environment in; which jobs a plan may stop, retire or prune out.

Whatever its environment, a job counts as a witness everywhere, and equal digests share one job.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ftctl.domain.observed import Job
from ftctl.domain.plan import CancelJob, DeleteModel, Step


@dataclass(frozen=True, slots=True)
class Scope:
    """The environment of a plan. Earlier versions did not write it on jobs."""

    environment: str | None = None  # of this run; None: none was named
    mark: str | None = None  # what is written on jobs; None: the project has no environments
    recorded: frozenset[str] = frozenset()  # jobs that this environment's record names
    newer: frozenset[str] = frozenset()  # git commits that this checkout does not have behind it
    aside: frozenset[str] = frozenset()  # those of which git cannot tell that
    behind: frozenset[str] = frozenset()  # those that it has behind it, as far as git was asked

    def governs(self, job: Job) -> bool:
        """Whether a job is this environment's own to stop, retire or prune.

        What a newer checkout has bought is not: this one cannot know what it is for.
        """
        if self.is_newer(job):
            return False
        if self.mark is None:
            return job.environment is None
        if job.environment is None:
            return job.id in self.recorded
        return job.environment == self.mark

    def is_newer(self, job: Job) -> bool:
        """Whether a job was bought by a commit that this checkout does not have behind it."""
        return job.commit in self.newer

    def is_older(self, job: Job) -> bool:
        """Whether a job was bought by a commit that this checkout has behind it."""
        return job.commit in self.behind

    def overtakes(self, job: Job, cancelled: Job, commit: str | None) -> bool:
        """Whether a later job shows that a newer checkout has gone past a cancelled one.

        Where git cannot tell, as in a shallow clone, it is enough that this very commit had bought
        the cancelled one, and another the later.
        """
        own = commit is not None and cancelled.commit == commit != job.commit
        return self.is_newer(job) or (own and job.commit in self.aside)

    def shares_environment(self, job: Job) -> bool:
        """Whether a job was bought for this environment."""
        return job.environment == self.mark

    def left_alone(self, jobs: Iterable[Job]) -> str:
        """The end of a reason: which jobs stay because a newer checkout has bought them."""
        words = [f"{job.id} ({_of_commit(job)})" for job in jobs]
        if not words:
            return ""
        return f"; leaves {', '.join(words)} alone, which a newer checkout bought"

    def touched_aside(self, steps: Collection[Step], jobs: Iterable[Job]) -> str:
        """The end of a reason: the commits of what is stopped or deleted and may be newer."""
        if not self.aside:
            return ""
        found = [job for job in touched(steps, jobs) if job.commit in self.aside]
        words = [f"{job.id} is {_of_commit(job)}" for job in found]
        if not words:
            return ""
        return f"; {', '.join(words)}, which this checkout does not have behind it"


def touched(steps: Collection[Step], jobs: Iterable[Job]) -> Iterator[Job]:
    """The jobs that steps stop, or whose models or checkpoints they delete."""
    stopped = {step.job for step in steps if isinstance(step, CancelJob)}
    deleted = {
        step.model.partition(":ckpt-step-")[0] for step in steps if isinstance(step, DeleteModel)
    }
    for job in jobs if stopped or deleted else ():
        if job.id in stopped or (job.model is not None and job.model in deleted):
            yield job


def _of_commit(job: Job) -> str:
    return f"of commit {(job.commit or '')[:7]}"


EVERYWHERE = Scope()
