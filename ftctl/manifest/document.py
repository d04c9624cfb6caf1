"""A document as values that remember where each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ftctl.errors import Span

Where = tuple[str | int, ...]  # the keys and indexes that lead to a value


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. `places` and `keys` tell where a value and its key stand."""

    path: str
    value: Any
    places: Mapping[Where, Span]
    keys: Mapping[Where, Span]
    trapped: frozenset[Where] = frozenset()  # values already reported as traps
    origin: str = field(default="", compare=False)  # the file's content and the place in it

    def place(self, where: Where = ()) -> Span:
        """Where a value stands; for one that came through an alias, where the alias stands."""
        while where and where not in self.places:
            where = where[:-1]
        return self.places.get(where, Span(self.path))

    def key_place(self, where: Where) -> Span:
        """Where the key of a value stands."""
        return self.keys.get(where) or self.place(where)
