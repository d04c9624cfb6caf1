"""Standard output and error: results on the one, everything else on the other.

Whoever reads may go away (`ftctl plan | head -1`), and a disk may be full. Neither ends a run that
buys: what is begun is carried to its end and recorded, and only the words are lost.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

import click

from ftctl.errors import redact
from ftctl.text.escape.single_line import harmless_lines

_OUR_COMMANDS = re.compile("'ftctl (?!-)")  # in our own words, as if nothing surrounded the run
_COLOURS = re.compile("(\x1b\\[(?:3[1-7]|0)m)")  # as `click.style` writes them


@dataclass(slots=True)
class Console:
    """Where text goes. What looks like a key does not get out, nor do `secrets` once known.

    Nor does what would steer a terminal or a log's reader: who prints words of others has put them
    on one line before, and this is the second wall.
    """

    color: bool = False
    verbose: bool = False
    secrets: tuple[str, ...] = ()
    unread: bool = False  # nobody reads the results any more: who prints for ever may end
    program: str = "ftctl"  # as it is typed here, with the folder and environment of the run
    lost: str | None = None  # why results could not be written, where somebody wanted them

    def result(self, text: str) -> None:
        """A result, on standard output."""
        self._write(self.harmless(text), color=self.color)

    def advice(self, text: str) -> None:
        """A result of ours alone that names commands to be typed."""
        self.result(self._as_typed(text))

    def _as_typed(self, text: str) -> str:
        """The text with commands that can be pasted: where and for what this run is."""
        return _OUR_COMMANDS.sub(lambda _found: f"'{self.program} ", text)

    def commands(self, text: str) -> None:
        """A result whose lines the runner of a workflow is to obey."""
        self._write(self.redacted(text), color=False)

    def key(self, text: str) -> None:
        """A key, on standard output, for the program that asked for it."""
        self._write(text, color=False)

    def draw(self, text: str) -> None:
        """Something that steers a terminal, on standard output."""
        self._write(text, color=True)

    def note(self, text: str) -> None:
        """Anything else, on standard error."""
        try:
            click.echo(self.harmless(self._as_typed(text)), err=True, color=self.color)
        except OSError:
            let_go(sys.stderr)

    def _write(self, text: str, *, color: bool) -> None:
        if self.unread:
            return
        try:
            click.echo(text, color=color)
        except OSError as fault:
            self.unread = True
            if not isinstance(fault, BrokenPipeError):
                self.lost = fault.strerror or type(fault).__name__
            let_go(sys.stdout)

    def hide(self, *secrets: str) -> None:
        """From now on, print these nowhere."""
        self.secrets = (*self.secrets, *secrets)

    def redacted(self, text: str) -> str:
        """The text without keys: for what is drawn on a screen instead of printed as lines."""
        return redact(text, self.secrets)

    def harmless(self, text: str) -> str:
        """The text as it is printed: without keys, and with no colours but those of `paint`."""
        redacted = self.redacted(text)
        if not self.color:
            return harmless_lines(redacted)
        parts = _COLOURS.split(redacted)
        return "".join(part if at % 2 else harmless_lines(part) for at, part in enumerate(parts))

    def request(self, line: str) -> None:
        """A request to the service, where -v asks for them."""
        if self.verbose:
            self.note(f"> {line}")

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, on terminals that show it."""
        return click.style(text, fg=colour) if self.color else text


def let_go(stream: TextIO) -> None:
    """What is left to be flushed at the end must not complain about it again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def wants_color(environ: Mapping[str, str], *, refused: bool) -> bool:
    """Whether to colour: on a terminal, unless the user or the environment says otherwise."""
    if refused or environ.get("NO_COLOR") or environ.get("CI") or environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()
