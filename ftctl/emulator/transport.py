"""The emulator under an HTTP client, without a socket; the only module that knows the client."""

from __future__ import annotations

import httpx2

from ftctl.emulator.app import Emulator
from ftctl.emulator.wire import Request


class EmulatorTransport(httpx2.BaseTransport):
    """For `httpx2.Client(transport=...)`. Closing the client leaves the emulator open."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call, in this thread."""
        body = request.read()
        target = request.url.raw_path.decode("ascii")
        response = self._emulator.handle(
            Request.to(request.method, target, request.headers.items(), body)
        )
        return httpx2.Response(
            response.status, headers=list(response.headers), content=response.body
        )
