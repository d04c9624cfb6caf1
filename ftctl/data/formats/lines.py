"""An open file goes in; its numbered lines come out while its bytes are hashed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

# The longest row that a service takes: ten images of 10 MB each in base64, with room for text.
MAX_LINE_BYTES = 150_000_000
# Of them without images. The longest context of any model is a million tokens, of which one takes
# 4 bytes in English and up to 8 in other scripts; services train on 131,072 of them at most. JSON
# of nothing but brackets takes some forty times its bytes in memory.
MAX_TEXT_BYTES = 8 * 1024 * 1024
_IMAGE = re.compile(
    rb'"url"\s*:\s*"data:image\\?/[\w.+-]{1,40}(?:;[\w=.+-]{1,40}){0,4},[A-Za-z0-9+/\\]*={0,2}"'
)
_CHUNK_BYTES = 1024 * 1024


def is_too_long(line: bytes) -> bool:
    """Whether a line is longer than a row may be, leaving out the images that it holds."""
    if len(line) <= MAX_TEXT_BYTES:
        return False
    images = sum(image.end() - image.start() for image in _IMAGE.finditer(line))
    return len(line) - images > MAX_TEXT_BYTES


class Line(NamedTuple):
    """A line with something in it, unless blank ones are asked for."""

    number: int
    content: bytes | None  # None: longer than the limit
    ended: bool  # by a line feed, so the file does not break off here
    blank_before: int = 0  # blank lines since the last Line


class LineReader:
    """Goes through a file once; `sha256` and `bytes` are of the whole content afterwards."""

    def __init__(
        self, stream: BufferedReader, limit: int = MAX_LINE_BYTES, *, keep_blank: bool = False
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._keep_blank = keep_blank
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
            elif is_too_long(content):
                yield Line(number, None, ended, blank)
            elif self._keep_blank or not content.isspace():
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
