"""The nouns that the stages hand to one another: frozen values that at most count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ftctl.errors import FtctlError, Span

Format = Literal["chat", "completion", "preference", "reinforcement"]
Method = Literal["supervised", "dpo", "reinforcement"]
Checkpoint = Literal["last", "best"] | int

Spec = Mapping[str, Any]


def _nothing() -> Spec:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file that passed its checks. Its identity is the SHA-256 of its bytes."""

    name: str
    path: str  # as people know it, relative to the project's folder
    sha256: str
    examples: int
    bytes: int
    format: Format


@dataclass(frozen=True, slots=True)
class Parent:
    """One of our own fine-tunes as a base model, and which of its models."""

    finetune: str
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class FineTune:
    """One model that the manifests ask for.

    `spec` holds what differs from the defaults, under the manifest's field names, with data and
    parents named by their digests. `digest` covers the part of it that a training run depends on.
    """

    name: str
    span: Span
    training: Dataset
    validation: Dataset | None
    spec: Spec
    digest: str
    base_model: str | Parent
    adopt: str | None = None
    keep: int = 2

    @property
    def parent(self) -> Parent | None:
        """The fine-tune of ours that this one continues from."""
        return self.base_model if isinstance(self.base_model, Parent) else None

    @property
    def method(self) -> Method:
        """How it is trained."""
        method: Method = self.spec.get("method", "supervised")
        return method


@dataclass(frozen=True, slots=True)
class Desired:
    """What a project asks for: its fine-tunes, parents before children, else by name."""

    project: str
    finetunes: tuple[FineTune, ...]

    def named(self, name: str) -> FineTune | None:
        """The fine-tune of that name."""
        return next((one for one in self.finetunes if one.name == name), None)


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, in the service's words."""

    code: str
    message: str
    param: str | None = None


TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Job:
    """A training job as the service tells of it. Unknown statuses count as in progress."""

    id: str
    status: str  # as sent
    created_at: int  # Unix seconds, the service's clock
    finetune: str | None = None  # our marks, where the job carries them
    digest: str | None = None
    spec: Spec | None = None  # what was asked for, short; to explain changes, never to decide
    replaces: str | None = None  # the job that this one was bought to replace on request
    model: str | None = None
    base_model: str | None = None
    error: JobError | None = None
    training_file: str | None = None
    validation_file: str | None = None
    result_files: tuple[str, ...] = ()
    metadata: Spec = field(default_factory=_nothing)  # the user's own pairs
    trained_tokens: int | None = None
    finished_at: int | None = None

    @property
    def in_progress(self) -> bool:
        """Whether it may still come to a model: one that succeeded may get its name late."""
        return self.status not in TERMINAL or (self.status == "succeeded" and not self.model)

    @property
    def age_order(self) -> tuple[int, str]:
        """Sorts jobs from the oldest to the newest, the same way on every machine."""
        return (self.created_at, self.id)


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours at the service. What it holds is told by its name (see `digest`)."""

    id: str
    name: str
    bytes: int
    created_at: int  # Unix seconds, the service's clock
    sha256: str | None = None
    digest: str | None = None  # of the one job it was uploaded for, where the file carries the mark
    usable: bool = True  # False once the service says that it cannot be trained on


@dataclass(frozen=True, slots=True)
class Observed:
    """One snapshot of what exists at the service and is ours, newest first."""

    jobs: tuple[Job, ...] = ()
    files: tuple[File, ...] = ()
    models: frozenset[str] | None = frozenset()  # None: the service does not list them
    adopted: tuple[Job, ...] = ()  # jobs without our mark that manifests adopt

    def has_model(self, name: str) -> bool:
        """Whether a model can be used, as far as the service tells."""
        return self.models is None or name in self.models


class Action(StrEnum):
    """What a plan does about one thing."""

    CREATE = "create"
    REPLACE = "replace"
    CANCEL = "cancel"
    DELETE = "delete"
    DEFER = "defer"
    NO_OP = "no-op"


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file at the service, or one that this plan uploads first: then `id` is not known yet."""

    dataset: str
    filename: str
    sha256: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a dataset's bytes."""

    dataset: str
    path: str  # relative to the project's folder
    sha256: str
    bytes: int
    filename: str  # at the service: it carries our mark


@dataclass(frozen=True, slots=True)
class ParentModel:
    """The model of a job of ours, at one of its checkpoints."""

    job: str
    model: str
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class StartJob:
    """Buy one training run."""

    finetune: str
    digest: str
    spec: Spec
    base_model: str | ParentModel
    training: FileRef
    validation: FileRef | None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop a job that is not finished."""

    job: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteModel:
    """Delete a fine-tuned model or one of its checkpoints."""

    model: str


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Delete a file that we uploaded or that one of our jobs wrote."""

    id: str
    filename: str


Step = Upload | StartJob | CancelJob | DeleteModel | DeleteFile


@dataclass(frozen=True, slots=True)
class FieldChange:
    """How one field differs from what the service has. None: the field is not set there."""

    field: str
    before: str | None
    after: str | None
    cosmetic: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one thing, why, and the steps that carry it out."""

    name: str
    action: Action
    reason: str
    steps: tuple[Step, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    kind: Literal["FineTune", "Files"] = "FineTune"
    digest: str | None = None
    job: str | None = None  # the job that stands for it now
    model: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """Which service a plan is for."""

    type: str
    base_url: str
    billed: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between what is asked for and what exists, as the program that removes it."""

    project: str
    service: ServiceInfo
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do now."""
        return not any(change.steps for change in self.changes)

    @property
    def complete(self) -> bool:
        """Whether everything that is asked for exists once this plan is carried out."""
        return not any(change.action is Action.DEFER for change in self.changes)

    @property
    def has_changes(self) -> bool:
        """Whether anything is to be done now or later."""
        return any(change.action is not Action.NO_OP for change in self.changes)

    def count(self) -> Counter[Action]:
        """How many changes there are of each action."""
        return Counter(change.action for change in self.changes)

    def steps(self, kind: type[Step]) -> tuple[Step, ...]:
        """Every step of one kind."""
        return tuple(
            step for change in self.changes for step in change.steps if isinstance(step, kind)
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended. `done` says in sentences what was carried out before any failure."""

    name: str
    action: Action
    done: tuple[str, ...] = ()
    job: Job | None = None
    error: FtctlError | None = None
    skipped: str | None = None  # why it was not begun

    @property
    def ok(self) -> bool:
        """Whether it was carried out as planned."""
        return self.error is None and self.skipped is None


@dataclass(frozen=True, slots=True)
class Report:
    """What an apply did, in the plan's order."""

    outcomes: tuple[Outcome, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every change was carried out."""
        return all(outcome.ok for outcome in self.outcomes)

    @property
    def partial(self) -> bool:
        """Whether something was done and something was not."""
        return not self.ok and any(outcome.done for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a job's log, with its numbers where it has any."""

    id: str
    created_at: int  # Unix seconds, the service's clock
    level: str
    message: str
    metrics: Spec = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class CheckpointModel:
    """A model as it was at one step of a job. `loss` is the full validation loss, if measured."""

    model: str
    step: int
    loss: float | None


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of ftctl.yaml with one environment laid over them."""

    project: str
    manifests: str = "finetunes"
    provider: Mapping[str, str] | None = None
    prune: bool = False
    policy: Mapping[str, int] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class DataSource:
    """A file that manifests name, before it is read."""

    name: str
    source: Path
    shown: str
    span: Span  # where the manifest names it
    sha256: str | None = None  # the pin, where the manifest has one
