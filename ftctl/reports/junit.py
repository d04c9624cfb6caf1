"""Diagnostics in; JUnit's XML out, which shows one test for each file that was checked."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from ftctl.errors import Diagnostic
from ftctl.text.escape import xml_text
from ftctl.text.format import plural


def problems_junit(problems: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """A test case for each file; it fails with all the errors in the file.

    Warnings fail nothing: they are what the test printed.
    """
    by_file: dict[str, list[Diagnostic]] = {file: [] for file in sorted(files)}
    for problem in problems:
        by_file.setdefault(problem.span.path, []).append(problem)
    failed = sum(1 for listed in by_file.values() if _errors(listed))
    sums = f'tests="{len(by_file)}" failures="{failed}" errors="0" skipped="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="ftctl validate" {sums}>',
        f'  <testsuite name="ftctl validate" {sums}>',
    ]
    for path, listed in by_file.items():
        lines += _case(path, listed)
    return "\n".join([*lines, "  </testsuite>", "</testsuites>"])


def _case(path: str, listed: Sequence[Diagnostic]) -> list[str]:
    name = quoteattr(xml_text(path).replace("\n", " "))
    head = f'    <testcase classname="ftctl.validate" name={name} file={name}'
    errors = _errors(listed)
    warnings = [problem for problem in listed if problem.severity == "warning"]
    inner = []
    if errors:
        words = quoteattr(f"{plural(len(errors), 'problem')}: {xml_text(errors[0].code)}")
        inner.append(f'      <failure type="error" message={words}>{_told(errors)}</failure>')
    if warnings:
        inner.append(f"      <system-out>{_told(warnings)}</system-out>")
    return [f"{head}>", *inner, "    </testcase>"] if inner else [f"{head} />"]


def _errors(listed: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [problem for problem in listed if problem.severity == "error"]


def _told(listed: Sequence[Diagnostic]) -> str:
    return escape("\n".join(xml_text(str(problem)) for problem in listed))
