"""A file's first bytes go in; the encoding that its text is in comes out, where that is certain."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftctl.data.convert.fault import FileFault
from ftctl.errors import Finding

_LONG = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the first starts like one of UTF-16
_CURE = "save it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"


def encoding_of(head: bytes) -> str:
    """UTF-8 or UTF-16, as Python names them; `FileFault` for UTF-32 and for what is no text."""
    if head.startswith(_LONG):
        raise FileFault(Finding("wrong-encoding", "the file is in UTF-32", _CURE))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if b"\0" not in head:
        return "utf-8"
    even, odd = head[0::2], head[1::2]
    # Mostly Latin letters: one byte of each pair is zero, and never the other.
    if even.count(0) == 0 and odd.count(0) * 2 > len(odd):
        return "utf-16-le"
    if odd.count(0) == 0 and even.count(0) * 2 > len(even):
        return "utf-16-be"
    hint = "name a file of text, or say what it is with 'from'"
    raise FileFault(Finding("binary-file", "the file is not text", hint))


@contextmanager
def decoding(path: Path, encoding: str) -> Iterator[None]:
    """Turns a decoder's complaint into the line that it is about."""
    try:
        yield
    except UnicodeDecodeError:
        if encoding.startswith("utf-8"):
            number, byte = _first_bad_line(path)
            message = f"byte {byte} of the line is not UTF-8"
            raise FileFault(Finding("not-utf-8", message, _CURE), number) from None
        message = "the file is not valid UTF-16, though it starts like it"
        raise FileFault(Finding("wrong-encoding", message, _CURE)) from None


def _first_bad_line(path: Path) -> tuple[int, int]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, error.start + 1
    return 1, 1  # it has been mended since
