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
