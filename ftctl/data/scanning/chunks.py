"""An open file goes in; its bytes come out in numbered chunks of whole lines, hashed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

from ftctl.data.formats.lines import MAX_LINE_BYTES, MAX_TEXT_BYTES, is_too_long

CHUNK_BYTES = 512 * 1024
"""Large enough that handing one over costs little, small enough that many fit into memory."""


class Chunk(NamedTuple):
    """Whole lines, or a single one that is longer than the limit."""

    first: int  # the number of its first line
    content: bytes | None  # None: that line is longer than the limit
    ended: bool  # by a line feed; only the file's last line may break off


class ChunkReader:
    """Goes through a file once; `sha256` and `bytes` are of the whole content afterwards."""

    def __init__(
        self, stream: BufferedReader, size: int = CHUNK_BYTES, limit: int = MAX_LINE_BYTES
    ) -> None:
        self._stream = stream
        self._size = size
        self._limit = limit
        self._hash = hashlib.sha256()
        self._begun: list[bytes] = []  # what was read of a line that has not ended
        self._length = 0  # its bytes, kept or not
        self.bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Chunk]:
        number = 1
        while block := self._take():
            cut = block.rfind(b"\n") + 1
            if cut:
                for chunk in self._whole(block[:cut], number):
                    number += 1 if chunk.content is None else chunk.content.count(b"\n")
                    yield chunk
            self._begin(block[cut:])
        if self._length > self._limit or is_too_long(b"".join(self._begun)):
            yield Chunk(number, None, ended=False)
        elif self._length:
            yield Chunk(number, b"".join(self._begun), ended=False)

    def _take(self) -> bytes:
        block = self._stream.read(self._size)
        self._hash.update(block)
        self.bytes += len(block)
        return block

    def _whole(self, lines: bytes, number: int) -> Iterator[Chunk]:
        """The lines, of which the first may have begun earlier."""
        begun, length = self._begun, self._length
        self._begun, self._length = [], 0
        end = lines.find(b"\n")
        too_long = length + end > self._limit
        if not too_long and length + end >= MAX_TEXT_BYTES:
            too_long = is_too_long(b"".join((*begun, lines[: end + 1])))
        if too_long:
            yield Chunk(number, None, ended=True)
            lines, begun, number = lines[end + 1 :], [], number + 1
        if lines or begun:
            yield Chunk(number, b"".join((*begun, lines)), ended=True)

    def _begin(self, block: bytes) -> None:
        self._length += len(block)
        if self._length > self._limit:
            self._begun.clear()
        elif block:
            self._begun.append(block)
