"""A session, what exists and what is asked for in; a plan with its prices out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ftctl.domain.observed import Observed
from ftctl.domain.plan import Plan
from ftctl.engine.fitting import fit_warnings
from ftctl.engine.git import commit_of
from ftctl.engine.intents import read_intents
from ftctl.engine.newer_commits import make_plan_by_commits
from ftctl.engine.session import Session
from ftctl.errors import Stale, UsageError
from ftctl.lockfile import (
    DEFAULT_ENVIRONMENT,
    KeptForOthers,
    Lock,
    protected,
    read_lock_file,
    recorded_jobs,
    witnesses_of,
)
from ftctl.manifest.schema import cosmetic_fields
from ftctl.planner import PlanOptions, Scope
from ftctl.policy import check_allowed
from ftctl.pricing import price_plan, told_differences
from ftctl.text.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is asked of a plan, beside what the manifests say.

    `select`: only these fine-tunes, names or patterns of them; None: all. `exclude`: not these.
    `changed`: of those, what differs from the workspace's base revision. `replace`: these are
    trained again although they are up to date. `prune`: what left the manifests is cleaned up.
    `retry_failed`: failed and cancelled jobs are bought again. `allow`: rules of the policy that
    may pass. `force_destroy`: promoted models may be deleted. `environment`: the one of ftctl.yaml
    that the plan is for, as it stands in the plan's document.
    """

    select: tuple[str, ...] | None = None
    replace: tuple[str, ...] = ()
    prune: bool = False
    retry_failed: bool = False
    allow: frozenset[str] = frozenset()
    force_destroy: bool = False
    environment: str | None = None
    exclude: tuple[str, ...] = ()
    changed: bool = False
    # Of several approved plans: those that `retry_failed` counts for, where not all were made so.
    retry_only: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Raise `UsageError` for a rule that there is not."""
        check_allowed(tuple(sorted(self.allow)))

    @property
    def document(self) -> dict[str, Any]:
        """The options that shape a plan, as they stand in its document.

        `select` names there every fine-tune that is meant: patterns and `changed` are settled
        before a plan is made (`resolve_request`), so that a saved plan means the same for ever.
        """
        document = {
            "select": None if self.select is None else sorted(self.select),
            "replace": sorted(self.replace),
            "prune": self.prune,
            "retry_failed": self.retry_failed,
            "force_destroy": self.force_destroy,
            "environment": self.environment,
        }
        if self.retry_only is not None:
            document["retry_only"] = sorted(self.retry_only)
        return document

    def without_asking_for(self, names: Collection[str], known: Iterable[str]) -> PlanRequest:
        """The same, but that it asks for no retry and no replacement of some fine-tunes.

        `known` are all that the manifests declare.
        """
        retried = {*known} if self.retry_only is None else {*self.retry_only}
        return replace(
            self,
            select=None if self.select is None else tuple(sorted({*self.select, *names})),
            replace=tuple(one for one in self.replace if one.partition("=")[0] not in names),
            retry_only=tuple(sorted(retried - {*names})) if self.retry_failed else None,
        )

    def with_options(self, document: Mapping[str, Any]) -> PlanRequest:
        """The same with the options of a plan's document, whatever its environment."""
        only = document.get("retry_only")
        return replace(
            self,
            select=None if document["select"] is None else tuple(document["select"]),
            replace=tuple(document["replace"]),
            prune=document["prune"],
            retry_failed=document["retry_failed"],
            force_destroy=document["force_destroy"],
            retry_only=None if only is None else tuple(only),
        )


def merge_saved_options(document: Mapping[str, Any], request: PlanRequest) -> PlanRequest:
    """The options that a plan in a file was made with, beside those that come with it."""
    plain = PlanRequest(environment=request.environment, allow=request.allow)
    if request != plain:
        raise UsageError(
            "a plan in a file has its options already",
            "leave out what selects, replaces, prunes, retries or forces, or leave out the plan",
        )
    if document["environment"] != request.environment:
        made = document["environment"] or "no environment"
        raise Stale(
            f"the plan was made for {made}, and not for {request.environment or 'none'}",
            "give the same --env as the plan",
        )
    return request.with_options(document)


def options_for(session: Session, request: PlanRequest) -> PlanOptions:
    """The planner's options; names that no manifest declares are refused."""
    known = [one.name for one in session.desired.finetunes]
    for name in request.select or ():
        check_name(name, known, "--select")
    for one in request.replace:
        name, names_job, job = one.partition("=")
        check_name(name, known, "--replace")
        if names_job and not job:
            raise UsageError(
                f"--replace {one}: no job is named after '='",
                f"write --replace {name}=ftjob-…, or --replace {name}",
            )
    replaced = {
        name: job or None for name, _, job in (one.partition("=") for one in request.replace)
    }
    select = request.select
    lock = read_lock_file(session.root)
    return PlanOptions(
        prune=request.prune or session.project.config.prune,
        retry_failed=request.retry_failed,
        retry_only=None if request.retry_only is None else frozenset(request.retry_only),
        select=None if select is None else frozenset((*select, *replaced)),
        replace=replaced,
        cosmetic=cosmetic_fields(),
        tag_in_file_name=session.service.ownership_store == "file-name",
        protected={} if request.force_destroy else _protected(session, lock),
        witnesses=(
            *witnesses_of(lock),
            *read_intents(session.root, session.desired.project, session.info),
        ),
        scope=_scope(session, lock),
        aliases=session.catalog.aliases,
        commit=commit_of(session.root),
        reuse=session.project.config.reuse == "account",
        document=request.document,
    )


def protected_models(session: Session) -> Mapping[str, str]:
    """Models in use and their jobs, with the reason: what no plan deletes."""
    return _protected(session, read_lock_file(session.root))


def _protected(session: Session, lock: Lock) -> Mapping[str, str]:
    """What no plan deletes.

    Equal digests share one job. So while the record does not tell what an environment at the same
    service uses, every model may be one of those.
    """
    known = protected(lock, _section(session))
    untold = session.project.sharing_environments - lock.environments.keys()
    return KeptForOthers(known, untold) if untold else known


def scope_of(session: Session) -> Scope:
    """Which jobs a plan of this environment may stop, retire or prune."""
    return _scope(session, read_lock_file(session.root))


def _section(session: Session) -> str:
    return session.context.environment or DEFAULT_ENVIRONMENT


def _scope(session: Session, lock: Lock) -> Scope:
    section = _section(session)
    mark = section if session.project.has_environments else None
    return Scope(session.context.environment, mark, recorded_jobs(lock, section))


def check_name(name: str, known: Iterable[str], what: str) -> None:
    """Raise `UsageError` for a fine-tune that does not exist."""
    known = sorted(known)
    if name not in known:
        hint = did_you_mean(name, known) or f"known: {', '.join(known) or 'none'}"
        raise UsageError(f"{what}: there is no fine-tune '{name}'", hint)


def make_plan_for(session: Session, observed: Observed, request: PlanRequest) -> Plan:
    """The plan of a request; `UsageError` where it names what no manifest declares."""
    return priced_plan(session, observed, options_for(session, request))


def priced_plan(session: Session, observed: Observed, options: PlanOptions) -> Plan:
    """The plan with its prices, and with what people must know in time."""
    plan = make_plan_by_commits(session, observed, options)
    plan = price_plan(plan, session.desired, session.catalog)
    told = told_differences(plan, session.desired, observed, session.catalog)
    warnings = (
        *session.shutdown_warnings(),
        *plan.warnings,
        *told,
        *fit_warnings(session, plan),
    )
    return replace(plan, warnings=warnings)
