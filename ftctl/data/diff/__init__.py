"""The rows of two files go in; which were added, removed and changed, by content, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.data.diff.changed_places import differences
    from ftctl.data.diff.diff_as_json import diff_document
    from ftctl.data.diff.diff_as_markdown import diff_markdown
    from ftctl.data.diff.diff_as_text import diff_text
    from ftctl.data.diff.file_comparison import RowSource, compare_files
    from ftctl.data.diff.row_matching import MOST_COMPARED, Rows, diff_rows

__all__ = [
    "MOST_COMPARED",
    "RowSource",
    "Rows",
    "compare_files",
    "diff_document",
    "diff_markdown",
    "diff_rows",
    "diff_text",
    "differences",
]

_HOMES = {
    "MOST_COMPARED": "row_matching",
    "RowSource": "file_comparison",
    "Rows": "row_matching",
    "compare_files": "file_comparison",
    "diff_document": "diff_as_json",
    "diff_markdown": "diff_as_markdown",
    "diff_rows": "row_matching",
    "diff_text": "diff_as_text",
    "differences": "changed_places",
}

__getattr__ = lazily(__name__, _HOMES)
