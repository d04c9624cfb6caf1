"""An HTTP client in; the same, keeping the bounds of the block that it is used in, out."""

from __future__ import annotations

from typing import Any

import httpx2

from ftctl.providers.openai.bounds import LARGEST_ANSWER, AnswerTooLong, Bounds, bounds_now

# Of an answer that was read: it is as long as it is, and no longer packed.
_OF_THE_WIRE = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


def keep_bounds(client: httpx2.Client) -> None:
    """Make every way that a client has to the network, proxies too, keep `within`."""
    # httpx offers no place for this that would leave its own choice of proxies as it is.
    client._transport = _Bounded(client._transport)  # noqa: SLF001
    client._mounts = {  # noqa: SLF001
        pattern: None if transport is None else _Bounded(transport)
        for pattern, transport in client._mounts.items()  # noqa: SLF001
    }


class _Bounded(httpx2.BaseTransport):
    """A transport that reads an answer to its end before it gives it."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner
        pool = getattr(inner, "_pool", None)
        if pool is not None:
            pool._network_backend = _Backend(pool._network_backend)  # noqa: SLF001

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._inner.handle_request(request)
        bounds = bounds_now()
        if bounds is None or (bounds.streamed and answer.status_code < 400):
            return answer
        try:
            content = _content(answer, bounds)
        finally:
            answer.close()
        headers = [pair for pair in answer.headers.raw if pair[0].lower() not in _OF_THE_WIRE]
        return httpx2.Response(
            answer.status_code, headers=headers, content=content, extensions=answer.extensions
        )

    def close(self) -> None:
        self._inner.close()


def _content(answer: httpx2.Response, bounds: Bounds) -> bytes:
    content = bytearray()
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > LARGEST_ANSWER:
            raise AnswerTooLong
        if bounds.left_seconds <= 0:
            raise httpx2.ReadTimeout("the answer does not end")
    return bytes(content)


class _Backend:
    """What opens connections: as it is, with streams that end in time."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(self, *place: Any, timeout: float | None = None, **more: Any) -> _Stream:
        return _Stream(self._inner.connect_tcp(*place, timeout=_shorter(timeout), **more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Stream:
    """A connection. Headers come over it too, and may come a byte at a time as bodies may."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._inner.read(max_bytes, timeout=_shorter(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=_shorter(timeout))
        bounds = bounds_now()
        if bounds is not None and bounds.by_progress:
            bounds.goes_on()

    def start_tls(self, *how: Any, timeout: float | None = None, **more: Any) -> _Stream:
        return _Stream(self._inner.start_tls(*how, timeout=_shorter(timeout), **more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _shorter(timeout: float | None) -> float | None:
    """The timeout of one piece, or what is left for the whole where that is less."""
    bounds = bounds_now()
    if bounds is None:
        return timeout
    left = bounds.left_seconds
    if left <= 0:
        raise httpx2.ReadTimeout("the answer does not come to an end")
    return left if timeout is None else min(timeout, left)
