"""A job -> the same job at a later moment, and what happened on the way.

The state is a function of the clock. A job knows when its next thing is due; whoever looks next,
in whatever process, carries out all that is overdue, each under the moment at which it was due.
What takes long (reading files, training) is prepared beforehand: a job that lacks it waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from ftctl.emulator.http.wire import Json
from ftctl.emulator.ids import derived
from ftctl.emulator.jobs.checkpoint_schedule import (
    fails_at,
    next_marked_step,
    reports_metrics,
    saves_checkpoint,
)
from ftctl.emulator.jobs.hyperparameters import resolve_auto
from ftctl.emulator.jobs.job_grader import ungradable
from ftctl.emulator.jobs.training_file import MIN_EXAMPLES
from ftctl.emulator.jobs.virtual_clock import Pace
from ftctl.emulator.settings import Settings
from ftctl.emulator.storage.job_record import Checkpoint, Event, Happening, Job, Result, Status

Change = tuple[Job, list[Happening]]


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in a file: its examples and their tokens, or in which line what is wrong."""

    examples: int
    tokens: int | None = None  # None: not counted
    fault: str | None = None
    format_error: str | None = None  # of which example, in the service's words


@dataclass(frozen=True, slots=True)
class Trained:
    """What a marked step brought; the weights only where a model is made of them."""

    metrics: Json
    weights: bytes | None = None


class BadFiles(Exception):
    """Why a job's files cannot be used, as the job's `error` has it."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message, "param": param}


class NotPrepared(Exception):
    """What is due needs work that nobody has done yet."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a job's progress depends on besides the job itself."""

    settings: Settings
    pace: Pace
    has_file: Callable[[str, float], bool]  # whether the file could be had at that moment
    examined: Callable[[Job, str], Examined]  # NotPrepared for a file that nobody has read yet
    trained: Callable[[Job, int], Trained]  # NotPrepared for a step that nobody has trained yet


NOTHING_LEARNT = Trained({})
"""Of every marked step of a job that only passes through its stages."""


def advance(job: Job, now: float, conditions: Conditions) -> Change:
    """The job as it is at `now` (Unix seconds), or as far as it is prepared."""
    happenings: list[Happening] = []
    while job.due_at is not None and job.due_at <= now:
        try:
            job, more = _next(job, job.due_at, conditions)
        except NotPrepared:
            break
        happenings += more
    return job, happenings


def _next(job: Job, at: float, conditions: Conditions) -> Change:
    match job.status:
        case "validating_files":
            return _validated(job, at, conditions)
        case "queued":
            return _started(job, at, conditions)
        case "running":
            return _trained(job, at, conditions)
        case "paused" | "succeeded" | "failed" | "cancelled":
            raise AssertionError(f"nothing happens by itself to a job that is {job.status}")
        case _:
            assert_never(job.status)


def _validated(job: Job, at: float, conditions: Conditions) -> Change:
    try:
        training = _examine(job, at, conditions)
    except BadFiles as bad:
        return _failed(job, at, bad.error)
    fault = ungradable(job, conditions.settings)
    if fault is not None:
        return _failed(job, at, fault)
    if job.fault is not None and job.fault["at"] == "validation":
        return _failed(job, at, _error_of(job.fault))
    kind = job.method_type
    numbers = resolve_auto(job.hyperparameters, training.examples)
    steps_per_epoch = math.ceil(training.examples / numbers["batch_size"])
    epochs = int(numbers["n_epochs"])
    total = steps_per_epoch * epochs
    stuck = job.fault is not None and job.fault["at"] == "queue"
    queued = replace(
        job,
        status="queued",
        due_at=None if stuck else conditions.pace.due(at, conditions.settings.queued_seconds),
        method={**job.method, kind: {**job.method[kind], "hyperparameters": numbers}},
        total_steps=total,
        steps_per_epoch=steps_per_epoch,
        step_seconds=conditions.pace.lasting(conditions.settings.running_seconds) / total,
        trained_tokens=None if training.tokens is None else training.tokens * epochs,
    )
    return queued, [Event(at, "Files validated, moving job to queued state")]


def _examine(job: Job, at: float, conditions: Conditions) -> Examined:
    """What is in the training file; BadFiles if a file of the job is gone or no good."""
    training = _contents(job, job.training_file, "training_file", at, conditions)
    if training.examples < MIN_EXAMPLES:
        message = (
            f"The training file has {training.examples} example(s),"
            f" but must have at least {MIN_EXAMPLES}."
        )
        raise BadFiles("invalid_n_examples", message, "training_file")
    if job.validation_file is not None:
        validation = _contents(job, job.validation_file, "validation_file", at, conditions)
        if validation.examples == 0:
            message = "The validation file has no examples."
            raise BadFiles("invalid_validation_file", message, "validation_file")
    return training


def _contents(job: Job, file_id: str, param: str, at: float, conditions: Conditions) -> Examined:
    if not conditions.has_file(file_id, at):
        raise BadFiles(f"invalid_{param}", f"The file {file_id} is no longer there.", param)
    content = conditions.examined(job, file_id)
    if content.fault is not None:
        message = f"The file {file_id} is unusable. {content.fault}"
        raise BadFiles(f"invalid_{param}", message, param)
    if content.format_error is not None:
        message = (
            f"The job failed due to a file format error in the {param.replace('_', ' ')}."
            f" Invalid file format. {content.format_error}"
        )
        raise BadFiles("invalid_file_format", message, param)
    return content


def _started(job: Job, at: float, conditions: Conditions) -> Change:
    since = at - job.trained_seconds
    running = replace(job, status="running", running_since=since)
    running = replace(running, due_at=_due(running, at, conditions.pace, begins=True))
    words = "resumed" if job.step or job.trained_seconds else "started"
    return running, [Event(at, f"Fine-tuning job {words}")]


def _trained(job: Job, at: float, conditions: Conditions) -> Change:
    """On to the next marked step; after the last step the job is done."""
    step = next_marked_step(job)
    trained = conditions.trained(job, step)
    job = replace(job, step=step)
    happenings: list[Happening] = []
    if reports_metrics(job, step):
        happenings.append(_progress(job, at, trained.metrics))
    if fails_at(job, step):
        assert job.fault is not None
        failed, events = _failed(job, at, _error_of(job.fault))
        return failed, happenings + events
    if saves_checkpoint(job, step):
        happenings.append(_checkpoint(job, at, trained, conditions.settings.organization))
    if step < job.total_steps:
        return replace(job, due_at=_due(job, at, conditions.pace)), happenings
    done, more = _finished(job, at, trained, conditions.settings.organization)
    return done, happenings + more


def _progress(job: Job, at: float, metrics: Json) -> Event:
    figures = [f"{words}={metrics[name]:.2f}" for name, words in _FIGURES if name in metrics]
    message = f"Step {job.step}/{job.total_steps}" + (": " if figures else "") + ", ".join(figures)
    data = {"step": job.step, "total_steps": job.total_steps, **metrics}
    if "graded_samples" in metrics:  # as the guide to reinforcement has them
        data["usage"] = {"samples": data.pop("graded_samples")}
        data["errors"] = {"graders": data.pop("grader_errors")}
        names = ("train_reward_mean", "valid_reward_mean")
        data["scores"] = {name: data.pop(name) for name in names if name in data}
    return Event(at, message, kind="metrics", data=data)


_FIGURES = (
    ("train_loss", "training loss"),
    ("valid_loss", "validation loss"),
    ("full_valid_loss", "full validation loss"),
    ("train_reward_mean", "training reward"),
    ("valid_reward_mean", "validation reward"),
)


def _checkpoint(job: Job, at: float, trained: Trained, organization: str) -> Checkpoint:
    name = f"{job.result_name(organization)}:ckpt-step-{job.step}"
    return Checkpoint(at, job.step, name, {"step": job.step, **trained.metrics}, trained.weights)


def _finished(job: Job, at: float, trained: Trained, organization: str) -> Change:
    if job.fault is not None and job.fault["at"] == "screening":
        error = _error_of(job.fault)
        screened = Event(
            at, error["message"], level="error", kind="moderation_checks", data={"blocked": True}
        )
        failed, events = _failed(job, at, error)
        return failed, [screened, *events]
    name = job.result_name(organization)
    file = derived("file-", job.id, "figures") if trained.metrics else None
    happenings: list[Happening] = [
        Result(at, name, trained.weights, file),
        Event(at, f"New fine-tuned model created: {name}"),
        Event(at, "The job has successfully completed"),
    ]
    done = replace(
        ended(job, "succeeded", at),
        fine_tuned_model=name,
        result_files=[] if file is None else [file],
    )
    return done, happenings


def _due(job: Job, at: float, pace: Pace, *, begins: bool = False) -> float | None:
    """When the next marked step is reached; never before the moment that the job is at."""
    if begins and pace.due(at, 0) is None:
        return None
    assert job.running_since is not None
    return max(at, job.running_since + next_marked_step(job) * job.step_seconds)


def ended(job: Job, status: Status, at: float) -> Job:
    """The job in a state that it never leaves."""
    return replace(
        job, status=status, due_at=None, running_since=None, finished_at=at, start_weights=None
    )


def _failed(job: Job, at: float, error: Json) -> Change:
    failed = replace(ended(job, "failed", at), error=error)
    return failed, [Event(at, str(error["message"]), level="error")]


def _error_of(fault: Json) -> Json:
    """The error that a fault wants on the job."""
    return {name: fault.get(name) for name in ("code", "message", "param")}


def cancelled(job: Job, at: float) -> Change:
    """Stopped for good. The checkpoints stay."""
    return ended(job, "cancelled", at), [Event(at, "Fine-tuning job cancelled")]


def paused(job: Job, at: float, weights: bytes | None, organization: str) -> Change:
    """A running job with its time stopped; what it has learnt so far can be used as a model.

    `weights` are those of the job's last marked step; None where nothing is trained.
    """
    assert job.running_since is not None
    trained = max(0.0, at - job.running_since)
    stopped = replace(
        job, status="paused", due_at=None, running_since=None, trained_seconds=trained
    )
    happenings: list[Happening] = [
        Event(at, f"Fine-tuning job paused after {_steps_done(stopped)}")
    ]
    if weights is not None and job.step and not saves_checkpoint(job, job.step):
        happenings.append(_checkpoint(job, at, Trained({}, weights), organization))
    return stopped, happenings


def resumed(job: Job, at: float, settings: Settings, pace: Pace) -> Change:
    """A paused job back in the queue; its training goes on from where it stood."""
    queued = replace(job, status="queued", due_at=pace.due(at, settings.queued_seconds))
    return queued, [Event(at, f"Fine-tuning job queued again after {_steps_done(job)}")]


def _steps_done(job: Job) -> str:
    exact = int(job.trained_seconds / job.step_seconds) if job.step_seconds else job.step
    return f"step {max(job.step, min(exact, job.total_steps))}/{job.total_steps}"
