"""A row goes in; what a shape takes of it, and what it has no place for, come out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from ftctl.data.formats.keys import repeated_keys

Row = dict[str, Any]


# Of parts, calls and results: what says nothing that could be learnt.
_HARMLESS = frozenset({"type", "id", "index", "cache_control", "caller", "logprobs", "signature",
                       "thoughtSignature", "thought_signature", "displayName"})  # fmt: skip
_NO_NEWS: Mapping[str, tuple[Any, ...]] = {
    "status": ("completed", "success"),
    "is_error": (False,),
    "thought": (False,),
}
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
        self.met = {key for key in dropped if key in row}  # of the dropped: those there are
        self.places: dict[str, str] = {}  # where keys of parts and calls stand that are left
        self.repeated: dict[str, str] = {}  # keys that a text of JSON has twice, and where
        self.tags_read = self.tags_kept = False  # of calls between tags in texts

    def take(self, key: str) -> Any:
        """The value; None where there is none."""
        self._taken.add(key)
        return self.row.get(key)

    def has_taken(self, key: str) -> bool:
        """Whether a shape has asked for the key."""
        return key in self._taken

    def leave(self, key: str, value: Any, place: str = "") -> None:
        """Note a key of a message, or a kind of part, that nothing can be made of."""
        if key in self.dropped:
            self.met.add(key)
        elif says_something(value) and key not in self._inside:
            self._inside[key] = value
            if place:
                self.places[key] = place

    def leave_rest(self, value: Mapping[str, Any], used: Collection[str], place: str) -> None:
        """Note whatever else a part, a call or a result says."""
        for key, inner in value.items():
            if key not in used and key not in _HARMLESS and inner not in _NO_NEWS.get(key, ()):
                self.leave(key, inner, place)

    def look_for_repeats(self, text: Any, value: Any, place: str) -> None:
        """Note the keys that a text of JSON has more than once in one object."""
        if not isinstance(text, str):
            return
        try:
            for key in repeated_keys(text, value):
                self.repeated.setdefault(key, place)
        except (ValueError, RecursionError):  # as Python prints it
            return

    def join(self, inner: Reading) -> None:
        """Note what was found in an object of the row that was read by itself."""
        self.met |= inner.met
        self.places |= {key: at for key, at in inner.places.items() if key not in self._inside}
        self.repeated = {**inner.repeated, **self.repeated}
        self.tags_read |= inner.tags_read
        self.tags_kept |= inner.tags_kept
        for key, value in inner.left().items():
            self.leave(key, value)

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
