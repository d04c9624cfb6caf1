"""`ftctl dataset diff`: which rows differ between two data files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ftctl.cli.dataset.printing import json_text
from ftctl.cli.dataset.revisions import open_side
from ftctl.cli.dataset.rowfile import Row, RowFile
from ftctl.cli.exits import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.data.diff import diff_document, diff_markdown, diff_rows, diff_text, differences
from ftctl.data.stats import BaseModel, TokensOfRow
from ftctl.domain.row_diff import Compared, Pair, RowDiff, Shown, Side

MOST_DETAILED = 20  # rows of a kind that are shown one by one


@click.command("diff", epilog="Example: ftctl dataset diff main:data/train.jsonl data/train.jsonl")
@shared_options
@click.argument("before", metavar="BEFORE", type=click.Path())
@click.argument("after", metavar="AFTER", type=click.Path())
@click.option(
    "--model", metavar="BASE", help="Count for this base model.  [default: the gpt-4.1 family]"
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text",
    help="How to print it; markdown: for a comment on a pull request.",
)  # fmt: skip
@click.option("--show-text", is_flag=True, help="Show the text of rows that differ.")
@click.pass_context
def diff_command(
    context: click.Context, before: str, after: str, model: str | None, form: str, show_text: bool
) -> int:
    """Show which rows differ between two data files.

    Rows are compared by content, whatever their order and spelling. Two rows that ask the same and
    answer differently, or are nearly equal, count as one that changed. Each of BEFORE and AFTER is
    a file, or REVISION:FILE for what git has.
    """
    settings = settings_of(context)
    with TemporaryDirectory(prefix="ftctl-") as scratch:
        old = open_side(before, settings.folder, Path(scratch, "before"))
        new = open_side(after, settings.folder, Path(scratch, "after"))
        compared = compare(old, new, BaseModel.about(model), show_text=show_text)
    match form:
        case "json":
            text = json_text(diff_document(compared))
        case "markdown":
            text = diff_markdown(compared)
        case _:
            text = diff_text(compared)
    settings.console.result(text)
    return DONE


def compare(old: RowFile, new: RowFile, base: BaseModel, *, show_text: bool) -> Compared:
    """The diff of two files, with the first few rows of each kind in detail."""
    diff = diff_rows(old.rows, new.rows, TokensOfRow(base))
    gone, come = diff.removed[:MOST_DETAILED], diff.added[:MOST_DETAILED]
    return Compared(
        Side(old.shown, old.unreadable),
        Side(new.shown, new.unreadable),
        diff,
        base.encoding,
        _pairs(diff, old, new),
        _shown(old, gone) if show_text else (),
        _shown(new, come) if show_text else (),
        show_text,
    )


def _pairs(diff: RowDiff, old: RowFile, new: RowFile) -> tuple[Pair, ...]:
    changed = diff.changed[:MOST_DETAILED]
    before = _rows_on(old, [one.before for one in changed])
    after = _rows_on(new, [one.after for one in changed])
    return tuple(
        Pair(one, differences(before[one.before], after[one.after]))
        for one in changed
        if one.before in before and one.after in after  # else the file changes under our eyes
    )


def _shown(side: RowFile, lines: Sequence[int]) -> tuple[Shown, ...]:
    return tuple(Shown(line, row) for line, row in _rows_on(side, lines).items())


def _rows_on(side: RowFile, lines: Sequence[int]) -> dict[int, Row]:
    return dict(side.rows(frozenset(lines))) if lines else {}
