"""Rows go in; what makes them bad to learn from, by line and with a cure, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.quality.codes import CHECKS, CODES
    from ftctl.quality.collected import Collected
    from ftctl.quality.findings import Finding
    from ftctl.quality.judge import repeated_rows
    from ftctl.quality.languages import language_of
    from ftctl.quality.leakage import leaked_rows, leaks
    from ftctl.quality.marks import RowMarks, marks_of
    from ftctl.quality.moderation import moderate
    from ftctl.quality.wanted import Level, Wanted, wanted_of

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
