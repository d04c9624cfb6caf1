"""JSON of a file that anybody may have written in; its value out, or the limit that it breaks.

What it takes in memory is told from its text before it is parsed.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MOST_VALUES = 4_000_000  # a plan of 20,000 changes has a million
_MOST_DIGITS = 400  # of a number: a 64-bit float has no more before its point
_LONGEST_KEY = 1_000  # characters


class NotBounded(ValueError):
    """Why a text is not read: a sentence's end that begins with `it`."""


def read_bounded(raw: bytes, most_bytes: int) -> Any:
    """The value of a JSON text in UTF-8. `ValueError` for what is none, `NotBounded` for too much.

    No key stands twice in one object, and no number is infinite: readers disagree on both.
    RecursionError is a ValueError here as well.
    """
    if len(raw) > most_bytes:
        raise NotBounded(f"it has more than {most_bytes:,} bytes")
    # Each value but the first follows one of these. Those in texts are counted too.
    if sum(map(raw.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise NotBounded(f"it has more than {MOST_VALUES:,} values")
    try:
        return json.loads(
            raw.decode(),  # of its own, json would take UTF-16 as well
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_float,
            parse_int=_int,
        )
    except RecursionError:
        raise NotBounded("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise NotBounded("a key stands twice in the same mapping")
    if any(len(key) > _LONGEST_KEY for key in mapping):
        raise NotBounded(f"it has a key of more than {_LONGEST_KEY:,} characters")
    return mapping


def _refuse(_constant: str) -> NoReturn:
    raise NotBounded("it has a number that JSON does not know")


def _float(digits: str) -> float:
    number = float(digits) if len(digits) <= _MOST_DIGITS else math.inf
    if math.isinf(number):
        raise NotBounded("it has a number that is larger than any")
    return number


def _int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise NotBounded(f"it has a number of more than {_MOST_DIGITS} digits")
    return int(digits)
