"""`ftctl output [NAME]`: the model names that applications use."""

from __future__ import annotations

import json

import click

from ftctl.changes import Change
from ftctl.cli.exits import DONE
from ftctl.cli.planning import Asked, check_name, options_for, plan_for
from ftctl.cli.session import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import FtctlError
from ftctl.world import Job, Observed


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
        observed = session.observe(provider)
    plan = plan_for(session, observed, options_for(session, Asked()))
    found = [
        (change, _job_to_use(change, observed))
        for change in plan.changes
        if session.desired.named(change.name) is not None and name in (None, change.name)
    ]
    if form == "json":
        document = {change.name: _entry(change, job) for change, job in found}
        settings.console.result(json.dumps(document, indent=2, sort_keys=True))
        return DONE
    for change, job in found:
        if job is None or job.model is None:
            if name is not None:
                raise FtctlError(f"{name} has no model yet: {change.reason}", "see 'ftctl status'")
            settings.console.note(f"{change.name} has no model yet: {change.reason}")
            continue
        if job.digest != change.digest and job in observed.jobs:
            settings.console.note(
                f"{change.name}: this is the model of an earlier spec; {change.reason}"
            )
        alone = name is not None and form == "text"
        settings.console.result(job.model if alone else _line(change.name, job.model, form))
    return DONE


def _job_to_use(change: Change, observed: Observed) -> Job | None:
    """The job whose model serves: that of the spec, else the newest of an earlier one.

    While a new spec trains, applications go on with what there is.
    """
    jobs = {job.id: job for job in observed.every_job}
    standing = jobs.get(change.job or "")
    if standing is not None and standing.model == change.model and change.model is not None:
        return standing
    for job in observed.jobs:
        live = job.status == "succeeded" and job.model is not None
        if live and job.finetune == change.name and observed.has_model(job.model or ""):
            return job
    return standing


def _entry(change: Change, job: Job | None) -> dict[str, str | bool | None]:
    return {
        "model": job.model if job else None,
        "job": job.id if job else None,
        "digest": (job.digest if job else None) or change.digest,
        "status": job.status if job else None,
        "current": job is not None and job.model is not None and job.id == change.job,
    }


def _line(name: str, model: str, form: str) -> str:
    if form == "text":
        return f"{name}\t{model}"
    variable = name.replace("-", "_")
    if form == "dotenv":
        return f"{variable.upper()}_MODEL={model}"
    return f"{variable}={model}"
