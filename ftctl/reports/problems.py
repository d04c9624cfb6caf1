"""Diagnostics in; JSON or GitHub annotations out."""

from __future__ import annotations

from collections.abc import Iterable

from ftctl.errors import Diagnostic
from ftctl.text.escape import command_property, command_text, json_document


def problems_json(problems: Iterable[Diagnostic]) -> str:
    """The problems as one JSON document."""
    listed = [
        {
            "severity": problem.severity,
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint,
            "path": problem.span.path,
            "line": problem.span.line,
            "column": problem.span.column,
        }
        for problem in problems
    ]
    document = {
        "format_version": "1.0",
        "ok": not any(problem["severity"] == "error" for problem in listed),
        "problems": listed,
    }
    return json_document(document)


def problems_github(problems: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub Actions shows on the changed lines."""
    return "\n".join(_annotation(problem) for problem in problems)


def _annotation(problem: Diagnostic) -> str:
    span = problem.span
    facts = {"file": span.path, "line": span.line, "col": span.column, "title": problem.code}
    properties = ",".join(
        f"{key}={command_property(str(value))}" for key, value in facts.items() if value
    )
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return f"::{problem.severity} {properties}::{command_text(text)}"
