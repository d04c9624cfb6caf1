"""How a program of `policy.commands` ended in; the Violation that it is, if any, out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from ftctl.domain.review import Violation
from ftctl.errors import redact
from ftctl.text.escape import one_line, short

COMMANDS = "commands"  # the key below `policy`

_LONGEST_OUTPUT = 2_000  # characters that are told
_LONGEST_READ = 50_000  # characters that are looked at
_LONGEST_COMMAND = 200
_STEERING = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")  # terminals


def command_violation(command: Sequence[str], status: int | None, output: str) -> Violation | None:
    """The refusal of a program, with its words; None where it ended with 0.

    A status of None says that it did not end by itself, and `output` then why.
    """
    if status == 0:
        return None
    name = short(one_line(shlex.join(command)), _LONGEST_COMMAND)
    words = _words(output)
    if status is None:
        message = f"'{name}' gave no verdict on the plan"
        cure = "mend it or take it out of policy.commands in ftctl.yaml"
    else:
        how = f"status {status}" if status > 0 else f"signal {-status}"
        message = f"'{name}' refused the plan with {how}"
        cure = "mend what it names, take it out of policy.commands in ftctl.yaml"
    hint = f"{cure}, or pass --allow {COMMANDS}"
    return Violation(COMMANDS, "refused", f"{message}: {words}" if words else message, hint)


def _words(output: str) -> str:
    """What a program wrote, on one line: a second one could be a command to a CI runner."""
    lines = _STEERING.sub("", output[:_LONGEST_READ]).splitlines()
    said = "; ".join(text for line in lines if (text := one_line(line)))
    return short(redact(said), _LONGEST_OUTPUT)
