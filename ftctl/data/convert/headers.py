"""A table's first rows go in; its header, below a title if it has one, comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from ftctl.data.convert.fault import FileFault, TemplateFault
from ftctl.data.convert.recipe import Convert
from ftctl.data.convert.template import parse_templates
from ftctl.data.formats.other_shapes import known_pair, shape_of
from ftctl.errors import Finding

_MOST_TITLES = 3

NumberedRow = tuple[int, Sequence[Any]]


class Header(NamedTuple):
    """The row with the columns' names, and the rows below it."""

    cells: Sequence[Any]
    rows: Iterator[NumberedRow]
    title: int | None  # the row of a title that stands above


def find_header(
    rows: Iterator[NumberedRow],
    filled: Callable[[Any], bool],
    is_header: Callable[[Sequence[Any]], bool],
    row_word: str,
) -> Header:
    """The first row that says something, or the first below lines of a single cell.

    A single cell is a title where the next row is known to be a header, and it itself is not.
    """
    looked_at: list[NumberedRow] = []
    for number, cells in rows:
        count = sum(map(filled, cells))
        if not count:
            continue
        if not looked_at and (count > 1 or is_header(cells)):
            return Header(cells, rows, None)
        looked_at.append((number, cells))
        if count > 1:
            first = looked_at[0][0]
            if is_header(cells):
                return Header(cells, rows, first)
            raise FileFault(_title(row_word, first, number), first)
        if len(looked_at) > _MOST_TITLES:
            break
    if not looked_at:
        return Header((), rows, None)
    (_, cells), *more = looked_at
    return Header(cells, chain(more, rows), None)


def header_test(convert: Convert) -> Callable[[Sequence[str]], bool]:
    """Whether names are those of columns that can be converted."""
    try:
        templates = parse_templates(convert.template)
    except TemplateFault:
        return lambda _: True  # it is told of as soon as there is a row
    if templates:
        used = {column for template in templates.values() for column in template.columns}
        return lambda names: used <= set(names)
    return lambda names: shape_of(names) is not None or known_pair(names) is not None


def _title(row_word: str, first: int, number: int) -> Finding:
    message = (
        f"{row_word} {first} has a single cell and {row_word} {number} several: is it a title"
        " above the columns' names?"
    )
    hint = "take it out; if it is the only column, put each of its texts into double quotes"
    return Finding("bad-table", message, hint)
