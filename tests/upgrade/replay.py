"""A service's frozen answers in; the same answers out, however a later version asks for them.

Nothing can be written: whoever tries is refused, and found out by `writes`.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2
from loopback import Loopback

PORT = 21129  # of the hosted service: its address stands in lock and plan
Document = dict[str, Any]
_GONE: Document = {"error": {"message": "There is none.", "type": "invalid_request_error"}}
_FILTER = "metadata["


class Replay:
    """The service, as it answered then. `answers` are by path and query, as they were asked."""

    def __init__(self, answers: dict[str, Document]) -> None:
        self.writes: list[str] = []
        self.reads: list[str] = []
        self._lists: dict[tuple[str, str], Document] = {}
        for target, document in answers.items():
            path, chosen, _ = _asked(target)
            self._lists[path, chosen] = document

    def emptied(self) -> Replay:
        """The same service, without anything of anybody's."""
        return Replay({
            path: {**answer, "data": [], "has_more": False}
            for (path, chosen), answer in self._lists.items()
            if not chosen
        })  # fmt: skip

    def answer(self, method: str, target: str) -> tuple[int, Document]:
        """Status and document. A filter and a cursor are honoured, a limit is not."""
        if method != "GET":
            self.writes.append(f"{method} {target}")
            return 403, {"error": {"message": "This account is read-only.", "type": "forbidden"}}
        self.reads.append(target)
        path, chosen, after = _asked(target.removeprefix("/v1"))
        found = self._lists.get((path, chosen))
        if found is not None:
            return 200, _after(found, after)
        if (path, "") in self._lists:  # a filter that nobody asked for then
            return 200, {"object": "list", "data": [], "has_more": False}
        folder, _, name = path.rpartition("/")
        entries = self._lists.get((folder, ""), {}).get("data", [])
        return next(((200, entry) for entry in entries if entry["id"] == name), (404, _GONE))


def _asked(target: str) -> tuple[str, str, str | None]:
    """A path and query as path, filter and cursor."""
    parts = urlsplit(target)
    query = parse_qsl(parts.query)
    chosen = "&".join(f"{key}={value}" for key, value in sorted(query) if key.startswith(_FILTER))
    return unquote(parts.path), chosen, dict(query).get("after")


def _after(page: Document, cursor: str | None) -> Document:
    entries = page["data"]
    places = [place for place, entry in enumerate(entries, 1) if entry["id"] == cursor]
    if cursor is not None:
        entries = entries[places[0] :] if places else []
    return {**page, "data": entries, "has_more": False}


class ReplayTransport(httpx2.BaseTransport):
    """In place of the embedded API."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        status, document = self._replay.answer(request.method, request.url.raw_path.decode("ascii"))
        return httpx2.Response(status, json=document)


class ReplayServer(Loopback):
    """In place of a service at an address."""

    def __init__(self, replay: Replay, port: int) -> None:
        super().__init__(_Handler, port)
        self.replay = replay


class _Handler(BaseHTTPRequestHandler):
    server: ReplayServer

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, document = self.server.replay.answer(self.command, self.path)
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""
