"""What a check found goes in; Diagnostics in the file's order, capped per code, come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ftctl.dataset.codes import WARNINGS
from ftctl.errors import Diagnostic, Severity, Span, in_order

MAX_PER_CODE = 20


class Finding(NamedTuple):
    """A problem in one line or file; it never quotes training text."""

    code: str
    message: str
    hint: str | None = None
    column: int | None = None


@dataclass(slots=True)
class _Omitted:
    span: Span
    count: int = 0


@dataclass(slots=True)
class Problems:
    """Collects findings; its size does not grow with the file."""

    shown: str
    failed: bool = False
    _kept: list[Diagnostic] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    _omitted: dict[str, _Omitted] = field(default_factory=dict)

    def add(self, finding: Finding, line: int | None = None) -> None:
        code = finding.code
        self.failed = self.failed or code not in WARNINGS
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] > MAX_PER_CODE:
            omitted = self._omitted.setdefault(code, _Omitted(Span(self.shown, line)))
            omitted.count += 1
            return
        span = Span(self.shown, line, finding.column)
        self._kept.append(Diagnostic(code, finding.message, span, finding.hint, _severity(code)))

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        more = [
            Diagnostic(
                code,
                f"… and {omitted.count:,} more of this kind",
                omitted.span,
                severity=_severity(code),
            )
            for code, omitted in self._omitted.items()
        ]
        return in_order([*self._kept, *more])


def _severity(code: str) -> Severity:
    return "warning" if code in WARNINGS else "error"
