"""A row goes in; what a shape takes of it, and what it has no place for, come out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

Row = dict[str, Any]


_NOTHING = ("", "[]", "{}", "null")  # as tables write what is empty


class Reading:
    """A row that is being read. What was not taken, and says something, is left.

    Keys of its messages that have no place are left too, under their own name.
    """

    def __init__(self, row: Row, dropped: Collection[str] = ()) -> None:
        self.row = {key: row[key] for key in row if key not in dropped} if dropped else row
        self.dropped = dropped  # of its messages, too
        self._taken: set[str] = set()
        self._inside: dict[str, Any] = {}

    def take(self, key: str) -> Any:
        """The value; None where there is none."""
        self._taken.add(key)
        return self.row.get(key)

    def has_taken(self, key: str) -> bool:
        """Whether a shape has asked for the key."""
        return key in self._taken

    def leave(self, key: str, value: Any) -> None:
        """Note a key of a message, or a kind of part, that nothing can be made of."""
        if key not in self.dropped and says_something(value):
            self._inside.setdefault(key, value)

    def left(self) -> Mapping[str, Any]:
        """The keys that say something and were not taken, each with its first value."""
        found = {
            key: value
            for key, value in self.row.items()
            if key not in self._taken and says_something(value)
        }
        return found | self._inside if self._inside else found


def says_something(value: Any) -> bool:
    """Whether anything is lost where the value is left out."""
    if isinstance(value, str):
        return value.strip() not in _NOTHING
    if isinstance(value, float):
        return not math.isnan(value)
    return value is not None and value not in ([], {})
