"""A plan in; the same with what its reviewer should know, from policy, money and git, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ftctl.cli.commit import commit_of
from ftctl.cli.planning import Asked
from ftctl.cli.policy_commands import run_commands
from ftctl.cli.session import Session
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Plan
from ftctl.domain.plan_document import plan_digest, plan_document
from ftctl.domain.review import DataChange, Review
from ftctl.policy import PolicyInput, check_policy, with_violations
from ftctl.pricing import spent

if TYPE_CHECKING:
    from ftctl.domain.observed import Job


def review(
    session: Session,
    plan: Plan,
    observed: Observed,
    wanted: Asked,
    *,
    offline: bool = False,
    destroy: bool = False,
    waits: bool = False,
    show_text: bool = False,
) -> Review:
    """The plan with the policy's violations, and with data compared where there is a base."""
    base = session.settings.base
    data: tuple[DataChange, ...] = ()
    if base is not None:
        from ftctl.cli.datadiff import data_changes  # it reads git, and imports what compares rows

        data = data_changes(session, base, show_text=show_text)
    found = Review(
        plan,
        plan_digest(plan),
        check_policy(_policy_input(session, plan, observed, wanted, destroy=destroy, waits=waits)),
        data,
        base,
        commit_of(session.root),
        offline,
        wanted.document,
    )
    commands = session.project.config.policy.commands
    if not commands:
        return found
    violations = run_commands(session, commands, plan_document(found))
    result = replace(found.policy, rules=(*found.policy.rules, "commands"))
    return replace(found, policy=with_violations(result, violations, wanted.allow))


def _policy_input(
    session: Session,
    plan: Plan,
    observed: Observed,
    wanted: Asked,
    *,
    destroy: bool,
    waits: bool,
) -> PolicyInput:
    today = session.today
    month = datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()
    now = session.settings.clock.now()
    catalog, service = session.catalog, session.info
    used = spent(observed.jobs, catalog, service, month, now)
    return PolicyInput(
        plan=plan,
        desired=session.desired,
        observed=observed,
        settings=session.project.config.policy,
        service=service,
        shutdowns=_shutdowns(session, observed),
        today=today,
        moving=frozenset(
            model for model in _bases(session) if not catalog.is_snapshot(service.type, model)
        ),
        spent=used.usd,
        spent_unknown=used.unknown,
        leaks=session.leaks,
        duplicates=session.duplicates,
        allow=wanted.allow,
        destroy=destroy,
        waits=waits,
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
