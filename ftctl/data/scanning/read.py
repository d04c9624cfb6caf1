"""A path goes in; the file as a Dataset with every problem, or its rows one by one, comes out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftctl.data.formats.findings import FindingLog
from ftctl.data.formats.formats import MIN_EXAMPLES
from ftctl.data.formats.lines import Line, LineReader
from ftctl.data.formats.text import read_row
from ftctl.data.scanning.scan import scan_file
from ftctl.data.scanning.scan_request import MAX_SHOWN_PER_CODE, ScanRequest
from ftctl.data.scanning.source import (
    BYTE_ORDER_MARK,
    HEAD_BYTES,
    open_source,
    recognise,
    recognise_layout,
    unreadable,
)
from ftctl.data.scanning.token_tally import NO_ERRORS
from ftctl.domain.desired import Dataset, Method
from ftctl.errors import Diagnostic, Finding, InvalidProject


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
    found = scan_file(name, source, shown, ScanRequest(method, least))
    return found.dataset, found.diagnostics


def rows_of(path: Path, shown: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with the number of its line; whether it is a good row is not looked at.

    InvalidProject, with the place, for a file that holds no rows or a row that cannot be read.
    """
    opened = open_source(path, shown)
    if isinstance(opened, Finding):
        raise _invalid(shown, opened, None)
    with opened:
        try:
            head = opened.peek(HEAD_BYTES)[:HEAD_BYTES]
            if fault := recognise(head, shown) or recognise_layout(head):
                raise _invalid(shown, fault, None)
            for found in LineReader(opened):
                line = _unmarked(found)
                if line.content != b"":
                    yield line.number, _row(line, shown)
        except OSError as error:
            raise _invalid(shown, unreadable(error), None) from None


def _row(line: Line, shown: str) -> dict[str, Any]:
    try:
        row, findings = read_row(line)
    except RecursionError:
        fault = Finding("nesting-too-deep", "the row is nested too deep to be read", "flatten it")
        raise _invalid(shown, fault, line.number) from None
    if row is None:
        raise _invalid(shown, findings[0], line.number)
    return row


def _unmarked(line: Line) -> Line:
    """The line without the byte order mark that the first one may start with."""
    if line.number == 1 and line.content is not None and line.content.startswith(BYTE_ORDER_MARK):
        return line._replace(content=line.content.removeprefix(BYTE_ORDER_MARK).lstrip())
    return line


def _invalid(shown: str, fault: Finding, line: int | None) -> InvalidProject:
    log = FindingLog(MAX_SHOWN_PER_CODE)
    log.add(fault, line)
    return InvalidProject(log.diagnostics(shown, NO_ERRORS))
