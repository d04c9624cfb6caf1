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
    """The first row that says something, or one below it whose names are known.

    What stands above names that are known, with fewer cells, is a title.
    """
    above: list[NumberedRow] = []
    for number, cells in rows:
        if not any(map(filled, cells)):
            continue
        count = sum(map(filled, cells))
        fewer = all(sum(map(filled, title)) < count for _, title in above)
        if fewer and is_header(cells):
            return Header(cells, rows, above[0][0] if above else None)
        above.append((number, cells))
        if len(above) > _MOST_TITLES:
            break
    if not above:
        return Header((), rows, None)
    (first, cells), *more = above
    if more and sum(map(filled, cells)) == 1 < sum(map(filled, more[0][1])):
        raise FileFault(_title(row_word, first, more[0][0]), first)
    return Header(cells, chain(more, rows), None)


def header_test(convert: Convert) -> Callable[[Sequence[str]], bool]:
    """Whether names are those of columns that can be converted."""
    try:
        templates = parse_templates(convert.template)
    except TemplateFault:
        return lambda _: True  # it is told of as soon as there is a row
    if templates:
        used = {column for template in templates.values() for column in template.columns}
        return lambda names: not used or not used.isdisjoint(names)
    return lambda names: shape_of(names) is not None or known_pair(names) is not None


def _title(row_word: str, first: int, number: int) -> Finding:
    message = (
        f"{row_word} {first} has a single cell and {row_word} {number} several: is it a title"
        " above the columns' names?"
    )
    hint = "take it out; if it is the only column, put each of its texts into double quotes"
    return Finding("bad-table", message, hint)
