"""Diagnostics in; SARIF 2.1.0 out, which code hosts show beside the lines of a change.

The form is OASIS's: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ftctl.errors import Diagnostic, Span
from ftctl.text.escape import json_document, one_line

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"


def problems_sarif(problems: Sequence[Diagnostic], version: str) -> str:
    """The problems as one run of ftctl of that version. A problem keeps its fingerprint when it
    moves to another line of its file."""
    rules = sorted({problem.code for problem in problems})
    driver = {"name": "ftctl", "version": version, "rules": [{"id": code} for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The folder that ftctl was run in."}}
        },
        "results": list(_results(problems, rules)),
    }
    return json_document({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _results(problems: Sequence[Diagnostic], rules: Sequence[str]) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for problem in problems:
        content = f"{problem.code}\0{problem.span.path}\0{problem.message}"
        fingerprint = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[fingerprint] += 1
        yield {
            "ruleId": problem.code,
            "ruleIndex": rules.index(problem.code),
            "level": problem.severity,
            "message": {"text": _message(problem)},
            "locations": [{"physicalLocation": _place(problem.span)}],
            "partialFingerprints": {"problem/v1": f"{fingerprint}:{seen[fingerprint]}"},
        }


def _message(problem: Diagnostic) -> str:
    """The sentence with its cure. In a message [words](address) would be a link."""
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return one_line(text).replace("](", "] (")


def _place(span: Span) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(span.path)}
    if span.line is not None:
        region = {"startLine": span.line}
        if span.column is not None:
            region["startColumn"] = span.column
        place["region"] = region
    return place


def _artifact(path: str) -> dict[str, str]:
    uri = quote(path, safe="/", errors="surrogatepass")  # a colon would make it another scheme's
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": _ROOT}
