"""A plan in; carried out, its jobs followed, and what waited for them started, a `Report` out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace

from ftctl.apply.duplicates import Duplicates
from ftctl.apply.executor import apply_plan, known_ids
from ftctl.apply.follow import follow
from ftctl.apply.inspection import NotAsAsked
from ftctl.apply.terms import Terms
from ftctl.domain.digest import canonical_json
from ftctl.domain.observed import Job, Observed, Progress
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Ended,
    Plan,
    Report,
    StartJob,
    Step,
    Upload,
)
from ftctl.domain.plan_document import asked_document
from ftctl.engine.command_words import command_words
from ftctl.engine.context import RunContext
from ftctl.engine.events import (
    Applied,
    Applying,
    Cancelled,
    Deferred,
    Deleted,
    Finished,
    Noted,
    Progressed,
    Started,
    StepDone,
    Uploaded,
    Waiting,
)
from ftctl.engine.git import commit_of
from ftctl.engine.intents import Intents
from ftctl.engine.observing import observe
from ftctl.engine.planning import priced_plan
from ftctl.engine.record import remember_retired
from ftctl.engine.session import Session
from ftctl.errors import Interrupted, ProviderError, Stale, UsageError, WaitTimeout
from ftctl.manifest.schema import cosmetic_fields
from ftctl.planner import PlanOptions
from ftctl.providers.protocol import Provider
from ftctl.text.escape.single_line import one_line
from ftctl.text.format import joined

_TURN_EVERY = 6  # polls between two tries to start what waits its turn

_STEP_EVENTS: Mapping[type[Step] | None, type[StepDone]] = {
    Upload: Uploaded,
    StartJob: Started,
    CancelJob: Cancelled,
    DeleteModel: Deleted,
    DeleteFile: Deleted,
    None: Cancelled,  # of a duplicate, which no plan has a step for
}


@dataclass(frozen=True, slots=True)
class Executor:
    """What carrying out a plan needs beside the plan."""

    session: Session
    provider: Provider
    options: PlanOptions  # of the plan: what follows it is planned in the same way
    stopping: Callable[[], bool] = lambda: False
    parallelism: int = 4
    # What was asked for (fine-tune → its job; None: no answer is known), however this ends.
    bought: MutableMapping[str, str | None] = field(default_factory=dict)

    def carry_out(self, plan: Plan, observed: Observed) -> Report:
        """Do what the plan says. Raises `Interrupted` when told to stop on the way."""
        self.session.require_store()
        session, listener = self.session, self.session.context.listener
        self.session.way_in.require_variables(
            change.name
            for change in plan.changes
            if change.action is Action.DEFER
            or any(isinstance(step, StartJob) for step in change.steps)
        )
        listener(Applying(plan))
        report = apply_plan(
            plan,
            self.provider,
            place_of=session.place_of,
            clock=session.context.clock,
            cosmetic=cosmetic_fields(),
            observed=observed,
            terms=self.terms,
            journal=Intents(
                session.root,
                session.desired.project,
                session.info,
                observed.account,
                session.context.environment,
                session.context.clock,
                self.bought,
            ),
            recorded=frozenset(one.job for one in self.options.witnesses if one.job is not None),
            environment=self.options.scope.mark,
            commit=commit_of(session.root) if plan.steps(StartJob) else None,
            say=self._report_step,
            note=self.note,
            stopping=self.stopping,
            parallelism=self.parallelism,
        )
        report = replace(report, known_jobs=known_ids(observed))
        remember_retired(self.session, self.provider, observed, report)
        listener(Applied(report))
        if self.stopping():
            jobs = started_jobs(report)
            raise interrupted(self.session.context, jobs, unanswered=self.unanswered)
        return report

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Fine-tunes that were asked for and of which no answer is known."""
        return tuple(sorted(name for name, job in self.bought.items() if job is None))

    @property
    def terms(self) -> Terms:
        """What jobs are held to."""
        return terms_of(self.session)

    def note(self, text: str) -> None:
        """Tell whoever listens what to know."""
        self.session.context.listener(Noted(text))

    def _report_step(self, name: str, sentence: str, step: Step | None) -> None:
        event = _STEP_EVENTS[None if step is None else type(step)]
        self.session.context.listener(event(name, sentence))

    def wait(self, report: Report, timeout_seconds: float | None) -> Report:
        """Follow every job of a report's plan and start what waits for one, until all is over."""
        plan = report.plan
        if plan is None:
            raise UsageError("there is nothing to wait for: the report is of no apply")
        waiting = _Wait(self, report, timeout_seconds)
        if not any(isinstance(outcome.error, NotAsAsked) for outcome in report.outcomes):
            waiting.deferred = {c.name for c in plan.changes if c.action is Action.DEFER}
            waiting.queued = waiting_changes(report)
        waiting.jobs = {**self.jobs_in_progress(plan.changes), **started_jobs(report)}
        for name in sorted(waiting.deferred):
            self.session.context.listener(Deferred(name))
        for name, why in waiting.queued.items():
            self.session.context.listener(Waiting(name, why))
        return waiting.until_all_is_over_or_told()

    def follow(self, plan: Plan, jobs: Mapping[str, str], timeout_seconds: float | None) -> Report:
        """Follow jobs that run already (fine-tune → job) until all are over; nothing is begun."""
        waiting = _Wait(self, Report(plan=plan), timeout_seconds, dict(jobs))
        return waiting.until_all_is_over_or_told()

    def jobs_in_progress(self, changes: Iterable[Change]) -> dict[str, str]:
        """The jobs that stand for fine-tunes already and are not over (fine-tune → job)."""
        stands = {
            change.name: change.job
            for change in changes
            if change.job is not None and change.model is None
        }
        if not stands:
            return {}
        listed = {job.id: job for job in self.provider.jobs(self.session.desired.project)}
        found = {name: listed.get(job) or self._by_id(job) for name, job in stands.items()}
        return {name: job.id for name, job in found.items() if job is not None and job.in_progress}

    def _by_id(self, job: str) -> Job | None:
        try:
            return self.provider.job(job)
        except ProviderError as fault:
            if fault.status == 404:
                return None
            raise

    def plan_for(self, names: frozenset[str], *, as_asked: bool = False) -> tuple[Plan, Observed]:
        """The plan for some fine-tunes; `as_asked`, with --replace and --retry-failed as given."""
        options = replace(
            self.options,
            select=names,
            replace={
                name: job
                for name, job in self.options.replace.items()
                if as_asked and name in names
            },
            prune=False,
            retry_failed=self.options.retry_failed and as_asked,
        )
        observed = observe(self.session, self.provider, options)
        return priced_plan(self.session, observed, options), observed


def terms_of(session: Session) -> Terms:
    """What the jobs of a project are held to."""
    exact = session.project.config.policy.exact_hyperparameters
    return Terms(session.service, session.catalog, exact)


def _is_same(approved: Change | None, now: Change | None) -> bool:
    """Whether what would be started is what was approved, down to what no digest covers."""
    if approved is None or now is None or approved.digest != now.digest:
        return approved is now
    asked = [asked_document(change) for change in (approved, now)]
    return None in asked or canonical_json(asked[0]) == canonical_json(asked[1])


def started_jobs(report: Report) -> dict[str, str]:
    """The jobs that an apply started (fine-tune → job)."""
    return {
        outcome.name: outcome.job.id
        for outcome in report.outcomes
        if outcome.job is not None and outcome.job.status != "cancelled"
    }


def waiting_changes(report: Report) -> dict[str, str]:
    """What the service took no more jobs for (fine-tune → why)."""
    return {outcome.name: outcome.waits for outcome in report.outcomes if outcome.waits is not None}


def interrupted(
    context: RunContext,
    jobs: Mapping[str, str],
    *,
    unbegun: bool = False,
    unanswered: Collection[str] = (),
) -> Interrupted:
    """What to tell somebody who stopped a run, of the jobs that run on.

    `unbegun`: something of the run is still to be started. `unanswered`: fine-tunes that were asked
    for and of which no answer is known.
    """
    running = ", ".join(f"{name} ({job})" for name, job in sorted(jobs.items()))
    told = [f"these run on at the service: {running}"] if jobs else []
    cures = [way_on(context, jobs, unbegun=unbegun)] if jobs else []
    if unanswered:
        names = ", ".join(one_line(name) for name in sorted(unanswered))
        told.append(f"whether there is a job of {names} is not known: no answer came")
        cures.append("apply again: what exists is found, and nothing is bought twice")
    if not told:
        return Interrupted("stopped; no job of this command is running", "apply again to go on")
    return Interrupted(f"stopped; {'; '.join(told)}", "; ".join(cures))


def way_on(context: RunContext, jobs: Iterable[str], *, unbegun: bool = False) -> str:
    """How to go on with jobs (fine-tunes) that run although the command has ended."""
    names = sorted(jobs)
    again = ("apply", "--wait") if unbegun else ("wait", *names)
    return (
        f"'{command_words(context, *again)}' waits for them again,"
        f" '{command_words(context, 'cancel', *names)}' cancels them and touches nothing else"
    )


@dataclass(slots=True)
class _Wait:
    """The state of one wait: which jobs are followed, and which fine-tunes have none yet."""

    executor: Executor
    report: Report
    timeout_seconds: float | None
    jobs: dict[str, str] = field(default_factory=dict)  # fine-tune → the job that is followed
    deferred: set[str] = field(default_factory=set)  # fine-tunes that wait for a parent
    queued: dict[str, str] = field(default_factory=dict)  # fine-tune → why its turn is to come
    ended: list[Ended] = field(default_factory=list)
    later: list[Report] = field(default_factory=list)  # of what was started during the wait
    superseded: dict[str, str] = field(default_factory=dict)  # fine-tune → by what
    left: set[str] = field(default_factory=set)  # not begun beside another spec's job
    over_before: frozenset[str] | None = None  # jobs that were over at the first look
    duplicates: Duplicates = field(init=False)

    def __post_init__(self) -> None:
        executor = self.executor
        self.duplicates = Duplicates(executor.provider, executor.note, executor.terms.is_alike)
        self.superseded |= self.report.superseded

    def until_all_is_over_or_told(self) -> Report:
        """See `until_all_is_over`; whatever ends it before says how to go on."""
        context = self.executor.session.context
        try:
            return self.until_all_is_over()
        except KeyboardInterrupt:
            raise interrupted(
                context,
                {**self._unheard(), **self.jobs},
                unbegun=self.unbegun,
                unanswered=self.executor.unanswered,
            ) from None
        except (ProviderError, WaitTimeout) as fault:
            if self.jobs:
                cure = f"{fault.hint}; " if isinstance(fault, ProviderError) and fault.hint else ""
                on = way_on(context, self.jobs, unbegun=self.unbegun)
                fault.hint = f"{cure}the jobs run on and are billed: {on}"
            raise

    def _unheard(self) -> dict[str, str]:
        """Jobs that were bought when this was stopped, before anything was made of that."""
        reports = (self.report, *self.later)
        heard = {one.name for each in reports for one in each.outcomes if one.job is not None}
        heard |= {one.name for one in self.ended}
        bought = self.executor.bought
        return {name: job for name, job in bought.items() if job is not None and name not in heard}

    @property
    def unbegun(self) -> bool:
        """Whether something is still to be started."""
        return bool(self.deferred or self.queued)

    def until_all_is_over(self) -> Report:
        """The report with how everything ended: nothing runs, and nothing can be started."""
        clock = self.executor.session.context.clock
        limit = self.timeout_seconds
        deadline = None if limit is None else clock.now() + limit
        if self.deferred and not (self.jobs or self.queued):
            self._start_ready()  # a parent may be over since the apply
        while self.jobs or self.queued:
            for progress in self._look(None if deadline is None else deadline - clock.now()):
                self._note_end(progress)
            if self.unbegun:
                self._start_ready()
        self._give_up_children()
        return replace(
            self.report,
            ended=tuple(self.ended),
            not_begun=tuple(sorted(self.deferred | self.left)),
            later=tuple(self.later),
            superseded=self.superseded,
        )

    def _give_up_children(self) -> None:
        """What waits for a parent that was superseded is not begun, and that is no failure."""
        changes = self.report.plan.changes if self.report.plan is not None else ()
        parents = {one.name: one.later.parent.finetune for one in changes if one.later is not None}
        while gone := {name for name in self.deferred if parents.get(name) in self.superseded}:
            for name in gone:
                self.superseded[name] = f"not begun, since {parents[name]} was superseded"
            self.deferred -= gone

    def _look(self, seconds_left: float | None) -> tuple[Progress, ...]:
        """Follow the jobs until one is over; with none to follow, let some time pass."""
        session = self.executor.session
        if not self.jobs:
            if seconds_left is not None and seconds_left <= 0:
                raise WaitTimeout(
                    f"time is up, and not begun: {', '.join(self.queued)}",
                    "apply again later: what waits its turn is started then",
                )
            session.context.clock.sleep(session.service.poll_seconds * _TURN_EVERY)
            return ()
        looks = follow(
            self.executor.provider,
            session.desired.project,
            self.jobs,
            session.context.clock,
            every_seconds=session.service.poll_seconds,
            timeout_seconds=seconds_left,
            settle=self._settle,
            note=self.executor.note,
        )
        over: tuple[Progress, ...] = ()
        for progress in looks:
            session.context.listener(Progressed(progress))
            self.jobs |= {one.name: one.job.id for one in progress}
            over = tuple(one for one in progress if one.over)
            if over and (self.deferred or self.queued):
                break
        return over

    def _settle(self, job: Job, listed: Mapping[str, Job]) -> Job:
        """Of duplicates that run the oldest is followed, and the others are stopped."""
        if self.over_before is None:
            self.over_before = frozenset(one.id for one in listed.values() if not one.in_progress)
        settled = self.duplicates.settle(job, listed.values(), self.over_before - {job.id})
        for sentence in settled.sentences:
            self.executor.session.context.listener(Cancelled(job.finetune or job.id, sentence))
        return settled.winner

    def _note_end(self, progress: Progress) -> None:
        """Note how a job ended; one that lost to a duplicate is followed by that."""
        name, job = progress.name, progress.job
        del self.jobs[name]
        if job.status == "cancelled" and (change := self._change_of(name)) is not None:
            if change.model is not None:
                self.ended.append(Ended(name, change.job, change.model))
                self.executor.session.context.listener(Finished(name, change.model))
                return
            if change.superseded:
                self.superseded[name] = change.reason
                return
            if change.job is not None and change.job != job.id:
                self.jobs[name] = change.job
                return
        self.ended.append(Ended(name, job.id, job.model if job.status == "succeeded" else None))

    def _drop_superseded(self, plan: Plan) -> None:
        """Buy nothing for a fine-tune that was bought otherwise since the apply.

        A newer commit's spec is the one to stay. Where git cannot say which is newer, neither this
        one is bought, nor is its purchase called needless.
        """
        known = self.report.known_jobs
        for change in plan.changes:
            newer = [job for job in change.ahead if job not in known]
            unplaced = [job for job in change.unplaced if job not in known]
            name = change.name
            if name not in self.deferred | self.queued.keys() or not (newer or unplaced):
                continue
            self.deferred.discard(name)
            self.queued.pop(name, None)
            if newer:
                why = f"superseded by {joined(newer)}, which a newer commit has bought since"
                self.superseded[name] = why
            else:
                self.left.add(name)
                self.executor.note(
                    f"{name}: not begun, since {joined(unplaced)} was bought for another spec of it"
                    " and git cannot say here which is newer: its whole history is needed"
                )

    def _change_of(self, name: str) -> Change | None:
        """What the planner says of one fine-tune now."""
        plan, _observed = self.executor.plan_for(frozenset({name}))
        return next(iter(plan.changes), None)

    def _start_ready(self) -> None:
        """Start those whose turn has come, and follow their jobs."""
        names = frozenset(self.deferred | self.queued.keys())
        plan, observed = self.executor.plan_for(names, as_asked=True)
        self._require_approved(names, plan)
        self._drop_bought(observed)
        self._drop_superseded(plan)
        plan = replace(
            plan,
            changes=tuple(
                self._approved_steps(change)
                for change in plan.changes
                if change.name in self.deferred or change.name in self.queued
            ),
        )
        ready = tuple(change for change in plan.changes if change.action is not Action.DEFER)
        if not ready:
            return
        work = replace(plan, changes=ready)
        started: dict[str, str] = {}
        if not work.empty:
            report = self.executor.carry_out(work, observed)
            self.later.append(report)
            started = started_jobs(report)
            for outcome in report.outcomes:
                self.queued.pop(outcome.name, None)
            self.queued |= waiting_changes(report)
        running = self.executor.jobs_in_progress(ready)
        for change in ready:
            if not change.steps:  # somebody else has done it, or nothing is to be done any more
                self.queued.pop(change.name, None)
                over = change.model is not None or change.action is Action.ATTENTION
                if over and change.name not in running:
                    self.ended.append(Ended(change.name, change.job, change.model))
        self.jobs |= {**running, **started}
        self.deferred -= {change.name for change in ready} - self.queued.keys()

    def _approved_steps(self, change: Change) -> Change:
        """The change with its purchase, and of the rest what the approved plan has shown.

        A job of an older spec that runs on is cancelled by the next plan, which shows it.
        """
        assert self.report.plan is not None
        approved = next(one for one in self.report.plan.changes if one.key == change.key)
        bought = next((step for step in change.steps if isinstance(step, StartJob)), None)
        if bought is not None and not self._is_first(bought, approved):
            return replace(change, action=Action.ATTENTION, steps=())
        shown = [step for before in self.report.plan.changes for step in before.steps]
        steps = tuple(
            step for step in change.steps if isinstance(step, Upload | StartJob) or step in shown
        )
        for step in change.steps:
            if isinstance(step, CancelJob) and step not in steps:
                self.executor.note(
                    f"{change.name}: {step.job} ({step.reason}) is left as it is, since the"
                    " approved plan does not show it: the next plan does"
                )
        return replace(change, steps=steps)

    def _is_first(self, bought: StartJob, approved: Change) -> bool:
        """Whether nobody has bought it since it was approved: what came of that is no matter."""
        before = [step.follows for step in approved.steps if isinstance(step, StartJob)]
        known = {None, approved.follows, *before, *self.report.known_jobs}
        return bought.follows in known

    def _require_approved(self, names: Iterable[str], plan: Plan) -> None:
        """Raise `Stale` where the manifests ask for another training than was approved."""
        assert self.report.plan is not None
        approved = {change.name: change for change in self.report.plan.changes}
        now = {change.name: change for change in plan.changes}
        moved = sorted(name for name in names if not _is_same(approved.get(name), now.get(name)))
        if moved:
            raise Stale(
                "what was approved is not what would be started now: the manifests or their data"
                f" are others for {', '.join(one_line(name) for name in moved)}",
                "plan and apply again",
            )

    def _drop_bought(self, observed: Observed) -> None:
        """Take from the queue what has been bought since the apply, and follow that.

        Whoever waits for one report twice must not buy twice.
        """
        assert self.report.plan is not None
        digests = {change.name: change.digest for change in self.report.plan.changes}
        for name in [*self.queued]:
            bought = [
                job
                for job in observed.jobs
                if job.digest == digests[name] and job.id not in self.report.known_jobs
            ]
            if not bought:
                continue
            del self.queued[name]
            newest = max(bought, key=lambda job: job.age_order)
            if newest.in_progress:
                self.jobs[name] = newest.id
            else:
                self.ended.append(Ended(name, newest.id, newest.model))
