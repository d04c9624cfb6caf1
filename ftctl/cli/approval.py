"""Whether a plan may run: by its digest, or by a person at a terminal."""

from __future__ import annotations

import sys

import click

from ftctl.cli.console import Console
from ftctl.errors import FtctlError, Stale, UsageError


class NotApproved(FtctlError):
    """Somebody read the plan and said no."""


def approve(console: Console, digest: str, approved: str | None, question: str) -> bool:
    """Return if the plan may run: True where a person was asked. Raises otherwise."""
    if approved is not None:
        if approved.strip() not in (digest, digest.removeprefix("sha256:")):
            raise Stale(
                f"what was approved is not what would run now: the plan above is {digest}",
                "read it, and approve that digest if it is what you want",
            )
        return False
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for approval",
            f"use --auto-approve, or approve exactly this plan with --approve {digest}",
        )
    console.note(f"\n{question} Only 'yes' is taken as one.")
    if click.prompt("Answer", default="no", show_default=False, err=True).strip() != "yes":
        raise NotApproved("not approved; nothing was done")
    return True
