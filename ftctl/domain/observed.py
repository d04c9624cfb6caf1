"""What exists at a service: the nouns on the provider's side. Frozen values that at most count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from ftctl.domain.desired import Spec, nothing


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, in the service's words."""

    code: str
    message: str
    param: str | None = None


# Stands for the job that one was bought to replace on request where none was to be seen.
UNSEEN = "unseen"

# The state of a job of ours that cannot be read; its error says why.
UNREADABLE = "unreadable"

TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Job:
    """A training job as the service tells of it. Unknown statuses count as in progress."""

    id: str
    status: str  # as sent
    created_at: int  # Unix seconds, the service's clock
    finetune: str | None = None  # our tag, where the job carries one
    digest: str | None = None
    project: str | None = None  # whose it is; told of other projects' jobs
    spec: Spec | None = None  # what was asked for, short; to explain changes, never to decide
    replaces: str | None = None  # the job that this one was bought to replace on request
    follows: str | None = None  # the newest of its digest when it was bought; None: not told
    environment: str | None = None  # of ftctl.yaml, that it was bought for; None: not told
    model: str | None = None
    base_model: str | None = None
    error: JobError | None = None
    training_file: str | None = None
    validation_file: str | None = None
    result_files: tuple[str, ...] = ()
    metadata: Spec = field(default_factory=nothing)  # the user's own pairs
    trained_tokens: int | None = None
    finished_at: int | None = None
    hyperparameters: Spec = field(default_factory=nothing)  # as the service resolved them
    seed: int | None = None  # the service draws one where none was asked for
    commit: str | None = None  # of the manifests that it was bought by, as its tag tells
    by_file: bool = False  # whether its tag is the name of its file: strangers may train on that

    @property
    def in_progress(self) -> bool:
        """Whether it may still come to a model: one that succeeded may get its name late."""
        return self.status not in TERMINAL or (self.status == "succeeded" and not self.model)

    @property
    def is_unreadable(self) -> bool:
        """Whether it is known to be there, and little else: nothing is bought or done about it."""
        return self.status == UNREADABLE

    @property
    def is_its_model(self) -> bool:
        """Whether the service gives models no name, so that the job itself stands for its own."""
        return self.model == self.id

    @property
    def stands_in_for(self) -> str | None:
        """The job that it was bought to replace, where there was one to be seen."""
        return None if self.replaces == UNSEEN else self.replaces

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
    digest: str | None = None  # of the one job it was uploaded for, where the file carries its tag
    usable: bool = True  # False once the service says that it cannot be trained on
    run: str = ""  # what its name tells of that job beside the digest: see `Run`
    processing: bool = False  # whether the service still looks at it before it can be trained on
    refusal: str | None = None  # why it cannot be trained on, in the service's words


@dataclass(frozen=True, slots=True)
class AccountId:
    """Whom a key acts for, as far as the service tells. None: it does not."""

    organization: str | None = None
    project: str | None = None

    def differs_from(self, other: AccountId) -> bool:
        """Whether both are told and are not the same account. What is not told is no difference."""
        pairs = ((self.organization, other.organization), (self.project, other.project))
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)

    def completed(self, other: AccountId) -> AccountId:
        """The same with what it does not tell taken from another."""
        return AccountId(self.organization or other.organization, self.project or other.project)


UNTOLD = AccountId()


@dataclass(frozen=True)
class Observed:
    """One snapshot of what exists at the service and is ours, newest first."""

    jobs: tuple[Job, ...] = ()
    files: tuple[File, ...] = ()
    models: frozenset[str] | None = frozenset()  # None: the service does not list them
    adopted: tuple[Job, ...] = ()  # jobs without our tag that manifests adopt
    others: tuple[Job, ...] = ()  # of other projects in the account, where those may be reused
    # When models stop, as far as the service tells: base models and fine-tuned ones.
    shutdowns: Mapping[str, date] = field(default_factory=dict)
    account: AccountId = UNTOLD
    # Jobs that do not carry our tag and train on a file of ours: where the whole list was read.
    strangers: tuple[Job, ...] = ()
    missing: frozenset[str] = frozenset()  # jobs that were asked for by id, and are not there
    unreadable: tuple[str, ...] = ()  # what was left out of the lists, in a sentence each
    told_at: int | None = None  # the time of its newest answer: Unix seconds, the service's clock

    @property
    def every_job(self) -> tuple[Job, ...]:
        """Ours, adopted ones, and those of other projects."""
        return (*self.jobs, *self.adopted, *self.others)

    @cached_property
    def checkpoints(self) -> Mapping[str, tuple[str, ...]]:
        """The checkpoint models that exist, by the model whose steps they are."""
        by_model: dict[str, list[str]] = {}
        for name in sorted(self.models or ()):
            model, mark, _step = name.rpartition(":ckpt-step-")
            if mark:
                by_model.setdefault(model, []).append(name)
        return {model: tuple(names) for model, names in by_model.items()}

    def has_model(self, name: str) -> bool:
        """Whether a model can be used, as far as the service tells."""
        return self.models is None or name in self.models


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a job's log, with its numbers where it has any."""

    id: str
    created_at: int  # Unix seconds, the service's clock
    level: str
    message: str
    metrics: Spec = field(default_factory=nothing)


@dataclass(frozen=True, slots=True)
class CheckpointModel:
    """A model as it was at one step of a job. `loss` is the full validation loss, if measured."""

    model: str
    step: int
    loss: float | None


def best_checkpoint(checkpoints: Iterable[CheckpointModel]) -> CheckpointModel | None:
    """That of the least validation loss, of equals the latest; None where none was measured."""
    measured = [(at.loss, -at.step, at) for at in checkpoints if at.loss is not None]
    return min(measured, key=lambda one: one[:2])[2] if measured else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come, as far as its events tell."""

    name: str
    job: Job
    step: int | None = None
    total_steps: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None  # over the whole validation file where that was measured
    seconds_left: float | None = None
    given_up: bool = False  # it succeeded long ago, and nobody waits for its model's name any more

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.given_up or not self.job.in_progress
