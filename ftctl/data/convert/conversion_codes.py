"""The stable name of every kind of problem that only conversion and division meet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "source-too-large": "A source unpacks to, holds in a row, or makes more than any data has.",
        "bad-table": "A file cannot be read as the table that it should be.",
        "ragged-row": "A row of a table has more or fewer cells than its header.",
        "bad-cell": "A cell is empty where a text is needed, or holds what no text can be made of.",
        "bad-template": "A template's braces do not fit together, or its roles do not.",
        "unknown-column": "A template names a column that the table does not have.",
        "cannot-convert": "A row says something that the wanted form cannot say.",
        "unread-key": "Rows have a key that nothing is made of, and that was not left out by name.",
        "empty-part": "A division leaves a part without rows.",
        "split-differs": "Two Datasets divide one file in two ways, so that rows stand in both.",
    }
)
