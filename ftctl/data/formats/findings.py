"""What a check found goes in; Diagnostics in the file's order, capped per code, come out."""

from __future__ import annotations

from typing import NamedTuple

from ftctl.data.formats.codes import WARNINGS
from ftctl.errors import Diagnostic, Severity, Span, in_order

MAX_PER_CODE = 20


class Finding(NamedTuple):
    """A problem in one line or file; it never quotes training text."""

    code: str
    message: str
    hint: str | None = None
    column: int | None = None


class Problems:
    """Collects findings; its size does not grow with the file."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.failed = False
        self._kept: list[Diagnostic] = []
        self._counts: dict[str, int] = {}
        self._omitted: dict[str, Span] = {}  # where the first that is not kept stands

    def add(self, finding: Finding, line: int | None = None) -> None:
        code = finding.code
        self.failed = self.failed or code not in WARNINGS
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] > MAX_PER_CODE:
            self._omitted.setdefault(code, Span(self.shown, line))
            return
        span = Span(self.shown, line, finding.column)
        self._kept.append(Diagnostic(code, finding.message, span, finding.hint, _severity(code)))

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        more = [
            Diagnostic(
                code,
                f"… and {self._counts[code] - MAX_PER_CODE:,} more of this kind",
                span,
                severity=_severity(code),
            )
            for code, span in self._omitted.items()
        ]
        return in_order([*self._kept, *more])


def _severity(code: str) -> Severity:
    return "warning" if code in WARNINGS else "error"
