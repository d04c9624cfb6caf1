"""A path goes in; one pass over its bytes gives a Dataset, or every problem in the file by line."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path

from ftctl.dataset.findings import Finding, Problems
from ftctl.dataset.formats import MIN_EXAMPLES, RowChecker
from ftctl.dataset.lines import Line, LineReader
from ftctl.dataset.source import (
    BYTE_ORDER_MARK,
    HEAD_BYTES,
    MAX_FILE_BYTES,
    open_source,
    recognise,
    recognise_layout,
    too_large,
    unreadable,
)
from ftctl.dataset.text import read_row
from ftctl.errors import Diagnostic
from ftctl.model import Dataset, Method


def read_dataset(
    name: str,
    source: Path,
    shown: str,
    method: Method | None = None,
    least: int = MIN_EXAMPLES,
) -> tuple[Dataset | None, tuple[Diagnostic, ...]]:
    """The dataset, or None when it has errors; warnings stand beside either.

    `shown` is the path as people know it. `method` is what the fine-tune needs; None means that
    the first row decides. `least` is how many rows there must be.
    """
    problems = Problems(shown)
    opened = open_source(source)
    if isinstance(opened, Finding):
        problems.add(opened)
        return None, problems.diagnostics()
    dataset = None
    with opened:
        try:
            dataset = _read(opened, name, problems, RowChecker(method, least))
        except OSError as error:
            problems.add(unreadable(error))
    return (None if problems.failed else dataset), problems.diagnostics()


def _read(
    stream: BufferedReader, name: str, problems: Problems, checker: RowChecker
) -> Dataset | None:
    head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
    if fault := recognise(head):
        problems.add(fault)
        return None
    if fault := recognise_layout(head):
        problems.add(fault, 1)
        return None
    lines = LineReader(stream)
    rows = _read_rows(lines, problems, checker)
    if lines.bytes > MAX_FILE_BYTES:  # it grew since it was opened
        problems.add(too_large(lines.bytes))
    if not rows:
        problems.add(Finding("empty-file", "the file holds no rows", "add rows, one per line"))
        return None
    for finding in checker.check_count(rows):
        problems.add(finding)
    if checker.format is None:
        return None
    return Dataset(name, problems.shown, lines.sha256, rows, lines.bytes, checker.format)


def _read_rows(lines: LineReader, problems: Problems, checker: RowChecker) -> int:
    """The number of rows; a row that cannot be read counts."""
    rows = 0
    for found in lines:
        line = _unmarked(found)
        if line is not found:
            problems.add(_byte_order_mark(), line.number)
        if not line.content and line.content is not None:
            continue
        if line.blank_before:
            problems.add(_blank(line.blank_before), line.number - line.blank_before)
        rows += 1
        _check_line(line, problems, checker)
    return rows


def _unmarked(line: Line) -> Line:
    """The line without the byte order mark that the first one may start with."""
    if line.number == 1 and line.content is not None and line.content.startswith(BYTE_ORDER_MARK):
        return line._replace(content=line.content.removeprefix(BYTE_ORDER_MARK).lstrip())
    return line


def _check_line(line: Line, problems: Problems, checker: RowChecker) -> None:
    try:
        row, findings = read_row(line)
        for finding in findings:
            problems.add(finding, line.number)
        if row is not None:
            for finding in checker.check(row):
                problems.add(finding, line.number)
    except RecursionError:
        message = "the row is nested too deep to be read"
        problems.add(Finding("nesting-too-deep", message, "flatten it"), line.number)


def _byte_order_mark() -> Finding:
    return Finding(
        "byte-order-mark",
        "the file starts with a byte order mark; Azure wants one, OpenAI none",
        "if the service refuses the file: sed '1s/^\\xEF\\xBB\\xBF//' FILE > FILE.jsonl",
    )


def _blank(count: int) -> Finding:
    message = "a blank line before a row" if count == 1 else f"{count:,} blank lines before a row"
    return Finding("blank-line", message, "take it out: sed '/^[[:space:]]*$/d' FILE > FILE.jsonl")
