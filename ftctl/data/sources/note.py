"""One thing to say about a source: a code, a sentence and a cure, without a place."""

from __future__ import annotations

from typing import NamedTuple

from ftctl.errors import Diagnostic, Severity, Span


class Note(NamedTuple):
    """A problem of a source; it quotes neither content nor secrets."""

    code: str
    message: str
    hint: str | None = None

    def at(self, span: Span, severity: Severity = "error") -> Diagnostic:
        """The problem at the place where a manifest names the source."""
        return Diagnostic(self.code, self.message, span, self.hint, severity)
