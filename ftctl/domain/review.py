"""What a reviewer is shown beside a plan: policy's word, and how its data differs. Values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from ftctl.domain.plan import NO_OPTIONS, Plan

if TYPE_CHECKING:
    from ftctl.domain.row_diff import Compared

Severity = Literal["refused", "allowed", "warning"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that the policy says about a plan.

    `refused` stops an apply; `allowed` would, but for --allow; a `warning` is only told.
    """

    rule: str  # its key below `policy` in ftctl.yaml
    severity: Severity
    message: str  # what the plan does against it, with both figures
    hint: str | None = None  # the edit or the flag that would allow it
    finetune: str | None = None  # which one, where it is about one


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """The policy's word on one plan. `rules` are those that were looked at, kept or not."""

    rules: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()

    @property
    def refused(self) -> tuple[Violation, ...]:
        """Those that stand against the plan."""
        return tuple(violation for violation in self.violations if violation.severity == "refused")


@dataclass(frozen=True, slots=True)
class DataChange:
    """How a data file of some fine-tunes differs from the one at the base of a change.

    `compared` is None for a file that the base does not have.
    """

    path: str
    finetunes: tuple[str, ...]
    role: Literal["training", "validation"]
    rows: int  # in the file now
    compared: Compared | None
    tokens: int | None = None  # more (or fewer) in one epoch
    cost: tuple[Decimal, Decimal] | None = None  # US dollars more (or fewer) over all epochs


@dataclass(frozen=True, slots=True)
class Review:
    """A plan with all that somebody should know who approves it."""

    plan: Plan
    digest: str
    policy: PolicyResult = PolicyResult()
    data: tuple[DataChange, ...] = ()
    base: str | None = None  # the git revision that `data` compares with
    commit: str | None = None  # of the manifests
    offline: bool = False  # the service was not asked; the plan is against `snapshot`
    # Those of the command line that shaped the plan.
    options: Mapping[str, Any] = field(default_factory=lambda: NO_OPTIONS)
    # Of a plan that was approved before, this is what is left to do.
    approved: str | None = None  # its digest
    done: tuple[str, ...] = ()  # what is done already
    unapproved: tuple[str, ...] = ()  # what nobody approved: it is left alone
    moved: tuple[str, ...] = ()  # what would now be another thing; with any, nothing may run
    allow: frozenset[str] = frozenset()  # rules of the policy that may pass
    waits: bool = False  # whether the policy was asked about what is deferred as well
    destroy: bool = False  # whether it is of a plan to leave nothing
    snapshot: str = "ftctl.lock"  # what an offline plan is made against
