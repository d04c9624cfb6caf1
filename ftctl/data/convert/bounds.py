"""How much an open source may unpack to, hold in one row, and make: what more is, is no data.

A small file can stand for one that fills a disk: packed, repeated, or by a template. Each limit is
far above what honest files need, and each fault names it.
"""

from __future__ import annotations

from typing import NoReturn

from ftctl.data.convert.fault import FileFault
from ftctl.data.formats.lines import MAX_TEXT_BYTES
from ftctl.errors import Finding
from ftctl.text.format import size

# Excel's own: 16,384 columns and 1,048,576 rows (specifications and limits, 2026-03).
MOST_COLUMNS = 16_384
MOST_SHEET_ROWS = 1_048_576
# Of one row of a table as it is written: without images a row has 8 MiB, and quotes double.
MOST_ROW_CHARACTERS = 16 * 1024 * 1024
# All rows that come of one source: four uploads of the largest size, to be sampled or split.
MOST_MADE_BYTES = 4 * 512 * 1024 * 1024
# Text packs to a tenth; sheets of numbers and empty cells to a fiftieth.
MOST_RATIO = 100
FREE_BYTES = 64 * 1024 * 1024  # what is no larger unpacked may be packed as it likes

_CUT = "is this file meant? Take fewer rows, or make several files of it"


def too_much(message: str, number: int | None = None, hint: str = _CUT) -> NoReturn:
    """End the reading of a source."""
    raise FileFault(Finding("source-too-large", message, hint), number)


def row_too_long() -> Finding:
    """What to say of one row that no service would train on."""
    message = f"the row that is made of it has more than {MAX_TEXT_BYTES:,} bytes of text"
    return Finding("line-too-long", message, "shorten its cells, or make several rows of it")


def check_columns_count(count: int) -> None:
    """No more columns than any table has."""
    if count > MOST_COLUMNS:
        hint = "name the right delimiter, or keep the columns that are used"
        too_much(f"the table has more than {MOST_COLUMNS:,} columns", 1, hint)


def check_ratio(what: str, packed: int, unpacked: int) -> None:
    """Nothing that was packed to next to nothing."""
    if unpacked > FREE_BYTES and unpacked > MOST_RATIO * packed:
        too_much(
            f"{what} unpacks from {size(packed)} to {size(unpacked)}, more than"
            f" {MOST_RATIO} times as much"
        )


class MadeBytes:
    """Adds up the rows that come of one source, also those that are refused for their length."""

    def __init__(self) -> None:
        self._bytes = 0

    def add(self, count: int, number: int) -> None:
        """Another row's bytes; `number` is where it stands in the source."""
        self._bytes += count
        if self._bytes > MOST_MADE_BYTES:
            too_much(
                f"the rows up to this one have more than {size(MOST_MADE_BYTES)} of JSON", number
            )
