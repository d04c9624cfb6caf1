"""A question in; whether a person at the terminal says yes out."""

from __future__ import annotations

import sys

import click

from ftctl.cli.console import Console
from ftctl.errors import FtctlError, UsageError


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
    if click.prompt("Answer", default="no", show_default=False, err=True).strip() != "yes":
        raise NotApproved("not approved; nothing was done")
