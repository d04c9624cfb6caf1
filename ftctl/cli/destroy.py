"""`ftctl destroy`: everything of the project: cancels jobs, deletes models and files."""

from __future__ import annotations

import click

from ftctl.cleanup import make_destroy_plan
from ftctl.cli.approval import approve
from ftctl.cli.exits import DONE
from ftctl.cli.interrupts import interrupts
from ftctl.cli.planning import check_name
from ftctl.cli.running import Running
from ftctl.cli.session import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.limits import check_limits
from ftctl.plan import PlanOptions
from ftctl.render.plan_json import plan_digest
from ftctl.render.text import plan_text


@click.command("destroy")
@shared_options
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--approve", "digest", metavar="DIGEST", help="Do exactly the plan with this digest.")
@click.option(
    "--select", multiple=True, metavar="NAME",
    help="Only this fine-tune, and files that nothing else uses.",
)  # fmt: skip
@click.pass_context
def destroy_command(
    context: click.Context, auto_approve: bool, digest: str | None, select: tuple[str, ...]
) -> int:
    """Cancel jobs, delete models and files.

    Everything that carries this project's mark goes; jobs remain as records.
    """
    settings = settings_of(context)
    console = settings.console
    session = open_session(settings)
    names = frozenset(name for value in select for name in value.split(",") if name)
    with session.provider() as provider:
        observed = session.observe(provider)
        known = {one.name for one in session.desired.finetunes}
        known |= {job.finetune for job in observed.jobs if job.finetune}
        for name in names:
            check_name(name, known, "--select")
        plan = make_destroy_plan(session.desired.project, observed, session.info, names or None)
        found = plan_digest(plan)
        console.result(plan_text(plan, found, None, console.paint))
        check_limits(plan, session.project.config.policy)
        if plan.empty:
            return DONE
        if not auto_approve:
            approve(console, found, digest, "Destroy all of this? It cannot be undone.")
        with interrupts(console) as stop:
            return Running(session, provider, PlanOptions(), stop).carry_out(plan, observed)
