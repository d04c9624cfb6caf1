"""A document as values that remember where each of them stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


class Later(Mapping[Where, Span]):
    """Places that are worked out when one is asked for; the document's own is known sooner."""

    def __init__(self, own: Callable[[], Span | None], work_out: Callable[[], dict[Where, Span]]):
        self._own = own
        self._work_out = work_out
        self._places: dict[Where, Span] | None = None

    def get(self, key: Where, default: Any = None) -> Any:
        if key == () and self._places is None:
            return self._own() or default
        return self._all().get(key, default)

    def __getitem__(self, key: Where) -> Span:
        return self._all()[key]

    def __iter__(self) -> Iterator[Where]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[Where, Span]:
        if self._places is None:
            self._places = self._work_out()
        return self._places
