"""Texts of ours and of others in; the pieces of Markdown that each comment is made of, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ftctl.text.escape import markdown, markdown_code, short

LONGEST = 400  # characters of a text of others
MOST_NAMED = 20


def that_fit(lines: Iterable[str], room: int) -> list[str]:
    """The first lines that fit into so many characters."""
    found = []
    for line in lines:
        room -= len(line) + 3
        if room < 0:
            break
        found.append(line)
    return found


def table_row(cells: Sequence[str]) -> str:
    """A row of a table, of cells that are Markdown."""
    return f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """A text of others as code."""
    return markdown_code(short(text, LONGEST))


def prose(text: str) -> str:
    """A text of others as words without power."""
    return markdown(short(text, LONGEST))
