"""What a run tells of itself on its way, as values: who prints is who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ftctl.domain.observed import Progress
    from ftctl.domain.plan import Plan, Report


@dataclass(frozen=True, slots=True)
class Noted:
    """Something to know that is no problem. `detail`: only for those who want to know it all."""

    text: str
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Requested:
    """The service was asked something: method and path, such as `GET /v1/files?limit=10000`."""

    line: str


@dataclass(frozen=True, slots=True)
class Scanning:
    """How far a data file has been read, in bytes; at its beginning 0 of 0."""

    path: str
    done: int
    size: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """Every data file has been read."""


@dataclass(frozen=True, slots=True)
class Applying:
    """A plan begins to be carried out."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step of a change has been carried out; the sentence says how."""

    name: str  # of the change
    sentence: str


class Uploaded(StepDone):
    """A file was sent."""


class Started(StepDone):
    """A training job was bought."""


class Cancelled(StepDone):
    """A job was stopped, or was over before it could be."""


class Deleted(StepDone):
    """A model or a file was deleted."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan has been carried out, as far as it could be."""

    report: Report


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far the jobs that are waited for have come."""

    jobs: tuple[Progress, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """A fine-tune has its model, made by another job than the one that was followed."""

    name: str
    model: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """A fine-tune is not begun: its parent has no model yet."""

    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A fine-tune's turn is still to come: the service takes no more jobs now."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Of what was approved, these are done already; these nobody approved, and they are left."""

    done: tuple[str, ...]
    unapproved: tuple[str, ...]


Event = (
    Noted
    | Requested
    | Scanning
    | Scanned
    | Applying
    | StepDone
    | Applied
    | Progressed
    | Finished
    | Deferred
    | Waiting
    | Reconciled
)
Listener = Callable[[Event], None]


def nobody(_event: Event) -> None:
    """The listener of a run that nobody listens to."""
