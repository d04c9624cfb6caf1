"""One doubt about a file: its code, what is seen, the cure, and the line."""

from __future__ import annotations

from typing import NamedTuple

from ftctl.errors import Severity


class Finding(NamedTuple):
    """A doubt in one line, or in the whole file where `line` is None; it quotes no training text.

    Secrets and personal data appear with all but their first and last characters left out.
    """

    code: str
    message: str
    hint: str | None = None
    line: int | None = None
    severity: Severity = "warning"


def percent(part: int, whole: int) -> str:
    """A share for people: never 0 % where there is something, never 100 % where one is missing."""
    share = 100 * part / whole
    if 0 < share < 1:
        return f"{max(share, 0.1):.1f} %" if share >= 0.05 else "under 0.1 %"
    return f"{min(round(share), 99) if part < whole else 100} %"
