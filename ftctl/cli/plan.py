"""`ftctl plan`: what would change and why; writes nothing at the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

from ftctl.cli.exits import CHANGES, DONE
from ftctl.cli.locking import offline_snapshot
from ftctl.cli.options import allow_option, base_option, force_destroy_option
from ftctl.cli.planfile import keep_plan, write_file
from ftctl.cli.planning import (
    Asked,
    apply_words,
    asked,
    options_for,
    plan_for,
    plan_options,
    show_warnings,
)
from ftctl.cli.reviewing import review
from ftctl.cli.session import Session, open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.domain.observed import Observed
from ftctl.domain.plan_document import plan_document, plan_json
from ftctl.domain.review import Review
from ftctl.domain.snapshot import observed_document
from ftctl.errors import UsageError
from ftctl.policy import raise_refused
from ftctl.reports.text import plan_text

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("plan")
@shared_options
@plan_options
@allow_option
@force_destroy_option
@base_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown", "html"]), default="text",
    help="How to print the plan; markdown: for a comment on a pull request.",
)  # fmt: skip
@click.option(
    "--out", type=_FILE, metavar="FILE",
    help="Write the plan as JSON too: 'ftctl apply FILE' does exactly that.",
)  # fmt: skip
@click.option(
    "--offline", is_flag=True,
    help="Ask no service: plan against what ftctl.lock says there is.",
)  # fmt: skip
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there are changes, 0 if there are none.",
)
@click.option(
    "--show-text", is_flag=True,
    help="With --base: show rows that differ, with keys and personal data taken out.",
)  # fmt: skip
@click.option(
    "--record", type=_FILE, metavar="FILE",
    help="Write what was observed at the service, for a bug report.",
)  # fmt: skip
@click.pass_context
def plan_command(
    context: click.Context,
    *,
    select: tuple[str, ...],
    replace: tuple[str, ...],
    prune: bool,
    retry_failed: bool,
    allow: tuple[str, ...],
    force_destroy: bool,
    form: str,
    out: Path | None,
    offline: bool,
    detailed_exitcode: bool,
    show_text: bool,
    record: Path | None,
) -> int:
    """Show what would change, why, and what it costs.

    Changes nothing at the service. A plan that the project's policy stands against is shown, and
    ends with exit status 3.
    """
    settings = settings_of(context)
    wanted = asked(
        select, replace, prune=prune, retry_failed=retry_failed, allow=allow,
        force_destroy=force_destroy, environment=settings.environment,
    )  # fmt: skip
    if show_text and settings.base is None:
        raise UsageError("--show-text shows rows that differ from a base", "add --base REV")
    session = open_session(settings)
    show_warnings(session)
    observed = _observed(session, offline=offline)
    if record is not None:
        seen = json.dumps(observed_document(observed), indent=2, sort_keys=True)
        write_file(settings.folder / record, f"{seen}\n")
    plan = plan_for(session, observed, options_for(session, wanted))
    found = review(session, plan, observed, wanted, offline=offline, show_text=show_text)
    document = cache(lambda: plan_document(found))  # large, and seldom asked for
    if out is not None:
        write_file(settings.folder / out, plan_json(document()))
    if not (offline or plan.empty):
        keep_plan(session.root, document())
    settings.console.result(_text(session, found, wanted, form, document))
    raise_refused(found.policy)
    return CHANGES if detailed_exitcode and plan.has_changes else DONE


def _observed(session: Session, *, offline: bool) -> Observed:
    if offline:
        return offline_snapshot(session)
    with session.provider() as provider:
        return session.observe(provider)


def _text(
    session: Session,
    found: Review,
    wanted: Asked,
    form: str,
    document: Callable[[], Mapping[str, Any]],
) -> str:
    settings = session.settings
    match form:
        case "json":
            return plan_json(document()).rstrip("\n")
        case "markdown":
            from ftctl.reports.markdown import plan_markdown

            return plan_markdown(
                found, environment=settings.environment, command=apply_words(session, wanted)
            )
        case "html":
            from ftctl.reports.html import plan_html

            return plan_html(found, command=apply_words(session, wanted))
        case _:
            return plan_text(found, apply_words(session, wanted), settings.console.paint)
