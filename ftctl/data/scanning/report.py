"""Findings go in, in the file's order; Diagnostics, so many of each kind, come out."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from ftctl.data.formats.codes import WARNINGS
from ftctl.data.formats.findings import Finding
from ftctl.errors import Diagnostic, Severity, Span, in_order

if TYPE_CHECKING:
    from ftctl.data.quality import Finding as Doubt

ROW_TRUNCATED = "row-truncated"
NO_ERRORS = WARNINGS | {ROW_TRUNCATED}


class Rest(NamedTuple):
    """Findings of a kind that are only counted."""

    omitted: int
    line: int | None  # of the first of them


class Report:
    """Collects findings. Its size does not grow with the file, unless `most` is None.

    A part of a file may be collected on its own, and joined to what stands before it.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.kept: list[tuple[int | None, Finding]] = []
        self.counts: dict[str, int] = {}  # of those that are kept
        self.rest: dict[str, Rest] = {}

    @property
    def codes(self) -> AbstractSet[str]:
        """The kinds of problems that were found."""
        return self.counts.keys()

    def add(self, finding: Finding, line: int | None = None) -> None:
        code = finding.code
        count = self.counts.get(code, 0)
        if self.most is None or count < self.most:
            self.counts[code] = count + 1
            self.kept.append((line, finding))
        else:
            self._omit(code, Rest(1, line))

    def join(self, later: Report) -> None:
        """Add what was collected of the part that follows."""
        for line, finding in later.kept:
            self.add(finding, line)
        for code, rest in later.rest.items():
            self._omit(code, rest)

    def _omit(self, code: str, rest: Rest) -> None:
        known = self.rest.get(code)
        self.rest[code] = Rest(known.omitted + rest.omitted, known.line) if known else rest

    def diagnostics(self, shown: str, warnings: AbstractSet[str]) -> tuple[Diagnostic, ...]:
        """Every problem, by line; `warnings` are the kinds that are no errors."""

        def severity(code: str) -> Severity:
            return "warning" if code in warnings else "error"

        kept = [
            Diagnostic(
                one.code, one.message, Span(shown, line, one.column), one.hint, severity(one.code)
            )
            for line, one in self.kept
        ]
        more = [
            Diagnostic(
                code,
                f"… and {rest.omitted:,} more of this kind",
                Span(shown, rest.line),
                severity=severity(code),
            )
            for code, rest in self.rest.items()
        ]
        return in_order([*kept, *more])


def doubts_as_diagnostics(
    doubts: Iterable[Doubt], shown: str, most: int | None
) -> tuple[Diagnostic, ...]:
    """What the checks of quality found in a file, or between two, as diagnostics."""
    report = Report(most)
    warnings = set()
    for one in doubts:
        report.add(Finding(one.code, one.message, one.hint), one.line)
        if one.severity == "warning":
            warnings.add(one.code)
    return report.diagnostics(shown, warnings)
