"""An open file goes in; its numbered lines come out while its bytes are hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

# The longest row that a service takes: ten images of 10 MB each in base64, with room for text.
MAX_LINE_BYTES = 150_000_000
_CHUNK_BYTES = 1024 * 1024


class Line(NamedTuple):
    """A line with something in it."""

    number: int
    content: bytes | None  # None: longer than the limit
    ended: bool  # by a line feed, so the file does not break off here
    blank_before: int = 0  # blank lines since the last Line


class LineReader:
    """Goes through a file once; `sha256` and `bytes` are of the whole content afterwards."""

    def __init__(self, stream: BufferedReader, limit: int = MAX_LINE_BYTES) -> None:
        self._stream = stream
        self._limit = limit
        self._hash = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        number = blank = 0
        while content := self._take(self._limit + 1):
            number += 1
            ended = content.endswith(b"\n")
            if len(content) > self._limit and not ended:
                yield Line(number, None, self._skip_line(), blank)
            elif not content.isspace():
                yield Line(number, content, ended, blank)
            else:
                blank += 1
                continue
            blank = 0

    def _take(self, limit: int) -> bytes:
        content = self._stream.readline(limit)
        self._hash.update(content)
        self.bytes += len(content)
        return content

    def _skip_line(self) -> bool:
        while content := self._take(_CHUNK_BYTES):
            if content.endswith(b"\n"):
                return True
        return False
