"""A diff in; Markdown for a pull request's comment out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ftctl.rowdiff.compared import (
    Compared,
    Pair,
    kind_words,
    lines_text,
    notes,
    summary,
    tokens_line,
    value_text,
)

_MARKS = frozenset("\\|`*_[]~$")  # what begins a mark in the middle of a line


def diff_markdown(compared: Compared) -> str:
    """A table of the counts, with the lines folded below it."""
    diff = compared.diff
    names = f"{_escaped(compared.before.name)} → {_escaped(compared.after.name)}"
    lines = [
        f"**Data:** {names}: {summary(compared)}.",
        "",
        "| | rows | lines |",
        "|---|---|---|",
        f"| added | {len(diff.added):,} | {lines_text(diff.added)} |",
        f"| removed | {len(diff.removed):,} | {lines_text(diff.removed)} |",
        f"| changed | {len(diff.changed):,} | {lines_text([one.after for one in diff.changed])} |",
        f"| unchanged | {diff.unchanged:,} | |",
    ]
    if not diff.empty:
        lines += ["", f"Tokens: {tokens_line(compared)}."]
    lines += [f"\n> **Note:** {_escaped(note)}." for note in notes(compared)]
    details = [*_changed(compared), *_rows(compared)]
    if details:
        lines += ["", "<details><summary>Changed rows</summary>", "", *details, "", "</details>"]
    return "\n".join(lines)


def _changed(compared: Compared) -> Iterator[str]:
    for pair in compared.pairs:
        yield f"- line {pair.changed.before} → {pair.changed.after}: {_told(pair)}"
        if compared.show_text:
            texts = [
                f"{sign} {value_text(value)}"
                for place in pair.places
                for sign, value in (("-", place.before), ("+", place.after))
            ]
            yield from _fenced(texts)
    if len(compared.diff.changed) > len(compared.pairs):
        yield f"- and {len(compared.diff.changed) - len(compared.pairs):,} more"


def _told(pair: Pair) -> str:
    places = ", ".join(_escaped(place.place or "the row") for place in pair.places)
    return f"{kind_words(pair.changed)}: {places}"


def _rows(compared: Compared) -> Iterator[str]:
    if compared.show_text:
        texts = [f"- {value_text(one.row)}" for one in compared.removed]
        texts += [f"+ {value_text(one.row)}" for one in compared.added]
        if texts:
            yield ""
            yield from _fenced(texts)


def _fenced(texts: list[str]) -> Iterator[str]:
    """A block of code that no backticks in the texts can close."""
    longest = max((len(run) for text in texts for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield ""
    yield f"{fence}diff"
    yield from texts
    yield fence


def _escaped(text: str) -> str:
    """Text that cannot become markup, and notifies nobody."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    marked = "".join(f"\\{mark}" if mark in _MARKS else mark for mark in plain)
    return html.escape(marked, quote=False).replace("@", "&#64;")
