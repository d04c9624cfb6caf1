"""One line's bytes go in; the row as a JSON object and what is wrong with its text come out."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from ftctl.data.formats.keys import repeated_keys
from ftctl.data.formats.lines import MAX_LINE_BYTES, MAX_TEXT_BYTES, Line
from ftctl.data.formats.shape import described, quoted_key, strings
from ftctl.errors import FILE, NEW, Finding

Row = dict[str, Any]

ONE_ROW = "write each row with a JSON library, one object per line"
COMMAS = (
    f"rows are not joined by commas; take them off: sed 's/}},[[:space:]]*$/}}/' {FILE} > {NEW}"
)
LINE_ENDS = f"turn them into LF: tr '\\r' '\\n' < {FILE} > {NEW}"
OF_THE_WHOLE_FILE = ("the line is not JSON: it is in Python's notation",)
NOT_A_ROW = ("not-json", "truncated-line")
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
_JSON_WORD = re.compile(r":\s*(?:true|false|null)\b")
_SAFE_DIGITS = 308  # a whole number with no more of them fits a 64-bit float
_HIGH = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONE = re.compile(rf"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")


class _NumberError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def read_row(line: Line) -> tuple[Row | None, tuple[Finding, ...]]:
    """The row, or None when it cannot be read; RecursionError when it is nested too deep."""
    if line.content is None:
        return None, (_too_long(),)
    text = _decode(line.content, ended=line.ended)
    if isinstance(text, Finding):
        return None, (text,)
    try:
        row = _DECODER.decode(text)
    except _NumberError as error:
        return None, (error.finding,)
    except json.JSONDecodeError as error:
        return None, (_not_json(error, text, ended=line.ended),)
    if not isinstance(row, dict):
        message = f"the row is {described(row)}, not an object"
        return None, (Finding("row-not-object", message, ONE_ROW),)
    return row, (*map(repeated_key, repeated_keys(text, row)), *_lone_surrogates(text, row))


def is_row(line: Line) -> bool:
    """Whether the line is JSON, with whatever else may be wrong with it."""
    try:
        row, findings = read_row(line)
    except RecursionError:
        return True
    return row is not None or not any(one.code in NOT_A_ROW for one in findings)


def _too_long() -> Finding:
    message = (
        f"the line has more than {MAX_TEXT_BYTES:,} bytes besides its images, or more than"
        f" {MAX_LINE_BYTES:,} in all: no row that is trained on is so long"
    )
    return Finding("line-too-long", message, ONE_ROW)


def parse_json(text: str) -> Any:
    """The value of a JSON text inside a row; ValueError when it is none."""
    try:
        return _DECODER.decode(text)
    except _NumberError as error:
        raise ValueError(error.finding.code) from None


def repeated_key(key: str) -> Finding:
    """The finding on a key that an object has twice."""
    return Finding(
        "repeated-key",
        f"key {quoted_key(key)} stands more than once in one object",
        "keep one: readers disagree on which of them counts",
    )


def _decode(content: bytes, *, ended: bool) -> str | Finding:
    nul = content.find(b"\0")
    if nul >= 0:
        message = f"byte {nul + 1} of the line is NUL"
        return Finding("nul-byte", message, "the file may be damaged: write it again")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        column = len(content[: error.start].decode()) + 1
        if not ended and error.reason == "unexpected end of data":
            return _truncated(column - 1)
        message = f"byte {error.start + 1} of the line is not UTF-8"
        hint = f"what it may be instead is told by: ftctl dataset check {FILE}"
        return Finding("not-utf-8", message, hint, column=column)
    if text.startswith("\ufeff"):
        hint = (
            "take it out; files that are joined keep theirs:"
            f""" LC_ALL=C sed "s/^$(printf '\\357\\273\\277')//" {FILE} > {NEW}"""
        )
        return Finding("stray-byte-order-mark", "the line starts with a byte order mark", hint)
    return text


def _not_json(error: json.JSONDecodeError, text: str, *, ended: bool) -> Finding:
    written = len(text.rstrip())
    column = min(error.pos, written) + 1
    open_end = error.pos >= written or not text.rstrip().endswith(("}", "},"))
    if not ended and open_end and text.lstrip().startswith("{"):
        return _truncated(written)
    reason, hint = _reason(error, text)
    return Finding("not-json", f"the line is not JSON: {reason}", hint, column=column)


def _reason(error: json.JSONDecodeError, text: str) -> tuple[str, str]:
    """What is wrong, and a cure. What a row surely means all the same, `loose_lines` knows."""
    found = text[error.pos : error.pos + 1]
    if error.msg == "Extra data":
        if "\r" in text.rstrip():
            return "something follows the row's end", LINE_ENDS
        if found == ",":
            return "a comma follows the row's end", COMMAS
        return "something follows the row's end", ONE_ROW
    if text.lstrip().startswith("{'"):
        return "it is in Python's notation", _from_python(text)
    if error.msg.startswith("Unterminated string") or found in ("\n", "\r"):
        return "a text does not end on the line that it begins on", ONE_ROW
    if error.msg.startswith("Invalid control character"):
        return "a text has a control character, which JSON writes as an escape", ONE_ROW
    if error.msg.startswith("Invalid \\"):
        return r"a backslash in a text is not doubled, and no escape of JSON follows it", ONE_ROW
    if error.msg.startswith("Expecting ',' delimiter") and found.isalnum():
        return "a quote inside a text has no backslash before it, or a comma is missing", ONE_ROW
    if found and found in "“”„‟«»‹›‘’":
        return f"{found} stands where JSON has a straight quote", ONE_ROW
    if found and (found.isspace() or found in _UNSEEN):
        return f"a space that JSON does not know (U+{ord(found):04X}) stands there", ONE_ROW
    return error.msg.rstrip(": ").lower(), ONE_ROW


def _from_python(text: str) -> str:
    """As a command only where it reads at least this line: JSON's words mean nothing to Python."""
    if _JSON_WORD.search(text):
        return "write rows with json.dumps"
    return (
        'write rows with json.dumps; of these: python3 -c "import ast, json, sys;'
        " [print(json.dumps(ast.literal_eval(line.strip()))) for line in sys.stdin"
        f' if line.strip()]" < {FILE} > {NEW}'
    )


def _truncated(written: int) -> Finding:
    message = f"the last line breaks off after {written:,} characters"
    return Finding("truncated-line", message, "copy or write the file again", column=written + 1)


def _lone_surrogates(text: str, row: Row) -> list[Finding]:
    # An escaped backslash can make plain text look like an escape: then look at the values.
    if not _SURROGATE_ESCAPE.search(text) or not ("\\\\u" in text or _LONE.search(text)):
        return []
    return [
        Finding(
            "lone-surrogate",
            f"{place} has half of a surrogate pair",
            "a character was cut in two, or escaped wrongly; write the text again from its source",
        )
        for place, value in strings(row)
        if not value.isascii() and _SURROGATE.search(value)
    ]


def _refuse_constant(word: str) -> NoReturn:
    hint = "JSON has no such number; use null or leave the key out"
    raise _NumberError(Finding("nan-or-infinity", f"a number is {word}", hint))


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _NumberError(_out_of_range())
    return value


def _int(digits: str) -> int:
    if len(digits) > _SAFE_DIGITS and math.isinf(float(digits)):
        raise _NumberError(_out_of_range())
    return int(digits)


def _out_of_range() -> Finding:
    message = "a number is too large for a 64-bit float"
    return Finding("number-out-of-range", message, "write it as a string, or leave it out")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_float, parse_int=_int)
