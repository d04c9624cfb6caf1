"""A command and what surrounds a run in; the line that a person pastes to go on out."""

from __future__ import annotations

import shlex

from ftctl.engine.context import RunContext


def command_words(context: RunContext, *words: str) -> str:
    """`ftctl --env prod wait tone`: for a hint, in the environment of the run."""
    environment = ("--env", context.environment) if context.environment else ()
    return shlex.join(("ftctl", *environment, *words))
