"""Where the limits of what is read lie: what is just within is let through."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from ftctl.data.convert import bounds, workbook_bounds
from ftctl.data.convert.bounds import (
    FREE_BYTES,
    MOST_COLUMNS,
    MOST_MADE_BYTES,
    MOST_RATIO,
    MadeBytes,
    check_columns_count,
    check_ratio,
)
from ftctl.data.convert.delimited import read_delimited
from ftctl.data.convert.encodings import TextSource
from ftctl.data.convert.fault import FileFault, TemplateFault
from ftctl.data.convert.json_documents import read_list
from ftctl.data.convert.template import parse_template
from ftctl.data.convert.workbook_bounds import check_workbook
from ftctl.data.formats.lines import MAX_LINE_BYTES, MAX_TEXT_BYTES, LineReader, is_too_long
from ftctl.data.scanning.chunks import ChunkReader
from ftctl.text.bounded_json import MOST_VALUES, NotBounded, read_bounded


def _utf8(path: Path) -> TextSource:
    return TextSource(path, path.name, encoding=None, samples=False)


def told(fault: pytest.ExceptionInfo[FileFault]) -> str:
    finding = fault.value.finding
    assert finding.hint
    return f"{finding.line}: {finding.code}: {finding.message}"


def test_as_many_columns_as_excel_has_are_read() -> None:
    check_columns_count(MOST_COLUMNS)

    with pytest.raises(FileFault) as fault:
        check_columns_count(MOST_COLUMNS + 1)

    assert told(fault) == "1: source-too-large: the table has more than 16,384 columns"


@pytest.mark.parametrize(
    ("packed", "unpacked", "fits"),
    [
        (1, FREE_BYTES, True),
        (1, FREE_BYTES + 1, False),
        (FREE_BYTES, MOST_RATIO * FREE_BYTES, True),
        (FREE_BYTES, MOST_RATIO * FREE_BYTES + 1, False),
    ],
)
def test_a_ratio_counts_from_a_size_on(packed: int, unpacked: int, *, fits: bool) -> None:
    if fits:
        check_ratio("it", packed, unpacked)
        return
    with pytest.raises(FileFault, match="source-too-large"):
        check_ratio("it", packed, unpacked)


def test_rows_are_added_up() -> None:
    made = MadeBytes()
    made.add(MOST_MADE_BYTES - 1, 1)
    made.add(1, 2)

    with pytest.raises(FileFault) as fault:
        made.add(1, 3)

    assert told(fault) == (
        "3: source-too-large: the rows up to this one have more than 2.1 GB of JSON"
    )


@pytest.mark.parametrize(("count", "fits"), [(500, True), (501, False)])
def test_a_template_has_so_many_placeholders(count: int, *, fits: bool) -> None:
    text = "a{b}" * count
    if fits:
        assert len(parse_template(text, "user").pieces) == 2 * count
        return
    with pytest.raises(TemplateFault, match="bad-template"):
        parse_template(text, "user")


# Rows.


def reader_of(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [b"\n", b""], ids=["ended", "last"])
@pytest.mark.parametrize("length", [MAX_TEXT_BYTES - 1, MAX_TEXT_BYTES, MAX_TEXT_BYTES + 1])
def test_a_line_has_one_limit_however_it_is_read(length: int, end: bytes) -> None:
    line = b"a" * (length - len(end)) + end
    content = b"first\n" + line + (b"third\n" if end else b"")
    too_long = length > MAX_TEXT_BYTES

    lines = [(one.number, one.content is None) for one in LineReader(reader_of(content))]
    chunks = [one for one in ChunkReader(reader_of(content)) if one.content is None]

    assert lines[:2] == [(1, False), (2, too_long)]
    assert [one.first for one in chunks] == ([2] if too_long else [])
    assert is_too_long(line) is too_long


def csv_rows(tmp_path: Path, text: str) -> list[object]:
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    with path.open("rb") as stream:
        return [record.value for record in read_delimited(_utf8(path), stream, "csv", ",").rows]


def test_each_row_of_a_table_has_the_whole_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftctl.data.convert.delimited.MOST_ROW_CHARACTERS", 11)

    assert csv_rows(tmp_path, 'a,b\n1234567,\n"1\n2\n34",5\n') == [
        {"a": "1234567", "b": ""},
        {"a": "1\n2\n34", "b": "5"},
    ]
    with pytest.raises(FileFault) as fault:
        csv_rows(tmp_path, 'a,b\n1,2\n"1\n2\n3456",7\n8,9\n')
    assert told(fault) == "3: source-too-large: the row has more than 11 characters"
    with pytest.raises(FileFault) as fault:  # a blank behind a quote is no way round
        csv_rows(tmp_path, 'a,b\n1,2\n"1" ,"\n2\n3\n456"\n8,9\n')
    assert told(fault) == "3: source-too-large: the row has more than 11 characters"


def test_each_element_of_a_list_has_the_whole_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftctl.data.convert.json_documents.MAX_LINE_BYTES", 20)
    monkeypatch.setattr("ftctl.data.convert.json_documents._CHUNK_CHARACTERS", 4)
    path = tmp_path / "a.json"

    def values(text: str) -> list[object]:
        path.write_text(text, "utf-8")
        with path.open("rb") as stream:
            return [record.value for record in read_list(_utf8(path), stream).rows]

    assert values('[{"a":"12345678901"},\n{"a":"1"}]\n  \n') == [{"a": "12345678901"}, {"a": "1"}]
    with pytest.raises(FileFault) as fault:
        values('[{"a":1},\n{"a":"' + "1" * 30 + '"}]')
    assert told(fault) == (
        "2: source-too-large: an element of the list has more than 20 characters"
    )
    with pytest.raises(FileFault, match="not-json"):
        values('[{"a":1}]' + " " * 50 + "x")


# Workbooks: what stands in a zip file.

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/s.xml" ContentType="a/sharedStrings+xml"/>'
    '<Override PartName="/t.xml" ContentType="a/styles+xml"/></Types>'
)


def zipped(path: Path, **parts: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in {"[Content_Types].xml": _TYPES, **parts}.items():
            book.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("limit", "name", "content"),
    [
        ("_MOST_STRINGS", "s.xml", "<sst>" + "<a/>" * 99 + "</sst>"),
        ("_MOST_OTHER", "t.xml", "<style>" + "<a/>" * 99 + "</style>"),
        ("_MOST_OTHER", "r.rels", "<rels>" + "<a/>" * 99 + "</rels>"),
        ("_MOST_SHEET", "u.xml", "<sheet>" + "<a/>" * 99 + "</sheet>"),
    ],
)
def test_a_part_is_as_large_as_its_kind_may_be(
    limit: str, name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "a.xlsx", **{name: content, "x.bin": "a" * 9999})
    monkeypatch.setattr(workbook_bounds, limit, max(len(content), len(_TYPES)))
    check_workbook(path)
    path = zipped(path, **{name: content.replace("<a/>", "<a/>" * 3)})

    with pytest.raises(FileFault) as fault:
        check_workbook(path)

    assert f"its part '{name}' unpacks to" in told(fault)


def test_a_part_may_pack_well_and_not_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "a.xlsx", **{"u.xml": "<sheet>" + "<a/>" * 99_999})
    check_workbook(path)
    monkeypatch.setattr(bounds, "FREE_BYTES", 99_999)

    with pytest.raises(FileFault) as fault:
        check_workbook(path)

    assert "more than 100 times as much" in told(fault)


@pytest.mark.parametrize(
    ("before", "length", "after", "fits"),
    [
        ("<a>", 53, "</a>", True),
        ("<a>", 54, "</a>", False),
        ("<a>" + "<b/>" * 14, 50, "<c/>" * 30, True),
        ("<a>" + "<b/>" * 14, 60, "<c/>" * 30, False),
        ("<a>" + "<b/>" * 30, 60, "", False),
        ("<a>" + "t<b/>" * 30, 2, "", True),
    ],
)
def test_a_text_between_two_tags_has_a_length(  # noqa: PLR0917 - what stands around it
    before: str, length: int, after: str, fits: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(workbook_bounds, "_LONGEST_RUN", 55)
    monkeypatch.setattr(workbook_bounds, "_PIECE_BYTES", 64)
    types = "<Types>" + "<a/>" * 20 + "</Types>"
    parts = {"[Content_Types].xml": types, "u.xml": before + "x" * length + after}
    path = zipped(tmp_path / "a.xlsx", **parts)
    if fits:
        check_workbook(path)
        return

    with pytest.raises(FileFault, match="source-too-large"):
        check_workbook(path)


@pytest.mark.parametrize(
    ("prolog", "fits"),
    [
        ("", True),
        ('<?xml version="1.0"?>\n<!-- a <!ENTITY b> -->\n', True),
        ("<!DOCTYPE a>", False),
        ("<?xml version='1.0'?>\n\n<!DOCTYPE a [<!ENTITY b 'c'>]>", False),
        ("\ufeff<!DOCTYPE a>", False),
        ("<!--" + "x" * 70_000 + "--><!DOCTYPE a>", False),
        ("<!--" + "x" * 70_000 + "-->", False),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_nothing_is_declared_before_the_root(
    prolog: str, encoding: str, tmp_path: Path, *, fits: bool
) -> None:
    path = zipped(tmp_path / "a.xlsx", **{"u.xml": f"{prolog}<a>b</a>".encode(encoding)})
    if fits:
        check_workbook(path)
        return

    with pytest.raises(FileFault) as fault:
        check_workbook(path)

    assert told(fault) == (
        "None: bad-table: the file cannot be read as XLSX"
        " (its part 'u.xml' declares what a workbook has no use for)"
    )


def test_an_empty_part_and_a_comment_of_the_zip_are_fine(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.xlsx", **{"u.xml": "", "folder/": ""})
    with zipfile.ZipFile(path, "a") as book:
        book.comment = b"c" * 0xFFFF

    check_workbook(path)


@pytest.mark.parametrize("cut", [1, 21, 40])
def test_a_file_that_breaks_off_is_told(cut: int, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.xlsx")
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(FileFault, match="bad-table"):
        check_workbook(path)


def test_the_list_of_parts_has_a_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.xlsx", **{f"{number}.bin": "" for number in range(99)})
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<I", raw, raw.rfind(b"PK\x05\x06") + 12)
    monkeypatch.setattr(workbook_bounds, "_MOST_DIRECTORY", length)
    monkeypatch.setattr(workbook_bounds, "_MOST_PARTS", 100)
    check_workbook(path)

    monkeypatch.setattr(workbook_bounds, "_MOST_PARTS", 99)
    with pytest.raises(FileFault, match="source-too-large"):
        check_workbook(path)
    monkeypatch.setattr(workbook_bounds, "_MOST_PARTS", 100)
    monkeypatch.setattr(workbook_bounds, "_MOST_DIRECTORY", length - 1)
    with pytest.raises(FileFault) as fault:
        check_workbook(path)
    assert "list of parts has more than" in told(fault)


# JSON of ours.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}),
        (b'{"' + b"k" * 1000 + b'": ' + b"9" * 400 + b"}", {"k" * 1000: int("9" * 400)}),
        (b"[1.5, -0.0, 1e308, null, true]", [1.5, -0.0, 1e308, None, True]),
        (b'["\xf0\x9f\x98\x80 ,,, [[["]', ["\U0001f600 ,,, [[["]),
        (b"0." + b"1" * 398, 1 / 9),
    ],
)
def test_what_ftctl_writes_is_read(text: bytes, value: object) -> None:
    assert read_bounded(text, len(text)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a": 1, "a": 1}', "a key stands twice in the same mapping"),
        (b'[{"' + b"k" * 1001 + b'": 1}]', "it has a key of more than 1,000 characters"),
        (b"9" * 401, "it has a number of more than 400 digits"),
        (b"1e309", "it has a number that is larger than any"),
        (b"0." + b"1" * 399, "it has a number that is larger than any"),
        (b"[NaN]", "it has a number that JSON does not know"),
        (b"[-Infinity]", "it has a number that JSON does not know"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[" + b"1," * MOST_VALUES + b"1]", "it has more than 4,000,000 values"),
        (b"[{}" + b'{"' * (MOST_VALUES - 1), "it has more than 4,000,000 values"),
    ],
)
def test_what_is_too_much_says_why(text: bytes, why: str) -> None:
    with pytest.raises(NotBounded) as fault:
        read_bounded(text, len(text))

    assert str(fault.value) == why


def test_more_bytes_than_are_taken_are_not_parsed() -> None:
    with pytest.raises(NotBounded, match="it has more than 9 bytes"):
        read_bounded(b"[" * 10, 9)


@pytest.mark.parametrize("text", [b"", b"{", "{}".encode("utf-16"), b"\xff", b"\xef\xbb\xbf{}"])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_bounded(text, 99)


def test_the_limits_of_a_row_are_those_of_the_pages() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")

    for limit in (MAX_TEXT_BYTES, MAX_LINE_BYTES, MOST_COLUMNS, MOST_VALUES, MOST_MADE_BYTES):
        assert f"{limit:,}" in text
