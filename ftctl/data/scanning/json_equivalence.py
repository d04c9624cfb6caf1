"""A line's bytes go in; its row comes out if a fast parser surely reads it as the careful one does.

orjson 3.13 against json with our hooks: orjson refuses what json takes (NaN, lone surrogates, a
byte order mark) and what we refuse (1e999), which sends the line to the careful reader for its
finding. It takes, and reads differently, whole numbers beyond 64 bits: they become floats. It takes
repeated keys as json does, the last one counting, and up to 1,024 levels of nesting, which for json
depends on how deep the caller stands. Those are what `measure` and `may_repeat` look for.
"""

from __future__ import annotations

from typing import Any

_DEEPEST = 100  # levels; json manages some 900 from a shallow stack
UNSURE = -1  # how many keys a line has written, where that is not so easily counted
_EXACT = 9.2e18  # whole numbers of more than 64 bits are read as floats beyond this


def measure(value: object) -> int | None:
    """How many keys the objects in a parsed value have; None if json may have read another value.

    A float beyond 64 bits may have been a whole number.
    """
    total = 0
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                total += len(item)
                below.extend(item.values())
            elif kind is list:
                below.extend(item)
            elif kind is float and not -_EXACT < item < _EXACT:
                return None
        if not below:
            return total
        level = below
    return None


def may_repeat(raw: bytes, keys: int) -> bool:
    r"""False only when no key of the line is repeated; `keys` are those of its parsed value.

    Without `\\"`, a quote that no backslash precedes opens or closes a string, and one that a colon
    follows closes a key (or opens a text that starts with a colon: counting that too costs a second
    look, not a mistake). White space before a colon is looked at again as well.
    """
    return (
        raw.count(b'":') - raw.count(b'\\":') != keys
        or b" :" in raw
        or b'\\\\"' in raw
        or (b"\t" in raw and b"\t:" in raw)  # one byte is found ten times as fast as two
        or (b"\r" in raw and b"\r:" in raw)
    )
