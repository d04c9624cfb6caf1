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

_ONE_ROW = "write each row with a JSON library, one object per line"
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
        return None, (Finding("row-not-object", message, _ONE_ROW),)
    return row, (*map(repeated_key, repeated_keys(text, row)), *_lone_surrogates(text, row))


def _too_long() -> Finding:
    message = (
        f"the line has more than {MAX_TEXT_BYTES:,} bytes besides its images, or more than"
        f" {MAX_LINE_BYTES:,} in all: no row that is trained on is so long"
    )
    return Finding("line-too-long", message, _ONE_ROW)


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
    open_end = error.pos >= written or not text.rstrip().endswith("}")
    if not ended and open_end and text.lstrip().startswith("{"):
        return _truncated(written)
    reason, hint = error.msg.rstrip(": ").lower(), _ONE_ROW
    if error.msg == "Extra data":
        reason = "something follows the row's end"
        if "\r" in text.rstrip():
            hint = f"lines end in CR alone; turn them into LF: tr '\\r' '\\n' < {FILE} > {NEW}"
        elif text[error.pos] == ",":
            hint = "rows are not joined by commas: take it off"
    elif text.lstrip().startswith("{'"):
        hint = "this looks like Python's own notation; write rows with json.dumps"
    return Finding("not-json", f"the line is not JSON: {reason}", hint, column=column)


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
