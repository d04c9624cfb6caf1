"""Files that are small and stand for more than a machine has: refused in little time and memory.

Each runs in a process of its own, whose highest memory and time are measured.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import string
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, chat_rows, small_project
from file_server import FileServer, Shelf

from ftctl.data.convert.bounds import MOST_COLUMNS, MOST_ROW_CHARACTERS
from ftctl.data.formats.lines import MAX_LINE_BYTES, MAX_TEXT_BYTES, is_too_long
from ftctl.engine.plan_files import read_plan, read_snapshot
from ftctl.errors import FtctlError, fault_text
from ftctl.lockfile.file import read_lock_file

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="measures as Linux does"
)

_SECONDS = 40.0  # of the processor: a machine that does nothing else needs a few
_MEGABYTES = 700  # at its highest, with the interpreter and the packages that read
_MADE = 48 * 2**20  # in place of gigabytes, so that no disk is filled here either

_CHILD = """\
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
import ftctl.data.convert.bounds as bounds
bounds.MOST_MADE_BYTES = {made}
from ftctl.cli.main import run
status = run(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
lines = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(status, used.ru_utime + used.ru_stime, peak // 1024, file=sys.stderr)
""".replace("{made}", str(_MADE))


@dataclass(frozen=True)
class Ran:
    """What a command printed, how it ended and what it took."""

    status: int
    text: str
    seconds: float
    megabytes: int


def ran(folder: Path, *arguments: str) -> Ran:
    """ftctl in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    *said, figures = done.stderr.splitlines()
    status, seconds, megabytes = figures.split()
    text = done.stdout + "\n".join(said)
    return Ran(int(status), text, float(seconds), int(megabytes))


def refused(result: Ran, *words: str) -> None:
    """It ended at once with a sentence that has these words, a place and a cure, and no trace."""
    assert result.status != 0, result.text
    assert all(word in result.text for word in words), result.text[-2000:]
    assert "hint: " in result.text
    assert "Traceback" not in result.text
    assert (result.seconds < _SECONDS, result.megabytes < _MEGABYTES) == (True, True), result


# Spreadsheets.

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_PARTS = {
    "[Content_Types].xml": (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml"'
        ' ContentType="application/xml"/><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_KIND}sharedStrings+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_HEAD}<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2"'
        f' Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3"'
        f' Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": f'{_HEAD}<styleSheet xmlns="{_SPREADSHEET}"/>',
    "xl/sharedStrings.xml": (
        f'{_HEAD}<sst xmlns="{_SPREADSHEET}"><si><t>question</t></si><si><t>answer</t></si></sst>'
    ),
}
_SST = f'<sst xmlns="{_SPREADSHEET}">'
_SHEET, _STRINGS, _STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
_TITLES = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
_SECOND = _TITLES.replace("1", "2", 1).replace("A1", "A2").replace("B1", "B2")


def sheet(rows: str, before: str = "") -> str:
    return (
        f'{_HEAD}{before}<worksheet xmlns="{_SPREADSHEET}"><sheetData>{rows}</sheetData>'
        "</worksheet>"
    )


def inline(row: int, *texts: str) -> str:
    """A row of texts that stand in the sheet itself."""
    cells = "".join(
        f'<c r="{string.ascii_uppercase[index]}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
        for index, text in enumerate(texts)
    )
    return f'<row r="{row}">{cells}</row>'


def workbook(path: Path, *, sheet_pieces: Iterable[str] = (), **more: str | bytes) -> None:
    """A workbook; other contents of its parts by their short names, more parts by number."""
    parts: dict[str, str | bytes] = {**_PARTS, _SHEET: sheet(_TITLES + _SECOND)}
    names = {"sheet": _SHEET, "strings": _STRINGS, "styles": _STYLES, "book": "xl/workbook.xml"}
    parts |= {names.get(name, name): content for name, content in more.items()}
    pieces = [*sheet_pieces]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, content in parts.items():
            if name != _SHEET or not pieces:
                book.writestr(name, content)
        if pieces:
            with book.open(_SHEET, "w", force_zip64=True) as stream:
                for piece in pieces:
                    stream.write(piece.encode())


def repeated(start: str, piece: str, end: str, megabytes: int) -> Iterator[str]:
    many = piece * (2**20 // len(piece) + 1)
    yield start
    for _ in range(megabytes):
        yield many
    yield end


_BEFORE, _AFTER = sheet("\0").split("\0")
_LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    + "]>"
)  # fmt: skip


def _declared(path: Path, name: str, unpacked: int) -> None:
    """Another size in the directory than the part has."""
    raw = bytearray(path.read_bytes())
    at = raw.rfind(name.encode()) - 46  # of the entry, before its name
    assert raw[at : at + 4] == b"PK\x01\x02"
    struct.pack_into("<I", raw, at + 24, unpacked)
    path.write_bytes(raw)


def _overlapping(path: Path) -> None:
    """Three hundred sheets in one place."""
    workbook(path, sheet=sheet(_TITLES + "".join(inline(n, "a" * 99, "b") for n in range(2, 99))))
    raw = path.read_bytes()
    end = raw.rfind(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<HII", raw, end + 10)
    directory = raw[start : start + size]
    at = directory.rfind(_SHEET.encode()) - 46
    entry = directory[at : at + 46 + len(_SHEET)]
    more = b"".join(entry[:46] + f"{_SHEET[:-9]}{n:05}.xml".encode() for n in range(300))
    tail = bytearray(raw[end:])
    struct.pack_into("<HHI", tail, 8, count + 300, count + 300, size + len(more))
    path.write_bytes(raw[:start] + directory + more + tail)


def _crowd(path: Path) -> None:
    workbook(path, **{f"xl/x/{number}.xml": "" for number in range(10_001)})


def _long_list(path: Path) -> None:
    workbook(path, **{f"xl/{'x' * 60_000}/{number}.bin": "" for number in range(150)})


def _twice(path: Path) -> None:
    workbook(path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as book:
        book.writestr(_SHEET, sheet(_TITLES + inline(2, "evil", "evil")))


def _within(path: Path) -> None:
    inner = path.with_name("inner.xlsx")
    workbook(inner)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for number in range(20):
            book.write(inner, f"{number}.xlsx")


_MANY = "".join(inline(number, "a", "b") for number in range(2, 9999))
_COLUMNS = "".join(f"<c t='inlineStr'><is><t>c{n}</t></is></c>" for n in range(MOST_COLUMNS + 1))

WORKBOOKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a sheet that packs to nothing": (
        lambda path: workbook(
            path, sheet_pieces=repeated(_BEFORE + _TITLES, inline(2, "a", "b"), _AFTER, 300)
        ),
        "faq.xlsx: error[source-too-large]: its part 'xl/worksheets/sheet1.xml' unpacks from",
    ),
    "texts that pack to nothing": (
        lambda path: workbook(
            path, strings="".join(repeated("<sst>", "<si><t>a</t></si>", "</sst>", 80))
        ),
        "error[source-too-large]: its part 'xl/sharedStrings.xml' unpacks from",
    ),
    "styles that are a tree of millions": (
        lambda path: workbook(
            path, styles="".join(repeated("<styleSheet>", "<a/><b/>", "</styleSheet>", 20))
        ),
        "its part 'xl/styles.xml' unpacks to 21.0 MB, more than 16.8 MB",
    ),
    "a relation of millions": (
        lambda path: workbook(
            path,
            **{"xl/_rels/workbook.xml.rels": "".join(repeated("<R>", "<a/><b/>", "</R>", 20))},
        ),
        "its part 'xl/_rels/workbook.xml.rels' unpacks to",
    ),
    "a part that says it is larger than a disk": (
        lambda path: (workbook(path), _declared(path, _SHEET, 2**32 - 2)),
        "unpacks to 4.3 GB, more than 1.1 GB",
    ),
    "a part that says it is smaller than it is": (
        lambda path: (
            workbook(path, sheet=sheet(_TITLES + _MANY)),
            _declared(path, _SHEET, 4096),
        ),
        "error[bad-table]: the file cannot be read as XLSX (",
    ),
    "parts that lie over each other": (_overlapping, "(its parts lie over each other)"),
    "more parts than a workbook": (_crowd, "the workbook has more than 10,000 parts"),
    "a list of parts without end": (_long_list, "the workbook's list of parts has more than"),
    "two parts of one name": (_twice, "(two of its parts have one name)"),
    "workbooks in a workbook": (_within, "(it lacks the list of its parts' types)"),
    "laughs a billion times in a sheet": (
        lambda path: workbook(path, sheet=sheet(_TITLES + inline(2, "&j;", "b"), _LAUGHS)),
        "'xl/worksheets/sheet1.xml' declares what a workbook has no use for",
    ),
    "laughs a billion times in its texts": (
        lambda path: workbook(path, strings=f"{_LAUGHS}<sst><si><t>&j;</t></si></sst>"),
        "'xl/sharedStrings.xml' declares what a workbook has no use for",
    ),
    "laughs in UTF-16": (
        lambda path: workbook(
            path, book=(_LAUGHS + _PARTS["xl/workbook.xml"][56:]).encode("utf-16")
        ),
        "'xl/workbook.xml' declares what a workbook has no use for",
    ),
    "laughs in the list of types": (
        lambda path: workbook(path, **{"[Content_Types].xml": f"{_LAUGHS}<Types>&j;</Types>"}),
        "'[Content_Types].xml' declares what a workbook has no use for",
    ),
    "an entity of the machine": (
        lambda path: workbook(
            path,
            strings='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            "<sst><si><t>&x;</t></si><si><t>answer</t></si></sst>",
        ),
        "declares what a workbook has no use for",
    ),
    "an entity after a long comment": (
        lambda path: workbook(path, sheet=sheet(_TITLES, f"<!--{'x' * 100_000}-->{_LAUGHS}")),
        "declares what a workbook has no use for",
    ),
    "a row with the number of a billion": (
        lambda path: workbook(path, sheet=sheet(_TITLES + inline(999_999_999, "a", "b"))),
        "error[source-too-large]: the sheet has more than 1,048,576 rows",
    ),
    "more columns than Excel": (
        lambda path: workbook(path, sheet=sheet(f"<row r='1'>{_COLUMNS}</row>" + _SECOND)),
        "the table has more than 16,384 columns",
    ),
    "a cell of a gigabyte": (
        lambda path: workbook(
            path,
            sheet_pieces=repeated(
                f"{_BEFORE}{_TITLES}<row r='2'><c r='A2' t='inlineStr'><is><t>", "ab", _AFTER, 60
            ),
        ),
        "'xl/worksheets/sheet1.xml' has a text of more than 1.0 MB",
    ),
    "a cell of nine megabytes in pieces": (
        lambda path: workbook(
            path,
            strings=f"{_SST}<si><t>question</t></si><si><t>answer</t></si><si>"
            + f"<r><t>{'ab' * 450_000}</t></r>" * 11 + "</si></sst>",
            sheet=sheet(_TITLES + _SECOND.replace("<v>0", "<v>2")),
        ),
        "faq.xlsx:2: error[line-too-long]: the row that is made of it has more than 8,388,608",
    ),
    "one text in a thousand cells": (
        lambda path: workbook(
            path,
            strings=f"{_SST}<si><t>question</t></si><si><t>answer</t></si><si>"
            f"<t>{'ab' * 50_000}</t></si></sst>",
            sheet=sheet(_TITLES + "".join(
                f'<row r="{n}"><c r="A{n}" t="s"><v>2</v></c><c r="B{n}" t="s"><v>1</v></c></row>'
                for n in range(2, 1002)
            )),
        ),
        "error[source-too-large]: the rows up to this one have more than 50.3 MB of JSON",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_unpacks_to_no_more_than_one_has(name: str, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    make, words = WORKBOOKS[name]
    make(tmp_path / "faq.xlsx")

    result = ran(tmp_path, "dataset", "convert", "faq.xlsx", "out.jsonl")

    refused(result, "faq.xlsx", words)
    assert not (tmp_path / "out.jsonl").exists()


# Parquet.


def _parquet(path: Path, columns: dict[str, Any], **options: Any) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table(columns), path, **options)


def _numbered(text: str, count: int) -> Any:
    """A text that stands once in the file, and many times in the column."""
    arrow = pytest.importorskip("pyarrow")
    zeros = arrow.repeat(arrow.scalar(0, arrow.int32()), count)
    return arrow.DictionaryArray.from_arrays(zeros, arrow.array([text]))


def _nested(text: str, count: int) -> Any:
    arrow = pytest.importorskip("pyarrow")
    offsets = arrow.array([0, count], arrow.int32())
    return arrow.ListArray.from_arrays(offsets, _numbered(text, count))


def _same(value: str, count: int) -> Any:
    arrow = pytest.importorskip("pyarrow")
    return arrow.repeat(arrow.scalar(value), count)


_ONE_PAGE = {"dictionary_pagesize_limit": 2**30}
PARQUETS: dict[str, tuple[Callable[[Path], None], str]] = {
    "one text in every row": (
        lambda path: _parquet(
            path, {"question": _numbered("ab" * 2**20, 100_000), "answer": _same("a", 100_000)},
            **_ONE_PAGE,
        ),
        "error[source-too-large]: the rows up to this one have more than 50.3 MB of JSON",
    ),
    "one text that is longer than a row": (
        lambda path: _parquet(
            path, {"question": _numbered("ab" * 5 * 2**20, 9_000), "answer": _same("a", 9_000)},
            **_ONE_PAGE,
        ),
        "faq.parquet:1: error[source-too-large]: the row has more than 8,388,608 bytes of text",
    ),
    "one text a million times in one row": (
        lambda path: _parquet(path, {"messages": _nested("z" * 500_000, 1_000_000)}, **_ONE_PAGE),
        "faq.parquet:1: error[source-too-large]: the row has more than 8,388,608 bytes of text",
    ),
    "more values than a column has": (
        lambda path: _parquet(path, {"messages": _nested("a", 40_000_000)}),
        "a row group has more than 33,554,432 values in the column 'messages.list.element'",
    ),
    "rows of nothing": (
        lambda path: _parquet(
            path, {"question": _same("a", 3_000_000), "answer": _same("b", 3_000_000)},
            compression="zstd",
        ),
        "error[source-too-large]: 3,000,000 rows in",
    ),
    "more columns than a table": (
        lambda path: _parquet(path, {f"c{n}": ["a"] for n in range(MOST_COLUMNS + 1)}),
        "the table has more than 16,384 columns",
    ),
    "a cell that packs to nothing": (
        lambda path: _parquet(
            path, {"question": ["w" * 100_000_000], "answer": ["a"]}, compression="zstd"
        ),
        "error[source-too-large]: the file unpacks from",
    ),
    "a cell that packs to little": (
        lambda path: _parquet(
            path, {"question": ["w" * 60_000_000], "answer": ["a"]}, compression="gzip"
        ),
        "error[line-too-long]: the row that is made of it has more than 8,388,608 bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARQUETS)
def test_a_parquet_file_unpacks_to_no_more_than_one_has(name: str, tmp_path: Path) -> None:
    make, words = PARQUETS[name]
    make(tmp_path / "faq.parquet")

    result = ran(tmp_path, "dataset", "convert", "faq.parquet", "out.jsonl")

    refused(result, "faq.parquet", words)


# Texts: tables, lists and rows.


def _wrote(name: str, *pieces: bytes | tuple[bytes, int]) -> Callable[[Path], None]:
    """A file of pieces, each perhaps many times."""

    def write(folder: Path) -> None:
        with (folder / name).open("wb") as stream:
            for piece in pieces:
                content, count = piece if isinstance(piece, tuple) else (piece, 1)
                block = content * max(1, min(count, 2**20 // len(content)))
                for _ in range(count // (len(block) // len(content))):
                    stream.write(block)

    return write


_ROW = b'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n'
_LONG = 40 * 2**20
_CSV = ("dataset", "convert", "faq.csv", "out.jsonl")
_JSON = ("dataset", "convert", "faq.json", "out.jsonl")
_CHECK = ("dataset", "check", "rows.jsonl")
_CHARACTERS = f"error[source-too-large]: the row has more than {MOST_ROW_CHARACTERS:,} characters"
_TOO_LONG = f"error[line-too-long]: the line has more than {MAX_TEXT_BYTES:,} bytes besides its"
_MOST = f"{MAX_LINE_BYTES:,} characters"
_DICTIONARIES = b'{"messages":[' + b'{"a":{}},' * (_LONG // 9) + b"0]}\n"

TEXTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "a table of one line": (
        _wrote("faq.csv", b"question,answer\n", (b"ab", _LONG)),
        _CSV,
        f"faq.csv:2: {_CHARACTERS}",
    ),
    "a table without a line's end": (_wrote("faq.csv", (b"ab", _LONG)), _CSV, _CHARACTERS),
    "a quote that is never closed": (
        _wrote("faq.csv", b'question,answer\n"', (b"a\n", _LONG)),
        _CSV,
        f"faq.csv:2: {_CHARACTERS}",
    ),
    "cells without end": (
        _wrote("faq.csv", b"question,answer\n", (b",", 2 * _LONG)),
        _CSV,
        f"faq.csv:2: {_CHARACTERS}",
    ),
    "columns without end": (
        _wrote("faq.csv", (b"a,", 4_000_000), b"\n1\n"),
        _CSV,
        "the table has more than 16,384 columns",
    ),
    "a line without end in UTF-16": (
        _wrote(
            "faq.csv",
            "\ufeffquestion,answer\n".encode("utf-16-le"),
            ("\u65e5".encode("utf-16-le"), _LONG),
        ),
        _CSV,
        _CHARACTERS,
    ),
    "rows of one cell that is as long as can be": (
        _wrote("faq.csv", b"question,answer\n", *[(b"ab", 5 * 2**20), b",a\n"] * 5),
        _CSV,
        "faq.csv:2: error[line-too-long]: the row that is made of it",
    ),
    "a template that repeats a cell": (
        _wrote("faq.csv", b"question,answer\n", *[(b"ab", 2**16), b",a\n"] * 9),
        (*_CSV, "--template", "user=" + "{question}" * 99, "--template", "assistant={answer}"),
        "faq.csv:2: error[line-too-long]: the row that is made of it",
    ),
    "a template of more placeholders than columns": (
        _wrote("faq.csv", b"question,answer\na,b\n"),
        (*_CSV, "--template", "user=" + "{question}" * 1100, "--template", "assistant={answer}"),
        "the template has more than 500 placeholders",
    ),
    "a list with one long text": (
        _wrote("faq.json", b'[{"question":"', (b"ab", 4 * _LONG), b'","answer":""}]'),
        _JSON,
        f"faq.json:1: error[source-too-large]: an element of the list has more than {_MOST}",
    ),
    "a list with one text of 40 MB": (
        _wrote("faq.json", b'[{"question":"', (b"ab", _LONG // 2), b'","answer":""}]'),
        _JSON,
        f"faq.json:1: {_TOO_LONG}",
    ),
    "a list of backslashes": (
        _wrote("faq.json", b'[{"question":"', (b"\\\\", _LONG // 2)),
        _JSON,
        "error[not-json]: the file is not JSON: the list breaks off",
    ),
    "a list of brackets": (
        _wrote("faq.json", (b"[", 9_000_000)),
        _JSON,
        "error[not-json]: the file is not JSON: the list breaks off",
    ),
    "a list of nested objects": (
        _wrote("faq.json", b"[", (b'{"a":', 500_000), b"0", (b"}", 500_000), b"]"),
        _JSON,
        "error[nesting-too-deep]",
    ),
    "a list and spaces without end": (
        _wrote("faq.json", b'[{"question":"q","answer":"a"}]', (b" \n", _LONG), b"x"),
        _JSON,
        "something follows the list's end",
    ),
    "a row of one long text": (
        _wrote("rows.jsonl", (_ROW, 12), _ROW[:-9], (b"ab", _LONG), _ROW[-9:]),
        _CHECK,
        f"rows.jsonl:13: {_TOO_LONG}",
    ),
    "a row of 140 MB": (
        _wrote("rows.jsonl", (_ROW, 12), _ROW[:-9], (b"ab", 70_000_000), _ROW[-9:]),
        _CHECK,
        f"rows.jsonl:13: {_TOO_LONG}",
    ),
    "a row of objects": (
        _wrote("rows.jsonl", (_ROW, 12), _DICTIONARIES),
        _CHECK,
        f"rows.jsonl:13: {_TOO_LONG}",
    ),
    "a last row without an end": (
        _wrote("rows.jsonl", (_ROW, 12), b'{"a":"', (b"ab", _LONG)),
        _CHECK,
        f"rows.jsonl:13: {_TOO_LONG}",
    ),
    "a row of objects that is just short enough": (
        _wrote(
            "rows.jsonl",
            (_ROW, 12),
            b'{"messages":[',
            (b'{"a":{}},', MAX_TEXT_BYTES // 9 - 2**17),
            b"0]}\n",
        ),
        _CHECK,
        "rows.jsonl:13: error[",
    ),
    "a row of numbers": (
        _wrote(
            "rows.jsonl",
            (_ROW, 12),
            b'{"messages":[',
            (b"1.5,", MAX_TEXT_BYTES // 4 - 2**18),
            b"0]}\n",
        ),
        _CHECK,
        "rows.jsonl:13: error[",
    ),
    "a row with a number of a million digits": (
        _wrote("rows.jsonl", (_ROW, 12), b'{"messages":', (b"9", 2**20), b"}\n"),
        _CHECK,
        "rows.jsonl:13: error[number-out-of-range]",
    ),
    "a row that nests": (
        _wrote("rows.jsonl", (_ROW, 12), b'{"messages":', (b"[", 900_000), (b"]", 900_000), b"}\n"),
        _CHECK,
        "rows.jsonl:13: error[nesting-too-deep]",
    ),
    "an image that is none": (
        _wrote(
            "rows.jsonl",
            (_ROW, 12),
            b'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,',
            (b"ab", _LONG),
            b'"}}]}]}\n',
        ),
        _CHECK,
        "error[image-too-large]",
    ),
    "rows in gzip": (
        lambda folder: (folder / "rows.jsonl").write_bytes(gzip.compress(b"\0" * 2**26)) and None,
        _CHECK,
        "error[compressed-file]: the file is gzip data",
    ),
    "a table in gzip": (
        lambda folder: (folder / "faq.csv").write_bytes(gzip.compress(b"a,b\n" * 2**24)) and None,
        _CSV,
        "error[compressed-file]: the file is gzip data",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_holds_no_more_than_a_row_may(name: str, tmp_path: Path) -> None:
    make, command, words = TEXTS[name]
    make(tmp_path)

    refused(ran(tmp_path, *command), words)


# What ftctl itself has written, or says so.

_DEEP = b'{"changes": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
RECORDS: dict[str, tuple[bytes, str]] = {
    "nests": (_DEEP, "it is nested too deeply"),
    "nests objects": (b'{"a":' * 200_000 + b"0" + b"}" * 200_000, "it is nested too deeply"),
    "a number larger than any": (
        b'{"cost": {"low": 1e999999}}',
        "it has a number that is larger than any",
    ),
    "a number of a million digits": (
        b'{"keep": ' + b"9" * 10**6 + b"}",
        "it has a number of more than 400 digits",
    ),
    "a fraction of a million digits": (
        b'{"keep": 0.' + b"9" * 10**6 + b"}",
        "it has a number that is larger than any",
    ),
    "a key that stands twice": (
        b'{"digest": "a", "digest": "b"}',
        "a key stands twice in the same mapping",
    ),
    "a key of a million letters": (
        b'{"' + b"k" * 10**6 + b'": 0}',
        "it has a key of more than 1,000 characters",
    ),
    "millions of lists": (
        b'{"changes": [' + b"[]," * 3_000_000 + b"0]}",
        "it has more than 4,000,000 values",
    ),
    "millions of objects": (
        b'{"changes": [' + b'{"a":{}},' * 2_000_000 + b"0]}",
        "it has more than 4,000,000 values",
    ),
    "no number": (b'{"cost": NaN}', "it has a number that JSON does not know"),
    "UTF-16": ('{"changes": []}'.encode("utf-16"), ""),
}
READERS = {
    "a plan": (
        "plan.json",
        ("apply", "plan.json", "--auto-approve"),
        "plan.json is not a plan of ftctl",
    ),
    "a snapshot": (
        "seen.json",
        ("plan", "--observed", "seen.json"),
        "seen.json is no snapshot of ftctl",
    ),
    "a release record": ("ftctl.lock", ("status",), "ftctl.lock is damaged: "),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in small_project().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def _read(reader: str, folder: Path) -> str:
    """What is said of the file, with its cure."""
    read: dict[str, Callable[[], object]] = {
        "a plan": lambda: read_plan(folder / "plan.json"),
        "a snapshot": lambda: read_snapshot(folder / "seen.json"),
        "a release record": lambda: read_lock_file(folder),
    }
    with pytest.raises(FtctlError) as caught:
        read[reader]()
    return fault_text(caught.value)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", RECORDS)
def test_a_file_of_ours_is_bounded_before_it_is_parsed(
    reader: str, name: str, tmp_path: Path
) -> None:
    file, _, words = READERS[reader]
    content, why = RECORDS[name]
    (tmp_path / file).write_bytes(content)

    told = _read(reader, tmp_path)

    assert words in told
    assert why in told
    assert "    hint: " in told


@pytest.mark.parametrize("reader", READERS)
def test_a_file_of_ours_is_no_giant(reader: str, project: Path) -> None:
    file, command, words = READERS[reader]
    (project / file).touch()
    os.truncate(project / file, 3 * 2**30)

    refused(ran(project, *command), words, " bytes")


@pytest.mark.parametrize("reader", READERS)
def test_a_file_of_ours_is_no_pipe(reader: str, tmp_path: Path) -> None:
    file, _, _ = READERS[reader]
    os.mkfifo(tmp_path / file)

    assert "not a regular file" in _read(reader, tmp_path)


@pytest.mark.parametrize("name", ["nests objects", "millions of lists", "millions of objects"])
def test_a_plan_takes_little_time_and_memory(name: str, project: Path) -> None:
    content, why = RECORDS[name]
    (project / "plan.json").write_bytes(content)

    refused(ran(project, "apply", "plan.json", "--auto-approve"), why)


SETTINGS = {
    "a number of 100,000 digits": (
        "seed: " + "9" * 100_000, "error[yaml-number]: this number is too long",
    ),
    "a number larger than any": ("seed: 1e999999", "error[yaml-not-finite]"),
    "a key of a million letters": ("k" * 1_000_000 + ": 1", "error["),
    "a text of a million letters": ("method: " + "a" * 1_000_000, "error[wrong-value]"),
    "letters that unfold": ("metadata: {" + "\ufdfa" * 300_000 + ": a}", "error["),
    "what nobody sees, without end": (
        "# " + "\u202e\u200b" * 150_000, "error[invisible-character]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_a_manifest_is_bounded(name: str, project: Path) -> None:
    line, words = SETTINGS[name]
    (project / "finetunes" / "tone.yaml").write_text(f"{FINETUNE}{line}\n", "utf-8")

    result = ran(project, "validate")

    assert (result.status, words in result.text) == (1, True), result.text[-2000:]
    assert "Traceback" not in result.text
    assert (result.seconds < _SECONDS, result.megabytes < _MEGABYTES) == (True, True), result


@cache
def _packed(times: int) -> bytes:
    return gzip.compress(_packed(times - 1) if times > 1 else b"\0" * (540 * 2**20), 1)


@pytest.mark.parametrize("times", [1, 2], ids=["packed", "packed twice"])
def test_an_answer_that_is_packed_unpacks_to_no_more_than_a_file_may(
    times: int, project: Path
) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    shelf = Shelf({"rows.jsonl": _packed(times)}, packed="gzip" + ", gzip" * (times - 1))
    with FileServer(shelf) as server:
        text = FINETUNE.replace("../data/train.jsonl", f"{server.url}/rows.jsonl")
        (project / "finetunes" / "tone.yaml").write_text(text, "utf-8")

        result = ran(project, "validate")

    refused(result, "error[")


# Honest and large.


def _words(count: int, seed: int) -> str:
    chosen = random.Random(seed)
    letters = string.ascii_lowercase
    return " ".join("".join(chosen.choices(letters, k=7)) for _ in range(count))


def test_a_workbook_of_20_megabytes_is_converted(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    texts = (random.Random(number).randbytes(3_500).hex() for number in range(5_500))
    rows = (inline(number, text, "yes") for number, text in enumerate(texts, 2))
    workbook(tmp_path / "faq.xlsx", sheet_pieces=[_BEFORE, _TITLES, *rows, _AFTER])
    assert (tmp_path / "faq.xlsx").stat().st_size > 18_000_000

    result = ran(tmp_path, "dataset", "convert", "faq.xlsx", "out.jsonl")

    assert (result.status, result.megabytes < _MEGABYTES) == (0, True), result
    assert (tmp_path / "out.jsonl").stat().st_size > 38_000_000


def test_a_sparse_sheet_is_converted(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    empty = "".join(f'<row r="{n}" s="5"><c r="A{n}" s="5"/></row>' for n in range(3, 200_000))
    rows = _TITLES + inline(2, "a", "b") + empty + inline(1_048_576, "c", "d")
    workbook(tmp_path / "faq.xlsx", sheet=sheet(rows))

    result = ran(tmp_path, "dataset", "convert", "faq.xlsx", "out.jsonl")

    assert (result.status, result.megabytes < _MEGABYTES) == (0, True), result
    assert (tmp_path / "out.jsonl").read_text("utf-8").count("\n") == 2


def test_a_parquet_file_of_a_million_rows_is_converted(tmp_path: Path) -> None:
    count = 1_000_000
    texts = [_words(8, number) for number in range(500)]
    columns = {
        "question": [f"{texts[number % 500]} {number}" for number in range(count)],
        "answer": [("yes", "no")[number % 2] for number in range(count)],
    }
    _parquet(tmp_path / "faq.parquet", columns)
    program = (
        "from pathlib import Path; from ftctl.data.convert.parquet import read_parquet;"
        "print(sum(1 for _ in read_parquet(Path('faq.parquet')).rows))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{count}\n"


def test_long_messages_in_a_parquet_file_are_read_as_they_are(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    long = _words(40_000, 1)  # 320 kB, in every one of 900 rows
    turns = [
        [{"role": "user", "content": f"{number}"}, {"role": "assistant", "content": long}]
        for number in range(900)
    ]
    _parquet(tmp_path / "faq.parquet", {"messages": arrow.array(turns[:90])})
    _parquet(tmp_path / "more.parquet", {"messages": arrow.array(turns)}, **_ONE_PAGE)

    result = ran(tmp_path, "dataset", "convert", "faq.parquet", "out.jsonl")
    more = ran(tmp_path, "dataset", "convert", "more.parquet", "more.jsonl")

    rows = [*map(json.loads, (tmp_path / "out.jsonl").read_text("utf-8").splitlines())]
    assert rows == [{"messages": turn} for turn in turns[:90]]
    assert (result.status, more.status) == (0, 1)  # by the limit that stands here for gigabytes
    assert more.megabytes < _MEGABYTES


@pytest.mark.parametrize("space", [b"", b" "], ids=["dense", "spaced"])
def test_a_row_with_ten_images_is_no_longer_than_a_row_may_be(space: bytes) -> None:
    image = b'{"type":"image_url","image_url":{"url":' + space + b'"data:image/png;base64,'
    image += b"iVBORw0KGgo\\/+" * 700_000 + b'=="}}'
    row = b'{"messages":[{"role":"user","content":[' + b",".join([image] * 10) + b"]}]}\n"

    assert len(row) > 90_000_000
    assert not is_too_long(row)


@pytest.mark.parametrize(
    ("length", "too_long"),
    [(MAX_TEXT_BYTES, False), (MAX_TEXT_BYTES + 1, True), (1000, False)],
)
def test_a_row_is_too_long_by_its_text(length: int, too_long: bool) -> None:
    assert is_too_long(b"a" * length) is too_long


@pytest.mark.parametrize(
    "image",
    [b"data:image/png;base64,%s", b'"url": "data:text/plain;base64,%s"',
     b'"content": "data:image/png;base64,%s"', b'\\"url\\": \\"data:image/png;base64,%s\\"',
     b'"url": "data:image/png;base64,%s one and two"'],
)  # fmt: skip
def test_what_only_looks_like_an_image_counts_as_text(image: bytes) -> None:
    row = b'{"messages": [{"role": "user", "content": ' + image % (b"ab" * MAX_TEXT_BYTES) + b"}]}"

    assert is_too_long(row)


def test_a_long_row_is_checked(tmp_path: Path) -> None:
    row = json.loads(chat_rows(1))
    row["messages"][0]["content"] = _words(700_000, 3)  # 5.6 MB
    rows = chat_rows(12) + json.dumps(row) + "\n"
    (tmp_path / "rows.jsonl").write_text(rows, "utf-8")

    result = ran(tmp_path, "dataset", "check", "rows.jsonl")

    assert (result.status, "line-too-long" in result.text) == (0, False), result
