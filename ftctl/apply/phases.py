"""The phases of an apply, in order: a step in, the service changed, what came of it out.

Uploads come first, then jobs are started, then others stopped; deletes come last of all, when the
new model is on its way and what might still use the old one was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from ftctl.apply.job_creator import JobCreator
from ftctl.domain.observed import Job
from ftctl.domain.plan import (
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Outcome,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.errors import FtctlError
from ftctl.files import sha256_of
from ftctl.providers.protocol import Provider

_STARTED_BEFORE_A_LOOK = 20  # jobs; a duplicate should be found while it is being validated

S = TypeVar("S", bound=Step)
Tasks = Sequence[tuple[Change, S]]  # steps, each with the change that it belongs to


class Result(NamedTuple):
    """What came of one step."""

    sentence: str | None = None
    job: Job | None = None
    error: FtctlError | None = None
    skipped: str | None = None
    waits: str | None = None


@dataclass(slots=True)
class State:
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

    def add(self, result: Result) -> None:
        """Take in what came of a step."""
        self.job = result.job or self.job
        self.error = self.error or result.error
        self.skipped = self.skipped or result.skipped
        self.waits = self.waits or result.waits
        if result.sentence:
            self.done.append(result.sentence)

    def outcome(self, change: Change) -> Outcome:
        """The same, as a report has it."""
        return Outcome(
            name=change.name,
            action=change.action,
            done=tuple(self.done),
            job=self.job,
            error=self.error,
            skipped=self.skipped,
            waits=self.waits,
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What the steps of one apply work with."""

    plan: Plan
    provider: Provider
    creator: JobCreator
    root: Path
    states: Mapping[str, State]  # by the change's name


def _at_once(tasks: Tasks[S]) -> Iterator[Tasks[S]]:
    yield tasks


@dataclass(frozen=True, slots=True)
class Phase(Generic[S]):
    """All steps of one kind: what is done about each, in which batches, and what after a batch.

    `act` may raise `FtctlError`: the step has failed, and its change ends there.
    """

    name: str
    kind: type[S]
    act: Callable[[Context, S], Result]
    batches: Callable[[Tasks[S]], Iterator[Tasks[S]]] = _at_once
    after_batch: Callable[[Context, Tasks[S]], Mapping[str, Result]] = lambda _context, _tasks: {}


def _upload(context: Context, step: Upload) -> Result:
    """Send a file that the plan needs, if it is still the one that was planned with."""
    source = context.root / step.path
    if sha256_of(source) != step.sha256:
        raise FtctlError(f"{step.path} has changed since the plan was made", "plan and apply again")
    try:
        file = context.creator.upload(step, source)
    except OSError as fault:
        raise FtctlError(f"{step.path} cannot be read: {fault.strerror}") from None
    return Result(f"uploaded {step.path} as {file} ({step.bytes:,} bytes)")


def _start(context: Context, step: StartJob) -> Result:
    job = context.creator.start(step)
    return Result(f"started {job.id} ({job.status})", job)


def _first_alone(tasks: Tasks[StartJob]) -> Iterator[Tasks[StartJob]]:
    """The first finds out whether the service sells at all; then so many before a look."""
    yield tasks[:1]
    for first in range(1, len(tasks), _STARTED_BEFORE_A_LOOK):
        yield tasks[first : first + _STARTED_BEFORE_A_LOOK]


def _resolve_duplicates(context: Context, tasks: Tasks[StartJob]) -> Mapping[str, Result]:
    """Look for duplicates of what was just started, while they cost nothing."""
    started = {
        change.name: (step, job)
        for change, step in tasks
        if (job := context.states[change.name].job) is not None
    }
    resolved = context.creator.resolve_duplicates(started)
    return {name: Result(sentence, winner) for name, (winner, sentence) in resolved.items()}


def _cancel(context: Context, step: CancelJob) -> Result:
    job = context.provider.cancel_job(step.job)
    if job.status == "cancelled":
        return Result(f"cancelled {step.job} ({step.reason})")
    return Result(f"{step.job} was over before it could be cancelled ({job.status})")


def _delete_model(context: Context, step: DeleteModel) -> Result:
    context.provider.delete_model(step.model)
    return Result(f"deleted model {step.model}")


def _delete_file(context: Context, step: DeleteFile) -> Result:
    """Delete a file; none where a job that may be using it could not be stopped."""
    for change in context.plan.changes:
        stops = any(isinstance(planned, CancelJob) for planned in change.steps)
        if stops and context.states[change.name].ended:
            return Result(skipped="not begun: a job that may use its files was not stopped")
    context.provider.delete_file(step.id)
    return Result(f"deleted file {step.id} ({step.filename})")


# Each begins when the one before has ended. Their steps are of different kinds, hence `Any`.
PHASES: tuple[Phase[Any], ...] = (
    Phase("upload", Upload, _upload),
    Phase("start", StartJob, _start, _first_alone, _resolve_duplicates),
    Phase("cancel", CancelJob, _cancel),
    Phase("delete models", DeleteModel, _delete_model),
    Phase("delete files", DeleteFile, _delete_file),
)
