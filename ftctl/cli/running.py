"""One apply on its way: carries out plans, follows their jobs, starts what waited for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ftctl.apply.executor import apply_plan
from ftctl.apply.follow import Progress, follow
from ftctl.cli.commit import commit_of
from ftctl.cli.exits import DONE, FAILED, PARTIAL
from ftctl.cli.interrupts import Interrupts
from ftctl.cli.live import Screen, screen_for
from ftctl.cli.planning import plan_for
from ftctl.cli.session import Session
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Action, Change, Plan, Report, StartJob
from ftctl.errors import Interrupted, WaitTimeout
from ftctl.manifest.schema import cosmetic_fields
from ftctl.planner import PlanOptions
from ftctl.providers.protocol import Provider
from ftctl.reports.text import outcome_problem, report_text

_TURN_EVERY = 6  # polls between two tries to start what waits its turn


@dataclass(slots=True)
class Running:
    """Carries out plans for one command and remembers what it started."""

    session: Session
    provider: Provider
    options: PlanOptions
    stop: Interrupts
    parallelism: int = 1
    started: dict[str, str] = field(default_factory=dict)  # fine-tune -> job
    waiting: dict[str, str] = field(default_factory=dict)  # fine-tune -> why its turn is to come

    def carry_out(self, plan: Plan, observed: Observed) -> int:
        """Do what the plan says; the exit status. Raises `Interrupted` when told to stop."""
        console = self.session.settings.console
        console.result("")
        report = apply_plan(
            plan,
            self.provider,
            root=self.session.root,
            clock=self.session.settings.clock,
            cosmetic=cosmetic_fields(),
            known_jobs=frozenset(job.id for job in observed.jobs),
            commit=commit_of(self.session.root) if plan.steps(StartJob) else None,
            say=lambda name, sentence: console.result(f"{name}: {sentence}"),
            stopping=lambda: self.stop.asked,
            parallelism=self.parallelism,
        )
        for outcome in report.outcomes:
            self.waiting.pop(outcome.name, None)
            if outcome.job is not None:
                self.started[outcome.name] = outcome.job.id
            if outcome.waits is not None:
                self.waiting[outcome.name] = outcome.waits
            if (problem := outcome_problem(outcome)) is not None:
                console.note(f"error: {problem}")
        console.result(report_text(report))
        if self.stop.asked:
            raise self._interrupted(self.started)
        return _status(report)

    def _interrupted(self, jobs: Iterable[str]) -> Interrupted:
        names = sorted(jobs)
        if not names:
            return Interrupted("stopped; no job of this command is running", "apply again to go on")
        running = ", ".join(f"{name} ({self.started.get(name, 'its job')})" for name in names)
        return Interrupted(
            f"stopped; these run on at the service: {running}",
            f"'ftctl apply --wait' waits for them, 'ftctl destroy --select {','.join(names)}'"
            " cancels them",
        )

    def say_what_is_next(self, plan: Plan) -> None:
        """Where to look for what was started, and what is still to come."""
        console = self.session.settings.console
        if self.started:
            console.result(
                "The jobs run on at the service: 'ftctl status' shows them,"
                " 'ftctl apply --wait' waits for them."
            )
        deferred = [change.name for change in plan.changes if change.action is Action.DEFER]
        if deferred:
            console.result(
                f"Still to come: {', '.join(deferred)}. Apply again when the parents have their"
                " models, or use --wait."
            )
        for name, why in self.waiting.items():
            console.result(f"Still to come: {name} {why}. Apply again later, or use --wait.")

    def wait(self, plan: Plan, status: int, timeout: float | None) -> int:
        """Follow every job of the plan and start what waits for one, until all is over."""
        waiting = _Waiting(self, screen_for(self.session), timeout)
        waiting.pending = {c.name for c in plan.changes if c.action is Action.DEFER}
        waiting.jobs = {**self._in_progress(plan.changes), **self.started}
        self.stop.leave_at_once = True
        try:
            return waiting.until_all_is_over(status)
        except KeyboardInterrupt:
            self.started = waiting.jobs
            raise self._interrupted(waiting.jobs) from None

    def _in_progress(self, changes: Iterable[Change]) -> dict[str, str]:
        """The jobs that stand for fine-tunes already and are not over (fine-tune → job)."""
        running = {
            job.id for job in self.provider.jobs(self.session.desired.project) if job.in_progress
        }
        return {one.name: one.job for one in changes if one.job is not None and one.job in running}

    def start_pending(self, names: frozenset[str]) -> tuple[set[str], dict[str, str], int]:
        """Start those whose turn has come: who is not pending any more, their jobs, the status."""
        changes, observed, plan = self._plan_for(names, again=True)
        ready = tuple(change for change in changes if change.action is not Action.DEFER)
        for change in ready:
            if not change.steps:  # somebody else has done it, or nothing is to be done any more
                self.waiting.pop(change.name, None)
        if not ready:
            return set(), {}, DONE
        self.started = {}
        work = replace(plan, changes=ready)
        status = DONE if work.empty else self.carry_out(work, observed)
        jobs = {**self._in_progress(ready), **self.started}
        return {change.name for change in ready} - set(self.waiting), jobs, status

    def stands_for(self, name: str) -> Change | None:
        """What the planner says of one fine-tune now."""
        changes, _observed, _plan = self._plan_for(frozenset({name}))
        return next(iter(changes), None)

    def _plan_for(
        self, names: frozenset[str], *, again: bool = False
    ) -> tuple[tuple[Change, ...], Observed, Plan]:
        """The plan for some; `again` for those whose request the service has put off."""
        observed = self.session.observe(self.provider)
        put_off = self.options.replace & frozenset(self.waiting) if again else frozenset()
        retry = again and self.options.retry_failed and names <= frozenset(self.waiting)
        options = replace(
            self.options, select=names, replace=put_off, prune=False, retry_failed=retry
        )
        plan = plan_for(self.session, observed, options)
        return plan.changes, observed, plan


@dataclass(slots=True)
class _Waiting:
    """The state of one wait: which jobs are followed, and which fine-tunes have none yet."""

    run: Running
    screen: Screen
    timeout: float | None
    jobs: dict[str, str] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    good: int = 0
    bad: int = 0

    def until_all_is_over(self, status: int) -> int:
        """The exit status, once nothing runs and nothing can be started any more."""
        clock = self.run.session.settings.clock
        deadline = None if self.timeout is None else clock.now() + self.timeout
        while self.jobs or self.run.waiting:
            self._look(None if deadline is None else deadline - clock.now())
            names = frozenset(self.pending | set(self.run.waiting))
            if names:
                settled, jobs, state = self.run.start_pending(names)
                self.pending -= settled
                self.jobs |= jobs
                status = status or state
        return self._status(status)

    def _look(self, left: float | None) -> None:
        """Follow the jobs until one is over; with none to follow, let some time pass."""
        session = self.run.session
        if not self.jobs:
            if left is not None and left <= 0:
                raise WaitTimeout(
                    f"time is up, and not begun: {', '.join(self.run.waiting)}",
                    "apply again later: what waits its turn is started then",
                )
            session.settings.clock.sleep(session.service.poll_seconds * _TURN_EVERY)
            return
        looks = follow(
            self.run.provider,
            session.desired.project,
            self.jobs,
            session.settings.clock,
            every_seconds=session.service.poll_seconds,
            timeout_seconds=left,
        )
        for progress in looks:
            self.screen.show(progress)
            over = [one for one in progress if not one.job.in_progress]
            if over and (self.pending or self.run.waiting):
                break
        for one in over:
            del self.jobs[one.name]
            self._count(one)

    def _count(self, one: Progress) -> None:
        """Note how a job ended; one that lost to its twin is followed by the twin."""
        if one.job.status == "cancelled" and (now := self.run.stands_for(one.name)) is not None:
            if now.model is not None:
                self.good += 1
                self.screen.tell(f"{one.name}: up to date as {now.model}")
                return
            if now.job not in (None, one.job.id) and now.job is not None:
                self.jobs[one.name] = now.job
                return
        if one.job.status == "succeeded":
            self.good += 1
        else:
            self.bad += 1

    def _status(self, status: int) -> int:
        console = self.run.session.settings.console
        for name in sorted(self.pending):
            console.note(f"error: {name}: not begun: its parent has no model")
        if status != DONE:
            return status
        if self.bad or self.pending:
            return PARTIAL if self.good else FAILED
        console.result("All there: 'ftctl output' prints the models' names.")
        return DONE


def _status(report: Report) -> int:
    if report.ok:
        return DONE
    return PARTIAL if report.partial else FAILED
