"""A plan in, the service changed, a `Report` out. The only caller of a provider's writes.

Uploads come first, then jobs are started, then others stopped; deletes come last of all. A step
that fails ends its own change; the others go on, unless the service refuses everybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from ftctl.apply.job_creator import JobCreator, JobLimitReached
from ftctl.clock import Clock
from ftctl.domain.observed import Job
from ftctl.domain.plan import (
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Outcome,
    Plan,
    Report,
    StartJob,
    Step,
    Upload,
)
from ftctl.errors import FtctlError, ProviderError
from ftctl.providers.protocol import Provider

_REFUSES_EVERYBODY = frozenset({"training_not_available", "insufficient_quota"})
_STARTED_BEFORE_A_LOOK = 20  # jobs; a duplicate should be found while it is being validated

S = TypeVar("S", bound=Step)
T = TypeVar("T")
Say = Callable[[str, str], None]  # (name of the change, sentence)


def apply_plan(
    plan: Plan,
    provider: Provider,
    *,
    root: Path,
    clock: Clock,
    cosmetic: frozenset[str],
    known_jobs: frozenset[str],
    commit: str | None = None,
    say: Say = lambda _name, _sentence: None,
    stopping: Callable[[], bool] = lambda: False,
    parallelism: int = 1,
) -> Report:
    """Carry out a plan.

    `known_jobs` are the ids that were observed for it: a job that is not among them and has the
    right digest was made since. `say` hears of each step, in an order that does not depend on
    luck. Once `stopping` says so, nothing more is begun.
    """
    creator = JobCreator(plan.project, provider, clock, cosmetic, known_jobs, commit)
    states = {change.name: _State() for change in plan.changes}
    run = _Run(plan, provider, root, creator, say, stopping, parallelism, states)
    run.upload()
    run.start()
    run.each(CancelJob, run.cancel)
    run.each(DeleteModel, run.delete_model)
    run.each(DeleteFile, run.delete_file)
    return Report(tuple(_outcome(change, run.states[change.name]) for change in plan.changes))


@dataclass(slots=True)
class _State:
    """How far one change has come."""

    done: list[str] = field(default_factory=list)
    job: Job | None = None
    error: FtctlError | None = None
    skipped: str | None = None
    waits: str | None = None

    @property
    def ended(self) -> bool:
        """Whether no further step of the change is to be begun."""
        return self.error is not None or self.skipped is not None or self.waits is not None


class _Result(NamedTuple):
    """What came of one step."""

    sentence: str | None = None
    job: Job | None = None
    error: FtctlError | None = None
    skipped: str | None = None


def _outcome(change: Change, state: _State) -> Outcome:
    return Outcome(
        name=change.name,
        action=change.action,
        done=tuple(state.done),
        job=state.job,
        error=state.error,
        skipped=state.skipped,
        waits=state.waits,
    )


@dataclass(slots=True)
class _Run:
    """One apply: runs the steps of one kind after the other, several at once where that helps."""

    plan: Plan
    provider: Provider
    root: Path
    creator: JobCreator
    say: Say
    stopping: Callable[[], bool]
    parallelism: int
    states: dict[str, _State]
    refused: ProviderError | None = None

    def upload(self) -> None:
        """Send every file that the plan needs."""
        self.each(Upload, self._upload)

    def start(self) -> None:
        """Buy every run of the plan; look for duplicates every few, while they cost nothing."""
        steps = self._steps(StartJob)
        # The first one goes alone: it finds out whether the service sells at all.
        for some in (steps[:1], *_parts(steps[1:], _STARTED_BEFORE_A_LOOK)):
            self._run(some, self._start)
            started = {
                change.name: (step, job)
                for change, step in some
                if (job := self.states[change.name].job) is not None
            }
            for name, (winner, sentence) in self.creator.resolve_duplicates(started).items():
                self.states[name].job = winner
                if sentence:
                    self._tell(name, sentence)

    def each(self, kind: type[S], act: Callable[[S], _Result]) -> None:
        """Run all steps of one kind."""
        self._run(self._steps(kind), act)

    def _steps(self, kind: type[S]) -> list[tuple[Change, S]]:
        return [
            (change, step)
            for change in self.plan.changes
            for step in change.steps
            if isinstance(step, kind)
        ]

    def _run(self, steps: Sequence[tuple[Change, S]], act: Callable[[S], _Result]) -> None:
        def guarded(task: tuple[Change, S]) -> _Result:
            return self._guarded(task[0], task[1], act)

        for (change, _step), result in zip(steps, self._map(guarded, steps), strict=True):
            state = self.states[change.name]
            state.job = result.job or state.job
            if isinstance(result.error, JobLimitReached):
                state.waits = result.error.message
            else:
                state.error = state.error or result.error
                state.skipped = state.skipped or result.skipped
            if result.sentence:
                self._tell(change.name, result.sentence)

    def _map(
        self,
        act: Callable[[tuple[Change, S]], _Result],
        steps: Iterable[tuple[Change, S]],
    ) -> Iterator[_Result]:
        """The results in the steps' order."""
        if self.parallelism <= 1:
            yield from map(act, steps)
            return
        with ThreadPoolExecutor(self.parallelism) as pool:
            yield from pool.map(act, steps)

    def _guarded(self, change: Change, step: S, act: Callable[[S], _Result]) -> _Result:
        if self.states[change.name].ended:
            return _Result()
        if self.stopping():
            return _Result(skipped="not begun: interrupted")
        if self.refused is not None:
            return _Result(skipped=f"not begun: the service refuses ({self.refused.code})")
        try:
            return act(step)
        except ProviderError as fault:
            if fault.status == 401 or fault.code in _REFUSES_EVERYBODY:
                self.refused = fault
            return _Result(error=fault)
        except FtctlError as fault:
            return _Result(error=fault)

    def _tell(self, name: str, sentence: str) -> None:
        self.states[name].done.append(sentence)
        self.say(name, sentence)

    def _upload(self, step: Upload) -> _Result:
        source = self.root / step.path
        if _sha256(source) != step.sha256:
            raise FtctlError(
                f"{step.path} has changed since the plan was made", "plan and apply again"
            )
        try:
            file = self.creator.upload(step, source)
        except OSError as fault:
            raise FtctlError(f"{step.path} cannot be read: {fault.strerror}") from None
        return _Result(f"uploaded {step.path} as {file} ({step.bytes:,} bytes)")

    def _start(self, step: StartJob) -> _Result:
        job = self.creator.start(step)
        return _Result(f"started {job.id} ({job.status})", job)

    def cancel(self, step: CancelJob) -> _Result:
        """Stop a job."""
        job = self.provider.cancel_job(step.job)
        if job.status == "cancelled":
            return _Result(f"cancelled {step.job} ({step.reason})")
        return _Result(f"{step.job} was over before it could be cancelled ({job.status})")

    def delete_model(self, step: DeleteModel) -> _Result:
        """Delete a model."""
        self.provider.delete_model(step.model)
        return _Result(f"deleted model {step.model}")

    def delete_file(self, step: DeleteFile) -> _Result:
        """Delete a file; none where a job that may be using it could not be stopped."""
        cancels = [c for c in self.plan.changes if any(isinstance(s, CancelJob) for s in c.steps)]
        if any(self.states[change.name].ended for change in cancels):
            return _Result(skipped="not begun: a job that may use its files was not stopped")
        self.provider.delete_file(step.id)
        return _Result(f"deleted file {step.id} ({step.filename})")


def _parts(steps: list[T], size: int) -> Iterator[list[T]]:
    for first in range(0, len(steps), size):
        yield steps[first : first + size]


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
