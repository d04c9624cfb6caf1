"""A session in; its part of `ftctl.lock` read, and written anew after an apply."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ftctl import __version__
from ftctl.domain.plan import DeleteModel
from ftctl.engine.context import RunContext
from ftctl.engine.events import Noted
from ftctl.engine.git import commit_of
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, make_plan_for
from ftctl.engine.session import Session
from ftctl.errors import FtctlError, ProviderError, fault_text
from ftctl.lockfile import (
    DEFAULT_ENVIRONMENT,
    LOCK_FILE,
    Lock,
    Pointer,
    observed_from,
    read_lock_file,
    unknown_checkpoints,
    update_lock_file,
    updated,
    with_retired,
    without_models,
)

if TYPE_CHECKING:
    from ftctl.domain.observed import Observed
    from ftctl.domain.plan import Plan, Report
    from ftctl.providers.protocol import Provider

_ASKED_AT_ONCE = 4
_WITHOUT = (404, 405, 501)  # how services say that they know no checkpoints


def environment_of(context: RunContext) -> str:
    """The section of the record that a run reads and writes."""
    return context.environment or DEFAULT_ENVIRONMENT


def timestamp(context: RunContext) -> str:
    """Now, as it stands in the record: ISO 8601 in UTC, whole seconds."""
    moment = datetime.fromtimestamp(int(context.clock.now()), tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_lock(
    session: Session,
    provider: Provider,
    observed: Observed | None = None,
    plan: Plan | None = None,
    parallelism: int = 1,
) -> None:
    """Bring `ftctl.lock` up to what stands now. What was done is done: a fault is only told.

    `observed` and `plan` are those after the apply; made anew where not given.
    New jobs are asked for their checkpoints, `parallelism` at once.
    """
    try:
        observed = observed or observe(session, provider)
        plan = plan or make_plan_for(session, observed, PlanRequest())
        _write(session, provider, observed, plan, parallelism)
    except FtctlError as fault:
        session.context.listener(
            Noted(
                f"warning: {LOCK_FILE} is not up to date: {fault_text(fault)}\n"
                "    nothing else is wrong: apply again to write it"
            )
        )


def forget_models(session: Session, models: Collection[str]) -> None:
    """Take promotions of deleted models out of the record. A fault is only told."""
    environment = environment_of(session.context)
    try:
        lock = read_lock_file(session.root)
        if without_models(lock, environment, models) != lock:
            update_lock_file(
                session.root, lambda current: without_models(current, environment, models)
            )
    except FtctlError as fault:
        session.context.listener(Noted(f"warning: {LOCK_FILE}: {fault_text(fault)}"))


def remember_retired(
    session: Session, provider: Provider, observed: Observed, report: Report
) -> None:
    """Put the models that were just deleted on record, so that nobody takes them for hidden.

    `observed` is what the plan was made on. This is written at once: a run that is stopped while
    it waits must not lose it. A fault is only told.
    """
    deleted = dict(_deleted(provider, report))
    at = timestamp(session.context)
    retired: dict[str, list[Pointer]] = {}
    for job in sorted(observed.jobs, key=lambda job: job.age_order):
        if job.model is not None and (name := deleted.get(job.model)) is not None:
            pointer = Pointer(job.id, job.model, at, digest=job.digest)
            retired.setdefault(name, []).append(pointer)
    if not retired:
        return
    environment = environment_of(session.context)
    try:
        update_lock_file(session.root, lambda lock: with_retired(lock, environment, retired))
    except FtctlError as fault:
        names = ", ".join(sorted(retired))
        session.context.listener(
            Noted(
                f"warning: {LOCK_FILE}: {fault_text(fault)}\n"
                f"    that models of {names} were retired is not on record"
            )
        )


def _deleted(provider: Provider, report: Report) -> Iterator[tuple[str, str]]:
    """Each model that an apply has deleted, with the name of the change that said so.

    Of a change that did not come to its end, those that are not there any more.
    """
    changes = report.plan.changes if report.plan is not None else ()
    done = {outcome.name: outcome.ok for outcome in report.outcomes}
    for change in changes:
        for step in change.steps:
            if not isinstance(step, DeleteModel) or change.name not in done:
                continue
            if done[change.name] or _is_gone(provider, step.model):
                yield step.model, change.name


def _is_gone(provider: Provider, model: str) -> bool:
    try:
        return not provider.model_visible(model)
    except ProviderError:
        return False


def offline_snapshot(session: Session) -> Observed:
    """What exists at the service as far as `ftctl.lock` tells; nobody is asked."""
    if not (session.root / LOCK_FILE).exists():
        session.context.listener(
            Noted(f"there is no {LOCK_FILE}: nothing is known of what exists at the service")
        )
    others = session.project.config.reuse == "account"
    environment = environment_of(session.context)
    return observed_from(read_lock_file(session.root), environment, others=others)


def _write(
    session: Session, provider: Provider, observed: Observed, plan: Plan, parallelism: int
) -> None:
    environment = environment_of(session.context)
    lock = read_lock_file(session.root)
    jobs = unknown_checkpoints(lock, environment, session.desired, observed, plan)
    checkpoints = _checkpoints(provider, jobs, parallelism)
    commit = commit_of(session.root) if jobs else None

    def bring_up(current: Lock) -> Lock:
        return updated(
            current,
            environment,
            session.desired,
            observed,
            plan,
            version=__version__,
            commit=commit,
            checkpoints=checkpoints,
        )

    # Most applies change nothing here: those need no lock, and a folder that is read-only is fine.
    if bring_up(lock) != lock:
        update_lock_file(session.root, bring_up)


def _checkpoints(
    provider: Provider, jobs: tuple[str, ...], parallelism: int
) -> dict[str, dict[int, str]]:
    """The checkpoints' models by step, of those jobs that the service tells of."""
    ask = partial(_steps, provider)
    if parallelism <= 1 or len(jobs) <= 1:
        answers = list(map(ask, jobs))
    else:
        with ThreadPoolExecutor(parallelism) as threads:
            answers = list(threads.map(ask, jobs))
    found = zip(jobs, answers, strict=True)
    return {job: steps for job, steps in found if steps is not None}


def _steps(provider: Provider, job: str) -> dict[int, str] | None:
    try:
        return {one.step: one.model for one in provider.checkpoints(job)}
    except ProviderError as fault:
        # Not every service has them. Of any other fault the next apply asks again.
        return {} if fault.status in _WITHOUT else None
