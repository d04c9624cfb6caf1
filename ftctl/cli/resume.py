"""`ftctl resume NAME…`: lets paused jobs go on, and touches nothing else."""

from __future__ import annotations

import click

from ftctl.cli.listening import guarded, workspace_of
from ftctl.cli.running_jobs import show_running, show_steered
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import FtctlError


@click.command("resume")
@shared_options
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_context
def resume_command(context: click.Context, names: tuple[str, ...]) -> int:
    """Let paused jobs go on.

    Nothing is bought: the job that was paused trains on from where it stood. NAME may be a
    pattern: 'tone-*'.
    """
    settings = settings_of(context)
    with workspace_of(settings) as workspace:
        session = guarded(workspace.session(), settings)
        running = workspace.running(names, what="resume")
        show_running(settings, session, running)
        if not running.jobs:
            raise FtctlError("there is no job to resume", "'ftctl status' shows what there is")
        settings.console.result("")
        return show_steered(settings, workspace.resume(running.jobs), "", "resumed")
