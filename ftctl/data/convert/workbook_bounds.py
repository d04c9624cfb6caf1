"""An XLSX file goes in; nothing comes out, or the fault that it would unpack to too much.

It is a zip file of XML, read by a package that trusts it. What is looked at here is what that
package unpacks: as much as the file's own directory says, and not a byte more.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

from ftctl.data.convert.bounds import check_ratio, too_much
from ftctl.data.convert.fault import FileFault
from ftctl.errors import Finding
from ftctl.text.format import size

_MOST_PARTS = 10_000  # sheets, relations, images and the like
_MOST_DIRECTORY = 8 * 1024 * 1024  # bytes of the list of parts
_MOST_SHEET = 1024 * 1024 * 1024  # read row by row
_MOST_STRINGS = (
    256 * 1024 * 1024
)  # the texts of all sheets, held in memory at some three times that
_MOST_OTHER = 16 * 1024 * 1024  # styles and the like, held as a tree
_LONGEST_RUN = 1024 * 1024  # bytes between two tags: a cell of Excel has 32,767 characters
_PROLOG_BYTES = 64 * 1024
_PIECE_BYTES = 1024 * 1024

_END = b"PK\x05\x06"  # of the directory; 22 bytes and a comment of up to 64 KiB follow
_END_BYTES = 22 + 0xFFFF
_TYPES = "[Content_Types].xml"
_ROOT = re.compile(rb"<[A-Za-z_]")
_TREES = ("main", "styles", "theme", "core-properties", "extended-properties", "custom-properties")


def check_workbook(path: Path) -> None:
    """`FileFault` for a workbook that unpacks to more than one has, or declares entities."""
    _check_directory(path)
    with zipfile.ZipFile(path) as book:
        parts = book.infolist()
        if len(parts) > _MOST_PARTS:
            too_much(f"the workbook has more than {_MOST_PARTS:,} parts")
        packed = sum(part.compress_size for part in parts)
        if packed > path.stat().st_size:
            _odd("its parts lie over each other")
        if len({part.filename for part in parts}) < len(parts):
            _odd("two of its parts have one name")
        kinds = _kinds(book)
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                _check_part(book, part, kinds.get(part.filename, ""))


def _check_directory(path: Path) -> None:
    """The list of parts is read whole by whoever opens the file."""
    with path.open("rb") as stream:
        length = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, length - _END_BYTES))
        tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        _odd("it breaks off")
    (directory,) = struct.unpack_from("<I", tail, at + 12)
    if directory > _MOST_DIRECTORY:
        too_much(f"the workbook's list of parts has more than {size(_MOST_DIRECTORY)}")


def _kinds(book: zipfile.ZipFile) -> Mapping[str, str]:
    """What each part is, by its name, as the workbook says."""
    if _TYPES not in book.namelist():
        _odd("it lacks the list of its parts' types")
    types = book.getinfo(_TYPES)
    _check_part(book, types, "")
    tree = ET.fromstring(book.read(types))  # noqa: S314 - it has no DTD, and is small
    return {
        (one.get("PartName") or "").lstrip("/"): one.get("ContentType") or ""
        for one in tree.iter()
        if one.tag.endswith("}Override")
    }


def _check_part(book: zipfile.ZipFile, part: zipfile.ZipInfo, kind: str) -> None:
    what = f"its part {part.filename[:100]!r}"
    most = _most(part.filename, kind)
    if part.file_size > most:
        too_much(f"{what} unpacks to {size(part.file_size)}, more than {size(most)}")
    check_ratio(what, part.compress_size, part.file_size)
    head = b""
    longest = 0
    for piece in _pieces(book, part):
        head = head or piece[:_PROLOG_BYTES]
        longest = _run(longest, piece)
        if longest > _LONGEST_RUN:
            too_much(f"{what} has a text of more than {size(_LONGEST_RUN)}")
    plain = head.replace(b"\0", b"")  # UTF-16 is XML too
    root = _ROOT.search(plain)
    if head and (root is None or b"<!DOCTYPE" in plain[: root.start()]):
        _odd(f"{what} declares what a workbook has no use for")


def _most(name: str, kind: str) -> int:
    if kind.endswith("sharedStrings+xml"):
        return _MOST_STRINGS
    tree = name.endswith(".rels") or name == _TYPES
    tree = tree or any(f"{word}+xml" in kind for word in _TREES)
    return _MOST_OTHER if tree else _MOST_SHEET


def _pieces(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part's bytes. A large one is gone through to its end, of others the beginning counts."""
    with book.open(part) as stream:
        if part.file_size <= _LONGEST_RUN:
            yield stream.read(_PROLOG_BYTES)
            return
        while piece := stream.read(_PIECE_BYTES):
            yield piece


def _run(before: int, piece: bytes) -> int:
    """The length of the text that is longest, or goes on, at a piece's end: tags end a text."""
    if b"<" not in piece:
        return before + len(piece)
    longest = max(before + piece.index(b"<"), *map(len, piece.split(b"<")))
    return longest if longest > _LONGEST_RUN else len(piece) - piece.rindex(b"<")


def _odd(why: str) -> NoReturn:
    hint = "save it again from the program that made it"
    raise FileFault(Finding("bad-table", f"the file cannot be read as XLSX ({why})", hint))
