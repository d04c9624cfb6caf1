"""`ftctl destroy`: everything of the project: cancels jobs, deletes models and files."""

from __future__ import annotations

import click

from ftctl.cli.approval import ask, is_digest, stale
from ftctl.cli.exits import DONE
from ftctl.cli.interrupts import interrupts
from ftctl.cli.locking import forget_models, protected_models, write_lock
from ftctl.cli.options import allow_option, force_destroy_option
from ftctl.cli.planning import (
    Asked,
    allowed,
    check_name,
    names_in,
)
from ftctl.cli.reviewing import review
from ftctl.cli.running import Running
from ftctl.cli.session import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.domain.plan import DeleteModel
from ftctl.domain.plan_document import plan_digest
from ftctl.planner import PlanOptions
from ftctl.planner.retention import make_destroy_plan
from ftctl.policy import raise_refused
from ftctl.reports.text import plan_text


@click.command("destroy")
@shared_options
@allow_option
@force_destroy_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--approve", "digest", metavar="DIGEST", help="Do exactly the plan with this digest.")
@click.option(
    "--select", multiple=True, metavar="NAME",
    help="Only this fine-tune, and files that nothing else uses.",
)  # fmt: skip
@click.pass_context
def destroy_command(
    context: click.Context,
    *,
    auto_approve: bool,
    digest: str | None,
    select: tuple[str, ...],
    allow: tuple[str, ...],
    force_destroy: bool,
) -> int:
    """Cancel jobs, delete models and files.

    Everything that carries this project's mark goes, but for promoted models; jobs remain as
    records.
    """
    settings = settings_of(context)
    console = settings.console
    wanted = Asked(names_in(select), allow=allowed(allow), force_destroy=force_destroy)
    session = open_session(settings)
    names = frozenset(wanted.select)
    with session.provider() as provider:
        observed = session.observe(provider)
        known = {one.name for one in session.desired.finetunes}
        known |= {job.finetune for job in observed.jobs if job.finetune}
        for name in names:
            check_name(name, known, "--select")
        plan = make_destroy_plan(
            session.desired.project,
            observed,
            session.info,
            names or None,
            {} if force_destroy else protected_models(session),
        )
        found = plan_digest(plan)
        reviewed = review(session, plan, observed, wanted, destroy=True)
        console.result(plan_text(reviewed, None, console.paint))
        raise_refused(reviewed.policy)
        if plan.empty:
            return DONE
        if digest is not None and not is_digest(digest, found):
            raise stale(found)
        if not auto_approve and digest is None:
            ask(console, found, "Destroy all of this? It cannot be undone.")
        with interrupts(console) as stop:
            status = Running(session, provider, PlanOptions(), stop).carry_out(plan, observed)
        write_lock(session, provider)
        if status == DONE:
            deleted = plan.steps(DeleteModel)
            forget_models(session, {one.model for one in deleted if isinstance(one, DeleteModel)})
        return status
