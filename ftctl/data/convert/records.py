"""An open source's rows before anyone asks what they say: numbered mappings, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ftctl.data.convert.recipe import Container
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding


class Record(NamedTuple):
    """A row and where it stands: its line in a text, its number in a table or list."""

    number: int
    value: dict[str, Any] | Finding  # or why it cannot be read


def _by_column(_: int, column: str) -> str:
    return f"the cell in column {quoted_key(column)}"


def _by_key(_: int, column: str) -> str:
    return f"the value of {quoted_key(column)}"


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of one file, to be gone through once; `FileFault` ends them early."""

    container: Container
    rows: Iterator[Record]
    columns: tuple[str, ...] | None = None  # None: every row has its own keys
    read_as: str = ""  # in words, where something was guessed
    cell: Callable[[int, str], str] = _by_column  # how people call a row's cell


def keyed(container: Container, rows: Iterator[Record], read_as: str) -> Records:
    """Rows that each have keys of their own."""
    return Records(container, rows, None, read_as, _by_key)
