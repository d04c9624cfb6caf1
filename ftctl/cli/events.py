"""`ftctl events NAME`: the log of a fine-tune's job."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from ftctl.apply.follow import follow
from ftctl.cli.exit_codes import DONE, FAILED
from ftctl.cli.listening import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.domain.observed import Event, Progress
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, check_name, make_plan_for
from ftctl.errors import FtctlError
from ftctl.text.escape import json_in_log, one_line


@click.command("events")
@shared_options
@click.argument("name")
@click.option("--follow", "following", is_flag=True, help="Go on until the job is over.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text",
    help="How to print them; json: one object a line.",
)  # fmt: skip
@click.pass_context
def events_command(context: click.Context, name: str, following: bool, form: str) -> int:
    """Show what happened in the job of a fine-tune.

    The oldest event comes first.
    """
    settings = settings_of(context)
    session = open_session(settings)
    check_name(name, [one.name for one in session.desired.finetunes], "events")
    with session.provider() as provider:
        observed = observe(session, provider)
        plan = make_plan_for(session, observed, PlanRequest())
        job = next((change.job for change in plan.changes if change.name == name), None)
        if job is None:
            newest = [known for known in observed.jobs if known.finetune == name]
            job = newest[0].id if newest else None
        if job is None:
            raise FtctlError(f"{name} has no job yet", "'ftctl apply' starts one")
        told: set[str] = set()

        def tell() -> None:
            for event in provider.events(job):
                key = event.id or f"{event.created_at} {event.message}"
                if key not in told:
                    told.add(key)
                    settings.console.result(_line(event, form))

        if not following:
            tell()
            return DONE
        ended: tuple[Progress, ...] = ()
        looks = follow(
            provider, session.desired.project, {name: job}, settings.clock,
            every_seconds=session.service.poll_seconds,
        )  # fmt: skip
        for look in looks:
            ended = look
            tell()
            if settings.console.unread:
                return DONE
    return DONE if all(one.job.status == "succeeded" for one in ended) else FAILED


def _line(event: Event, form: str) -> str:
    if form == "json":
        document: dict[str, Any] = {
            "id": event.id,
            "created_at": event.created_at,
            "level": event.level,
            "message": event.message,
            "metrics": dict(event.metrics),
        }
        return json_in_log(json.dumps(document, sort_keys=True, ensure_ascii=False))
    when = datetime.fromtimestamp(event.created_at, tz=UTC)
    level, message = one_line(event.level), one_line(event.message)
    return f"{when:%Y-%m-%d %H:%M:%SZ}  {level:<5}  {message}"
