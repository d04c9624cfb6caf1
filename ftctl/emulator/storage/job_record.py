"""A fine-tuning job, what happens to it, and how both are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ftctl.emulator.http.wire import Json
from ftctl.emulator.ids import derived

Status = Literal[
    "validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"
]
Method = Literal["supervised", "dpo", "reinforcement"]
TERMINAL: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled"})
MOVING: frozenset[Status] = frozenset({"validating_files", "queued", "running"})
"""A job in one of these goes on by itself."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job at one moment. Times are Unix seconds with fractions; `seq` is its place in line."""

    seq: int
    id: str
    created_at: float
    model: str  # as answered: a snapshot, or the tuned model that training goes on from
    base: str  # the snapshot at the root, which names the result
    method: Json
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    metadata: dict[str, str] | None
    integrations: list[Json] | None
    status: Status
    due_at: float | None  # when the next thing happens by itself; None when nothing will
    total_steps: int = 0  # 0 until the files are validated
    steps_per_epoch: int = 0
    step: int = 0  # the last step that left a mark (an event or a checkpoint)
    step_seconds: float = 0.0
    trained_seconds: float = 0.0  # training done before the last pause
    running_since: float | None = None
    finished_at: float | None = None
    fine_tuned_model: str | None = None
    error: Json | None = None
    start_weights: int | None = None  # what it goes on from, until it has ended; a row's number
    trained_tokens: int | None = None  # all that the training passes over; shown once it is done
    result_files: list[str] = field(default_factory=list)
    fault: Json | None = None  # what it was told to fail by, and where
    reads: int = 0  # how often it was retrieved, while reads are what moves it

    @property
    def method_type(self) -> Method:
        """Which of the method's blocks counts."""
        kind: Method = self.method["type"]
        return kind

    @property
    def hyperparameters(self) -> Json:
        """Of the job's own method: as asked for, and as numbers once the files are validated."""
        values: Json = self.method[self.method_type]["hyperparameters"]
        return values

    def result_name(self, organization: str) -> str:
        """The name that the job's model gets, known from the start."""
        own = derived("", self.id, "model", length=8)
        return f"ft:{self.base}:{organization}:{self.suffix or ''}:{own}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job at a moment (Unix seconds)."""

    at: float
    message: str
    level: Literal["info", "warn", "error"] = "info"
    kind: Literal["message", "metrics", "moderation_checks"] = "message"
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the training after an epoch, usable as a model of this name."""

    at: float
    step: int
    model: str
    metrics: Json
    weights: bytes | None  # None where nothing is trained


@dataclass(frozen=True, slots=True)
class Result:
    """The model that a job ends with, and the file of its figures, if there are any."""

    at: float
    model: str
    weights: bytes | None
    file: str | None


Happening = Event | Checkpoint | Result


def shown_job(job: Job, organization: str) -> Json:
    """The job as clients see it.

    `hyperparameters` is for supervised jobs only; the specification still wants an object.
    """
    return {**shown_anywhere(job), "organization_id": organization}


def shown_anywhere(job: Job) -> Json:
    """The job as clients see it, but for the organization that they ask for."""
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "model": job.model,
        "created_at": int(job.created_at),
        "finished_at": _whole(job.finished_at),
        "fine_tuned_model": job.fine_tuned_model,
        "result_files": job.result_files,
        "status": job.status,
        "validation_file": job.validation_file,
        "training_file": job.training_file,
        "hyperparameters": job.hyperparameters if job.method_type == "supervised" else {},
        "trained_tokens": job.trained_tokens if job.status == "succeeded" else None,
        "error": job.error,
        "user_provided_suffix": job.suffix,
        "seed": job.seed,
        "estimated_finish": _whole(_estimated_finish(job)),
        "integrations": job.integrations,
        "metadata": job.metadata,
        "method": job.method,
    }


def _estimated_finish(job: Job) -> float | None:
    if job.status != "running" or job.running_since is None or job.due_at is None:
        return None
    return job.running_since + job.total_steps * job.step_seconds


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
