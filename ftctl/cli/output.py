"""`ftctl output [NAME]`: the model names that applications use."""

from __future__ import annotations

import json

import click

from ftctl.cli.exits import DONE
from ftctl.cli.planning import Asked, check_name, observe, options_for, plan_for
from ftctl.cli.session import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import FtctlError
from ftctl.model import Change, Job


@click.command("output")
@shared_options
@click.argument("name", required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "dotenv", "github"]), default="text",
    help="dotenv: lines for a .env file; github: lines for $GITHUB_OUTPUT.",
)  # fmt: skip
@click.pass_context
def output_command(context: click.Context, name: str | None, form: str) -> int:
    """Print the models' names.

    All of them, or that of one fine-tune alone.
    """
    settings = settings_of(context)
    session = open_session(settings)
    if name is not None:
        check_name(name, [one.name for one in session.desired.finetunes], "output")
    with session.provider() as provider:
        observed = observe(session, provider)
    plan = plan_for(session, observed, options_for(session, Asked()))
    jobs = {job.id: job for job in (*observed.jobs, *observed.adopted)}
    changes = [
        change
        for change in plan.changes
        if session.desired.named(change.name) is not None and name in (None, change.name)
    ]
    if form == "json":
        document = {change.name: _entry(change, jobs.get(change.job or "")) for change in changes}
        settings.console.result(json.dumps(document, indent=2, sort_keys=True))
        return DONE
    missing = [change for change in changes if change.model is None]
    if name is not None and missing:
        raise FtctlError(f"{name} has no model yet: {missing[0].reason}", "see 'ftctl status'")
    for change in missing:
        settings.console.note(f"{change.name} has no model yet: {change.reason}")
    for change in changes:
        if change.model is not None:
            alone = name is not None and form == "text"
            settings.console.result(change.model if alone else _line(change, form))
    return DONE


def _entry(change: Change, job: Job | None) -> dict[str, str | None]:
    return {
        "model": change.model,
        "job": change.job,
        "digest": change.digest,
        "status": job.status if job else None,
    }


def _line(change: Change, form: str) -> str:
    if form == "text":
        return f"{change.name}\t{change.model}"
    variable = change.name.replace("-", "_")
    if form == "dotenv":
        return f"{variable.upper()}_MODEL={change.model}"
    return f"{variable}={change.model}"
