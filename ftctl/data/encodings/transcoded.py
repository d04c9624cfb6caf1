"""An open file and the encoding of its text go in; a stream of the same text as UTF-8 comes out."""

from __future__ import annotations

import codecs
import hashlib
import io
from typing import Any, BinaryIO

from ftctl.errors import Finding

_CHUNK_BYTES = 256 * 1024
_CUT_OFF = ("incomplete", "truncated", "unexpected end")


class EncodingFault(Exception):
    """The file is not in the encoding that it was said to be in."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class Transcoded(io.RawIOBase):
    """Reads as UTF-8. `sha256` and `bytes` are of what was read of the file itself."""

    def __init__(self, source: BinaryIO, encoding: str, *, owner: bool = False) -> None:
        """As `owner`, it closes the file when it is closed."""
        self._source = source
        self._owner = owner
        self._encoding = encoding
        self._begin()

    def _begin(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._waiting = b""
        self._lines = self._given = 0
        self._start = self._ended = False
        self._hash = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._waiting and not self._ended:
            self._waiting = self._next()
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._waiting))
        view[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        self._given += count
        return count

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """To the start, to read all once more; nowhere else."""
        if whence != io.SEEK_SET or offset not in (0, self._given):
            raise io.UnsupportedOperation("a text is read from its start")
        if offset != self._given:
            self._source.seek(0)
            self._begin()
        return self._given

    def close(self) -> None:
        if self._owner and not self.closed:
            self._source.close()
        super().close()

    def _next(self) -> bytes:
        chunk = self._source.read(_CHUNK_BYTES)
        self._ended = not chunk
        self._hash.update(chunk)
        self.bytes += len(chunk)
        try:
            text = self._decoder.decode(chunk, self._ended)
            made = text.encode()
        except UnicodeDecodeError as error:
            raise EncodingFault(self._fault(error)) from None
        except UnicodeError:
            message = f"the text is not {self._encoding}"
            raise EncodingFault(Finding("wrong-encoding", message, line=self._lines + 1)) from None
        if not self._start and text:
            self._start = True
            made = made.removeprefix(codecs.BOM_UTF8)
        self._lines += text.count("\n")
        return made

    def _fault(self, error: UnicodeDecodeError) -> Finding:
        before = error.object[: error.start].decode(self._encoding, "ignore")
        line = self._lines + before.count("\n") + 1
        byte = error.object[error.start]
        if self._ended and error.end == len(error.object) and error.reason.startswith(_CUT_OFF):
            message = f"the file breaks off within a character of {self._encoding}"
            return Finding("wrong-encoding", message, "copy or write the file again", line)
        message = f"byte 0x{byte:02x} stands where {self._encoding} has none of the kind"
        return Finding("wrong-encoding", message, line=line)


def transcoded(source: BinaryIO, encoding: str, *, owner: bool = False) -> io.BufferedReader:
    """The text of the file as UTF-8; reading raises `EncodingFault`."""
    return io.BufferedReader(Transcoded(source, encoding, owner=owner), 1024 * 1024)
