"""What is to be done and what was done: plans and reports. Frozen values that at most count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from ftctl.domain.desired import Checkpoint, Dataset, Origin, Parent, ServiceInfo, Spec, nothing
from ftctl.domain.observed import UNSEEN, UNTOLD, AccountId, Job
from ftctl.errors import FtctlError

NO_OPTIONS: Spec = MappingProxyType(
    {
        "select": None,
        "replace": [],
        "prune": False,
        "retry_failed": False,
        "force_destroy": False,
        "environment": None,
    }
)
"""The command line of a plan that was given none of the options that shape it."""


class Action(StrEnum):
    """What a plan does about one thing."""

    CREATE = "create"
    REPLACE = "replace"
    CANCEL = "cancel"
    DELETE = "delete"
    DEFER = "defer"
    NO_OP = "no-op"
    ATTENTION = "attention"  # what money alone could mend: shown, and never carried out by itself


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file at the service, or one that this plan uploads first: then `id` is not known yet."""

    dataset: str
    filename: str
    sha256: str
    id: str | None = None
    path: str = ""  # as people know it, relative to the project's folder
    rows: int | None = None
    origin: Origin | None = None  # of rows that steps have made: `path` is its face


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a dataset's bytes."""

    dataset: str
    path: str  # relative to the project's folder
    sha256: str
    bytes: int
    filename: str  # at the service: it carries our tag
    origin: Origin | None = None  # of rows that steps have made: `path` is its face


@dataclass(frozen=True, slots=True)
class ParentModel:
    """The model of a job of ours, at one of its checkpoints."""

    job: str
    model: str
    checkpoint: Checkpoint
    finetune: str = ""  # whose job it is, by our name


@dataclass(frozen=True, slots=True)
class StartJob:
    """Buy one training run.

    `request` is what the service is sent for `spec`, with `extra` in it: what is shown, and what a
    policy's programs judge. References to variables stay references. The base model, the files
    and our marks are added when it is sent.
    """

    finetune: str
    digest: str
    spec: Spec
    base_model: str | ParentModel
    training: FileRef
    validation: FileRef | None
    replaces: str | None = None  # the job that --replace buys it for
    follows: str | None = None  # the newest job of the digest: where one is newer, this is done
    request: Spec = field(default_factory=nothing)
    keep: int = 2  # how many of its models stay, once there are more

    @property
    def stands_in_for(self) -> str | None:
        """As the job's own: whoever buys the same at the same time asks for the same."""
        return None if self.replaces == UNSEEN else self.replaces


@dataclass(frozen=True, slots=True)
class Later:
    """A training run that is bought once its parent has a model. See `StartJob`."""

    parent: Parent
    spec: Spec
    request: Spec
    training: Dataset
    validation: Dataset | None
    keep: int


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
    """How one field differs from what the service has. None: the field is not set there.

    The values are in words, as `text.literal` has them.
    """

    field: str
    before: str | None
    after: str | None
    cosmetic: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training run is expected to cost, in US dollars, and how that was found.

    `low` and `high` are None where nobody can tell beforehand: no price is on record, or the
    service bills by the hour. Where it bills nothing, they say what the same run costs elsewhere.
    """

    low: Decimal | None
    high: Decimal | None
    basis: str  # one sentence, with the age of the price
    billed: bool = True
    usd_per_hour: Decimal | None = None
    tokens: tuple[int, int] | None = None  # trained in all epochs: at least, at most


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
    # Of what is deferred, the newest job of the digest: where one is newer, it was bought since.
    follows: str | None = None
    # Of what trains, the jobs for other specs of its name that run or came to a model: one that is
    # not among them later on, was bought since.
    beside: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()  # those of them that newer commits have bought
    unplaced: tuple[str, ...] = ()  # and those of which git cannot say whether that is so
    later: Later | None = None  # of what is deferred: what is bought then
    cost: Estimate | None = None  # None: it buys nothing, now or later
    would_cost: Estimate | None = None  # of what needs attention: what buying it would cost
    # Whether it only tidies up: models beyond `keep`, files that nothing refers to.
    housekeeping: bool = False
    in_vain: bool = False  # whether the job that stands for it failed or was cancelled
    retired: bool = False  # whether its model was deleted by ftctl, as it was asked to
    superseded: bool = False  # whether its job was, by one of a newer checkout
    waiting: bool = False  # of what is deferred: whether a job that runs brings its parent's model

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others of a plan: its kind and name."""
        return (self.kind, self.name)

    @property
    def pending(self) -> bool:
        """Whether anything is to be done, now or later."""
        return bool(self.steps) or self.action is Action.DEFER

    @property
    def trains(self) -> bool:
        """Whether it trains, now or later, so that cosmetic differences take effect."""
        return self.action in (Action.CREATE, Action.REPLACE, Action.DEFER)


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between what is asked for and what exists, as the program that removes it."""

    project: str
    service: ServiceInfo
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    account: AccountId = UNTOLD  # whom the key acted for when it was made
    # Those of the command line that it was made with.
    options: Spec = field(default_factory=lambda: NO_OPTIONS)
    foremost: tuple[str, ...] = ()  # of its warnings, those to be read before its changes

    @property
    def later_warnings(self) -> tuple[str, ...]:
        """The warnings that can be read after its changes."""
        return tuple(warning for warning in self.warnings if warning not in self.foremost)

    def failed(self, jobs: Iterable[Job]) -> tuple[str, ...]:
        """The fine-tunes that a job stands for which came to no model; `jobs` are all there are.

        What a newer checkout has superseded is not among them.
        """
        in_vain = {job.id for job in jobs if job.status in ("failed", "cancelled")}
        return tuple(
            change.name
            for change in self.changes
            if change.action is Action.ATTENTION and change.job in in_vain and not change.superseded
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do now."""
        return not any(change.steps for change in self.changes)

    @property
    def complete(self) -> bool:
        """Whether everything that is asked for exists once this plan is carried out."""
        return not any(
            change.action is Action.DEFER
            or (change.action is Action.ATTENTION and change.model is None)
            for change in self.changes
        )

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
    waits: str | None = None  # why its turn has not come: the service takes no more jobs now

    @property
    def ok(self) -> bool:
        """Whether it was carried out as planned."""
        return self.error is None and self.skipped is None


@dataclass(frozen=True, slots=True)
class Ended:
    """How the job of a fine-tune ended that was waited for; without a model, it failed."""

    name: str
    job: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What an apply did, in the plan's order; and after a wait, how it all ended."""

    outcomes: tuple[Outcome, ...] = ()
    plan: Plan | None = None  # that was carried out
    options: Spec = field(default_factory=nothing)  # the plan's, as they stand in its document
    waits: bool = False  # whether the policy was asked about what was deferred as well
    allow: frozenset[str] = frozenset()  # rules of the policy that may pass
    known_jobs: frozenset[str] = frozenset()  # those that there were before it: ids
    ended: tuple[Ended, ...] = ()  # the jobs that were waited for
    not_begun: tuple[str, ...] = ()  # fine-tunes without a parent's model, or left to a person
    # Fine-tunes whose newest job had failed or was cancelled before, and that nothing was done for.
    failed: tuple[str, ...] = ()
    # Fine-tunes that a newer checkout has gone past, and what it did: nothing is bought for them.
    superseded: Mapping[str, str] = field(default_factory=nothing)
    later: tuple[Report, ...] = ()  # of what was started during the wait

    @property
    def ok(self) -> bool:
        """Whether every change was carried out."""
        return all(outcome.ok for outcome in self.outcomes)

    @property
    def partial(self) -> bool:
        """Whether something was done and something was not."""
        return not self.ok and any(outcome.done for outcome in self.outcomes)

    @property
    def models(self) -> Mapping[str, str]:
        """The models of fine-tunes, by name: those there already, and those waited for."""
        changes = self.plan.changes if self.plan is not None else ()
        there = {
            change.name: change.model
            for change in changes
            if change.action is Action.NO_OP and change.model is not None and not change.retired
        }
        return there | {end.name: end.model for end in self.ended if end.model is not None}
