"""`ftctl cancel NAME…`: stops the jobs that run, and touches nothing else."""

from __future__ import annotations

import click

from ftctl.cli.confirm import confirm
from ftctl.cli.exit_codes import DONE
from ftctl.cli.listening import guarded, workspace_of
from ftctl.cli.running_jobs import names_of, show_running, show_steered
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.command_words import command_words
from ftctl.text.format import plural


@click.command("cancel")
@shared_options
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.pass_context
def cancel_command(context: click.Context, names: tuple[str, ...], auto_approve: bool) -> int:
    """Stop running jobs, and touch nothing else.

    Models and files stay, those of earlier jobs too. What a job has cost until then stays paid,
    and is told. NAME may be a pattern: 'tone-*'.
    """
    settings = settings_of(context)
    console = settings.console
    with workspace_of(settings) as workspace:
        session = guarded(workspace.session(), settings)
        running = workspace.running(names, what="cancel")
        show_running(settings, session, running)
        if not running.jobs:
            return DONE
        if not auto_approve:
            jobs = plural(len(running.jobs), "job")
            confirm(console, f"Cancel {jobs}? It cannot be undone.", "use --auto-approve")
        console.result("")
        results = workspace.cancel(running.jobs)
        status = show_steered(settings, results, "cancelled", "cancelled")
        bought_again = names_of(
            one.before
            for one in results
            if one.before.current and one.after is not None and one.after.status == "cancelled"
        )
        if bought_again:
            words = ("apply", "--retry-failed", "--select", ",".join(bought_again))
            console.result(
                "An apply leaves a cancelled job as it is:"
                f" '{command_words(workspace.context, *words)}' buys it again."
            )
    return status
