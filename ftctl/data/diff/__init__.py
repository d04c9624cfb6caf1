"""The rows of two files go in; which were added, removed and changed, by content, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.data.diff.compare import MOST_COMPARED, Rows, diff_rows
    from ftctl.data.diff.document import diff_document
    from ftctl.data.diff.file_comparison import RowSource, compare_files
    from ftctl.data.diff.markdown import diff_markdown
    from ftctl.data.diff.places import differences
    from ftctl.data.diff.view import diff_text

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
    "MOST_COMPARED": "compare",
    "RowSource": "file_comparison",
    "Rows": "compare",
    "compare_files": "file_comparison",
    "diff_document": "document",
    "diff_markdown": "markdown",
    "diff_rows": "compare",
    "diff_text": "view",
    "differences": "places",
}

__getattr__ = lazily(__name__, _HOMES)
