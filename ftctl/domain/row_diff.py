"""How the rows of two data files differ. Frozen values that at most count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Changed:
    """A row before and the row that stands for it after, by their lines.

    `answer`: both ask the same and answer differently. `near`: so much of their words is the same.
    """

    before: int
    after: int
    kind: Literal["answer", "near"]
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class RowDiff:
    """What became of the rows; lines count from 1, each on its own side.

    Tokens are those of one epoch; changed rows count on both sides. `compared` is false if too
    many rows were left over to look for near-equal ones among them.
    """

    rows_before: int
    rows_after: int
    unchanged: int
    removed: tuple[int, ...]
    added: tuple[int, ...]
    changed: tuple[Changed, ...]
    tokens_removed: int
    tokens_added: int
    compared: bool

    @property
    def empty(self) -> bool:
        """Whether both hold the same rows."""
        return not (self.removed or self.added or self.changed)


@dataclass(frozen=True, slots=True)
class Difference:
    """A place, and the values there; `...` for none. Whoever shows them answers for the text."""

    place: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files: its name, and how many of its rows cannot be read."""

    name: str
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A changed row, and where its two versions differ."""

    changed: Changed
    places: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row that is on one side alone, where texts are asked for."""

    line: int
    row: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """Two files and their diff. `pairs`, `removed` and `added` are the first few of each kind.

    Texts are in it, but only `show_text` lets a renderer show them.
    """

    before: Side
    after: Side
    diff: RowDiff
    encoding: str
    pairs: tuple[Pair, ...] = ()
    removed: tuple[Shown, ...] = ()
    added: tuple[Shown, ...] = ()
    show_text: bool = False
