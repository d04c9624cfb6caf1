"""A diff in; text for a terminal out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.data.diff.diff_words import (
    kind_words,
    lines_text,
    notes,
    summary,
    tokens_line,
    value_text,
)
from ftctl.domain.row_diff import Compared, Pair


def diff_text(compared: Compared) -> str:
    """What `ftctl dataset diff` prints; texts of rows only where they are asked for."""
    diff = compared.diff
    lines = [
        f"{compared.before.name}: {diff.rows_before:,} rows",
        f"{compared.after.name}: {diff.rows_after:,} rows",
        "",
        f"Rows: {summary(compared)}.",
    ]
    if not diff.empty:
        lines += [f"Tokens: {tokens_line(compared)}.", *_details(compared)]
    note_lines = [f"Note: {note}." for note in notes(compared)]
    return "\n".join([*lines, *([""] if note_lines else []), *note_lines])


def _details(compared: Compared) -> Iterator[str]:
    diff = compared.diff
    if diff.removed:
        yield f"\n- removed: lines {lines_text(diff.removed)} before"
        if compared.show_text:
            yield from (f"    {one.line}: {value_text(one.row)}" for one in compared.removed)
    if diff.added:
        yield f"\n+ added: lines {lines_text(diff.added)} after"
        if compared.show_text:
            yield from (f"    {one.line}: {value_text(one.row)}" for one in compared.added)
    if diff.changed:
        yield "\n~ changed: line before → line after"
        for pair in compared.pairs:
            yield from _pair(pair, show_text=compared.show_text)
        if len(diff.changed) > len(compared.pairs):
            yield f"    … and {len(diff.changed) - len(compared.pairs):,} more"


def _pair(pair: Pair, *, show_text: bool) -> Iterator[str]:
    one = pair.changed
    places = ", ".join(place.place or "the row" for place in pair.places)
    yield f"    {one.before} → {one.after}: {kind_words(one)}: {places}"
    if show_text:
        for place in pair.places:
            yield f"        - {value_text(place.before)}"
            yield f"        + {value_text(place.after)}"
