"""`ftctl plan`: what would change and why; writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ftctl.cli.exits import CHANGES, DONE
from ftctl.cli.planning import (
    apply_words,
    asked,
    options_for,
    plan_for,
    plan_options,
    show_warnings,
)
from ftctl.cli.session import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import FtctlError
from ftctl.limits import check_limits
from ftctl.record import observed_document
from ftctl.render.markdown import plan_markdown
from ftctl.render.plan_json import plan_digest, plan_document
from ftctl.render.text import plan_text


@click.command("plan")
@shared_options
@plan_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text",
    help="How to print the plan.",
)  # fmt: skip
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there are changes, 0 if there are none.",
)
@click.option(
    "--record", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write what was observed at the service, for a bug report.",
)  # fmt: skip
@click.pass_context
def plan_command(
    context: click.Context,
    select: tuple[str, ...],
    replace: tuple[str, ...],
    prune: bool,
    retry_failed: bool,
    form: str,
    detailed_exitcode: bool,
    record: Path | None,
) -> int:
    """Show what would change, and why.

    Writes nothing.
    """
    settings = settings_of(context)
    session = open_session(settings)
    show_warnings(session)
    wanted = asked(select, replace, prune=prune, retry_failed=retry_failed)
    options = options_for(session, wanted)
    with session.provider() as provider:
        observed = session.observe(provider)
    if record is not None:
        _write(record, json.dumps(observed_document(observed), indent=2, sort_keys=True) + "\n")
    plan = plan_for(session, observed, options)
    digest = plan_digest(plan)
    match form:
        case "json":
            document = plan_document(plan)
            text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        case "markdown":
            text = plan_markdown(plan, digest)
        case _:
            text = plan_text(plan, digest, apply_words(session, wanted), settings.console.paint)
    settings.console.result(text)
    check_limits(plan, session.project.config.policy)
    return CHANGES if detailed_exitcode and plan.has_changes else DONE


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as fault:
        raise FtctlError(f"{path} cannot be written: {fault.strerror}") from None
