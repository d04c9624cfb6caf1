"""Two files of rows go in; what they do not share, with a few rows in detail, comes out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from ftctl.data.diff.changed_places import differences
from ftctl.data.diff.row_matching import diff_rows
from ftctl.data.stats import BaseModel, TokensOfRow
from ftctl.domain.row_diff import Compared, Pair, RowDiff, Shown, Side

MOST_DETAILED = 20  # rows of a kind that are shown one by one

Row = dict[str, Any]


class RowSource(Protocol):
    """A file whose rows can be read as often as needed, as `scanning.RowFile` reads them."""

    @property
    def shown(self) -> str: ...

    @property
    def unreadable(self) -> int:
        """How many rows the last whole pass left out."""

    def rows(self, lines: Collection[int] | None = None) -> Iterable[tuple[int, Row]]:
        """The rows with their lines, in order; all, or those on the lines that are given."""


def compare_files(old: RowSource, new: RowSource, base: BaseModel, *, show_text: bool) -> Compared:
    """The diff of two files, with the first few rows of each kind in detail."""
    diff = diff_rows(old.rows, new.rows, TokensOfRow(base))
    removed, added = diff.removed[:MOST_DETAILED], diff.added[:MOST_DETAILED]
    return Compared(
        Side(old.shown, old.unreadable),
        Side(new.shown, new.unreadable),
        diff,
        base.encoding,
        _pairs(diff, old, new),
        _shown(old, removed) if show_text else (),
        _shown(new, added) if show_text else (),
        show_text,
    )


def _pairs(diff: RowDiff, old: RowSource, new: RowSource) -> tuple[Pair, ...]:
    changed = diff.changed[:MOST_DETAILED]
    before = _rows_on(old, [pair.before for pair in changed])
    after = _rows_on(new, [pair.after for pair in changed])
    return tuple(
        Pair(pair, differences(before[pair.before], after[pair.after]))
        for pair in changed
        if pair.before in before and pair.after in after  # else the file changes under our eyes
    )


def _shown(side: RowSource, lines: Sequence[int]) -> tuple[Shown, ...]:
    return tuple(Shown(line, row) for line, row in _rows_on(side, lines).items())


def _rows_on(side: RowSource, lines: Sequence[int]) -> dict[int, Row]:
    return dict(side.rows(frozenset(lines))) if lines else {}
