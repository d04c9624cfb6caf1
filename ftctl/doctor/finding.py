"""What was looked at, how it is, and what to do about it: lines and JSON out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    what: str
    cure: str | None = None  # what to do about it

    def __str__(self) -> str:
        line = f"{self.level:<4}  {self.subject}: {self.what}"
        return f"{line}  -> {self.cure}" if self.cure else line


def ok(subject: str, what: str) -> Finding:
    """All is well."""
    return Finding(level="ok", subject=subject, what=what)


def warn(subject: str, what: str, cure: str | None = None) -> Finding:
    """It may stand in the way."""
    return Finding(level="warn", subject=subject, what=what, cure=cure)


def fail(subject: str, what: str, cure: str) -> Finding:
    """It stands in the way."""
    return Finding(level="fail", subject=subject, what=what, cure=cure)


def findings_document(findings: Iterable[Finding]) -> dict[str, Any]:
    """The findings as JSON."""
    found = list(findings)
    return {
        "format_version": "1.0",
        "ok": not any(one.level == "fail" for one in found),
        "findings": [
            {"level": one.level, "subject": one.subject, "what": one.what, "cure": one.cure}
            for one in found
        ],
    }
