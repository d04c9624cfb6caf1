"""What a run has told, and how it ended, in; what came of it, as a `RunResult`, out.

It is made however a run ends, and so of what was heard on the way. The service is asked once more
for losses and checkpoints; a fault of that is no reason to tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ftctl.domain.observed import Job, Progress
from ftctl.domain.plan import Action, Change, Ended, Estimate, Outcome, Plan, Report, StartJob
from ftctl.domain.review import Review
from ftctl.domain.run_result import (
    IN_VAIN,
    NOT_OVER,
    CheckpointName,
    Ending,
    FineTuneResult,
    RunResult,
    Standing,
    ToDo,
)
from ftctl.domain.witness import Witness
from ftctl.engine.command_words import command_words
from ftctl.engine.context import RunContext
from ftctl.engine.git import commit_of
from ftctl.engine.intents import read_intents
from ftctl.engine.run_events import RunEnd, RunEvents
from ftctl.errors import (
    FtctlError,
    Interrupted,
    InvalidProject,
    ProviderError,
    Refused,
    Stale,
    WaitTimeout,
    fault_text,
)
from ftctl.pricing import cost_of_job, cost_so_far, estimate_of_job
from ftctl.reports.presenter import to_decide
from ftctl.text.format import plural

if TYPE_CHECKING:
    from ftctl.engine.session import Session
    from ftctl.providers.protocol import Reader

_MOST_ASKED = 40  # jobs that are asked for losses and checkpoints
_ASKED_FOR_SECONDS = 60.0  # that is begun no later than this
_EVENTS = 400  # of a job, the newest
_MOST_LOSSES = 40  # points of a curve
_MOST_PROBLEMS = 50
_NOT_KNOWN = "whether there is a job of it is not known; the next plan finds it"
_BUSY = (408, 429)  # and from 500 on: that a service cannot answer now


def run_result(
    context: RunContext, end: RunEnd, session: Session | None, provider: Reader | None
) -> RunResult:
    """What came of a run. Without a session little is known, without a provider what was heard."""
    look = _Look(context, end, session, provider)
    rows = tuple(look.rows())
    ending = _ending(end, rows)
    review, fault = end.review, end.fault
    problems: tuple[str, ...] = ()
    if isinstance(fault, InvalidProject):
        problems = tuple(map(str, fault.diagnostics[:_MOST_PROBLEMS]))
    return RunResult(
        ending=ending,
        command=end.command,
        project=session.desired.project if session is not None else None,
        environment=context.environment,
        service=session.info if session is not None else None,
        commit=commit_of(context.root),
        digest=(review.approved or review.digest) if review is not None else None,
        finetunes=rows,
        moved=fault.moved if isinstance(fault, Stale) else (),
        unapproved=tuple(dict.fromkeys((*look.unapproved, *end.events.unapproved))),
        violations=review.policy.violations if review is not None else (),
        problems=problems,
        fault=_fault_words(end),
        todo=tuple(_todo(context, end, ending, rows, look.plan)),
    )


def early_result(
    root: Path,
    environment: str | None,
    command: Literal["apply", "wait"],
    fault: BaseException | None,
) -> RunResult:
    """What came of a run that ended before there was a workspace."""
    context = RunContext(root, environment)
    return run_result(context, RunEnd(command, RunEvents(), fault=fault), None, None)


def _fault_words(end: RunEnd) -> str | None:
    match fault := end.fault:
        case None:
            return None
        case Stale() if end.review is not None and _is_of_now(end.review, end):
            return "what was approved is not what would run now"  # the rest is in `todo`
        case Stale():
            return fault.sentence
        case FtctlError():
            return str(fault)
        case KeyboardInterrupt():
            return "stopped"
    return f"a bug in ftctl: {type(fault).__name__}; the log has its lines"


def _ending(end: RunEnd, rows: tuple[FineTuneResult, ...]) -> Ending:
    match end.fault:
        case None:
            return _ending_of(end.report, rows)
        case InvalidProject():
            return Ending.INVALID
        case Refused():
            return Ending.REFUSED
        case Stale():
            return Ending.STALE
        case WaitTimeout():
            return Ending.TIMED_OUT
        case Interrupted() | KeyboardInterrupt():
            return Ending.INTERRUPTED
        case ProviderError(status=status):
            away = status is None or status >= 500 or status in _BUSY
            return Ending.UNREACHABLE if away else Ending.FAILED
    return Ending.FAILED


def _ending_of(report: Report | None, rows: tuple[FineTuneResult, ...]) -> Ending:
    """Of a run without a fault, in the order in which its exit status is found."""
    for one in (report, *report.later) if report is not None else ():
        if not one.ok:
            return Ending.INCOMPLETE if one.partial else Ending.FAILED
    mine = [one for one in rows if one.concerned]
    if report is not None:
        succeeded = [end for end in report.ended if end.model is not None]
        if report.not_begun or report.failed or len(succeeded) < len(report.ended):
            lost = any(one.standing in IN_VAIN for one in mine)
            return Ending.INCOMPLETE if succeeded else Ending.FAILED if lost else Ending.ATTENTION
    if any(one.standing in NOT_OVER for one in mine):
        return Ending.STARTED
    if any(one.done or one.standing in (Standing.TRAINED, Standing.DONE) for one in mine):
        return Ending.APPLIED
    if any(one.standing is Standing.ATTENTION for one in rows):
        return Ending.ATTENTION
    return Ending.STARTED if any(one.standing in NOT_OVER for one in rows) else Ending.NOTHING


@dataclass(slots=True)
class _Look:
    """What is known of each fine-tune once a run is over."""

    context: RunContext
    end: RunEnd
    session: Session | None
    provider: Reader | None
    jobs_asked: int = 0
    ask_until: float = field(init=False)  # Unix seconds, by the clock of this machine
    done: frozenset[str] = field(init=False)  # of what was approved, before
    outcomes: Mapping[str, Outcome] = field(init=False)  # by fine-tune, the last of each
    ended: Mapping[str, Ended] = field(init=False)
    jobs: Mapping[str, Job] = field(init=False)  # that were seen when it was planned
    open: tuple[Witness, ...] = field(init=False)  # purchases of this checkout without an answer

    def __post_init__(self) -> None:
        end, review, report = self.end, self.end.review, self.end.report
        self.ask_until = self.context.clock.now() + _ASKED_FOR_SECONDS
        self.done = frozenset((*end.events.done, *(review.done if review is not None else ())))
        given = (report, *report.later) if report is not None else ()
        outcomes = (one for each in (*given, *end.events.reports) for one in each.outcomes)
        self.outcomes = {one.name: one for one in outcomes}
        self.ended = {one.name: one for one in report.ended} if report is not None else {}
        self.jobs = {job.id: job for job in end.observed.every_job} if end.observed else {}
        self.open = ()
        if (session := self.session) is not None:
            intents = read_intents(session.root, session.desired.project, session.info)
            self.open = tuple(one for one in intents if one.job is None)

    @property
    def plan(self) -> Plan | None:
        """What was carried out, else what was planned."""
        end = self.end
        if end.report is not None and end.report.plan is not None:
            return end.report.plan
        if end.events.plan is not None:
            return end.events.plan
        return end.review.plan if end.review is not None else None

    @property
    def unapproved(self) -> tuple[str, ...]:
        return self.end.review.unapproved if self.end.review is not None else ()

    def rows(self) -> Iterator[FineTuneResult]:
        """Those of the plan, then those that were followed or are done besides."""
        plan = self.plan
        changes = {change.name: change for change in plan.changes} if plan is not None else {}
        for change in plan.changes if plan is not None else ():
            concerned = self._concerns(change)
            if concerned or not (change.steps and self.end.command == "wait"):  # it begins nothing
                yield self._row(change.name, change, concerned=concerned)
        followed = dict.fromkeys((*self.end.events.progress, *self.ended, *sorted(self.done)))
        for name in followed:
            if name not in changes:
                yield self._row(name, None, concerned=True)
        if plan is None and self.end.command == "apply":
            for name in self._asked_before():
                if name not in followed:
                    yield self._row(name, None, concerned=True)

    def _asked_before(self) -> Iterator[str]:
        """What an earlier run was stopped in, where this one has not come to look for it."""
        desired = self.session.desired.finetunes if self.session is not None else ()
        asked = {(one.finetune, one.digest) for one in self.open}
        for one in desired:
            if (one.name, one.digest) in asked:
                yield one.name

    def _is_open(self, name: str, change: Change | None) -> bool:
        """Whether it was asked for and no answer is known: by this run, or by another of here."""
        if name in self.end.bought:
            return self.end.bought[name] is None
        if change is None:
            return self.plan is None and name in self._asked_before()
        steps = [step for step in change.steps if isinstance(step, StartJob)]
        asked = {(one.digest, one.follows) for one in self.open}
        return any((step.digest, step.follows) in asked for step in steps)

    def _concerns(self, change: Change) -> bool:
        name = change.name
        if name in self.done or name in self.ended or name in self.end.events.progress:
            return True
        report = self.end.report
        if report is not None and (name in report.not_begun or name in report.superseded):
            return True
        return change.pending and self.end.command == "apply"

    def _row(self, name: str, change: Change | None, *, concerned: bool) -> FineTuneResult:
        outcome, ended = self.outcomes.get(name), self.ended.get(name)
        progress = self.end.events.progress.get(name)
        job = self._job(name, change, outcome, ended, progress)
        standing, why = self._standing(name, change, outcome, ended, job)
        if standing is Standing.RUNNING and self.end.command == "apply":
            concerned = True  # bought before, and a run that waits follows it
        starts = change is not None and any(isinstance(step, StartJob) for step in change.steps)
        trains = concerned and (starts or self._trains(name, change, standing))
        if standing is Standing.THERE and name in self.done:
            standing = Standing.TRAINED if trains else Standing.DONE  # before
        model = self._model(change, ended, job) if standing is not Standing.WAITING else None
        if starts and standing in (Standing.NOT_DONE, Standing.NOT_KNOWN) and change is not None:
            # That of before, which it was to replace, is no job of this.
            job = None if job is not None and job.id == change.job else job
        estimate = self._estimate(name, change, job) if trains else None
        figures = self._figures(job) if trains and job is not None else _NO_FIGURES
        last = figures.losses[-1] if figures.losses else None
        newest_loss = progress.train_loss if progress is not None else None
        newest_valid = progress.valid_loss if progress is not None else None
        cost = words = None
        if job is not None and self.session is not None and trains:
            cost = cost_of_job(job, self.session.catalog, self.session.info)
            words = self._cost_words(name, job, progress, figures, estimate)
        return FineTuneResult(
            name=name,
            standing=standing,
            kind=change.kind if change is not None else "FineTune",
            concerned=concerned,
            trains=trains,
            why=why,
            done=tuple(self.end.events.steps.get(name) or (outcome.done if outcome else ())),
            job=job.id if job is not None else self._job_id(name, change, starts=starts),
            model=model,
            checkpoints=figures.checkpoints,
            estimate=estimate,
            cost=cost,
            cost_words=words,
            trained_tokens=job.trained_tokens if job is not None else None,
            train_losses=figures.losses,
            train_loss=last if last is not None else newest_loss,
            valid_loss=figures.valid_loss if figures.valid_loss is not None else newest_valid,
            step=figures.step or (progress.step if progress is not None else None),
            total_steps=figures.total_steps or (progress.total_steps if progress else None),
            seconds=self._seconds(job) if trains else None,
        )

    def _job_id(self, name: str, change: Change | None, *, starts: bool) -> str | None:
        """Of a job that nobody has looked at."""
        if (bought := self.end.bought.get(name)) is not None:
            return bought
        return change.job if change is not None and not starts else None

    def _trains(self, name: str, change: Change | None, standing: Standing) -> bool:
        """Whether the training of what starts no job now is of this run."""
        later = change is not None and change.action is Action.DEFER
        followed = name in self.end.events.progress or name in self.ended
        approved = name in self.done and name in self.end.purchases
        return later or followed or approved or standing is Standing.RUNNING

    def _job(
        self,
        name: str,
        change: Change | None,
        outcome: Outcome | None,
        ended: Ended | None,
        progress: Progress | None,
    ) -> Job | None:
        """The job that stands for it, as it was seen last."""
        seen: dict[str, Job] = {}
        wanted = ended.job if ended is not None else None
        if outcome is not None and outcome.job is not None:
            seen[outcome.job.id] = outcome.job
            wanted = wanted or outcome.job.id
        if progress is not None:
            seen[progress.job.id] = progress.job
            wanted = wanted or progress.job.id
        wanted = wanted or self.end.bought.get(name)
        if wanted is None and change is not None:
            wanted = change.job
        if wanted is not None:
            known = seen.get(wanted) or self.jobs.get(wanted)
            return known or (self._by_id(wanted) if ended is not None else None)
        return self._newest(name) if change is None else None

    def _by_id(self, job: str) -> Job | None:
        """A job that was over before anybody looked; None where nobody can tell of it."""
        if self.provider is None or self.jobs_asked >= _MOST_ASKED:
            return None
        try:
            return self.provider.job(job)
        except ProviderError:
            return None

    def _newest(self, name: str) -> Job | None:
        """The newest job of what the manifests ask for under a name."""
        finetune = self.session.desired.named(name) if self.session is not None else None
        if finetune is None:
            return None
        for digest in finetune.digests:
            jobs = [job for job in self.jobs.values() if job.digest == digest]
            if jobs:
                return max(jobs, key=lambda job: job.age_order)
        return None

    def _model(self, change: Change | None, ended: Ended | None, job: Job | None) -> str | None:
        if ended is not None:
            return ended.model
        if job is not None and job.status == "succeeded":
            return job.model
        return change.model if change is not None else None

    def _standing(
        self,
        name: str,
        change: Change | None,
        outcome: Outcome | None,
        ended: Ended | None,
        job: Job | None,
    ) -> tuple[Standing, str | None]:
        report = self.end.report
        if report is not None and name in report.superseded:
            return Standing.SUPERSEDED, report.superseded[name]
        if ended is not None and ended.model is not None:
            return Standing.TRAINED, None
        if name in self.end.events.finished:
            return Standing.TRAINED, None
        if ended is not None:
            return _of_failed(job)
        if (half := self._standing_undone(name, change, outcome)) is not None:
            return half
        if report is not None and name in report.not_begun:
            return Standing.NOT_DONE, "not begun: there is no model of its parent, or no job of it"
        followed = self.end.events.progress.get(name)
        if (outcome is not None and outcome.job is not None) or followed is not None:
            return _of_job(job)
        if name in self.end.events.started or self.end.bought.get(name) is not None:
            return Standing.RUNNING, None  # its answer came, and no more was heard
        if change is None:
            return _of_job(job)
        return self._standing_planned(change, outcome, job)

    def _standing_undone(
        self, name: str, change: Change | None, outcome: Outcome | None
    ) -> tuple[Standing, str | None] | None:
        """Of what did not go as planned. Not done is only what has bought nothing for sure."""
        fault, job = (outcome.error, outcome.job) if outcome is not None else (None, None)
        why = fault_text(fault).replace("\n    ", "; ") if fault is not None else None
        if outcome is not None:
            why = why or outcome.skipped or outcome.waits
        if job is None and name not in self.end.events.progress and self._is_open(name, change):
            if why is None and name in self.end.bought:
                why = "it was being asked for when this stopped"
            elif why is None:
                why = "another run was stopped while it asked for it, or asks for it now"
            return Standing.NOT_KNOWN, f"{why}; {_NOT_KNOWN}"
        if outcome is None:
            return None
        if outcome.ok and outcome.waits is None:
            return None
        if job is not None and job.status != "cancelled":  # it was bought, and something else broke
            return (Standing.ATTENTION if fault is not None else _of_job(job)[0]), why
        return (Standing.WAITING if outcome.ok else Standing.NOT_DONE), why

    def _standing_planned(
        self, change: Change, outcome: Outcome | None, job: Job | None
    ) -> tuple[Standing, str | None]:
        """Of what no job was bought or followed for."""
        match change.action:
            case _ if change.superseded:
                return Standing.SUPERSEDED, change.reason
            case _ if change.retired and not change.steps:
                return Standing.RETIRED, change.reason
            case Action.DEFER:
                return Standing.WAITING, change.reason
            case Action.ATTENTION:
                report = self.end.report
                lost = job is not None and job.status in ("failed", "cancelled")
                lost = lost or (report is not None and change.name in report.failed)
                return (Standing.FAILED if lost else Standing.ATTENTION), change.reason
            case Action.NO_OP if change.model is not None and outcome is None:
                return Standing.THERE, change.reason if change.steps else None
            case Action.NO_OP if change.model is not None:
                return Standing.THERE, None
            case Action.NO_OP if job is not None and job.in_progress:
                return Standing.RUNNING, change.reason
            case Action.NO_OP if not change.steps:
                return Standing.NO_MODEL, change.reason
        if outcome is not None:
            return Standing.DONE, change.reason
        return Standing.NOT_DONE, None  # its reason says why it was to be done

    def _estimate(self, name: str, change: Change | None, job: Job | None) -> Estimate | None:
        if change is not None and change.cost is not None:
            return change.cost
        session = self.session
        finetune = session.desired.named(name) if session is not None else None
        if session is None or finetune is None or job is None or finetune.training is None:
            return None
        if job.digest != finetune.digest:
            return None
        return estimate_of_job(job, finetune, session.desired, session.catalog, session.info)

    def _cost_words(
        self,
        name: str,
        job: Job,
        progress: Progress | None,
        figures: _JobFigures,
        estimate: Estimate | None,
    ) -> str | None:
        if self.session is None:
            return None
        step = figures.step or (progress.step if progress is not None else None)
        total = figures.total_steps or (progress.total_steps if progress is not None else None)
        if not job.in_progress and job.trained_tokens is None:
            return None  # the part of its steps is no word on what a job costs that is over
        return cost_so_far(
            Progress(name, job, step, total),
            estimate,
            self.session.catalog,
            self.session.info,
            self.context.clock.now(),
        )

    def _seconds(self, job: Job | None) -> float | None:
        if job is None:
            return None
        until = job.finished_at
        if until is None:
            if not job.in_progress:
                return None
            until = int(self.context.clock.now())
        return float(max(until - job.created_at, 0))

    def _figures(self, job: Job) -> _JobFigures:
        """What the service tells besides of a job; nothing once it has failed to answer."""
        late = self.context.clock.now() >= self.ask_until
        if self.provider is None or self.jobs_asked >= _MOST_ASKED or late:
            return _NO_FIGURES
        self.jobs_asked += 1
        try:
            events = self.provider.events(job.id, _EVENTS)
            checkpoints = self.provider.checkpoints(job.id) if job.model else ()
        except ProviderError as fault:
            if fault.status is None or fault.retryable:
                self.provider = None
            return _NO_FIGURES
        steps = [event.metrics for event in events if isinstance(event.metrics.get("step"), int)]
        losses = _numbers(one.get("train_loss") for one in steps)
        valid = _numbers(one.get("full_valid_loss") for one in steps)
        valid = valid or _numbers(one.get("valid_loss") for one in steps)
        last = steps[-1] if steps else {}
        total = last.get("total_steps")
        return _JobFigures(
            _thinned(losses),
            valid[-1] if valid else None,
            last.get("step"),
            total if isinstance(total, int) else None,
            tuple(
                CheckpointName(one.step, one.model)
                for one in sorted(checkpoints, key=lambda one: one.step)
                if one.model != job.model
            ),
        )


@dataclass(frozen=True, slots=True)
class _JobFigures:
    """What a job's events and checkpoints tell."""

    losses: tuple[float, ...] = ()
    valid_loss: float | None = None
    step: int | None = None
    total_steps: int | None = None
    checkpoints: tuple[CheckpointName, ...] = ()


_NO_FIGURES = _JobFigures()


def _numbers(values: Iterable[object]) -> tuple[float, ...]:
    return tuple(
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    )


def _thinned(losses: tuple[float, ...]) -> tuple[float, ...]:
    """At most so many points, the first and the last among them."""
    if len(losses) <= _MOST_LOSSES:
        return losses
    last = len(losses) - 1
    return tuple(losses[round(at * last / (_MOST_LOSSES - 1))] for at in range(_MOST_LOSSES))


def _of_job(job: Job | None) -> tuple[Standing, str | None]:
    if job is None or job.in_progress:
        return Standing.RUNNING, None
    if job.status == "succeeded":
        return Standing.TRAINED, None
    return _of_failed(job)


def _of_failed(job: Job | None) -> tuple[Standing, str | None]:
    """Of a job that was followed and has no model."""
    if job is None:
        return Standing.FAILED, None
    why = job.error.message if job.error is not None else None
    if job.status == "cancelled":
        return Standing.CANCELLED, why
    if job.status == "succeeded":
        return Standing.FAILED, "it succeeded, and the service has not told its model's name"
    return Standing.FAILED, why


def _todo(
    context: RunContext,
    end: RunEnd,
    ending: Ending,
    rows: tuple[FineTuneResult, ...],
    plan: Plan | None,
) -> Iterator[ToDo]:
    """What helps, in the words of a pipeline and as a command."""

    def words(*rest: str) -> str:
        return command_words(context, *rest)

    fault, review = end.fault, end.review
    running = sorted(one.name for one in rows if one.standing is Standing.RUNNING and one.concerned)
    waiting = any(one.standing is Standing.WAITING for one in rows)
    not_known = any(one.standing is Standing.NOT_KNOWN for one in rows)
    named = running if len(running) <= _MOST_ASKED else []  # without names it waits for all
    wait_on = words("apply", "--wait") if waiting or not running else words("wait", *named)
    match ending:
        case Ending.STALE if review is not None and _is_of_now(review, end):
            digest = review.digest
            yield ToDo(
                "Read the plan as it is now: the log of the run shows it, and so does",
                words("plan"),
            )
            yield ToDo(
                f"If that is what you want, run the job that applies by hand with approve ="
                f" {digest}, or",
                words("apply", "--approve", digest),
            )
        case Ending.STALE:
            yield ToDo("Plan again, and approve the new plan.", words("plan"))
        case Ending.REFUSED:
            yield ToDo(
                "Change the manifests or the policy with a pull request; what would allow it stands"
                " with each rule."
            )
        case Ending.INVALID:
            yield ToDo("Mend the problems with a pull request; it shows them:", words("validate"))
        case Ending.TIMED_OUT:
            yield ToDo("Run the job again to wait on: nothing is bought twice. Or", wait_on)
        case Ending.INTERRUPTED | Ending.UNREACHABLE if not_known:
            pass  # what helps is said of those
        case Ending.INTERRUPTED:
            yield ToDo("Run the job again to go on: what is done is skipped. Or", wait_on)
        case Ending.UNREACHABLE:
            yield ToDo(
                "Run the job again once the service answers: what is done is skipped. Or",
                words(end.command) if end.command == "wait" else words("apply"),
            )
        case Ending.STARTED if waiting and end.command == "apply":
            yield ToDo(
                "What waits for its parent or its turn is bought by the job that waits, or by",
                words("apply", "--wait"),
            )
    if isinstance(fault, FtctlError) and fault.hint and ending is Ending.FAILED:
        yield ToDo(fault.hint)
    yield from _todo_of_rows(context, rows, plan)


def _is_of_now(review: Review, end: RunEnd) -> bool:
    """Whether a stale review is of what would run now, so that it can be approved instead."""
    moved = isinstance(end.fault, Stale) and bool(end.fault.moved)
    return bool(review.moved) or not (moved or end.events.plan is not None)


def _todo_of_rows(
    context: RunContext, rows: tuple[FineTuneResult, ...], plan: Plan | None
) -> Iterator[ToDo]:
    def words(*rest: str) -> str:
        return command_words(context, *rest)

    if any(one.standing is Standing.NOT_KNOWN for one in rows):
        yield ToDo(
            "Run the job again: what exists is found, and nothing is bought twice. Or",
            words("apply"),
        )
    half = (Standing.NOT_DONE, Standing.ATTENTION)
    if any(one.standing in half and one.done for one in rows) or any(
        one.standing is Standing.NOT_DONE and (one.why or "").startswith("not begun")
        for one in rows
    ):
        yield ToDo(
            "Run the job again to go on, once the reason is mended: what is done is skipped. Or",
            words("apply"),
        )
    failed = [one for one in rows if one.standing in (Standing.FAILED, Standing.CANCELLED)]
    for one in failed[:_MOST_ASKED]:
        yield ToDo(f"What happened to {one.name}:", words("events", one.name))
    if failed:
        names = [word for one in failed[:_MOST_ASKED] for word in ("--select", one.name)]
        once = "it" if len(failed) == 1 else "them"
        yield ToDo(
            "Running the job again buys nothing for what failed or was cancelled. To buy"
            f" {once} again, once, run the job that applies by hand with retry-failed, or",
            words("apply", "--retry-failed", *names),
        )
    if plan is not None and any(one.standing is Standing.ATTENTION for one in rows):
        known = {one.name for one in rows if one.standing is Standing.ATTENTION}
        for name, line, cost in to_decide(Review(plan, ""), words("apply")):
            if name in known:
                yield ToDo(f"To buy {name} all the same ({cost}):", line)
    left = plural(len(failed) - _MOST_ASKED, "fine-tune") if len(failed) > _MOST_ASKED else None
    if left:
        yield ToDo(f"So do {left} more.")
