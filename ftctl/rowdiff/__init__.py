"""The rows of two files go in; which were added, removed and changed, by content, comes out."""

from ftctl.rowdiff.compare import (
    MOST_COMPARED,
    Changed,
    RowDiff,
    Rows,
    diff_rows,
)
from ftctl.rowdiff.compared import Compared, Pair, Shown, Side
from ftctl.rowdiff.document import diff_document
from ftctl.rowdiff.markdown import diff_markdown
from ftctl.rowdiff.places import Difference, differences
from ftctl.rowdiff.view import diff_text

__all__ = [
    "MOST_COMPARED",
    "Changed",
    "Compared",
    "Difference",
    "Pair",
    "RowDiff",
    "Rows",
    "Shown",
    "Side",
    "diff_document",
    "diff_markdown",
    "diff_rows",
    "diff_text",
    "differences",
]
