"""The emulator under an HTTP client, without a socket; the only module that knows the client."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import httpx2

from ftctl.emulator.app import Emulator
from ftctl.emulator.http.wire import Request, Response, single_bytes


class EmulatorTransport(httpx2.BaseTransport):
    """For `httpx2.Client(transport=...)`. Closing the client leaves the emulator open."""

    def __init__(self, emulator: Emulator, sleep: Callable[[float], None] = time.sleep) -> None:
        self._emulator = emulator
        self._sleep = sleep

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call, in this thread."""
        body = request.read()
        target = request.url.raw_path.decode("ascii")
        response = self._emulator.handle(
            Request.to(request.method, target, request.headers.items(), body)
        )
        if response.delay_seconds:
            self._sleep(response.delay_seconds)
        if response.cut:
            raise httpx2.RemoteProtocolError("The emulator hung up without an answer, as told.")
        headers = list(response.headers)
        if response.byte_seconds:
            slow = _Slow(response, self._sleep)
            return httpx2.Response(response.status, headers=headers, stream=slow)
        if response.stream is None:
            return httpx2.Response(response.status, headers=headers, content=response.body)
        return httpx2.Response(response.status, headers=headers, stream=_Pieces(response.stream))


class _Slow(httpx2.SyncByteStream):
    """An answer byte by byte, with time between them."""

    def __init__(self, response: Response, sleep: Callable[[float], None]) -> None:
        self._response = response
        self._sleep = sleep

    def __iter__(self) -> Iterator[bytes]:
        for byte in single_bytes(self._response):
            self._sleep(self._response.byte_seconds)
            yield byte


class _Pieces(httpx2.SyncByteStream):
    """An answer in pieces; a client that has enough of it ends whoever makes them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()
