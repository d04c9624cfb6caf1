"""Rows go in; what makes them bad to learn from, by line and with a cure, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.data.quality.codes import CHECKS, CODES
    from ftctl.data.quality.collected import Collected
    from ftctl.data.quality.findings import Finding
    from ftctl.data.quality.judge import repeated_rows
    from ftctl.data.quality.languages import language_of
    from ftctl.data.quality.leakage import leaked_rows, leaks
    from ftctl.data.quality.marks import RowMarks, marks_of
    from ftctl.data.quality.moderation import moderate
    from ftctl.data.quality.wanted import Level, Wanted, wanted_of

__all__ = [
    "CHECKS",
    "CODES",
    "Collected",
    "Finding",
    "Level",
    "RowMarks",
    "Wanted",
    "language_of",
    "leaked_rows",
    "leaks",
    "marks_of",
    "moderate",
    "repeated_rows",
    "wanted_of",
]

_HOMES = {
    "CHECKS": "codes",
    "CODES": "codes",
    "Collected": "collected",
    "Finding": "findings",
    "Level": "wanted",
    "RowMarks": "marks",
    "Wanted": "wanted",
    "language_of": "languages",
    "leaked_rows": "leakage",
    "leaks": "leakage",
    "marks_of": "marks",
    "moderate": "moderation",
    "repeated_rows": "judge",
    "wanted_of": "wanted",
}

__getattr__ = lazily(__name__, _HOMES)
