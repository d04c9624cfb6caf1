"""What `plan`, `apply` and `destroy` share: their options, and the way from a session to a plan."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from ftctl.cli.locking import protected_models
from ftctl.cli.session import Session
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Plan
from ftctl.errors import Stale, UsageError
from ftctl.manifest.schema import cosmetic_fields
from ftctl.planner import PlanOptions, make_plan
from ftctl.policy import check_allowed
from ftctl.pricing import price_plan

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of a plan."""

    select: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    prune: bool = False
    retry_failed: bool = False
    allow: frozenset[str] = frozenset()  # rules of the policy
    force_destroy: bool = False
    environment: str | None = None  # of ftctl.yaml

    @property
    def document(self) -> dict[str, Any]:
        """The options that shape a plan, as they stand in its document."""
        return {
            "select": sorted(self.select) if self.select else None,
            "replace": sorted(self.replace),
            "prune": self.prune,
            "retry_failed": self.retry_failed,
            "force_destroy": self.force_destroy,
            "environment": self.environment,
        }


def asked_in(document: Mapping[str, Any], wanted: Asked) -> Asked:
    """The options that a plan in a file was made with, beside those of the command line."""
    if wanted.document != Asked(environment=wanted.environment).document:
        raise UsageError(
            "a plan in a file has its options already",
            "leave out what selects, replaces, prunes, retries or forces, or leave out the plan",
        )
    if document["environment"] != wanted.environment:
        made = document["environment"] or "no environment"
        raise Stale(
            f"the plan was made for {made}, and not for {wanted.environment or 'none'}",
            "give the same --env as the plan",
        )
    return replace(
        wanted,
        select=tuple(document["select"] or ()),
        replace=tuple(document["replace"]),
        prune=document["prune"],
        retry_failed=document["retry_failed"],
        force_destroy=document["force_destroy"],
    )


def plan_options(command: F) -> F:
    """Add the options that shape a plan."""
    for option in (
        click.option("--retry-failed", is_flag=True, help="Buy failed or cancelled jobs again."),
        click.option("--prune", is_flag=True, help="Clean up what left the manifests."),
        click.option(
            "--replace", multiple=True, metavar="NAME",
            help="Train NAME again although it is up to date.",
        ),
        click.option(
            "--select", multiple=True, metavar="NAME",
            help="Only this fine-tune; may be repeated, or list names with commas.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def asked(
    select: Iterable[str],
    replace: Iterable[str],
    *,
    prune: bool,
    retry_failed: bool,
    allow: Iterable[str] = (),
    force_destroy: bool = False,
    environment: str | None = None,
) -> Asked:
    """The options of a command line, lists with commas taken apart."""
    return Asked(
        names_in(select),
        names_in(replace),
        prune,
        retry_failed,
        allowed(allow),
        force_destroy,
        environment,
    )


def allowed(values: Iterable[str]) -> frozenset[str]:
    """The rules that --allow names; UsageError for one that there is not."""
    rules = names_in(values)
    check_allowed(rules)
    return frozenset(rules)


def names_in(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def options_for(session: Session, wanted: Asked) -> PlanOptions:
    """The planner's options; names that no manifest declares are refused."""
    known = [one.name for one in session.desired.finetunes]
    for flag, names in (("--select", wanted.select), ("--replace", wanted.replace)):
        for name in names:
            check_name(name, known, flag)
    select = frozenset((*wanted.select, *wanted.replace)) if wanted.select else None
    return PlanOptions(
        prune=wanted.prune or session.project.config.prune,
        retry_failed=wanted.retry_failed,
        select=select,
        replace=frozenset(wanted.replace),
        cosmetic=cosmetic_fields(),
        tag_in_file_name=session.service.ownership_store == "file-name",
        protected={} if wanted.force_destroy else protected_models(session),
    )


def check_name(name: str, known: Iterable[str], what: str) -> None:
    """Raise `UsageError` for a fine-tune that does not exist."""
    known = sorted(known)
    if name not in known:
        near = get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known) or 'none'}"
        raise UsageError(f"{what}: there is no fine-tune '{name}'", hint)


def apply_words(session: Session, wanted: Asked) -> str:
    """The command line that applies a plan made with these options."""
    settings = session.settings
    words = ["ftctl"]
    words += [] if settings.folder == Path() else ["-C", str(settings.folder)]
    words += ["--env", settings.environment] if settings.environment else []
    words.append("apply")
    words += [word for name in wanted.select for word in ("--select", name)]
    words += [word for name in wanted.replace for word in ("--replace", name)]
    words += ["--prune"] if wanted.prune else []
    words += ["--retry-failed"] if wanted.retry_failed else []
    words += ["--force-destroy"] if wanted.force_destroy else []
    words += ["--base", settings.base] if settings.base else []
    words += [word for name in sorted(wanted.allow) for word in ("--allow", name)]
    return shlex.join(words)


def plan_for(session: Session, observed: Observed, options: PlanOptions) -> Plan:
    """The plan with its prices, and with what people must know in time."""
    plan = make_plan(session.desired, observed, session.info, options)
    plan = price_plan(plan, session.desired, session.catalog)
    return replace(plan, warnings=(*session.shutdown_warnings(), *plan.warnings))


def show_warnings(session: Session) -> None:
    """Print what the manifests and data should be warned of."""
    for warning in session.warnings:
        session.settings.console.note(str(warning))
