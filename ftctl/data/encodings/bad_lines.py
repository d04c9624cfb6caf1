"""A file's lines go in; which are not UTF-8, which are, and some of each, come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

_MOST_BYTES = 256 * 1024  # of each kind, from the whole file
_LINE_BYTES = 1024 * 1024  # of a longer line, so much at a time
_PIECE_BYTES = 64 * 1024  # of a line that are looked at
_BEFORE_BYTES = 64
_HIGH = re.compile(rb"[\x80-\xff]")
_SHOWN_LINES = 5


class Sampled:
    """Lines of the whole file: of a large one every second, fourth, … is kept."""

    def __init__(self) -> None:
        self.number = 0
        self.first: list[int] = []
        self.last = 0
        self._kept: list[tuple[int, bytes]] = []
        self._bytes = self._seen = 0
        self._step = 1

    def add(self, number: int, line: bytes) -> None:
        """Take up a line, or the next piece of one."""
        if self._seen % self._step == 0:
            line = line if len(line) <= _PIECE_BYTES else _part(line)
            self._kept.append((number, line))
            self._bytes += len(line)
            if self._bytes > _MOST_BYTES and len(self._kept) > 1:
                self._kept = self._kept[::2]
                self._step *= 2
                self._bytes = sum(len(kept) for _, kept in self._kept)
        self._seen += 1
        if number == self.last:
            return
        self.number += 1
        self.last = number
        if len(self.first) < _SHOWN_LINES:
            self.first.append(number)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter(self._kept)

    @property
    def content(self) -> bytes:
        return b"\n".join(line for _, line in self._kept)


@dataclass(slots=True)
class HighLines:
    """The lines with bytes beyond ASCII, by whether they are UTF-8."""

    bad: Sampled = field(default_factory=Sampled)
    good: Sampled = field(default_factory=Sampled)
    column: int = 1  # of the first bad byte in its line, in characters of what stands before


def high_lines(stream: BinaryIO) -> HighLines:
    """Goes through the whole file. A line without end is looked at piece by piece."""
    found = HighLines()
    number, begins, left = 0, True, b""
    while line := stream.readline(_LINE_BYTES):
        number += begins
        begins = line.endswith(b"\n")
        if line.isascii() and not left:
            continue
        line, left = _whole(left + line) if not begins else (left + line, b"")
        if not line.isascii():
            _sort(found, number, line)
    if not left.isascii():
        _sort(found, number, left)
    return found


def _whole(piece: bytes) -> tuple[bytes, bytes]:
    """The piece up to a byte that is part of no character in any encoding, and the rest."""
    cut = max(piece.rfind(sign) for sign in (b'"', b",", b" ")) + 1 or len(piece)
    return piece[:cut], piece[cut:]


def _part(line: bytes) -> bytes:
    """So much of a long line, with its first byte beyond ASCII: what stands before is whole."""
    high = _HIGH.search(line)
    start = max(0, high.start() - _BEFORE_BYTES) if high else 0
    return _whole(line[start : start + _PIECE_BYTES])[0]


def _sort(found: HighLines, number: int, line: bytes) -> None:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        if not found.bad.number:
            found.column = len(line[: error.start].decode()) + 1
        found.bad.add(number, line)
    else:
        if not text.removeprefix("\ufeff").isascii():
            found.good.add(number, line)
