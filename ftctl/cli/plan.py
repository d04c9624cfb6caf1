"""`ftctl plan`: what would change and why; writes nothing at the service."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

from ftctl.cli.exit_codes import CHANGES, DONE
from ftctl.cli.listening import guarded, show_warnings, tell_unkept, workspace_of
from ftctl.cli.options import allow_option, base_option, force_destroy_option
from ftctl.cli.plan_options import apply_words, plan_options, request_from_options
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.domain.observed import Observed
from ftctl.domain.plan_document import plan_document, plan_json
from ftctl.domain.review import Review
from ftctl.domain.snapshot import observed_document
from ftctl.engine.plan_files import keep_plan, read_snapshot, write_file
from ftctl.errors import UsageError
from ftctl.policy import raise_refused
from ftctl.reports.text import plan_text

_FILE = click.Path(path_type=Path, dir_okay=False)
_FORMS = {".md": "markdown", ".html": "html"}  # what a file's name says of its form
_COMMIT = re.compile("(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})")


@click.command("plan")
@shared_options
@plan_options
@allow_option
@force_destroy_option
@base_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown", "html"]), default="text",
    help="How to print the plan; markdown: for a comment on a pull request.",
)  # fmt: skip
@click.option(
    "--out", type=_FILE, metavar="FILE", multiple=True,
    help="Write the plan as JSON too: 'ftctl apply FILE' does exactly that. A name that ends with"
    " .md or .html has that form instead; may be repeated.",
)  # fmt: skip
@click.option(
    "--commit", metavar="SHA",
    help="The commit that is planned, to be shown in Markdown and HTML: 40 or 64 hexadecimal"
    " digits.  [default: the one that is checked out]",
)  # fmt: skip
@click.option(
    "--approved-by", type=click.Choice(["command", "merge"]), default="command", show_default=True,
    help="What Markdown and HTML say of how to approve the plan.",
)  # fmt: skip
@click.option(
    "--offline", is_flag=True,
    help="Ask no service: plan against what ftctl.lock says there is.",
)  # fmt: skip
@click.option(
    "--observed", type=_FILE, metavar="FILE",
    help="Ask no service: plan against what --record wrote.",
)  # fmt: skip
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there are changes, 0 if there are none.",
)
@click.option(
    "--show-text", is_flag=True,
    help="With --base: show rows that differ, with keys and personal data taken out.",
)  # fmt: skip
@click.option(
    "--record", type=_FILE, metavar="FILE",
    help="Write what was observed at the service, for a bug report.",
)  # fmt: skip
@click.pass_context
def plan_command(
    context: click.Context,
    *,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    changed: bool,
    replace: tuple[str, ...],
    prune: bool,
    retry_failed: bool,
    allow: tuple[str, ...],
    force_destroy: bool,
    form: str,
    out: tuple[Path, ...],
    commit: str | None,
    approved_by: str,
    offline: bool,
    detailed_exitcode: bool,
    show_text: bool,
    record: Path | None,
    observed: Path | None,
) -> int:
    """Show what would change, why, and what it costs.

    Changes nothing at the service. A plan that the project's policy stands against is shown, and
    ends with exit status 3.
    """
    settings = settings_of(context)
    request = request_from_options(
        select, replace, prune=prune, retry_failed=retry_failed, allow=allow,
        force_destroy=force_destroy, exclude=exclude, changed=changed,
    )  # fmt: skip
    if show_text and settings.base is None:
        raise UsageError("--show-text shows rows that differ from a base", "add --base REV")
    if observed is not None and offline:
        raise UsageError("--observed and --offline are two things to plan against", "leave one out")
    if commit is not None and _COMMIT.fullmatch(commit) is None:
        raise UsageError(
            "--commit takes the whole hash of a commit", "'git rev-parse HEAD' prints one"
        )
    snapshot = None if observed is None else read_snapshot(settings.folder / observed)
    with workspace_of(settings) as workspace:
        show_warnings(guarded(workspace.session(), settings), settings)
        try:
            review = workspace.plan(
                request, observed=snapshot, offline=offline, show_text=show_text
            )
        finally:
            if record is not None:  # also where no plan can be made: that is what it is for
                _record(settings.folder / record, workspace.observed)
    if observed is not None:
        review = dataclasses.replace(review, snapshot=str(observed))
    document = cache(lambda: plan_document(review))  # large, and seldom asked for
    command = apply_words(settings, request)
    texts = cache(
        lambda form: _text(
            settings, review, command, form, document,
            by_merging=approved_by == "merge", commit=commit.lower() if commit else None,
        )
    )  # fmt: skip
    for path in out:
        written = _FORMS.get(path.suffix.lower(), "json")
        text = plan_json(document()) if written == "json" else _written(settings, texts(written))
        write_file(settings.folder / path, text)
    if not (review.offline or review.plan.empty):
        tell_unkept(settings, keep_plan(settings.folder, document()))
    settings.console.result(texts(form))
    raise_refused(review.policy)
    return CHANGES if detailed_exitcode and review.plan.has_changes else DONE


def _record(path: Path, observed: Observed | None) -> None:
    if observed is not None:
        text = json.dumps(observed_document(observed), indent=2, sort_keys=True)
        write_file(path, f"{text}\n")


def _written(settings: Settings, text: str) -> str:
    """A text as it stands in a file: what is printed."""
    return f"{settings.console.harmless(text)}\n"


def _text(
    settings: Settings,
    review: Review,
    command: str,
    form: str,
    document: Callable[[], Mapping[str, Any]],
    *,
    by_merging: bool,
    commit: str | None,
) -> str:
    match form:
        case "json":
            return plan_json(document()).rstrip("\n")
        case "markdown":
            from ftctl.reports.markdown import plan_markdown

            return plan_markdown(
                review, environment=settings.environment, command=command, by_merging=by_merging,
                commit=commit,
            )  # fmt: skip
        case "html":
            from ftctl.reports.html import plan_html

            return plan_html(review, command=command, by_merging=by_merging, commit=commit)
        case _:
            return plan_text(review, command, settings.console.paint)
