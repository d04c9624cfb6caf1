"""Two versions of a row go in; the places in which they differ come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ftctl.domain.row_diff import Difference

MOST_PLACES = 20
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_ABSENT = object()


def differences(before: Any, after: Any) -> tuple[Difference, ...]:
    """In the order of the row, at most twenty; a place names keys and indexes, never a text."""
    try:
        return tuple(islice(_walk(before, after, ""), MOST_PLACES))
    except RecursionError:  # nested as deep as can be read
        return (Difference("", before, after),)


def _walk(before: Any, after: Any, place: str) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            at = _joined(place, key)
            yield from _walk(before.get(key, _ABSENT), after.get(key, _ABSENT), at)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _walk(_item(before, index), _item(after, index), f"{place}[{index}]")
    elif before is _ABSENT or after is _ABSENT or not _equal(before, after):
        yield Difference(
            place, ... if before is _ABSENT else before, ... if after is _ABSENT else after
        )


def _equal(before: Any, after: Any) -> bool:
    """JSON's true is no 1, though Python's is."""
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _item(values: list[Any], at: int) -> Any:
    return values[at] if at < len(values) else _ABSENT


def _joined(place: str, key: str) -> str:
    name = key if _WORD.fullmatch(key) else "[a key]"
    return f"{place}.{name}" if place else name
