"""`ftctl wait [NAME…]`: follows the jobs that run until they are over; begins nothing."""

from __future__ import annotations

import click

from ftctl.cli.durations import DURATION
from ftctl.cli.exit_codes import DONE, status_of_report
from ftctl.cli.interrupts import interrupts
from ftctl.cli.listening import guarded, workspace_of
from ftctl.cli.reporting import ReportFiles, report_option
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.domain.plan import Action, Report
from ftctl.engine.command_words import command_words
from ftctl.engine.context import RunContext
from ftctl.text.escape.single_line import one_line


@click.command("wait")
@shared_options
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--timeout", type=DURATION, help="How long to wait: 90s, 30m, 2h.")
@click.pass_context
@report_option("wait")
def wait_command(
    context: click.Context, names: tuple[str, ...], timeout: float | None, report_files: ReportFiles
) -> int:
    """Wait until the jobs that run are over.

    Of all fine-tunes, or of those that are named; NAME may be a pattern: 'tone-*'. Nothing is
    planned or begun: what waits for a parent's model is started by 'ftctl apply --wait'.
    """
    settings = settings_of(context)
    with (
        workspace_of(settings) as workspace,
        report_files.run(workspace),
        interrupts(settings.console) as stop,
    ):
        guarded(workspace.session(), settings)
        stop.leave_at_once = True
        report = workspace.wait_for(names, timeout)
        _say_how_it_ended(settings, workspace.context, report)
    return status_of_report(report)


def _say_how_it_ended(settings: Settings, context: RunContext, report: Report) -> None:
    changes = report.plan.changes if report.plan is not None else ()
    start = command_words(context, "apply", "--wait")
    for change in changes:
        if change.name in report.not_begun:
            settings.console.note(
                f"error: {one_line(change.name)}: there is no job to wait for\n"
                f"    hint: '{start}' begins what is to be begun"
            )
        elif change.action is Action.DEFER:
            settings.console.note(
                one_line(f"{change.name} is still to come, {change.reason}: '{start}' begins it")
            )
    for name, why in report.superseded.items():
        settings.console.result(one_line(f"{name}: {why}. It is not waited for any more."))
    if report.superseded and not report.ended:
        return
    if not report.ended and not report.not_begun and not report.failed:
        settings.console.result("No job runs: there is nothing to wait for.")
    elif status_of_report(report) == DONE:
        settings.console.advice("All there: 'ftctl output' prints the models' names.")
