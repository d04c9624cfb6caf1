"""What is read though it is no JSON Lines, and what is left alone since somebody must decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftctl.data.formats.lines import Line
from ftctl.data.formats.loose_lines import Loosener, Place, UpcomingLines, put_up_with
from ftctl.data.formats.row_text import is_row
from ftctl.data.scanning import ScanRequest, scan_file
from ftctl.data.scanning.text_faults import text_faults

GOOD = '{"a": "x"}'


def rows(text: str) -> tuple[list[object], Loosener]:
    """Each row's value, or the text of a line that nobody can be sure of."""
    pieces = text.splitlines(keepends=True) if "\r" not in text else text.split("\x00")
    lines = UpcomingLines(
        Line(number, piece.encode(), ended=True) for number, piece in enumerate(pieces, 1)
    )
    loosener, found = Loosener(is_row), list[object]()
    for line in lines:
        assert line.content is not None
        if line.content.isspace():
            continue
        read = [line] if is_row(line) else loosener.rows(line, lines)
        if read is None:
            found.append(line.content.decode())
        else:
            found += [json.loads(one.content or b"") for one in read]
    return found, loosener


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"{GOOD},\n{GOOD}\n", [{"a": "x"}, {"a": "x"}]),
        (f"{GOOD}, {GOOD}\n", [{"a": "x"}, {"a": "x"}]),
        ('{"a": "x\n\n{y"}\n', [{"a": "x\n\n{y"}]),
        ('{"a": "x\r\ny"}\r\n', [{"a": "x\r\ny"}]),
        ('{"a": "\tx\x01"}\n', [{"a": "\tx\x01"}]),
        ('{"a": "x\\\\\ny"}\n', [{"a": "x\\\ny"}]),  # an escaped backslash, then the break
        ('{\n "a": {\n  "b": []\n }\n}\n', [{"a": {"b": []}}]),
        ('{"a": [1, 2,], "b": {"c": 1,},}\n', [{"a": [1, 2], "b": {"c": 1}}]),
        ('{"a": "//x", // y, {\n"b": "#"} # z\n', [{"a": "//x", "b": "#"}]),
        ('{"a": /* { */ 1}\n', [{"a": 1}]),
        ('{"a": None, "b": [True, "None"], "c": False}\n', [{"a": None, "b": [True, "None"],
                                                             "c": False}]),
        ('{“a”: „x“, "b": «y "z"»}\n', [{"a": "x", "b": 'y "z"'}]),
        ('{"a":\u00a0"\u00a0"}\u3000\n', [{"a": "\u00a0"}]),
        ("// a head\n]\n", []),
    ],
)  # fmt: skip
def test_what_leaves_no_doubt_is_read_as_it_was_meant(text: str, values: list[object]) -> None:
    assert rows(text)[0] == values


@pytest.mark.parametrize(
    "line",
    [
        '{"a": "he said "hi" to me"}\n',
        '{"a": "he said "hi}\n',
        '{"a": "x\\\ny"}\n',  # a line that a shell would go on with
        '{"a": [1}\n',
        '{"a": 1]\n',
        "{'a': 1}\n",
        '{"a": “x “y””}\n',
        '{"a": “x\\”}\n',
        '{"a": /* x}\n',
        '{"a": 1 / 2}\n',
        "a,b\n",
        '[{"a": 1}\n',
        '{"a": 1} x\n',
        '{"a": x}\n',
        '{"a": nothing,\n',
    ],
)
def test_what_somebody_must_decide_spoils_no_row_after_it(line: str) -> None:
    found, loosener = rows(f"{line}{GOOD}\n{GOOD}\n")

    assert found == [*line.splitlines(keepends=True), {"a": "x"}, {"a": "x"}]
    assert loosener.met == {}


def test_a_line_with_nul_is_damaged_and_no_part_of_a_text() -> None:
    first, second = Line(1, b'{"a": "x\n', ended=True), Line(2, b'\0y"}\n', ended=True)
    upcoming = UpcomingLines([second])

    assert Loosener(is_row).rows(first, upcoming) is None
    assert list(upcoming) == [second]


def test_a_text_that_is_never_closed_is_not_looked_for_again_and_again() -> None:
    text = '{"a": "open\n' + "word\n" * 100

    found, loosener = rows(text * 60)

    assert len(found) == 60 * 101
    assert loosener.met == {}


@pytest.mark.parametrize("row", ['{"a": [' + "{}," * 200_000 + "0},", '{"a": 1}' * 200_000])
def test_a_row_of_more_than_any_row_has_is_left_alone(row: str) -> None:
    assert Loosener(is_row).rows(Line(1, row.encode(), ended=True), UpcomingLines([])) is None


def test_what_was_put_up_with_is_told_with_its_first_place() -> None:
    loosener = rows(f'{GOOD}\n{GOOD},\n{{"a": "x\ny"}},\n')[1]

    assert loosener.met == {"commas": Place(2, 11, 2), "line-breaks": Place(3, 9, 1)}
    assert put_up_with(loosener.met) == [
        "read all the same, first on line 2: commas between rows",
        "read all the same, first on line 3: raw line breaks in texts",
    ]


def test_a_command_is_given_only_where_it_reads_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a": "x\ny"}}\n{{"a": "he said "hi""}}\n{GOOD}\n', "utf-8")

    with path.open("rb") as stream:
        faults = text_faults(stream)

    assert [(one.code, one.line, one.hint) for one in faults.findings] == [
        ("not-json", 1, "write each row with a JSON library, one object per line"),
        ("not-json", 3, "write each row with a JSON library, one object per line"),
    ]
    assert faults.rows == 3


def test_a_key_that_stands_twice_is_told_in_a_row_over_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{GOOD}\n{{"a": "x\ny", "a": 1}}\n', "utf-8")

    with path.open("rb") as stream:
        faults = text_faults(stream)

    assert [(one.code, one.line) for one in faults.findings] == [
        ("not-json", 2),
        ("repeated-key", 2),
    ]
    assert "--to rows" not in str(faults.findings)


def test_a_row_over_several_lines_that_is_nested_too_deep_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{GOOD}\n{{"a":\n{"[" * 9_000}{"]" * 9_000}}}\n', "utf-8")

    with path.open("rb") as stream:
        faults = text_faults(stream)

    assert {one.code for one in faults.findings} == {"json-not-lines", "nesting-too-deep"}


@pytest.mark.parametrize("lines", [12, 60_000])  # in one chunk, and in several
def test_one_cause_in_many_lines_is_one_finding(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "Q", "completion": "a\n\nb"}\n' * (lines // 3), "utf-8")

    found = scan_file("a", path, "a.jsonl", ScanRequest(least=1))

    assert [(one.code, one.span.line) for one in found.diagnostics] == [("not-json", 1)]
    assert f"; so it is in {lines // 3:,} places" in found.diagnostics[0].message
