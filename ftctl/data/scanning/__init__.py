"""A JSONL file goes in; a Dataset, or every problem in it by line, comes out.

Names load on first use: what is known from the last run is answered without a row's checks.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.data.scanning.facts import TRAINING_CONTEXT, Counting, Question, Scan, TokenTotals
    from ftctl.data.scanning.read import read_dataset, rows_of
    from ftctl.data.scanning.row_file import RowFile
    from ftctl.data.scanning.scan import scan_file
    from ftctl.data.scanning.source import MAX_FILE_BYTES
    from ftctl.data.scanning.workers import Workers

__all__ = [
    "MAX_FILE_BYTES",
    "TRAINING_CONTEXT",
    "Counting",
    "Question",
    "RowFile",
    "Scan",
    "TokenTotals",
    "Workers",
    "read_dataset",
    "rows_of",
    "scan_file",
]

_HOMES = {
    "MAX_FILE_BYTES": "source",
    "TRAINING_CONTEXT": "facts",
    "Counting": "facts",
    "Question": "facts",
    "RowFile": "row_file",
    "Scan": "facts",
    "TokenTotals": "facts",
    "Workers": "workers",
    "read_dataset": "read",
    "rows_of": "read",
    "scan_file": "scan",
}

__getattr__ = lazily(__name__, _HOMES)
