"""A command and what surrounds a run in; the line that a person pastes to go on out."""

from __future__ import annotations

import shlex

from ftctl.engine.context import RunContext


def command_words(context: RunContext, *words: str) -> str:
    """`ftctl -C app --env prod wait tone`: for a hint, in the folder and environment of the run."""
    directory = ("-C", context.directory) if context.directory else ()
    environment = ("--env", context.environment) if context.environment else ()
    return shlex.join(("ftctl", *directory, *environment, *words))


def project_command(context: RunContext, *words: str) -> str:
    """The same for a command that is the same in every environment."""
    directory = ("-C", context.directory) if context.directory else ()
    return shlex.join(("ftctl", *directory, *words))
