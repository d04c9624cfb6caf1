"""What came of an apply or a wait, however it ended. Frozen values that at most count."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import Estimate
from ftctl.domain.review import Violation


class Ending(StrEnum):
    """How a run ended, in one word."""

    APPLIED = "applied"  # all of it is done, and what was trained has its model
    STARTED = "started"  # all of it is begun, and jobs run on or wait for their turn
    NOTHING = "nothing-to-do"
    ATTENTION = "attention"  # nothing was done for what a person must decide about
    INCOMPLETE = "incomplete"  # some of it is done, not all
    FAILED = "failed"
    REFUSED = "refused"  # by the policy
    STALE = "stale"  # something else would run than was approved
    TIMED_OUT = "timed-out"  # the jobs run on
    INTERRUPTED = "interrupted"
    UNREACHABLE = "unreachable"  # the service gave no answer that can be used
    INVALID = "invalid"  # the manifests or data are wrong


class Standing(StrEnum):
    """What is with a fine-tune after a run, in one word."""

    TRAINED = "trained"  # its job is over, and there is its model
    THERE = "there"  # it had its model before
    RUNNING = "running"  # its job is not over
    WAITING = "waiting"  # for its parent's model, or its turn
    FAILED = "failed"  # its job came to no model
    CANCELLED = "cancelled"  # its job was stopped
    DONE = "done"  # jobs were cancelled, models or files deleted
    NOT_DONE = "not-done"  # what was to be done was not
    NOT_KNOWN = "not-known"  # it was asked for, and no answer is known: there may be a job
    ATTENTION = "attention"  # a person must decide
    SUPERSEDED = "superseded"  # a newer checkout has bought another in its place
    RETIRED = "retired"  # its model was deleted by ftctl, as it was asked to
    NO_MODEL = "no-model"  # nothing was to be done, and it has no model


NOT_OVER = frozenset({Standing.RUNNING, Standing.WAITING, Standing.NOT_KNOWN})
IN_VAIN = frozenset({Standing.FAILED, Standing.CANCELLED, Standing.NOT_DONE})


@dataclass(frozen=True, slots=True)
class CheckpointName:
    """A model as it was at a step of its job."""

    step: int
    model: str


@dataclass(frozen=True, slots=True)
class FineTuneResult:
    """What a run came to for one fine-tune, or for files that nothing refers to."""

    name: str
    standing: Standing
    kind: Literal["FineTune", "Files"] = "FineTune"
    concerned: bool = False  # whether it is of what was approved, bought or waited for
    trains: bool = False  # whether that is its training
    why: str | None = None  # it stands so, in words
    done: tuple[str, ...] = ()  # what was carried out, a sentence each
    job: str | None = None
    model: str | None = None
    checkpoints: tuple[CheckpointName, ...] = ()
    estimate: Estimate | None = None  # of the whole training
    cost: Decimal | None = None  # in US dollars, of a job that is over; None: not known, or not yet
    cost_words: str | None = None  # what it has cost so far, and how that is known
    trained_tokens: int | None = None
    train_losses: tuple[float, ...] = ()  # as told on the way, the oldest first
    train_loss: float | None = None  # told last
    valid_loss: float | None = None
    step: int | None = None
    total_steps: int | None = None
    seconds: float | None = None  # since the job was made, until it was over or now


@dataclass(frozen=True, slots=True)
class ToDo:
    """What a person can do: a sentence, and perhaps a command that does it."""

    sentence: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run."""

    ending: Ending
    command: Literal["apply", "wait"] = "apply"
    project: str | None = None  # None: it could not be read
    environment: str | None = None
    service: ServiceInfo | None = None
    commit: str | None = None  # of the manifests
    digest: str | None = None  # of the plan that was approved, else of the one that was made
    exit_status: int | None = None  # of the command line
    finetunes: tuple[FineTuneResult, ...] = ()
    moved: tuple[str, ...] = ()  # what would be otherwise than was approved, a sentence each
    unapproved: tuple[str, ...] = ()  # what nobody approved: it was left alone
    violations: tuple[Violation, ...] = ()  # of the policy
    problems: tuple[str, ...] = ()  # of manifests and data
    fault: str | None = None  # what ended the run, in words
    todo: tuple[ToDo, ...] = ()
    untold: bool = False  # what was done could not be found out

    def standing(self, *kinds: Standing) -> tuple[FineTuneResult, ...]:
        """Those of which one of these is said."""
        return tuple(one for one in self.finetunes if one.standing in kinds)

    @property
    def concerned(self) -> tuple[FineTuneResult, ...]:
        """Those that the run was about."""
        return tuple(one for one in self.finetunes if one.concerned)

    @property
    def billed(self) -> bool:
        """Whether anything of what the run was about is paid for."""
        return any(one.estimate is None or one.estimate.billed for one in self.trainings)

    @property
    def cost(self) -> Decimal | None:
        """What all trainings of the run have cost; None where one is not over or has no price."""
        costs = [one.cost for one in self.trainings]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None

    @property
    def estimate(self) -> tuple[Decimal, Decimal] | None:
        """What all its trainings were expected to cost; None where one has no price."""
        low = high = Decimal(0)
        for one in self.trainings:
            estimate = one.estimate
            if estimate is not None and not estimate.billed:
                continue
            if estimate is None or estimate.low is None or estimate.high is None:
                return None
            low, high = low + estimate.low, high + estimate.high
        return low, high

    @property
    def trainings(self) -> tuple[FineTuneResult, ...]:
        """Those of what the run was about that are bought, or will be."""
        return tuple(
            one
            for one in self.concerned
            if one.trains and (one.job is not None or one.standing is not Standing.NOT_DONE)
        )
