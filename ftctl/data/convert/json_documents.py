"""JSON Lines, or one JSON list, goes in; its objects come out with the line that each starts on."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO

from ftctl.data.convert.bounds import too_much
from ftctl.data.convert.encodings import TextSource, encoding_of
from ftctl.data.convert.fault import FileFault
from ftctl.data.convert.records import Record, Records, keyed
from ftctl.data.formats.lines import MAX_LINE_BYTES, Line, LineReader, is_too_long
from ftctl.data.formats.loose_lines import Loosener, UpcomingLines, put_up_with
from ftctl.data.formats.row_text import NOT_A_ROW, is_row, read_row
from ftctl.data.scanning.source import BYTE_ORDER_MARK
from ftctl.errors import Finding

_CHUNK_CHARACTERS = 1024 * 1024
# A string, or the quote of one that is not whole yet, or what gives a list its structure.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)


def read_lines(stream: BufferedReader) -> Records:
    """The rows of a JSON Lines file, and of one that is not quite one where none is in doubt."""
    loosener = Loosener(is_row)
    rows = _loosely(text_lines(stream, keep_blank=True), loosener)
    return keyed("jsonl", rows, "JSON Lines", lambda: put_up_with(loosener.met))


def _loosely(lines: Iterator[Line], loosener: Loosener) -> Iterator[Record]:
    upcoming = UpcomingLines(lines)
    for line in upcoming:
        if line.content is not None and line.content.isspace():
            continue
        record = record_of(line)
        if isinstance(record.value, Finding) and record.value.code in NOT_A_ROW:
            rows = loosener.rows(line, upcoming)
            if rows is not None:
                yield from map(record_of, rows)
                continue
        yield record


def text_lines(stream: BufferedReader, *, keep_blank: bool = False) -> Iterator[Line]:
    """The lines that are not blank; the byte order mark of the first is taken off."""
    for line in LineReader(stream, keep_blank=keep_blank):
        if line.number == 1 and line.content is not None:
            content = line.content.removeprefix(BYTE_ORDER_MARK)
            if content.strip():
                yield line._replace(content=content)
        else:
            yield line


def record_of(line: Line) -> Record:
    """The row of a line, or the first thing that is wrong with its text."""
    try:
        row, findings = read_row(line)
    except RecursionError:
        message = "the row is nested too deep to be read"
        return Record(line.number, Finding("nesting-too-deep", message, "flatten it"))
    if findings or row is None:
        return Record(line.number, findings[0])
    return Record(line.number, row)


def read_list(source: TextSource, stream: BinaryIO) -> Records:
    """The objects of a JSON list, without holding more than one of them."""
    encoding = encoding_of(stream.peek(4096)[:4096])  # type: ignore[attr-defined]
    loosener = Loosener(is_row)
    rows = _elements(source, encoding, stream, loosener)
    return keyed("json", rows, "a JSON list", lambda: put_up_with(loosener.met))


def _elements(
    source: TextSource, encoding: str, stream: BinaryIO, loosener: Loosener
) -> Iterator[Record]:
    text = io.TextIOWrapper(stream, encoding, "strict", newline="")
    with text, source.decoding(encoding):
        for number, element in _slices(text):
            content = element.encode(errors="surrogatepass")
            whole = None if is_too_long(content) else content
            line = Line(number, whole, ended=True, blank_before=0)
            found = record_of(line)
            if isinstance(found.value, Finding) and found.value.code in NOT_A_ROW:
                rows = loosener.rows(line, UpcomingLines([]))
                found = record_of(rows[0]) if rows is not None and len(rows) == 1 else found
            if isinstance(found.value, Finding):  # its column counts in the element, not the line
                found = found._replace(value=found.value._replace(column=None))
            yield found


def _slices(text: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """The text of each element and the line that it starts on."""
    waiting = ""
    start = scanned = depth = 0  # where the element starts, up to where tokens are known
    line = 1  # that of `start`
    while True:
        # As much again as is waiting: what a long string has is looked at twice, and not each time.
        chunk = text.read(_next_size(waiting[start:], line))
        waiting, scanned, start = waiting[start:] + chunk, scanned - start, 0
        for token in _TOKEN.finditer(waiting, scanned):
            mark = token[0]
            if mark == '"' and chunk:
                break  # the rest of the string is still to be read
            scanned = token.end()
            closes = mark in "]}"
            if depth == 0 and (mark != "[" or waiting[start : token.start()].strip()):
                raise FileFault(_not_json("a list was expected"), line)
            if depth == 1 and (mark == "," or closes):
                element = waiting[start : token.start()]
                written = element.lstrip()
                line += element.count("\n", 0, len(element) - len(written))
                if written:
                    yield line, written
                elif not closes:  # a comma before the list's end leaves no doubt
                    raise FileFault(_not_json("nothing stands beside a comma"), line)
                line += written.count("\n")
                start = scanned
            depth += (mark in "[{") - closes
            if depth == 0:
                _expect_nothing(waiting[scanned:], text, line)
                return
            if mark == "[" and depth == 1:
                line += waiting.count("\n", start, scanned)
                start = scanned
        if not chunk:
            left = waiting[start:]
            line += left.count("\n", 0, len(left) - len(left.lstrip()))
            raise FileFault(_not_json("the list breaks off"), line)


def _next_size(begun: str, line: int) -> int:
    """How much to read beside what there is of an element."""
    held = len(begun)
    if held > MAX_LINE_BYTES:
        line += begun.count("\n", 0, held - len(begun.lstrip()))
        too_much(f"an element of the list has more than {MAX_LINE_BYTES:,} characters", line)
    return min(max(_CHUNK_CHARACTERS, held), MAX_LINE_BYTES + _CHUNK_CHARACTERS - held)


def _expect_nothing(rest: str, text: io.TextIOWrapper, line: int) -> None:
    while not rest.strip():
        rest = text.read(_CHUNK_CHARACTERS)
        if not rest:
            return
    raise FileFault(_not_json("something follows the list's end"), line)


def _not_json(reason: str) -> Finding:
    message = f"the file is not JSON: {reason}"
    return Finding("not-json", message, "write the list with a JSON library")
