"""A JSONL file goes in; a Dataset, or every problem in it by line, comes out.

Names load on first use: what is known from the last run is answered without a row's checks.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.dataset.codes import CODES, WARNINGS
    from ftctl.dataset.facts import TRAINING_CONTEXT, Counting, Question, Scan, TokenTotals
    from ftctl.dataset.formats import MAX_REINFORCEMENT_EXAMPLES, METHOD_FORMATS, MIN_EXAMPLES
    from ftctl.dataset.read import read_dataset, rows_of
    from ftctl.dataset.scan import scan_file
    from ftctl.dataset.source import MAX_FILE_BYTES
    from ftctl.dataset.workers import Workers

__all__ = [
    "CODES",
    "MAX_FILE_BYTES",
    "MAX_REINFORCEMENT_EXAMPLES",
    "METHOD_FORMATS",
    "MIN_EXAMPLES",
    "TRAINING_CONTEXT",
    "WARNINGS",
    "Counting",
    "Question",
    "Scan",
    "TokenTotals",
    "Workers",
    "read_dataset",
    "rows_of",
    "scan_file",
]

_HOMES = {
    "CODES": "codes",
    "MAX_FILE_BYTES": "source",
    "MAX_REINFORCEMENT_EXAMPLES": "formats",
    "METHOD_FORMATS": "formats",
    "MIN_EXAMPLES": "formats",
    "TRAINING_CONTEXT": "facts",
    "WARNINGS": "codes",
    "Counting": "facts",
    "Question": "facts",
    "Scan": "facts",
    "TokenTotals": "facts",
    "Workers": "workers",
    "read_dataset": "read",
    "rows_of": "read",
    "scan_file": "scan",
}

__getattr__ = lazily(__name__, _HOMES)
