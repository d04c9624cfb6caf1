"""A question in; whether a person at the terminal says yes out."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from ftctl.cli.console import Console
from ftctl.errors import FtctlError, UsageError
from ftctl.text.escape.single_line import one_line

if TYPE_CHECKING:
    from ftctl.engine.consents import AddressUse, CommandUse


class NotApproved(FtctlError):
    """Somebody read the plan and said no."""


def confirm_plan(console: Console, digest: str, question: str) -> None:
    """Return if a person at the terminal says yes to the plan of this digest."""
    confirm(
        console,
        question,
        f"use --auto-approve, or approve exactly this plan with --approve {digest}",
    )


def confirm(console: Console, question: str, otherwise: str) -> None:
    """Return if a person at the terminal says yes; `otherwise` is what to do without one."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for approval", otherwise)
    console.note(f"\n{question} Only 'yes' is taken as one.")
    if not _says_yes():
        raise NotApproved("not approved; nothing was done")


def confirm_use(console: Console, use: AddressUse | CommandUse) -> bool:
    """Whether a person at the terminal lets keys go to an address, or programs run."""
    from ftctl.engine.consents import AddressUse

    asked = _address_lines(use) if isinstance(use, AddressUse) else _command_lines(use)
    console.note("\n".join([*asked, "", "Only 'yes' is taken as one."]))
    return _says_yes()


def _address_lines(use: AddressUse) -> list[str]:
    return [
        "ftctl.yaml has this sent where you have not sent it before:",
        "",
        f"    address   {use.address}",
        *(f"    is sent   {one_line(name)}" for name in use.variables),
        *(f"    and       {one_line(text)}" for text in use.along),
        "",
        "Who runs that address can use it. Let it go there, now and later?",
    ]


def _command_lines(use: CommandUse) -> list[str]:
    return [
        f"ftctl.yaml has this run {use.purpose}, which you have not let run here before:",
        "",
        *(f"    {one_line(shlex.join(command))}" for command in use.commands),
        "",
        "A program can do what you can, and read your keys. Let it run, now and later?",
    ]


def _says_yes() -> bool:
    answer: str = click.prompt("Answer", default="no", show_default=False, err=True)
    return answer.strip() == "yes"
