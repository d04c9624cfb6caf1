"""`ftctl destroy`: everything of the project: cancels jobs, deletes models and files."""

from __future__ import annotations

import click

from ftctl.cli.confirm import confirm_plan
from ftctl.cli.exit_codes import DONE, status_of_report
from ftctl.cli.interrupts import interrupts
from ftctl.cli.listening import guarded, workspace_of
from ftctl.cli.options import allow_option, force_destroy_option
from ftctl.cli.plan_options import exclude_option, request_from_options, select_option
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.plan_files import is_digest
from ftctl.engine.review import require_applicable, stale
from ftctl.reports.text import plan_text


@click.command("destroy")
@shared_options
@allow_option
@force_destroy_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--approve", "digest", metavar="DIGEST", help="Do exactly the plan with this digest.")
@select_option
@exclude_option
@click.pass_context
def destroy_command(
    context: click.Context,
    *,
    auto_approve: bool,
    digest: str | None,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    force_destroy: bool,
) -> int:
    """Cancel jobs, delete models and files.

    Everything that carries this project's mark goes, but for promoted models; jobs remain as
    records. Of some fine-tunes alone, files that others use stay. To stop a job that runs, and
    touch nothing else, there is 'ftctl cancel'.
    """
    settings = settings_of(context)
    console = settings.console
    request = request_from_options(
        select, allow=allow, force_destroy=force_destroy, exclude=exclude
    )
    with workspace_of(settings) as workspace:
        guarded(workspace.session(), settings)
        review = workspace.plan_destruction(request)
        console.result(plan_text(review, None, console.paint))
        require_applicable(review)
        if review.plan.empty:
            return DONE
        if digest is not None and not is_digest(digest, review.plan):
            raise stale(review.digest)
        if not auto_approve and digest is None:
            confirm_plan(console, review.digest, "Destroy all of this? It cannot be undone.")
        with interrupts(console) as stop:
            report = workspace.destroy(review, stopping=lambda: stop.asked)
    return status_of_report(report)
