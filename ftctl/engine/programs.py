"""Programs that ftctl.yaml names in; returned from where they may be run, or a refusal, out.

A program has the rights of whoever runs ftctl, and reads what the shell around it holds. So one
that this user has not let run in this project is asked about once, before anything is run.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from ftctl.engine.consents import CommandUse, remember, remembered
from ftctl.engine.context import RunContext
from ftctl.errors import Diagnostic, FtctlError, InvalidProject, Span

Place = Callable[[tuple[str, ...]], Span]


def require_commands(
    context: RunContext, commands: Iterable[tuple[str, ...]], purpose: str, place: Place
) -> None:
    """Return where these may be run, by what is known or what the user says.

    Not for settings that were reviewed: whoever gives a base has said so.
    """
    new = tuple(
        command
        for command in dict.fromkeys(commands)
        if command not in context.allowed_commands
        and not remembered(CommandUse((command,), purpose), context.root)
    )
    if not new:
        return
    if context.ask_command is None:
        raise InvalidProject([new_command(command, place(command)) for command in new])
    use = CommandUse(new, purpose)
    if not context.ask_command(use):
        raise FtctlError("nothing was run", "look at what ftctl.yaml has run, or take it out there")
    remember(use, context.root, context.today.isoformat())


def new_command(command: tuple[str, ...], place: Span) -> Diagnostic:
    """What to tell where a program would run for the first time, with nobody to ask."""
    words = shlex.join(command)
    message = f"ftctl.yaml has a program run that you have not let run here before: {words}"
    hint = (
        f"where that is right, add --allow-command {shlex.quote(words)}, or take the settings from"
        " a reviewed commit: --base REV; at a terminal you are asked once"
    )
    return Diagnostic("new-command", message, place, hint)
