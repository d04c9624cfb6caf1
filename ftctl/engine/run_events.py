"""The events of a run in; what counts for how it ended out.

A run that fails gives no report: what it has told on its way is all that is left of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ftctl.engine.events import (
    Applied,
    Applying,
    Event,
    Finished,
    Progressed,
    Reconciled,
    Started,
    StepDone,
)

if TYPE_CHECKING:
    from ftctl.domain.observed import Observed, Progress
    from ftctl.domain.plan import Plan, Report
    from ftctl.domain.review import Review


@dataclass(slots=True)
class RunEvents:
    """What a run has told until now."""

    plan: Plan | None = None  # that was begun last
    reports: list[Report] = field(default_factory=list)
    progress: dict[str, Progress] = field(default_factory=dict)  # by fine-tune
    finished: dict[str, str] = field(default_factory=dict)  # fine-tune → model of another's job
    steps: dict[str, list[str]] = field(default_factory=dict)  # fine-tune → what was done
    started: set[str] = field(default_factory=set)
    done: tuple[str, ...] = ()  # of what was approved, before
    unapproved: tuple[str, ...] = ()

    def __call__(self, event: Event) -> None:
        """Remember what counts for how it ends."""
        match event:
            case Applying(plan):
                self.plan = self.plan or plan
            case Applied(report):
                self.reports.append(report)
            case Progressed(jobs):
                self.progress |= {one.name: one for one in jobs}
            case Finished(name, model):
                self.finished[name] = model
            case StepDone(name, sentence):
                self.steps.setdefault(name, []).append(sentence)
                if isinstance(event, Started):
                    self.started.add(name)
            case Reconciled(done, unapproved):
                self.done, self.unapproved = done, unapproved


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What a workspace knows of its run when that is over."""

    command: Literal["apply", "wait"]
    events: RunEvents
    review: Review | None = None  # made last
    report: Report | None = None  # given last
    observed: Observed | None = None
    purchases: frozenset[str] = frozenset()  # fine-tunes whose training was approved
    # What it has asked money for: fine-tune → its job; None: no answer is known.
    bought: Mapping[str, str | None] = field(default_factory=dict)
    fault: BaseException | None = None
