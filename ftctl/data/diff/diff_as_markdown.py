"""A diff in; Markdown for a pull request's comment out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.data.diff.diff_words import kind_words, lines_text, notes, summary, tokens_line
from ftctl.data.diff.masked import masked_text
from ftctl.domain.row_diff import Compared, Pair
from ftctl.text.escape import markdown, markdown_fence


def diff_markdown(compared: Compared) -> str:
    """A table of the counts, with the lines folded below it."""
    diff = compared.diff
    names = f"{markdown(compared.before.name)} → {markdown(compared.after.name)}"
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
    lines += [f"\n> **Note:** {markdown(note)}." for note in notes(compared)]
    details = list(rows_markdown(compared))
    if details:
        lines += ["", "<details><summary>Changed rows</summary>", "", *details, "", "</details>"]
    return "\n".join(lines)


def rows_markdown(compared: Compared) -> Iterator[str]:
    """The lines that changed and where; their texts, masked, where those are asked for."""
    for pair in compared.pairs:
        yield f"- line {pair.changed.before} → {pair.changed.after}: {_places_text(pair)}"
        if compared.show_text:
            yield from _fenced([
                f"{sign} {masked_text(value)}"
                for place in pair.places
                for sign, value in (("-", place.before), ("+", place.after))
            ])  # fmt: skip
    if len(compared.diff.changed) > len(compared.pairs):
        yield f"- and {len(compared.diff.changed) - len(compared.pairs):,} more"
    if compared.show_text and (compared.removed or compared.added):
        yield "- rows removed and added:"
        yield from _fenced([
            *(f"- {masked_text(one.row)}" for one in compared.removed),
            *(f"+ {masked_text(one.row)}" for one in compared.added),
        ])  # fmt: skip


def _fenced(texts: list[str]) -> Iterator[str]:
    yield ""
    yield from markdown_fence(texts, "diff")


def _places_text(pair: Pair) -> str:
    places = ", ".join(markdown(place.place or "the row") for place in pair.places)
    return f"{kind_words(pair.changed)}: {places}"
