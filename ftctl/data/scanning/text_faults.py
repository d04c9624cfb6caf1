"""A file with lines that are not JSON goes in; one finding for each cause comes out.

A text that goes on over many lines makes errors of all of them, and a comma after each row as many
as there are rows. Who reads that learns less than from the first: so such a file is read once more,
by what converts it (`formats/loose_lines.py`), and told of as what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import NamedTuple

from ftctl.data.formats.lines import Line, LineReader
from ftctl.data.formats.loose_lines import Loosener, Looseness, Place, UpcomingLines
from ftctl.data.formats.row_text import (
    COMMAS,
    LINE_ENDS,
    NOT_A_ROW,
    OF_THE_WHOLE_FILE,
    ONE_ROW,
    is_row,
    read_row,
)
from ftctl.data.scanning.chunk_checker import blank, too_deep
from ftctl.data.scanning.source import BYTE_ORDER_MARK
from ftctl.errors import FILE, ROWS, Finding
from ftctl.text.format import plural

REPLACED = frozenset({
    "blank-line", "line-too-long", "truncated-line", "not-utf-8", "nul-byte",
    "stray-byte-order-mark", "not-json", "nan-or-infinity", "number-out-of-range",
    "row-not-object",
})  # fmt: skip
"""The kinds of findings that `text_faults` gives: all that keep a line from being a row."""

_READ = f"read as they are by: ftctl dataset convert {FILE} {ROWS} --to rows"

_SIMPLE: Mapping[Looseness, str] = {"commas": COMMAS, "carriage-returns": LINE_ENDS}

# What is wrong, and the code that names it.
_MET: Mapping[Looseness, tuple[str, str]] = {
    "commas": ("not-json", "a comma stands between rows"),
    "separators": ("not-json", "a record separator (U+001E) stands before a row"),
    "same-line": ("not-json", "several rows stand on one line"),
    "several-lines": ("json-not-lines", "a row goes on over several lines"),
    "line-breaks": ("not-json", r"a text has a raw line break, which JSON writes as \n"),
    "controls": ("not-json", r"a text has a raw control character, as a tab, which JSON escapes"),
    "carriage-returns": ("not-json", "lines end in CR alone, and not in LF"),
    "bracket": ("not-json", "a bracket ends a list that nothing begins"),
    "trailing-commas": ("not-json", "a comma stands before a closing bracket"),
    "comments": ("not-json", "a comment stands where JSON has none"),
    "words": ("not-json", "None, True or False stands where JSON has null, true or false"),
    "spaces": ("not-json", "a space that JSON does not know stands between values"),
    "curly-quotes": ("not-json", "curly quotes stand where JSON has straight ones"),
}


class TextFaults(NamedTuple):
    """What is wrong with the lines as text, and how many rows they hold."""

    findings: tuple[Finding, ...]
    rows: int


def text_faults(stream: BufferedReader) -> TextFaults:
    """Everything that is wrong with the text of an open file, by cause."""
    loosener = Loosener(is_row)
    found: list[Finding] = []
    rows = 0
    for line, finding in _lines(stream, loosener):
        rows += line
        if finding is not None:
            found.append(finding)
    bad = [one for one in found if one.code != "blank-line"]
    readable = not bad and rows > 0
    if rows == len(bad) > 1 and all(one.code == "not-json" for one in bad):
        message = "no line of the file is JSON; " + bad[0].message.removeprefix(
            "the line is not JSON: "
        )
        found = [bad[0]._replace(message=message)]
    met = [
        _met(kind, place, loosener.met, readable=readable) for kind, place in loosener.met.items()
    ]
    return TextFaults((*met, *_grouped(found)), rows)


def _lines(stream: BufferedReader, loosener: Loosener) -> Iterator[tuple[int, Finding | None]]:
    """How many rows come next, and what is wrong with them."""
    upcoming = UpcomingLines(LineReader(stream, keep_blank=True))
    blank_lines = 0
    for each in upcoming:
        line = _unmarked(each)
        if line.content is not None and (not line.content or line.content.isspace()):
            blank_lines += line.content != b""
            continue
        if blank_lines:
            yield 0, blank(blank_lines)._replace(line=line.number - blank_lines)
            blank_lines = 0
        finding = _finding(line)
        if finding is not None and finding.code in NOT_A_ROW:
            rows = loosener.rows(line, upcoming)
            if rows is not None:
                yield len(rows), None
                yield from ((0, fault) for fault in map(_doubt, rows) if fault is not None)
                continue
        yield 1, finding


def _doubt(line: Line) -> Finding | None:
    """What a conversion would not take in a row that it reads."""
    try:
        _, findings = read_row(line)
    except RecursionError:
        findings = (too_deep(),)
    return findings[0]._replace(line=line.number, column=None) if findings else None


def _unmarked(line: Line) -> Line:
    if line.number == 1 and line.content is not None:
        return line._replace(content=line.content.removeprefix(BYTE_ORDER_MARK).lstrip())
    return line


def _finding(line: Line) -> Finding | None:
    """What keeps the line from being a row; what else is wrong with it is known already."""
    try:
        row, findings = read_row(line)
    except RecursionError:
        return None
    return findings[0]._replace(line=line.number) if row is None else None


def _met(
    kind: Looseness, place: Place, met: Mapping[Looseness, Place], *, readable: bool
) -> Finding:
    code, message = _MET[kind]
    if place.rows > 1:
        message += f"; so it is in {plural(place.rows, 'place')}"
    if kind in _SIMPLE and len(met) == 1:
        hint = _SIMPLE[kind]
    elif readable:
        hint = f"write rows with a JSON library; these are {_READ}"
    else:
        hint = ONE_ROW
    return Finding(code, message, hint, place.line, place.column)


def _grouped(findings: list[Finding]) -> Iterator[Finding]:
    """Those that say the same of each line of a file are told once."""
    counts: dict[str, int] = {}
    for one in findings:
        counts[one.message] = counts.get(one.message, 0) + 1
    told: set[str] = set()
    for one in findings:
        if one.message not in OF_THE_WHOLE_FILE or counts[one.message] == 1:
            yield one
        elif one.message not in told:
            told.add(one.message)
            yield one._replace(message=f"{one.message}; so are {counts[one.message]:,} lines")
