"""A table's first row goes in; its columns' names come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftctl.data.convert.fault import FileFault
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding


def check_header(cells: Sequence[Any]) -> tuple[str, ...]:
    """The names without spaces around them; columns without a name get one that nobody types."""
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
