"""What was looked at, how it is, and what to do about it: lines and JSON out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ftctl.text.escape.single_line import one_line

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was looked at."""

    level: Level
    subject: str
    what: str
    cure: str | None = None  # what to do about it

    def __str__(self) -> str:
        line = f"{self.level:<4}  {one_line(f'{self.subject}: {self.what}')}"
        return f"{line}  -> {one_line(self.cure)}" if self.cure else line


def ok(subject: str, what: str) -> CheckResult:
    """All is well."""
    return CheckResult(level="ok", subject=subject, what=what)


def warn(subject: str, what: str, cure: str | None = None) -> CheckResult:
    """It may stand in the way."""
    return CheckResult(level="warn", subject=subject, what=what, cure=cure)


def fail(subject: str, what: str, cure: str) -> CheckResult:
    """It stands in the way."""
    return CheckResult(level="fail", subject=subject, what=what, cure=cure)


def results_document(results: Iterable[CheckResult]) -> dict[str, Any]:
    """The results as JSON; the key keeps its name for those who read it."""
    found = list(results)
    return {
        "format_version": "1.0",
        "ok": not any(one.level == "fail" for one in found),
        "findings": [
            {"level": one.level, "subject": one.subject, "what": one.what, "cure": one.cure}
            for one in found
        ],
    }
