"""Progress on the screen: rewritten in place on a terminal, one line per news elsewhere."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from typing import Protocol

import click

from ftctl.cli.console import Console
from ftctl.cli.settings import Settings
from ftctl.domain.observed import Progress
from ftctl.reports.text import progress_text

_NEWS_EVERY = 0.1  # of a job's steps, where each line stays on the screen


class Screen(Protocol):
    """Where progress is shown."""

    def show(self, progress: tuple[Progress, ...]) -> None:
        """Show how far jobs have come."""

    def tell(self, line: str) -> None:
        """Say something that stays."""


def screen_for(settings: Settings) -> Screen:
    """The screen that suits where standard output goes."""
    console, environ = settings.console, settings.environ
    dumb = environ.get("CI") or environ.get("TERM", "dumb") == "dumb"
    return _Terminal(console) if sys.stdout.isatty() and not dumb else _Lines(console)


class _Terminal:
    """One line for each job, written over at each look."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.names: tuple[str, ...] = ()
        self.height = 0

    def show(self, progress: tuple[Progress, ...]) -> None:
        names = tuple(one.name for one in progress)
        if names != self.names:  # the lines of those that are over stay where they are
            self.names, self.height = names, 0
        columns = shutil.get_terminal_size().columns
        told = (self.console.redacted(progress_text(one)) for one in progress)
        lines = [_within(line, columns - 1) for line in told]
        up = f"\x1b[{self.height}A" if self.height else ""
        text = up + "\n".join(f"\x1b[2K{line}" for line in lines)
        self.console.draw(text)
        self.height = len(lines)

    def tell(self, line: str) -> None:
        self.height = 0
        self.console.result(line)


def _within(line: str, columns: int) -> str:
    """As much of a line as fits: one that went on below would be drawn over in part alone."""
    if line.isascii():
        return line[:columns]
    taken = 0
    for at, character in enumerate(line):
        wide = unicodedata.east_asian_width(character) in "WF"
        taken += 0 if unicodedata.combining(character) else 2 if wide else 1
        if taken > columns:
            return line[:at]
    return line


class _Lines:
    """A line whenever a job has news: another status, or a good part of its steps."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.told: dict[str, tuple[str, float]] = {}

    def show(self, progress: tuple[Progress, ...]) -> None:
        for one in progress:
            part = (one.step or 0) / (one.total_steps or 1)
            status, before = self.told.get(one.name, ("", -1.0))
            if one.job.status != status or part - before >= _NEWS_EVERY:
                self.told[one.name] = (one.job.status, part)
                self.console.result(progress_text(one))

    def tell(self, line: str) -> None:
        self.console.result(line)


def clear(console: Console) -> None:
    """Start again at the top of the screen, where there is one."""
    if console.color and sys.stdout.isatty():
        click.clear()
