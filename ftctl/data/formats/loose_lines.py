"""Lines that are no rows go in; the rows that they surely are, one a line, come out.

What is allowed here beyond one JSON object per line leaves no doubt of what was meant: rows that
commas or record separators join, rows that share a line or go on over several, line breaks and
tabs inside texts, which JSON writes as escapes, and what JavaScript, Python or a word processor
writes otherwise outside of the texts. A quote or bracket too few or too many is not.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ftctl.data.formats.lines import MAX_TEXT_BYTES, Line

Looseness = Literal[
    "commas", "separators", "same-line", "several-lines", "line-breaks", "controls", "bracket",
    "carriage-returns", "trailing-commas", "comments", "words", "spaces", "curly-quotes",
]  # fmt: skip

_MOST_LINES = 5_000  # of one row
_MOST_STEPS = 200_000  # brackets, commas, texts and escapes of a row, or of rows on one line
_MOST_STEPS_OF_FILE = 50_000_000  # a minute or two: beyond, no file was broken by mistake
_MOST_ATTEMPTS = 50  # that lead nowhere: a file of other text is not read for each of its lines
_SPACES = "\u00a0\u202f\u3000\u200b\ufeff"
_CURLY = {"“": "”", "„": "“", "”": "”", "«": "»"}
_SEPARATORS = re.compile(f"[ \t\r\n,\x1e{_SPACES}]*")
_LONE_RETURN = re.compile(r"\r(?!\n)")
_STRUCTURE = re.compile(rf'["{{}}\[\],#/{_SPACES}{"".join(_CURLY)}]|\b(?:None|True|False)\b')
_WORDS = {"None": "null", "True": "true", "False": "false"}
_STRING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_ESCAPE_OR_CONTROL = re.compile("\\\\.|[\x00-\x1f]", re.DOTALL)
_ESCAPED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

IsRow = Callable[[Line], bool]


class Place(NamedTuple):
    """Where something was met first, and in how many rows."""

    line: int
    column: int
    rows: int


class _Doubt(Exception):
    """It is not certain what was meant."""


class UpcomingLines:
    """Lines, of which those that were looked at too early can be put back."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._back: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._back.popleft() if self._back else next(self._lines)

    def put_back(self, lines: list[Line]) -> None:
        self._back.extendleft(reversed(lines))


class Loosener:
    """Reads what `is_row` does not take for a row; `met` says what was put up with, and where."""

    def __init__(self, is_row: IsRow) -> None:
        self.met: dict[Looseness, Place] = {}
        self._is_row = is_row
        self._attempts = _MOST_ATTEMPTS
        self._steps = _MOST_STEPS_OF_FILE

    def rows(self, line: Line, upcoming: UpcomingLines) -> list[Line] | None:
        """The rows of the line and of those after it that belong to it; None if in doubt."""
        if self._attempts == 0 or self._steps < 0:
            return None
        scan, taken = _Scan(), [line]
        try:
            scan.feed(line)
            while not scan.whole:
                taken.append(_next(upcoming))
                self._expect_to_go_on(scan, taken[-1], len(taken))
                scan.feed(taken[-1])
        except (_Doubt, UnicodeDecodeError):
            sure = False
        else:
            sure = all(map(self._is_row, scan.rows))
        self._steps -= scan.steps
        if not sure:
            self._attempts -= len(taken) > 1
            upcoming.put_back(taken[1:])
            return None
        self._note(scan)
        return scan.rows

    def _expect_to_go_on(self, scan: _Scan, following: Line, lines: int) -> None:
        """Where a row begins, what was open before was left open by mistake."""
        content = following.content
        if content is None or lines > _MOST_LINES or scan.size > MAX_TEXT_BYTES:
            raise _Doubt
        begins = content.lstrip() if scan.in_string else content
        if begins.startswith(b"{") and self._is_row(following):
            raise _Doubt

    def _note(self, scan: _Scan) -> None:
        for kind, place in scan.met.items():
            known = self.met.get(kind)
            self.met[kind] = known._replace(rows=known.rows + place.rows) if known else place


def _next(upcoming: UpcomingLines) -> Line:
    line = next(upcoming, None)
    if line is None:
        raise _Doubt
    return line


@dataclass(slots=True)
class _Scan:
    """What is known after some lines: the rows that are whole, and the one that has begun."""

    rows: list[Line] = field(default_factory=list)
    met: dict[Looseness, Place] = field(default_factory=dict)
    size: int = 0
    steps: int = 0
    depth: int = 0
    in_string: bool = False
    _begun: list[str] = field(default_factory=list)  # of the row, as it is written on one line
    _first: int = 0  # its line
    _met_in_row: set[Looseness] = field(default_factory=set)
    _ended_here: bool = False  # a row, on the line at hand
    _comma: int | None = None  # where a comma was written that nothing has followed yet

    @property
    def whole(self) -> bool:
        return self.depth == 0

    def feed(self, line: Line) -> None:
        """Take the next line; `_Doubt` where it is not certain what was meant."""
        if line.content is None:
            raise _Doubt
        text = line.content.decode()
        self.size += len(line.content)
        self._ended_here = False
        at = 0
        while at < len(text):
            self._step()
            if self.in_string:
                at = self._in_text(text, at, line.number)
            elif self.depth:
                at = self._in_row(text, at, line.number)
            else:
                at = self._between(text, at, line.number)
        if self.depth and not self.in_string:
            self._meet("several-lines", line.number, 0)

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise _Doubt

    def _between(self, text: str, at: int, number: int) -> int:
        found = _SEPARATORS.match(text, at)
        end = found.end() if found else at
        self._met_in_row.clear()
        kinds: tuple[tuple[Looseness, str], ...] = (
            ("commas", ","), ("separators", "\x1e"), ("spaces", _SPACES),
        )  # fmt: skip
        for kind, marks in kinds:
            where = next((place for place in range(at, end) if text[place] in marks), None)
            if where is not None:
                self._meet(kind, number, where)
        if found and _LONE_RETURN.search(text, at, end):
            self._meet("carriage-returns", number, at)
            self._ended_here = False
        if end == len(text):
            return end
        if text[end] == "]" and not text[end + 1 :].strip():
            self._meet("bracket", number, end)
            return len(text)
        if text[end] in "#/":
            return self._after_comment(text, end, number)
        if text[end] != "{":
            raise _Doubt
        if self._ended_here:
            self._meet("same-line", number, end)
        self.depth, self._first, self._begun, self._comma = 1, number, ["{"], None
        return end + 1

    def _in_row(self, text: str, at: int, number: int) -> int:
        found = _STRUCTURE.search(text, at)
        end = found.start() if found else len(text)
        passed = text[at:end]
        if passed and not passed.isspace():
            self._comma = None
        self._begun.append(passed.replace("\n", " ").replace("\r", " "))
        if found is None:
            return end
        match mark := found[0]:
            case "#" | "/":
                return self._after_comment(text, end, number)
            case "None" | "True" | "False":
                self._meet("words", number, end)
                mark = _WORDS[mark]
            case _ if mark in _SPACES:
                self._meet("spaces", number, end)
                self._begun.append(" ")
                return end + 1
            case _ if mark in _CURLY:
                self._comma = None
                return self._in_curly_quotes(text, end, number)
        self._write(mark, number, end)
        return found.end()

    def _write(self, mark: str, number: int, at: int) -> None:
        if mark in ("}", "]") and self._comma is not None:
            self._meet("trailing-commas", number, at)
            self._begun[self._comma] = " "
        self._comma = len(self._begun) if mark == "," else None
        self._begun.append(mark)
        self.in_string = mark == '"'
        self.depth += (mark in ("{", "[")) - (mark in ("}", "]"))
        if self.depth == 0:
            self.rows.append(Line(self._first, "".join(self._begun).encode(), ended=True))
            self._ended_here = True

    def _after_comment(self, text: str, at: int, number: int) -> int:
        self._meet("comments", number, at)
        if text.startswith("/*", at):
            end = text.find("*/", at + 2)
            if end < 0:
                raise _Doubt
            return end + 2
        if text[at] == "/" and not text.startswith("//", at):
            raise _Doubt
        end = text.find("\n", at)
        return len(text) if end < 0 else end

    def _in_curly_quotes(self, text: str, at: int, number: int) -> int:
        """A whole text between two of them, without any such in it."""
        end = text.find(_CURLY[text[at]], at + 1)
        body = text[at + 1 : end]
        if end < 0 or any(mark in body for mark in (*_CURLY, *_CURLY.values(), "\n", "\\")):
            raise _Doubt
        self._meet("curly-quotes", number, at)
        self._begun.append(json.dumps(body, ensure_ascii=False))
        return end + 1

    def _in_text(self, text: str, at: int, number: int) -> int:
        found = _STRING.match(text, at)
        end = found.end() if found else at
        body = text[at:end]
        if _ESCAPE_OR_CONTROL.search(body):
            body = _ESCAPE_OR_CONTROL.sub(
                lambda one: self._escaped(one[0], number, at + one.start()), body
            )
        self._begun.append(body)
        if end == len(text):
            return end
        if text[end] != '"':  # a backslash and nothing after it
            raise _Doubt
        self._begun.append('"')
        self.in_string = False
        return end + 1

    def _escaped(self, found: str, number: int, column: int) -> str:
        self._step()
        if found.startswith("\\"):
            if found[1] < " ":  # a line that goes on after a backslash, as in a shell
                raise _Doubt
            return found
        if found == "\0":
            raise _Doubt
        self._meet("line-breaks" if found in "\r\n" else "controls", number, column)
        return _ESCAPED.get(found) or f"\\u{ord(found):04x}"

    def _meet(self, kind: Looseness, line: int, at: int) -> None:
        """Count it once for each row."""
        if kind in self._met_in_row:
            return
        self._met_in_row.add(kind)
        known = self.met.get(kind)
        self.met[kind] = known._replace(rows=known.rows + 1) if known else Place(line, at + 1, 1)


_WORDS_FOR: Mapping[Looseness, str] = {
    "commas": "commas between rows",
    "separators": "record separators (U+001E)",
    "same-line": "rows that share a line",
    "several-lines": "rows on several lines each",
    "line-breaks": "raw line breaks in texts",
    "controls": "raw control characters in texts",
    "carriage-returns": "lines that end in CR alone",
    "bracket": "a bracket that ends no list",
    "trailing-commas": "commas before a closing bracket",
    "comments": "comments",
    "words": "Python's None, True and False",
    "spaces": "spaces that JSON does not know",
    "curly-quotes": "curly quotes around texts",
}


def put_up_with(met: Mapping[Looseness, Place]) -> list[str]:
    """In words, what was read all the same."""
    return [
        f"read all the same, first on line {place.line}: {_WORDS_FOR[kind]}"
        for kind, place in met.items()
        if kind != "several-lines" or len(met) == 1
    ]
