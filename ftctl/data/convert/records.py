"""What an open source is read into, whatever its form: numbered rows, and a table's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from ftctl.data.convert.bounds import check_columns_count
from ftctl.data.convert.fault import FileFault
from ftctl.data.convert.recipe import Container
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding, FtctlError
from ftctl.extras import install_command


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
    remarks: Callable[[], Sequence[str]] = tuple  # once all rows were read: what was put up with


def keyed(
    container: Container,
    rows: Iterator[Record],
    read_as: str,
    remarks: Callable[[], Sequence[str]] = tuple,
) -> Records:
    """Rows that each have keys of their own."""
    return Records(container, rows, None, read_as, _by_key, remarks)


def check_header(cells: Sequence[Any]) -> tuple[str, ...]:
    """The names without spaces around them; columns without a name get one that nobody types."""
    check_columns_count(len(cells))
    names = tuple(
        "" if cell is None else str(cell).strip().removeprefix("\ufeff") for cell in cells
    )
    if not any(names):
        hint = "put the columns' names into the first row"
        raise FileFault(Finding("bad-table", "the table has no header", hint), 1)
    known: set[str] = set()
    for name in names:
        if name and name in known:
            message = f"two columns are named {quoted_key(name)}"
            raise FileFault(Finding("bad-table", message, "rename one"), 1)
        known.add(name)
    # Such as the row numbers that pandas writes. A placeholder cannot name them.
    return tuple(name or f"{{{number}}}" for number, name in enumerate(names, 1))


def optional(module: str, extra: str, what: str) -> Any:
    """The module, imported now: both packages take a good part of a second."""
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise FtctlError(
            f"{what} needs the package {package}, which is not installed",
            install_command(extra),
        ) from None
