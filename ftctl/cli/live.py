"""Progress on the screen: rewritten in place on a terminal, one line per news elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

import click

from ftctl.cli.console import Console
from ftctl.cli.session import Session
from ftctl.provider import Provider
from ftctl.render.text import progress_text
from ftctl.wait import Progress, follow

_NEWS_EVERY = 0.1  # of a job's steps, where each line stays on the screen


def watch(
    session: Session,
    provider: Provider,
    jobs: Mapping[str, str],
    timeout_seconds: float | None = None,
) -> tuple[Progress, ...]:
    """Show jobs (name → id) until each is over; how they ended. Raises `WaitTimeout`."""
    console = session.settings.console
    screen = _Terminal(console) if _is_terminal(session) else _Lines(console)
    latest: tuple[Progress, ...] = ()
    looks = follow(
        provider,
        session.desired.project,
        jobs,
        session.settings.clock,
        every_seconds=session.service.poll_seconds,
        timeout_seconds=timeout_seconds,
    )
    for latest in looks:
        screen.show(latest)
    return latest


def _is_terminal(session: Session) -> bool:
    environ = session.settings.environ
    dumb = environ.get("CI") or environ.get("TERM", "dumb") == "dumb"
    return sys.stdout.isatty() and not dumb


class _Terminal:
    """One line for each job, written over at each look."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.height = 0

    def show(self, progress: tuple[Progress, ...]) -> None:
        columns = shutil.get_terminal_size().columns
        lines = [progress_text(one)[: columns - 1] for one in progress]
        up = f"\x1b[{self.height}A" if self.height else ""
        text = up + "\n".join(f"\x1b[2K{line}" for line in lines)
        click.echo(text, color=True)
        self.height = len(lines)


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


def clear(console: Console) -> None:
    """Start again at the top of the screen, where there is one."""
    if console.color and sys.stdout.isatty():
        click.clear()
