"""Names of fine-tunes in; their jobs that run, and those jobs alone touched or followed, out.

Nothing is planned, bought or deleted here, and nothing of others is touched: a job counts that
carries the project's mark and a digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ftctl.apply.follow import progress_of
from ftctl.domain.desired import FineTune, nothing
from ftctl.domain.observed import Event, Job, Progress
from ftctl.domain.plan import Change, Ended, Estimate, Plan, Report
from ftctl.engine.command_words import command_words
from ftctl.engine.events import Noted
from ftctl.engine.execute import Executor, terms_of
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, make_plan_for, options_for, scope_of
from ftctl.engine.selecting import names_meant
from ftctl.engine.session import Session
from ftctl.errors import FtctlError, ProviderError
from ftctl.lockfile import DEFAULT_ENVIRONMENT
from ftctl.planner.retention import stoppable
from ftctl.pricing import cost_so_far, estimate_of_job
from ftctl.providers.protocol import Provider, Reader

_SHARED = (
    "{} is known by its file alone, which others that are not the same train on: it is left alone;"
    " cancel it by hand if it is yours"
)
_EVENTS_LOOKED_AT = 50  # for the newest step; between checkpoints there is one a step
_NOT_KNOWN = frozenset({400, 404, 405, 422, 501})  # how services say that they know no pause


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job of this project that is not over. `cost` says in words what it has cost so far."""

    name: str  # of the fine-tune
    progress: Progress
    cost: str
    current: bool  # whether it is of the spec that the manifests ask for now

    @property
    def job(self) -> Job:
        """As it was when it was looked at."""
        return self.progress.job


@dataclass(frozen=True, slots=True)
class Running:
    """The jobs that run of the fine-tunes that are meant, and why the others have none."""

    jobs: tuple[RunningJob, ...]
    idle: Mapping[str, str]  # fine-tune → what stands of it
    elsewhere: Mapping[str, str] = field(default_factory=nothing)  # job → why it is left alone


@dataclass(frozen=True, slots=True)
class Steered:
    """What came of cancelling, pausing or resuming a job."""

    before: RunningJob
    after: Job | None = None  # None where it failed
    cost: str = ""  # so far, or in the end
    error: FtctlError | None = None


def running_jobs(session: Session, provider: Reader, patterns: Iterable[str], what: str) -> Running:
    """What runs of some fine-tunes, of all where there is no pattern.

    Names are those of manifests, and of jobs that run although nobody asks for them any more.
    `what` is the command that asks, for the error where a pattern fits nothing.
    """
    now = _look(session, provider)
    scope = scope_of(session)  # without newer commits: who names a job may stop what those bought
    terms, recorded = terms_of(session), _recorded(session)
    shared = {job.id for job in now.ours if not terms.is_ours(job, now.jobs, recorded)}
    own = tuple(job for job in now.ours if scope.governs(job) and job.id not in shared)
    running = _running(session, provider, replace(now, ours=own), patterns, what)
    asked = {*running.idle, *(one.name for one in running.jobs)}
    elsewhere = {
        job.id: _SHARED.format(job.id) if job.id in shared else _whose(session, job, what)
        for job in now.ours
        if job not in own and job.finetune in asked
    }
    return replace(running, elsewhere=elsewhere)


def cancel_jobs(
    session: Session, provider: Provider, jobs: Iterable[RunningJob]
) -> tuple[Steered, ...]:
    """Stop each of these jobs. A failure is told, and the others go on."""
    return _each(session, provider, jobs, provider.cancel_job, stoppable)


def pause_jobs(
    session: Session, provider: Provider, jobs: Iterable[RunningJob]
) -> tuple[Steered, ...]:
    """Halt each of these jobs, where the service can."""
    return _each(
        session,
        provider,
        jobs,
        lambda job: _asked(provider.pause_job, job, "pause"),
        lambda job: stoppable(job) and job.status != "paused",
    )


def resume_jobs(
    session: Session, provider: Provider, jobs: Iterable[RunningJob]
) -> tuple[Steered, ...]:
    """Let each of these jobs go on, where the service can."""
    return _each(
        session,
        provider,
        jobs,
        lambda job: _asked(provider.resume_job, job, "resume"),
        lambda job: job.status == "paused",
    )


def wait_for_jobs(
    executor: Executor, patterns: Iterable[str], timeout_seconds: float | None
) -> Report:
    """Follow what runs of some fine-tunes until it is over; nothing is begun.

    Those that were named and do not run are in the report as they stand: with their model, without
    one, or not begun.
    """
    session, provider, patterns = executor.session, executor.provider, tuple(patterns)
    now = _look(session, provider)
    running = _running(session, provider, now.that_concern(session), patterns, "wait")
    by_name: dict[str, list[RunningJob]] = {}
    for one in running.jobs:
        by_name.setdefault(one.name, []).append(one)
    for name, why in running.idle.items() if patterns else ():
        session.context.listener(Noted(f"{name}: no job of it is seen to run: {why}"))
    for one in running.jobs:
        if one.job.status == "paused":
            go_on = command_words(session.context, "resume", one.name)
            session.context.listener(
                Noted(f"{one.name}: {one.job.id} is paused; '{go_on}' lets it go on")
            )
    followed = {name: _stands(jobs, now.changes.get(name)) for name, jobs in by_name.items()}
    report = executor.follow(now.plan, followed, timeout_seconds)
    if patterns:
        return _with_idle(report, running.idle, now.changes)
    failed = tuple(name for name in now.plan.failed(now.jobs) if name in running.idle)
    for name in failed:
        session.context.listener(Noted(f"{name}: {running.idle[name]}"))
    return replace(report, failed=failed)


@dataclass(frozen=True, slots=True)
class _Now:
    """What there is, and what the planner makes of it: looked at, and never carried out."""

    jobs: tuple[Job, ...]  # all that are seen
    ours: tuple[Job, ...]  # in progress, oldest first
    plan: Plan
    changes: Mapping[str, Change]  # of fine-tunes, by name

    def that_concern(self, session: Session) -> _Now:
        """With those jobs alone that this environment waits for; equal digests share one."""
        scope = scope_of(session)
        wanted = session.desired.by_digest
        ours = (job for job in self.ours if job.digest in wanted or scope.governs(job))
        return replace(self, ours=tuple(ours))


def _look(session: Session, provider: Reader) -> _Now:
    observed = observe(session, provider, patient=True)  # of a run that was killed as it bought
    plan = make_plan_for(session, observed, PlanRequest())
    finetunes = {change.name: change for change in plan.changes if change.kind == "FineTune"}
    running = (job for job in observed.jobs if job.digest is not None and job.in_progress)
    ours = tuple(sorted(running, key=lambda job: job.age_order))
    return _Now(observed.every_job, ours, plan, finetunes)


def _recorded(session: Session) -> frozenset[str]:
    """The jobs that the record or an intent names."""
    witnesses = options_for(session, PlanRequest()).witnesses
    return frozenset(witness.job for witness in witnesses if witness.job is not None)


def _whose(session: Session, job: Job, what: str) -> str:
    """Why a job is not for this environment to touch, and where it is."""
    if job.environment is None:
        return f"{job.id} does not say which environment bought it: it is left alone"
    there = None if job.environment == DEFAULT_ENVIRONMENT else job.environment
    context = replace(session.context, environment=there)
    words = command_words(context, what, job.finetune or "")
    return f"{job.id} was bought by another environment and is left alone: '{words}'"


def _running(
    session: Session, provider: Reader, now: _Now, patterns: Iterable[str], what: str
) -> Running:
    patterns = tuple(patterns)
    declared = {one.name for one in session.desired.finetunes}
    known = declared | {job.finetune for job in now.ours if job.finetune is not None}
    names = names_meant(patterns, known, what) if patterns else tuple(sorted(known))
    found = tuple(
        _running_job(session, provider, name, job)
        for name in names
        for job in now.ours
        if _belongs(job, name, session.desired.named(name), declared)
    )
    without = {*names} - {one.name for one in found}
    return Running(found, {name: now.changes[name].reason for name in sorted(without)})


def _belongs(job: Job, name: str, finetune: FineTune | None, declared: set[str]) -> bool:
    """Whether a job runs for a fine-tune: under its name, or for its digest under a name of old."""
    if job.finetune == name:
        return True
    return finetune is not None and job.digest in finetune.digests and job.finetune not in declared


def _running_job(session: Session, provider: Reader, name: str, job: Job) -> RunningJob:
    finetune = session.desired.named(name)
    current = finetune is not None and job.digest in finetune.digests
    events = _events(provider, job)
    progress = progress_of(name, job, events or (), session.context.clock.now())
    cost = _cost(session, name, progress, steps_told=events is not None)
    return RunningJob(name, progress, cost, current)


def _events(provider: Reader, job: Job) -> tuple[Event, ...] | None:
    """The newest of a job's events; None where the service does not tell them."""
    try:
        return provider.events(job.id, _EVENTS_LOOKED_AT)
    except ProviderError:
        return None  # what it cost is told less exactly: no reason not to stop it


def _cost(session: Session, name: str, progress: Progress, *, steps_told: bool) -> str:
    catalog, info = session.catalog, session.info
    finetune = session.desired.named(name)
    expected: Estimate | None = None
    if finetune is not None and progress.job.digest in finetune.digests and finetune.training:
        expected = estimate_of_job(progress.job, finetune, session.desired, catalog, info)
    now = session.context.clock.now()
    return cost_so_far(progress, expected, catalog, info, now, steps_told=steps_told)


def _stands(jobs: Sequence[RunningJob], change: Change | None) -> str:
    """Of a fine-tune's jobs, oldest first, the one that is waited for.

    The planner's own choice; else the oldest of the spec, which a duplicate loses to; else, of
    earlier specs, the newest.
    """
    ids = [one.job.id for one in jobs]
    if change is not None and change.job in ids:
        return change.job
    return next((one.job.id for one in jobs if one.current), ids[-1])


def _with_idle(report: Report, idle: Iterable[str], changes: Mapping[str, Change]) -> Report:
    """The report with what was named and does not run, as it stands."""
    there = [changes[name] for name in idle if changes[name].job is not None]
    ended = tuple(Ended(change.name, change.job, change.model) for change in there)
    absent = tuple(name for name in idle if changes[name].job is None)
    return replace(report, ended=(*report.ended, *ended), not_begun=absent)


def _each(
    session: Session,
    provider: Reader,
    jobs: Iterable[RunningJob],
    act: Callable[[str], Job],
    wanted: Callable[[Job], bool],
) -> tuple[Steered, ...]:
    """What came of each; one for which there is nothing to do is left as it is."""

    def done(one: RunningJob) -> Steered:
        if not wanted(one.job):
            return Steered(one, one.job, one.cost)
        try:
            session.require_store()
            after = act(one.job.id)
        except FtctlError as fault:
            return Steered(one, cost=one.cost, error=fault)
        return Steered(one, after, _cost_now(session, provider, one, after))

    return tuple(done(one) for one in jobs)


def _cost_now(session: Session, provider: Reader, one: RunningJob, after: Job) -> str:
    """A person may have read for a while: what was trained meanwhile counts too."""
    job = replace(one.job, trained_tokens=after.trained_tokens)
    return _running_job(session, provider, one.name, job).cost


def _asked(act: Callable[[str], Job], job: str, verb: str) -> Job:
    """The job after a request that not every service knows."""
    try:
        return act(job)
    except ProviderError as fault:
        if fault.status not in _NOT_KNOWN:
            raise
        raise ProviderError(
            fault.operation,
            f"the service does not {verb} {job}: {fault.message}",
            status=fault.status,
            code=fault.code,
            request_id=fault.request_id,
            hint=_NO_SUCH[verb],
        ) from None


_NO_SUCH = {
    "pause": "many services pause no jobs, and others only one that trains: wait a little, or stop"
    " it for good with 'ftctl cancel NAME'",
    "resume": "many services resume no jobs, and others only one that is paused: see"
    " 'ftctl status'",
}
