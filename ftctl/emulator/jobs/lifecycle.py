"""A job -> the same job at a later moment, and what happened on the way.

The state is a function of the clock. A job knows when its next thing is due; whoever looks next,
in whatever process, carries out all that is overdue, each under the moment at which it was due.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from ftctl.emulator.catalog import BY_NAME
from ftctl.emulator.file_rows import file_content
from ftctl.emulator.jobs.examples import MIN_EXAMPLES, BadExamples, count_examples
from ftctl.emulator.jobs.hyperparameters import resolve_auto
from ftctl.emulator.jobs.job import Checkpoint, Event, Happening, Job, Result, Status
from ftctl.emulator.jobs.rows import due_jobs, record, update_job
from ftctl.emulator.settings import Settings
from ftctl.emulator.store import Session
from ftctl.emulator.wire import Json

MOST_METRICS = 50
"""A job tells of its steps at most this often; of every step when there are few."""

Change = tuple[Job, list[Happening]]
ReadFile = Callable[[str, float], bytes | None]
"""A file's bytes by its id at a moment, or None if it was gone by then."""


class BadFiles(Exception):
    """Why a job's files cannot be used, as the job's `error` has it."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message, "param": param}


@dataclass(frozen=True, slots=True)
class World:
    """What a job's progress depends on besides the job itself."""

    settings: Settings
    read_file: ReadFile


def jobs_are_due(session: Session) -> bool:
    """Whether anything has happened to any job by now that is not written down yet."""
    return session.first("SELECT 1 FROM jobs WHERE due_at <= ? LIMIT 1", session.now) is not None


def advance_jobs(session: Session, settings: Settings) -> None:
    """Bring every job to the session's moment."""

    def read_file(file_id: str, at: float) -> bytes | None:
        return file_content(session, file_id, at)

    for job in due_jobs(session):
        later, happenings = advance(job, session.now, World(settings, read_file))
        update_job(session, later)
        record(session, later, happenings)


def advance(job: Job, now: float, world: World) -> Change:
    """The job as it is at `now` (Unix seconds)."""
    happenings: list[Happening] = []
    while job.due_at is not None and job.due_at <= now:
        job, more = _next(job, job.due_at, world)
        happenings += more
    return job, happenings


def _next(job: Job, at: float, world: World) -> Change:
    match job.status:
        case "validating_files":
            return _validated(job, at, world)
        case "queued":
            return _started(job, at)
        case "running":
            return _trained(job, at, world.settings.organization)
        case "paused" | "succeeded" | "failed" | "cancelled":
            raise AssertionError(f"nothing happens by itself to a job that is {job.status}")
        case _:
            assert_never(job.status)


def _validated(job: Job, at: float, world: World) -> Change:
    try:
        examples = _examples(job, at, world.read_file)
    except BadFiles as fault:
        failed = replace(ended(job, "failed", at), error=fault.error)
        return failed, [Event(at, str(fault), level="error")]
    kind = job.method_type
    numbers = resolve_auto(job.hyperparameters, examples)
    steps_per_epoch = math.ceil(examples / numbers["batch_size"])
    total = steps_per_epoch * int(numbers["n_epochs"])
    queued = replace(
        job,
        status="queued",
        due_at=at + world.settings.queued_seconds,
        method={**job.method, kind: {**job.method[kind], "hyperparameters": numbers}},
        total_steps=total,
        steps_per_epoch=steps_per_epoch,
        step_seconds=world.settings.running_seconds / total,
    )
    return queued, [Event(at, "Files validated, moving job to queued state")]


def _examples(job: Job, at: float, read_file: ReadFile) -> int:
    """The number of training examples; BadFiles if a file of the job is gone or no good."""
    training = _count(job, job.training_file, "training_file", at, read_file)
    if training < MIN_EXAMPLES:
        message = (
            f"The training file has {training} example(s), but must have at least {MIN_EXAMPLES}."
        )
        raise BadFiles("invalid_n_examples", message, "training_file")
    if job.validation_file is not None:
        count = _count(job, job.validation_file, "validation_file", at, read_file)
        if count == 0:
            message = "The validation file has no examples."
            raise BadFiles("invalid_validation_file", message, "validation_file")
    return training


def _count(job: Job, file_id: str, param: str, at: float, read_file: ReadFile) -> int:
    content = read_file(file_id, at)
    if content is None:
        raise BadFiles(f"invalid_{param}", f"The file {file_id} is no longer there.", param)
    try:
        return count_examples(content, _form(job))
    except BadExamples as fault:
        raise BadFiles(
            f"invalid_{param}", f"The file {file_id} is unusable. {fault}", param
        ) from None


_FORMS: Mapping[str, str] = {
    "supervised": "chat",
    "dpo": "preference",
    "reinforcement": "reinforcement",
}


def _form(job: Job) -> str:
    completion = job.base in BY_NAME and BY_NAME[job.base].completion
    return "completion" if completion else _FORMS[job.method_type]


def _started(job: Job, at: float) -> Change:
    since = at - job.trained_seconds
    running = replace(job, status="running", running_since=since)
    running = replace(running, due_at=max(at, _moment(running, _next_mark(running))))
    words = "resumed" if job.trained_seconds else "started"
    return running, [Event(at, f"Fine-tuning job {words}")]


def _trained(job: Job, at: float, organization: str) -> Change:
    """One mark further: an event, a checkpoint, or both; after the last step the job is done."""
    step = _next_mark(job)
    job = replace(job, step=step)
    happenings: list[Happening] = []
    if _tells(job, step):
        progress: Json = {"step": step, "total_steps": job.total_steps}
        happenings.append(Event(at, f"Step {step}/{job.total_steps}", metrics=progress))
    name = job.result_name(organization)
    if step % job.steps_per_epoch == 0:
        happenings.append(Checkpoint(at, step, f"{name}:ckpt-step-{step}"))
    if step < job.total_steps:
        return replace(job, due_at=_moment(job, _next_mark(job))), happenings
    happenings += [
        Result(at, name),
        Event(at, f"New fine-tuned model created: {name}"),
        Event(at, "The job has successfully completed"),
    ]
    return replace(ended(job, "succeeded", at), fine_tuned_model=name), happenings


def _stride(job: Job) -> int:
    return math.ceil(job.total_steps / MOST_METRICS)


def _tells(job: Job, step: int) -> bool:
    return step % _stride(job) == 0 or step == job.total_steps


def _next_mark(job: Job) -> int:
    """The next step that leaves an event or a checkpoint; the steps between leave nothing."""
    event = (job.step // _stride(job) + 1) * _stride(job)
    epoch = (job.step // job.steps_per_epoch + 1) * job.steps_per_epoch
    return min(event, epoch, job.total_steps)


def _moment(job: Job, step: int) -> float:
    assert job.running_since is not None
    return job.running_since + step * job.step_seconds


def ended(job: Job, status: Status, at: float) -> Job:
    """The job in a state that it never leaves."""
    return replace(job, status=status, due_at=None, running_since=None, finished_at=at)


def cancelled(job: Job, at: float) -> Change:
    """Stopped for good. The checkpoints stay."""
    return ended(job, "cancelled", at), [Event(at, "Fine-tuning job cancelled")]


def paused(job: Job, at: float) -> Change:
    """A running job with its time stopped."""
    assert job.running_since is not None
    trained = max(0.0, at - job.running_since)
    stopped = replace(
        job, status="paused", due_at=None, running_since=None, trained_seconds=trained
    )
    return stopped, [Event(at, f"Fine-tuning job paused after {_steps_done(stopped)}")]


def resumed(job: Job, at: float, queued_seconds: float) -> Change:
    """A paused job back in the queue; its training goes on from where it stood."""
    queued = replace(job, status="queued", due_at=at + queued_seconds)
    return queued, [Event(at, f"Fine-tuning job queued again after {_steps_done(job)}")]


def _steps_done(job: Job) -> str:
    exact = int(job.trained_seconds / job.step_seconds) if job.step_seconds else job.step
    return f"step {max(job.step, min(exact, job.total_steps))}/{job.total_steps}"
