"""The phases of an apply, in order: a step in, the service changed, what came of it out.

Uploads come first, then jobs are started, then others stopped; deletes come last of all, when the
new model is on its way and what might still use the old one was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from ftctl.apply.inspection import Inspector, NotAsAsked, Purchase
from ftctl.apply.job_creator import JobCreator
from ftctl.domain.digest import read_file_name
from ftctl.domain.observed import Job, Observed
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
    purchase: Purchase | None = None


@dataclass(slots=True)
class State:
    """How far one change has come."""

    done: list[str] = field(default_factory=list)
    purchase: Purchase | None = None
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
        self.purchase = result.purchase or self.purchase
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


@dataclass(slots=True)
class Context:
    """What the steps of one apply work with, and what they leave for those after them."""

    plan: Plan
    provider: Provider
    observed: Observed  # what the plan was made on
    recorded: frozenset[str]  # jobs that a record of ours names
    creator: JobCreator
    inspector: Inspector
    place_of: Callable[[str, str], Path]  # a dataset's path and content → its file
    states: Mapping[str, State]  # by the change's name
    closed: bool = False  # whether a job came back otherwise than asked: nothing more is bought
    deleted: set[str] = field(default_factory=set)  # models
    kept_files: dict[str, str] = field(default_factory=dict)  # file → why it stays


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
    source = context.place_of(step.path, step.sha256)
    if sha256_of(source) != step.sha256:
        raise FtctlError(f"{step.path} has changed since the plan was made", "plan and apply again")
    try:
        file = context.creator.upload(step, source)
    except OSError as fault:
        raise FtctlError(f"{step.path} cannot be read: {fault.strerror}") from None
    return Result(f"uploaded {step.path} as {file} ({step.bytes:,} bytes)")


def _start(context: Context, step: StartJob) -> Result:
    if context.closed:
        return Result(skipped="not begun: the service does not sell what is asked for")
    purchase = context.creator.start(step)
    job = purchase.job
    return Result(f"started {job.id} ({job.status})", job, purchase=purchase)


def _first_alone(tasks: Tasks[StartJob]) -> Iterator[Tasks[StartJob]]:
    """The first finds out whether the service sells what is asked; then so many before a look."""
    yield tasks[:1]
    for first in range(1, len(tasks), _STARTED_BEFORE_A_LOOK):
        yield tasks[first : first + _STARTED_BEFORE_A_LOOK]


def _inspect(context: Context, tasks: Tasks[StartJob]) -> Mapping[str, Result]:
    """Look at what was just bought, and for duplicates of it, while stopping it costs nothing."""
    purchases = {
        change.name: purchase
        for change, _ in tasks
        if (purchase := context.states[change.name].purchase) is not None
    }
    verdicts = context.inspector.inspect(purchases)
    errors = [one.error for one in verdicts.values() if one.error is not None]
    errors += [
        state.error for state in context.states.values() if isinstance(state.error, NotAsAsked)
    ]
    context.closed = context.closed or bool(errors)
    return {
        name: Result(verdict.sentence, verdict.job, verdict.error)
        for name, verdict in verdicts.items()
    }


def _cancel(context: Context, step: CancelJob) -> Result:
    if (why := _left_alone(context, step.job)) is not None:
        return Result(why)
    job = context.provider.cancel_job(step.job)
    if job.status == "cancelled":
        return Result(f"cancelled {step.job} ({step.reason})")
    if job.in_progress and job.status != "succeeded":
        _keep_files(context, job, f"{job.id} is not over yet")
        return Result(f"asked {step.job} to stop ({step.reason}); it is still {job.status}")
    return Result(f"{step.job} was over before it could be cancelled ({job.status})")


def _delete_model(context: Context, step: DeleteModel) -> Result:
    for job in _jobs_of(context, step.model):
        if (why := _left_alone(context, job.id)) is not None:
            return Result(why)
    context.provider.delete_model(step.model)
    context.deleted.add(step.model)
    return Result(f"deleted model {step.model}")


def _left_alone(context: Context, name: str) -> str | None:
    """Why a job is not ours to stop or to clear away: its file alone tells, and others use that."""
    jobs = {job.id: job for job in context.observed.every_job}
    job = jobs.get(name)
    if job is None or context.creator.terms.is_ours(job, jobs.values(), context.recorded):
        return None
    others = [one for one in jobs.values() if one.training_file == job.training_file]
    _keep_files(context, job, f"{job.id} was left alone")
    return (
        f"left alone: {job.id} is known by its file {job.training_file} alone, which"
        f" {len(others)} jobs train on that are not the same, and ftctl.lock does not say which is"
        " ours; cancel or delete by hand what is yours"
    )


def _keep_files(context: Context, job: Job, why: str) -> None:
    for file in (job.training_file, job.validation_file):
        if file is not None:
            context.kept_files[file] = why


def _jobs_of(context: Context, model: str) -> list[Job]:
    """The jobs that made a model, or the one whose checkpoint it is."""
    return [
        job
        for job in context.observed.every_job
        if job.model is not None and (model == job.model or model.startswith(f"{job.model}:"))
    ]


def _delete_file(context: Context, step: DeleteFile) -> Result:
    """Delete a file; none that a job may be using, and no mark of a model that is still there."""
    for change in context.plan.changes:
        stops = any(isinstance(planned, CancelJob) for planned in change.steps)
        if stops and context.states[change.name].ended:
            return Result(skipped="not begun: a job that may use its files was not stopped")
    if (why := context.kept_files.get(step.id)) is not None:
        return Result(skipped=f"not begun: {why}, and trains on it")
    if (model := _marked_model(context, step)) is not None:
        return Result(skipped=f"not begun: {model} is still there, and known by this file alone")
    context.provider.delete_file(step.id)
    return Result(f"deleted file {step.id} ({step.filename})")


def _marked_model(context: Context, step: DeleteFile) -> str | None:
    """A model that this plan was to delete and that is still there, where a file is its mark."""
    name = read_file_name(step.filename)
    if name is None or name.digest is None:
        return None
    for planned in context.plan.steps(DeleteModel):
        assert isinstance(planned, DeleteModel)
        made_with = {job.training_file for job in _jobs_of(context, planned.model)}
        if step.id not in made_with:
            continue
        if planned.model not in context.deleted or context.provider.model_visible(planned.model):
            return planned.model
    return None


# Each begins when the one before has ended. Their steps are of different kinds, hence `Any`.
PHASES: tuple[Phase[Any], ...] = (
    Phase("upload", Upload, _upload),
    Phase("start", StartJob, _start, _first_alone, _inspect),
    Phase("cancel", CancelJob, _cancel),
    Phase("delete models", DeleteModel, _delete_model),
    Phase("delete files", DeleteFile, _delete_file),
)
