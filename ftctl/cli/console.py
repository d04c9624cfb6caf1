"""Standard output and error: results on the one, everything else on the other."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import click

from ftctl.errors import redact


@dataclass(slots=True)
class Console:
    """Where text goes. What looks like a key does not get out, nor do `secrets` once known."""

    color: bool = False
    verbose: bool = False
    secrets: tuple[str, ...] = ()

    def result(self, text: str) -> None:
        """A result, on standard output."""
        click.echo(self.redacted(text), color=self.color)

    def note(self, text: str) -> None:
        """Anything else, on standard error."""
        click.echo(self.redacted(text), err=True, color=self.color)

    def hide(self, *secrets: str) -> None:
        """From now on, print these nowhere."""
        self.secrets = (*self.secrets, *secrets)

    def redacted(self, text: str) -> str:
        """The text without keys: for what is drawn on a screen instead of printed as lines."""
        return redact(text, self.secrets)

    def request(self, line: str) -> None:
        """A request to the service, where -v asks for them."""
        if self.verbose:
            self.note(f"> {line}")

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, on terminals that show it."""
        return click.style(text, fg=colour) if self.color else text


def wants_color(environ: Mapping[str, str], *, refused: bool) -> bool:
    """Whether to colour: on a terminal, unless the user or the environment says otherwise."""
    if refused or environ.get("NO_COLOR") or environ.get("CI") or environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()
