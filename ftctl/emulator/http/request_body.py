"""The body of a request on a socket: by its length or in chunks, up to a limit."""

from __future__ import annotations

import re
from email.message import Message
from typing import Protocol

CHUNKED = -1
_LINE = 8_192  # bytes; no honest chunk header or trailer is longer
_TRAILERS = 100


class BadBody(Exception):
    """The body cannot or will not be read; the connection is of no more use."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Stream(Protocol):
    """What is needed of a socket's reading end."""

    def read(self, size: int, /) -> bytes:
        """That many bytes; fewer only at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Up to and with the next line feed."""
        ...


def body_length(headers: Message, most: int) -> int:
    """The announced length in bytes, or CHUNKED; BadBody for one that should not be read."""
    encoding = headers.get("transfer-encoding")
    lengths = headers.get_all("content-length", [])
    if encoding is not None:
        if encoding.strip().lower() != "chunked" or lengths:
            raise BadBody(400, "A body comes either with a Content-Length or in chunks.")
        return CHUNKED
    if not lengths:
        return 0
    text = lengths[0].strip()
    if len(set(lengths)) > 1 or not re.fullmatch(r"[0-9]+", text):
        raise BadBody(400, "Content-Length must be one whole number.")
    if len(text) > 18 or int(text) > most:
        raise BadBody(413, f"The body is larger than {most} bytes.")
    return int(text)


def read_body(stream: Stream, length: int, most: int) -> bytes:
    """The whole body of that length; BadBody when it is cut short, malformed or too large."""
    return _chunks(stream, most) if length == CHUNKED else _exactly(stream, length)


def _chunks(stream: Stream, most: int) -> bytes:
    chunks = []
    total = 0
    while size := _chunk_size(stream):
        total += size
        if total > most:
            raise BadBody(413, f"The body is larger than {most} bytes.")
        chunks.append(_exactly(stream, size))
        if stream.readline(_LINE).strip(b"\r\n"):
            raise BadBody(400, "A chunk is longer than announced.")
    for _ in range(_TRAILERS):
        if not stream.readline(_LINE).strip(b"\r\n"):
            return b"".join(chunks)
    raise BadBody(400, "The body has too many trailers.")


def _chunk_size(stream: Stream) -> int:
    text = stream.readline(_LINE).split(b";")[0].strip()
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", text):
        raise BadBody(400, "A chunk has no size.")
    return int(text, 16)


def _exactly(stream: Stream, length: int) -> bytes:
    content = stream.read(length) if length else b""
    if len(content) < length:
        raise BadBody(400, "The body ends early.")
    return content
