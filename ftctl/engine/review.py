"""A plan in; the same with what its reviewer should know, from policy, money and git, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ftctl.domain.observed import Observed
from ftctl.domain.plan import Action, Plan, Report
from ftctl.domain.plan_document import plan_digest, plan_document
from ftctl.domain.review import DataChange, PolicyResult, Review
from ftctl.engine.events import Noted
from ftctl.engine.git import commit_of
from ftctl.engine.planning import PlanRequest
from ftctl.engine.policy_programs import run_commands
from ftctl.engine.programs import require_commands
from ftctl.engine.record import environment_of
from ftctl.engine.session import Session
from ftctl.errors import Span, Stale, UsageError
from ftctl.lockfile import read_lock_file
from ftctl.policy import RULES, PolicyInput, check_policy, raise_refused, with_violations
from ftctl.pricing import expected_costs, newest_time, spent
from ftctl.text.escape.single_line import one_line

if TYPE_CHECKING:
    from ftctl.domain.observed import Job


def review(
    session: Session,
    plan: Plan,
    observed: Observed,
    request: PlanRequest,
    *,
    offline: bool = False,
    destroy: bool = False,
    waits: bool = False,
    show_text: bool = False,
) -> Review:
    """The plan with the policy's violations, and with data compared where there is a base."""
    base = session.context.base_revision
    data: tuple[DataChange, ...] = ()
    if base is not None:
        # It reads git, and imports what compares rows.
        from ftctl.engine.data_changes import data_changes

        data = data_changes(session, base, show_text=show_text)
    reviewed = Review(
        plan,
        plan_digest(plan),
        check_policy(_policy_input(session, plan, observed, request, destroy=destroy, waits=waits)),
        data,
        base,
        commit_of(session.root),
        offline,
        request.document,
        waits=waits,
        allow=request.allow,
        destroy=destroy,
    )
    commands = session.project.config.policy.commands
    if not commands or not _may_run(session):
        return reviewed
    violations = run_commands(session, commands, plan_document(reviewed))
    result = replace(reviewed.policy, rules=(*reviewed.policy.rules, "commands"))
    return replace(reviewed, policy=with_violations(result, violations, request.allow))


def _may_run(session: Session) -> bool:
    """Whether the programs of the policy have been reviewed, or are let run by the user."""
    if session.base is None:
        commands = session.project.config.policy.commands

        def place(command: tuple[str, ...]) -> Span:
            way = ("policy", "commands", commands.index(command))
            return session.project.file.place(way)

        require_commands(session.context, commands, "to judge the plan", place)
        return True
    if not session.base.is_silent:
        return True
    base = session.base.revision
    text = f"note: policy.commands are this change's own and not run: {base} has no ftctl.yaml here"
    session.context.listener(Noted(text))
    return False


def refuse_unknown(session: Session, digest: str, request: PlanRequest) -> None:
    """Raise `Stale` where a plan chose fine-tunes that have left the manifests."""
    known = {one.name for one in session.desired.finetunes}
    replaced = (one.partition("=")[0] for one in request.replace)
    gone = sorted({*(request.select or ()), *replaced} - known)
    if gone:
        names = ", ".join(one_line(name) for name in gone)
        raise Stale(
            f"what was approved cannot run now: no manifest asks for {names} any more",
            f"make a plan anew, and approve that instead of {digest}",
        )


def require_applicable(review: Review) -> None:
    """Raise `Stale`, `Refused` or `UsageError` for a review whose plan may not be carried out."""
    if review.moved:
        raise stale(review.digest, review.moved)
    if review.offline:
        raise UsageError("a plan that was made offline cannot be applied", "plan without --offline")
    raise_refused(review.policy)


def require_allowed(
    session: Session, plan: Plan, observed: Observed, request: PlanRequest, *, waits: bool
) -> None:
    """Raise `Refused` where the rules of the policy stand against a plan now.

    Programs of the project's own have spoken when the plan was reviewed.
    """
    policy_input = _policy_input(session, plan, observed, request, destroy=False, waits=waits)
    raise_refused(check_policy(policy_input))


def require_children(session: Session, report: Report) -> None:
    """Raise `Refused` where starting what is deferred is more than the policy allows.

    A review that was made with `waits` has been judged so already.
    """
    plan = report.plan
    limit = session.project.config.policy.max_jobs_created
    deferred = plan is not None and plan.count()[Action.DEFER]
    if plan is None or limit is None or report.waits or not deferred:
        return
    request = PlanRequest(allow=report.allow)
    policy_input = _policy_input(session, plan, Observed(), request, destroy=False, waits=True)
    violations = RULES["max_jobs_created"](policy_input, limit)
    raise_refused(with_violations(PolicyResult(), violations, report.allow))


def stale(digest: str, moved: Sequence[str] = ()) -> Stale:
    """The refusal of a plan that is not what was approved, with what moved where that is known."""
    return Stale(
        f"what was approved is not what would run now: the plan above is {digest}",
        "read it, and approve that digest if it is what you want",
        moved,
    )


def _policy_input(
    session: Session,
    plan: Plan,
    observed: Observed,
    request: PlanRequest,
    *,
    destroy: bool,
    waits: bool,
) -> PolicyInput:
    catalog, service = session.catalog, session.info
    month = _month(session, observed)
    used = spent(
        observed.jobs,
        catalog,
        service,
        month.timestamp(),
        expected=expected_costs(observed.jobs, session.desired, observed, catalog, service),
    )
    return PolicyInput(
        plan=plan,
        desired=session.desired,
        observed=observed,
        settings=session.project.config.policy,
        service=service,
        shutdowns=_shutdowns(session, observed),
        today=session.context.today,
        moving=frozenset(
            model for model in _bases(session) if not catalog.is_snapshot(service.type, model)
        ),
        month=month.date(),
        spent=used.usd,
        spent_unknown=used.unknown,
        remembered=_remembered(session),
        leaks=session.leaks,
        duplicates=session.duplicates,
        allow=request.allow,
        destroy=destroy,
        waits=waits,
    )


def _month(session: Session, observed: Observed) -> datetime:
    """When the calendar month (UTC) began that it is at the service.

    The clock of this machine is asked only where the service has told no time, and so of no job;
    or where it is the service's own, at the embedded API.
    """
    now = session.context.clock.now()
    told = newest_time(observed)
    if told is None or session.service.type == "emulator":
        told = max(int(now), told or 0)
    day = datetime.fromtimestamp(told, tz=UTC)
    return datetime(day.year, day.month, 1, tzinfo=UTC)


def _remembered(session: Session) -> frozenset[str]:
    """The digests of what the record of this service has as succeeded.

    The embedded API's store is thrown away at will, and what it forgets costs nothing.
    """
    if session.service.type == "emulator":
        return frozenset()
    here = (session.info.type, session.info.base_url)
    entries = read_lock_file(session.root).entries(environment_of(session.context))
    releases = (entry.release for entry in entries.values())
    return frozenset(
        release.digest
        for release in releases
        if release is not None
        and not release.adopted
        and (release.service.get("type"), release.service.get("base_url")) == here
    )


def _bases(session: Session) -> tuple[str, ...]:
    models = (one.base_model for one in session.desired.finetunes)
    return tuple(dict.fromkeys(model for model in models if isinstance(model, str)))


def _shutdowns(session: Session, observed: Observed) -> Mapping[str, date]:
    """When base models and models in service stop: as the service says, else as is on record."""
    names = {*_bases(session), *_models(observed.every_job)}
    found: dict[str, date] = {}
    for name in names:
        day = observed.shutdowns.get(name) or session.catalog.shutdown(session.info.type, name)
        if day is not None:
            found[name] = day
    return found


def _models(jobs: Iterable[Job]) -> Iterable[str]:
    return (name for job in jobs for name in (job.model, job.base_model) if name)
