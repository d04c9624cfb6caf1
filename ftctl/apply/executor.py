"""A plan in, the service changed, a `Report` out: `PHASES`, walked one after the other.

The only caller of a provider's writes, but for the doctor's probe, which asks in vain. A step that
fails ends its own change; the others go on, unless the service refuses everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ftctl.apply.duplicates import Duplicates
from ftctl.apply.inspection import Inspector
from ftctl.apply.job_creator import JobCreator, JobLimitReached
from ftctl.apply.journal import Journal
from ftctl.apply.phases import PHASES, Context, Phase, Result, State, Tasks
from ftctl.apply.sight import Sight
from ftctl.apply.terms import Terms
from ftctl.clock import Clock
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Change, Plan, Report, Step
from ftctl.errors import FtctlError, ProviderError
from ftctl.providers.protocol import Provider

_REFUSES_EVERYBODY = frozenset({"training_not_available", "insufficient_quota"})

S = TypeVar("S", bound=Step)
# a dataset's path and content → where it lies on this machine
PlaceOf = Callable[[str, str], Path]
# (name of the change, sentence, the step; None for what came of looking for duplicates)
Say = Callable[[str, str, Step | None], None]


def apply_plan(
    plan: Plan,
    provider: Provider,
    *,
    place_of: PlaceOf,
    clock: Clock,
    cosmetic: frozenset[str],
    observed: Observed,
    terms: Terms,
    journal: Journal,
    recorded: frozenset[str] = frozenset(),
    environment: str | None = None,
    commit: str | None = None,
    say: Say = lambda _name, _sentence, _step: None,
    note: Callable[[str], None] = lambda _text: None,
    stopping: Callable[[], bool] = lambda: False,
    parallelism: int = 1,
) -> Report:
    """Carry out a plan.

    `place_of` finds a file to upload by its path and content. `observed` is what the plan was made
    on: a job that is not there and has the right digest was made since. `recorded` are jobs that a
    record of ours names. `environment` is written on jobs. `say` hears of each step, in an order
    that does not depend on luck; `note` of waits and warnings. Once `stopping` says so, nothing
    more is begun.
    """
    known_jobs = known_ids(observed)
    creator = JobCreator(
        plan.project,
        provider,
        clock,
        cosmetic,
        known_jobs,
        commit,
        journal,
        terms,
        environment,
        note,
    )
    sight = Sight(provider, plan.project, clock, note)
    duplicates = Duplicates(provider, note, terms.is_alike)
    inspector = Inspector(provider, terms, sight, duplicates, known_jobs, note)
    states = {change.name: State() for change in plan.changes}
    context = Context(plan, provider, observed, recorded, creator, inspector, place_of, states)
    run = _Run(context, say, stopping, parallelism)
    for phase in PHASES:
        run.walk(phase)
    outcomes = tuple(states[change.name].outcome(change) for change in plan.changes)
    return Report(outcomes, plan)


def known_ids(observed: Observed) -> frozenset[str]:
    """Every job that was seen, whoever made it."""
    return frozenset(job.id for job in (*observed.every_job, *observed.strangers))


@dataclass(slots=True)
class _Run:
    """One apply: walks through phases, several steps at once where that helps."""

    context: Context
    say: Say
    stopping: Callable[[], bool]
    parallelism: int
    refused: ProviderError | None = None  # once the service refuses everybody

    def walk(self, phase: Phase[S]) -> None:
        """Run every step of a phase."""
        tasks = [
            (change, step)
            for change in self.context.plan.changes
            for step in change.steps
            if isinstance(step, phase.kind)
        ]
        for batch in phase.batches(tasks):
            for (change, step), result in zip(batch, self._results(phase, batch), strict=True):
                self._note(change.name, result, step)
            for name, result in phase.after_batch(self.context, batch).items():
                self._note(name, result, None)

    def _note(self, name: str, result: Result, step: Step | None) -> None:
        self.context.states[name].add(result)
        if result.sentence:
            self.say(name, result.sentence, step)

    def _results(self, phase: Phase[S], batch: Tasks[S]) -> Iterator[Result]:
        """What came of each step, in the steps' order."""

        def act(task: tuple[Change, S]) -> Result:
            return self._act(phase, *task)

        if self.parallelism <= 1:
            yield from map(act, batch)
            return
        with ThreadPoolExecutor(self.parallelism) as pool:
            yield from pool.map(act, batch)

    def _act(self, phase: Phase[S], change: Change, step: S) -> Result:
        if self.context.states[change.name].ended:
            return Result()
        if self.stopping():
            return Result(skipped="not begun: interrupted")
        if self.refused is not None:
            return Result(skipped=f"not begun: the service refuses ({self.refused.code})")
        try:
            return phase.act(self.context, step)
        except JobLimitReached as fault:
            return Result(waits=fault.message)
        except ProviderError as fault:
            refused = fault.status == 401 and not fault.kind_of_key
            if refused or fault.code in _REFUSES_EVERYBODY:
                self.refused = fault
            return Result(error=fault)
        except FtctlError as fault:
            return Result(error=fault)
