"""The options that every command shares, and what surrounds a run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ftctl.cli.console import Console, wants_color
from ftctl.clock import Clock, SystemClock
from ftctl.text.escape.single_line import one_line

if TYPE_CHECKING:
    from ftctl.engine.context import Wire

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Settings:
    """Clock, environment and the shared options of one run."""

    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    folder: Path = field(default_factory=Path)
    directory: Path | None = None  # of -C, as it was given
    environment: str | None = None
    base: str | None = None  # the git revision that a change goes to
    color: bool = True
    allow_addresses: list[str] = field(default_factory=list)
    allow_commands: list[str] = field(default_factory=list)
    wire: Wire | None = None  # stands between ftctl and the embedded API: tests put faults there
    console: Console = field(default_factory=Console)

    def settle(self) -> None:
        """Make the console fit the options read so far."""
        self.console.color = wants_color(self.environ, refused=not self.color)
        words = ["ftctl"] if self.directory is None else ["ftctl", "-C", str(self.directory)]
        words += ["--env", self.environment] if self.environment else []
        self.console.program = one_line(shlex.join(words))


def _directory(context: click.Context, _option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        settings = context.ensure_object(Settings)
        # As if started there: a path after the command counts from the one before it.
        settings.folder = settings.folder / value
        here = (settings.directory or Path()) / value
        settings.directory = None if here == Path() else here


def _environment(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Settings).environment = value


def _allow_addresses(
    context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> None:
    context.ensure_object(Settings).allow_addresses.extend(values)


def _allow_commands(
    context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> None:
    context.ensure_object(Settings).allow_commands.extend(values)


def _verbose(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Settings).console.verbose = True


def _no_color(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Settings).color = False


def shared_options(command: F) -> F:
    """Add the options that may stand before or after a command's name."""
    for option in (
        click.option(
            "--no-color", is_flag=True, expose_value=False, callback=_no_color, is_eager=True,
            help="No colours (also: NO_COLOR, CI).",
        ),
        click.option(
            "-v", "--verbose", is_flag=True, expose_value=False, callback=_verbose, is_eager=True,
            help="Show what is asked of the service.",
        ),
        click.option(
            "--allow-command", multiple=True, metavar="COMMAND", expose_value=False,
            callback=_allow_commands, is_eager=True,
            help="Let this program of ftctl.yaml run, with its arguments; may be repeated.",
        ),
        click.option(
            "--allow-address", multiple=True, metavar="URL", expose_value=False,
            callback=_allow_addresses, is_eager=True,
            help="Let keys go to this address of ftctl.yaml, and below it; may be repeated.",
        ),
        click.option(
            "--env", "environment", metavar="NAME", expose_value=False, callback=_environment,
            is_eager=True, help="Use one of ftctl.yaml's environments.",
        ),
        click.option(
            "-C", "directory", metavar="DIR", expose_value=False, callback=_directory,
            is_eager=True, type=click.Path(path_type=Path), help="Run as if started in DIR.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def settings_of(context: click.Context) -> Settings:
    """The settings of a run, once all options are read."""
    settings = context.ensure_object(Settings)
    settings.settle()
    return settings
