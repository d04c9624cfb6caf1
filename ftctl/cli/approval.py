"""Whether a plan may run: by its digest, or by a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ftctl.cli.console import Console
from ftctl.errors import FtctlError, Stale, UsageError
from ftctl.text.escape.lines import one_line


class NotApproved(FtctlError):
    """Somebody read the plan and said no."""


def is_digest(approved: str, digest: str) -> bool:
    """Whether somebody approved exactly the plan of this digest."""
    return approved.strip() in (digest, digest.removeprefix("sha256:"))


def stale(digest: str, moved: Sequence[str] = ()) -> Stale:
    """The refusal of a plan that is not what was approved, with what moved where that is known."""
    told = "".join(f"\n    {one_line(sentence)}" for sentence in moved)
    return Stale(
        f"what was approved is not what would run now: the plan above is {digest}{told}",
        "read it, and approve that digest if it is what you want",
    )


def ask(console: Console, digest: str, question: str) -> None:
    """Return if a person at the terminal says yes."""
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for approval",
            f"use --auto-approve, or approve exactly this plan with --approve {digest}",
        )
    console.note(f"\n{question} Only 'yes' is taken as one.")
    if click.prompt("Answer", default="no", show_default=False, err=True).strip() != "yes":
        raise NotApproved("not approved; nothing was done")
