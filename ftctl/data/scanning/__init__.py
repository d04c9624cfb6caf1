"""A JSONL file goes in; a Dataset, or every problem in it by line, comes out.

Names load on first use: what is known from the last run is answered without a row's checks.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.data.scanning.file_scan import read_dataset, scan_file
    from ftctl.data.scanning.row_file import RowFile
    from ftctl.data.scanning.scan_request import (
        TRAINING_CONTEXT,
        Counting,
        ScanRequest,
        ScanResult,
        TokenTotals,
    )
    from ftctl.data.scanning.source import MAX_FILE_BYTES
    from ftctl.data.scanning.workers import Workers

__all__ = [
    "MAX_FILE_BYTES",
    "TRAINING_CONTEXT",
    "Counting",
    "RowFile",
    "ScanRequest",
    "ScanResult",
    "TokenTotals",
    "Workers",
    "read_dataset",
    "scan_file",
]

_HOMES = {
    "MAX_FILE_BYTES": "source",
    "TRAINING_CONTEXT": "scan_request",
    "Counting": "scan_request",
    "ScanRequest": "scan_request",
    "RowFile": "row_file",
    "ScanResult": "scan_request",
    "TokenTotals": "scan_request",
    "Workers": "workers",
    "read_dataset": "file_scan",
    "scan_file": "file_scan",
}

__getattr__ = lazily(__name__, _HOMES)
