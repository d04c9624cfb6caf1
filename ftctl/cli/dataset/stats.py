"""`ftctl dataset stats`: what a data file holds, and what training on it takes."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from ftctl.catalog import load_catalog
from ftctl.cli.dataset.printing import json_text
from ftctl.cli.dataset.text_encoding import encoding_option
from ftctl.cli.dataset.writing import FORCE, refuse_to_overwrite, write_file
from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.data.scanning import RowFile
from ftctl.data.stats import (
    BaseModel,
    Collector,
    Price,
    Statistics,
    histogram_svg,
    prices,
    statistics_document,
    statistics_text,
)
from ftctl.data.tokens import encoding_for

_BY_SUFFIX = {".json": "json", ".svg": "svg"}


@click.command(
    "stats",
    epilog="Example: ftctl dataset stats data/train.jsonl --model gpt-4.1-mini-2025-04-14",
)
@shared_options
@click.argument("file", metavar="FILE", type=click.Path())
@click.option(
    "--model", metavar="BASE", help="Count for this base model.  [default: the gpt-4.1 family]"
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "svg"]),
    help="How to print them; svg: the histogram.  [default: by --out's ending, else text]",
)  # fmt: skip
@click.option("--out", metavar="PATH", type=click.Path(), help="Write them to a file instead.")
@encoding_option("FILE")
@click.option("--force", is_flag=True, help=FORCE)
@click.option("--show-text", is_flag=True, help="Show answers that repeat, whatever their length.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII alone.")
@click.pass_context
def stats_command(
    context: click.Context,
    file: str,
    model: str | None,
    form: str | None,
    out: str | None,
    encoding: str | None,
    force: bool,
    show_text: bool,
    ascii_only: bool,
) -> int:
    """Show what a data file holds, and what training on it takes.

    Answers that repeat are shown with their share if they are at most 40 characters long, as
    labels are. Of any other text only lengths are told.
    """
    settings = settings_of(context)
    if out is not None:
        refuse_to_overwrite(settings.folder / out, out, force=force)
    found = collect(
        settings.folder / file, file, BaseModel.about(model), encoding, show_text=show_text
    )
    form = form or _BY_SUFFIX.get(Path(out or "").suffix.lower(), "text")
    today = datetime.fromtimestamp(settings.clock.now(), tz=UTC).date()
    text = _printed(
        found, form, today, ascii_only=ascii_only or (out is None and not _shows_blocks())
    )
    if out is None:
        settings.console.result(text)
    else:
        write_file(settings.folder / out, out, f"{text}\n".encode(), force=force)
        settings.console.note(f"Wrote {out}.")
    return DONE


def collect(
    path: Path, shown: str, base: BaseModel, encoding: str | None = None, *, show_text: bool = False
) -> Statistics:
    """The statistics of a file, in one pass."""
    source = RowFile(path, shown, encoding, samples=True)
    collector = Collector(base, show_text=show_text)
    for _, row in source.rows():
        collector.add(row)
    return collector.statistics(shown, source.sha256, source.bytes, source.unreadable)


def _printed(found: Statistics, form: str, today: date, *, ascii_only: bool) -> str:
    priced, since = _priced(found, today)
    match form:
        case "json":
            return json_text(statistics_document(found, priced))
        case "svg":
            return histogram_svg(found)
        case _:
            text = statistics_text(found, priced, ascii_only=ascii_only)
            return f"{text}\n\n{since}" if priced else text


def _priced(found: Statistics, today: date) -> tuple[tuple[Price, ...], str]:
    """What training takes at OpenAI by today's table, and how old the table is."""
    catalog = load_catalog()
    known = catalog.training_prices("openai", today)
    if known is None or found.training is None:
        return (), ""
    model = found.base.model
    snapshot = None if model is None else catalog.facts("openai", model).name
    table = {
        name: price
        for name, price in known.of(snapshot).items()
        if encoding_for(name) == found.base.encoding
    }
    since = (
        f"Prices are OpenAI's of {known.as_of}, for the tokens above; check them before you buy."
    )
    return prices(found.training.low, found.training.high, table), since


def _shows_blocks() -> bool:
    """Whether standard output takes the characters that bars are drawn with."""
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
