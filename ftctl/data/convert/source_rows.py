"""A source and how to convert it go in; rows of the wanted form come out, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ftctl.data.convert.bounds import MadeBytes, row_too_long
from ftctl.data.convert.canonical import line_of
from ftctl.data.convert.conversions import Conversion, find_conversion
from ftctl.data.convert.delimited import read_delimited
from ftctl.data.convert.encodings import TextSource
from ftctl.data.convert.fault import FileFault, RowFault
from ftctl.data.convert.headers import header_test
from ftctl.data.convert.json_documents import read_lines, read_list, record_of, text_lines
from ftctl.data.convert.manner import Manner
from ftctl.data.convert.parquet import read_parquet
from ftctl.data.convert.recipe import CONTAINERS, Container, Convert
from ftctl.data.convert.records import Record, Records
from ftctl.data.convert.sheets import read_sheet
from ftctl.data.encodings.transcoded import EncodingFault
from ftctl.data.formats.findings import FindingLog
from ftctl.data.formats.formats import format_of
from ftctl.data.formats.lines import is_too_long
from ftctl.data.formats.row_text import NOT_A_ROW
from ftctl.data.scanning.source import (
    HEAD_BYTES,
    open_source,
    recognise,
    recognise_layout,
    unreadable,
)
from ftctl.errors import Finding

_SUFFIXES: dict[str, Container] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
# What a file can be by its first bytes that these readers can do nothing with.
_PACKED = frozenset({"pointer-file", "compressed-file"})
_REFUSED: Mapping[Container, frozenset[str]] = {
    "csv": _PACKED,
    "tsv": _PACKED,
    "json": _PACKED,
    "jsonl": _PACKED | {"wrong-encoding", "binary-file"},
    "xlsx": frozenset({"pointer-file"}),  # it is a zip file itself
    "parquet": frozenset({"pointer-file"}),
}
_BINARY = ("xlsx", "parquet")
_BUFFER_BYTES = 1024 * 1024
_MANIFEST = Manner()


class Made(NamedTuple):
    """A row that came out."""

    number: int  # of the row or line in the source
    row: dict[str, Any]
    line: bytes


class Watch(Protocol):
    """Who looks at rows as they are made."""

    def look_at(
        self, records: Records, number: int, given: dict[str, Any], made: dict[str, Any], /
    ) -> None:
        """One row as it was read, and as it is made."""


class Rows:
    """The rows of one source, to be gone through once; afterwards what there is to say of it."""

    def __init__(
        self,
        path: Path,
        shown: str,
        convert: Convert | None,
        encoding: str | None = None,
        *,
        samples: bool = False,
        manner: Manner = _MANIFEST,
        watch: Watch | None = None,
    ) -> None:
        """`samples` shows a piece of a file that is in another encoding: on a command line.

        `watch` sees each row that is converted.
        """
        self._watch = watch
        self._source = TextSource(path, shown, encoding, samples)
        self._path = path
        self._convert = convert
        self._manner = manner
        self.shown = shown
        self.findings = FindingLog()
        self.notes: tuple[str, ...] = ()
        self.form: str | None = None

    def __iter__(self) -> Iterator[Made]:
        """Rows with problems are left out and told of; a template at fault ends it all."""
        opened = open_source(self._path, self.shown)
        if isinstance(opened, Finding) and opened.code == "file-too-large":
            # The service's limit is for what is uploaded; a source may be larger.
            opened = BufferedReader(FileIO(self._path), _BUFFER_BYTES)
        if isinstance(opened, Finding):
            self.findings.add(opened)
            return
        with opened:
            try:
                if self._convert is None:
                    self._check_encoding(opened)
                    yield from self._as_they_are(self._source.as_utf8(opened))
                else:
                    yield from self._converted(opened, self._convert)
            except FileFault as fault:
                self.findings.add(fault.finding)
            except EncodingFault as fault:  # it was changed since it was looked through
                self.findings.add(fault.finding)
            except OSError as error:
                self.findings.add(unreadable(error))

    def _as_they_are(self, stream: BufferedReader) -> Iterator[Made]:
        """JSONL rows with each byte as it is, without blank lines and with one kind of line end."""
        head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
        for fault, at in ((recognise(head, self.shown), None), (recognise_layout(head), 1)):
            if fault is not None:
                raise FileFault(fault, at)
        rows = 0
        for line in text_lines(stream):
            rows += 1
            found = record_of(line)
            if isinstance(found.value, Finding) or line.content is None:
                self._tell(found)
                continue
            self.form = self.form or format_of(found.value)
            yield Made(line.number, found.value, line.content.strip() + b"\n")
        if not self.findings.codes.isdisjoint(NOT_A_ROW):
            self._tell_causes(stream)
        self._expect(rows)

    def _tell_causes(self, stream: BufferedReader) -> None:
        """What has spoilt lines, as `ftctl dataset check` tells it."""
        from ftctl.data.scanning.text_faults import REPLACED, text_faults  # noqa: PLC0415 - rare

        stream.seek(0)
        self.findings.forget(REPLACED)
        for finding in text_faults(stream).findings:
            if finding.severity == "error" and finding.code != "blank-line":
                self.findings.add(finding)

    def _converted(self, stream: BufferedReader, convert: Convert) -> Iterator[Made]:
        records = self._records(stream, convert)
        conversion: Conversion | None = None
        rows = blank = 0
        made = MadeBytes()
        for record in records.rows:
            if record.value == {} and records.columns is not None:
                blank += 1
                continue
            rows += 1
            if isinstance(record.value, Finding):
                self._tell(record)
                continue
            try:
                conversion = conversion or find_conversion(
                    convert, records, record.value, self._manner
                )
                row = conversion.change(record.number, record.value)
                if self._watch is not None:
                    self._watch.look_at(records, record.number, record.value, row)
                line = _line(row)
                made.add(len(line), record.number)
                yield Made(record.number, row, _of_a_rows_length(line))
            except RowFault as row_fault:
                self.findings.add(row_fault.finding, record.number)
        self._expect(rows)
        if conversion is not None:
            left_out = [f"{blank:,} blank rows left out"] if blank else []
            read = (f"read as {records.read_as}", *records.remarks())
            self.notes = (*read, *conversion.notes(), *left_out)
            self.form = conversion.form
            for finding in conversion.findings():
                self.findings.add(finding)

    def _records(self, stream: BufferedReader, convert: Convert) -> Records:
        head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
        container = _container(self._path, head, convert.origin)
        if container in _BINARY:
            _refuse_encoding(self._source, container)
        else:
            self._check_encoding(stream)
            stream = self._source.as_utf8(stream)
            head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
            container = _container(self._path, head, convert.origin)
        fault = recognise(head, self.shown)
        if fault is not None and fault.code in _REFUSED[container]:
            raise FileFault(fault)
        match container:
            case "csv" | "tsv":
                return read_delimited(
                    self._source, stream, container, convert.delimiter, header_test(convert)
                )
            case "xlsx":
                return read_sheet(self._path, convert.sheet, header_test(convert))
            case "parquet":
                return read_parquet(self._path)
            case "json":
                return read_list(self._source, stream)
            case "jsonl":
                return read_lines(stream)

    def _check_encoding(self, stream: BufferedReader) -> None:
        doubt = self._source.check(stream)
        if doubt is not None:
            self.findings.add(doubt)

    def _tell(self, record: Record) -> None:
        if isinstance(record.value, Finding):
            if record.value.code == "not-utf-8":
                self._source.refuse_other_text()
            self.findings.add(record.value, record.number)

    def _expect(self, rows: int) -> None:
        if not rows:
            self.findings.add(Finding("empty-file", "the file holds no rows", "add rows"))


def _refuse_encoding(source: TextSource, container: Container) -> None:
    if source.encoding is not None:
        kind = "an XLSX file" if container == "xlsx" else "a Parquet file"
        said = "--encoding" if source.samples else "'encoding'"
        message = f"{kind} knows the encoding of its text: {said} {source.encoding} is for others"
        raise FileFault(Finding("wrong-encoding", message, f"leave {said} out"))


def _container(path: Path, head: bytes, origin: str) -> Container:
    """What is named, else what the first bytes cannot but be, else what the name ends in."""
    for container in CONTAINERS:
        if container == origin:
            return container
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(b"PAR1"):
        return "parquet"
    known = _SUFFIXES.get(path.suffix.lower())
    start = head.decode("utf-8-sig", "replace").replace("\0", "").lstrip("\ufeff\ufffd \t\r\n")[:1]
    if start == "[" and known in (None, "jsonl"):
        return "json"
    if known is not None:
        return known
    return "jsonl" if start == "{" else "csv"


def finished_line(row: dict[str, Any]) -> bytes:
    """The row as it is written; `RowFault` where it cannot be."""
    return _of_a_rows_length(_line(row))


def _of_a_rows_length(line: bytes) -> bytes:
    if is_too_long(line):
        raise RowFault(row_too_long())
    return line


def _line(row: dict[str, Any]) -> bytes:
    try:
        return line_of(row)
    except (ValueError, TypeError, RecursionError):
        message = "the row holds a value that JSON cannot say"
        raise RowFault(Finding("bad-cell", message, "write it as a text")) from None
