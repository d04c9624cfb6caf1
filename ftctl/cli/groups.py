"""A command that only leads to others: each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword

import click

Listed = Mapping[str, str]  # name -> what it does in short


class LazyGroup(click.Group):
    """Commands by name from the modules of a package, each as `NAME_command` in `NAME`
    (in `NAME_command` where the name is a word of Python's own).

    What each does in short is given here so that `--help` need not import them all.
    """

    def __init__(
        self, *args: object, package: str = "", listed: Listed | None = None, **settings: object
    ) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self.package = package
        self.listed = listed or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.listed:
            return None
        name = f"{cmd_name}_command" if iskeyword(cmd_name) else cmd_name
        module = import_module(f"{self.package}.{name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(self.listed.items()))
