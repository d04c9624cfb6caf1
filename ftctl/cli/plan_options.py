"""The options of a plan: declared for click, read into a request, and written out again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from ftctl.cli.settings import Settings
from ftctl.engine.planning import PlanRequest

F = TypeVar("F", bound=Callable[..., Any])


select_option = click.option(
    "--select", multiple=True, metavar="NAME",
    help="Only this fine-tune, or those of a pattern: 'tone-*'; may be repeated, or list names"
    " with commas.",
)  # fmt: skip
exclude_option = click.option(
    "--exclude", multiple=True, metavar="NAME",
    help="All but this fine-tune, or those of a pattern; may be repeated, or list names with"
    " commas.",
)  # fmt: skip


def plan_options(command: F) -> F:
    """Add the options that shape a plan."""
    for option in (
        click.option("--retry-failed", is_flag=True, help="Buy failed or cancelled jobs again."),
        click.option("--prune", is_flag=True, help="Clean up what left the manifests."),
        click.option(
            "--replace", multiple=True, metavar="NAME[=JOB]",
            help="Train NAME again although it is up to date; with =JOB only while that is newest.",
        ),
        click.option(
            "--changed", is_flag=True,
            help="With --base: only fine-tunes that differ from what they are there.",
        ),
        exclude_option,
        select_option,
    ):  # fmt: skip
        command = option(command)
    return command


def request_from_options(
    select: Iterable[str],
    replace: Iterable[str] = (),
    *,
    prune: bool = False,
    retry_failed: bool = False,
    allow: Iterable[str] = (),
    force_destroy: bool = False,
    exclude: Iterable[str] = (),
    changed: bool = False,
) -> PlanRequest:
    """The request of a command line, lists with commas taken apart."""
    return PlanRequest(
        names_in(select) or None,
        names_in(replace),
        prune,
        retry_failed,
        frozenset(names_in(allow)),
        force_destroy,
        exclude=names_in(exclude),
        changed=changed,
    )


def names_in(values: Iterable[str]) -> tuple[str, ...]:
    """The names in values that may each list several with commas."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def apply_words(settings: Settings, request: PlanRequest) -> str:
    """The command line that applies a plan made with these options."""
    words = ["ftctl"]
    words += [] if settings.folder == Path() else ["-C", str(settings.folder)]
    words += ["--env", settings.environment] if settings.environment else []
    words += [word for url in settings.allow_addresses for word in ("--allow-address", url)]
    words += [word for text in settings.allow_commands for word in ("--allow-command", text)]
    words.append("apply")
    words += [word for name in request.select or () for word in ("--select", name)]
    words += [word for name in request.exclude for word in ("--exclude", name)]
    words += ["--changed"] if request.changed else []
    words += [word for name in request.replace for word in ("--replace", name)]
    words += ["--prune"] if request.prune else []
    words += ["--retry-failed"] if request.retry_failed else []
    words += ["--force-destroy"] if request.force_destroy else []
    words += ["--base", settings.base] if settings.base else []
    words += [word for name in sorted(request.allow) for word in ("--allow", name)]
    return shlex.join(words)
