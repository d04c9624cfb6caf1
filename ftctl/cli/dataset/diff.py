"""`ftctl dataset diff`: which rows differ between two data files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ftctl.cli.dataset.printing import json_text
from ftctl.cli.dataset.revisions import open_side
from ftctl.cli.dataset.text_encoding import encoding_option
from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.data.diff import compare_files, diff_document, diff_markdown, diff_text
from ftctl.data.stats import BaseModel


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
@encoding_option("files that are not UTF-8")
@click.option("--show-text", is_flag=True, help="Show the text of rows that differ.")
@click.pass_context
def diff_command(
    context: click.Context,
    before: str,
    after: str,
    model: str | None,
    form: str,
    encoding: str | None,
    show_text: bool,
) -> int:
    """Show which rows differ between two data files.

    Rows are compared by content, whatever their order and spelling. Two rows that ask the same and
    answer differently, or are nearly equal, count as one that changed. Each of BEFORE and AFTER is
    a file, or REVISION:FILE for what git has.
    """
    settings = settings_of(context)
    with TemporaryDirectory(prefix="ftctl-") as scratch:
        old = open_side(before, settings.folder, Path(scratch, "before"), encoding)
        new = open_side(after, settings.folder, Path(scratch, "after"), encoding)
        compared = compare_files(old, new, BaseModel.about(model), show_text=show_text)
    match form:
        case "json":
            text = json_text(diff_document(compared))
        case "markdown":
            text = diff_markdown(compared)
        case _:
            text = diff_text(compared)
    settings.console.result(text)
    return DONE
