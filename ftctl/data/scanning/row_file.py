"""A path goes in; its rows come out one at a time, as often as they are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

from ftctl.data.encodings.transcoded import EncodingFault, Transcoded, transcoded
from ftctl.data.formats.lines import Line, LineReader
from ftctl.data.formats.row_text import read_row
from ftctl.data.scanning.source import (
    BYTE_ORDER_MARK,
    HEAD_BYTES,
    open_source,
    recognise,
    recognise_layout,
    unreadable,
)
from ftctl.errors import Diagnostic, Finding, InvalidProject, Span

Row = dict[str, Any]


class RowFile:
    """A JSONL file. After a pass to its end, `bytes`, `sha256` and `unreadable` are of it.

    Rows that cannot be read are left out and counted: what is wrong with them is for
    `ftctl dataset check` to say. `InvalidProject` tells of a file that is no JSONL at all.
    """

    def __init__(
        self, path: Path, shown: str, encoding: str | None = None, *, samples: bool = False
    ) -> None:
        """`encoding` is what a file that is not UTF-8 is in.

        `samples`: one that is in another is refused with a piece of it, as on a command line.
        """
        self.path = path
        self.shown = shown
        self._encoding = encoding
        self._samples = samples
        self._looked = False
        self.bytes = 0
        self.sha256 = ""
        self.unreadable = 0

    def rows(self, lines: Collection[int] | None = None) -> Iterator[tuple[int, Row]]:
        """The rows with their lines, in order; all, or those on the lines that are given."""
        unreadable_rows = 0
        try:
            with self._open() as stream:
                reader = LineReader(stream)
                for line in reader:
                    if lines is not None and line.number not in lines:
                        continue
                    row = _row_of(line)
                    if row is None:
                        unreadable_rows += 1
                        self._refuse_other_text(line)
                    elif row is not _BLANK:
                        yield line.number, row
                raw = stream.raw
        except OSError as error:
            raise self._refused(unreadable(error)) from None
        except EncodingFault as fault:
            raise self._refused(fault.finding, fault.finding.line) from None
        if lines is None:
            read = raw if isinstance(raw, Transcoded) else reader
            self.bytes, self.sha256 = read.bytes, read.sha256
            self.unreadable = unreadable_rows

    def _open(self) -> BufferedReader:
        opened = open_source(self.path, self.shown)
        if isinstance(opened, Finding):
            # The limit is the service's. What is larger may well be measured, or sampled from.
            if opened.code != "file-too-large":
                raise self._refused(opened)
            opened = BufferedReader(FileIO(self.path))
        if self._encoding is not None:
            opened = self._as_utf8(opened, self._encoding)
        head = opened.peek(HEAD_BYTES)[:HEAD_BYTES]
        for fault, line in ((recognise(head, self.shown), None), (recognise_layout(head), 1)):
            if fault is not None:
                opened.close()
                raise self._refused(fault, line)
        return opened

    def _as_utf8(self, stream: BufferedReader, encoding: str) -> BufferedReader:
        from ftctl.data.encodings.diagnosis import doubts_of  # noqa: PLC0415 - rarely asked for

        fault = doubts_of(stream, encoding, "--encoding", samples=self._samples)
        if fault is not None and fault.severity == "error":
            stream.close()
            raise self._refused(fault, fault.line)
        stream.seek(0)
        return transcoded(stream, encoding, owner=True)

    def _refuse_other_text(self, line: Line) -> None:
        """Raise where the line is unreadable because the file is in another encoding."""
        if not self._samples or self._looked or line.content is None or _is_utf8(line.content):
            return
        from ftctl.data.encodings.diagnosis import not_utf8  # noqa: PLC0415 - it is rare

        self._looked = True
        with self.path.open("rb") as stream:
            fault = not_utf8(stream, samples=True, mixed=False)
        if fault is not None:
            raise InvalidProject([named_here(fault.in_file(self.shown))])

    def _refused(self, fault: Finding, line: int | None = None) -> InvalidProject:
        return InvalidProject([file_problem(fault, self.shown, line)])


def file_problem(fault: Finding, shown: str, line: int | None = None) -> Diagnostic:
    """The problem in the words of somebody who named the file on the command line."""
    return named_here(fault.at(Span(shown, line)))


def named_here(problem: Diagnostic) -> Diagnostic:
    """The problem without talk of a manifest, which the command line has none of."""
    if problem.code == "missing-file" and "manifest" in (problem.hint or ""):
        return replace(problem, hint="check the path")
    return problem


_BLANK: Row = {}


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _row_of(line: Line) -> Row | None:
    """The row; None if it cannot be read; `_BLANK` for a first line with nothing but a mark."""
    content = line.content
    if line.number == 1 and content is not None and content.startswith(BYTE_ORDER_MARK):
        content = content.removeprefix(BYTE_ORDER_MARK).lstrip()
        if not content:
            return _BLANK
        line = line._replace(content=content)
    try:
        row, _ = read_row(line)
    except RecursionError:
        return None
    return row
