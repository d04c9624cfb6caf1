"""Requests in, their journal out: what was asked of this process of late, and what came of it.

A ring in memory. Headers never get here, since they hold keys.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ftctl.emulator.http.wire import Json, Request, parse_json

MOST_ENTRIES = 1_000
MOST_BODY_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer; `at` in Unix seconds, `status` None where none was sent."""

    number: int  # from 1, in the order of the answers
    at: float
    request: Request  # without headers, and without a body that is not kept
    status: int | None
    milliseconds: float
    request_id: str
    fault: str | None


class Journal:
    """The last requests. Threads may share it."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self._number = 0
        self._turn = threading.Lock()

    def note(
        self,
        request: Request,
        *,
        at: float,
        status: int | None,
        milliseconds: float,
        request_id: str,
        fault: str | None,
    ) -> None:
        """Keep one more, and let go of the oldest."""
        body = request.body
        # Forms hold files; whatever else looks like JSON is read as JSON only when it is shown.
        kept = body if len(body) <= MOST_BODY_BYTES and body[:1] in (b"{", b"[") else b""
        bare = Request(request.method, request.path, request.query, (), kept)
        with self._turn:
            self._number += 1
            self._entries.append(
                Entry(self._number, at, bare, status, milliseconds, request_id, fault)
            )

    def entries(self, after: int = 0) -> list[Entry]:
        """Those after that number, the oldest first."""
        with self._turn:
            return [entry for entry in self._entries if entry.number > after]

    def clear(self) -> None:
        """Forget them; the numbers go on."""
        with self._turn:
            self._entries.clear()


def shown_entry(entry: Entry) -> Json:
    """The entry as clients see it."""
    request = entry.request
    query = urlencode(request.query, errors="replace")
    return {
        "number": entry.number,
        "at": entry.at,
        "method": request.method,
        "path": f"{request.path}?{query}" if query else request.path,
        "status": entry.status,
        "milliseconds": round(entry.milliseconds, 3),
        "request_id": entry.request_id,
        "fault": entry.fault,
        "body": _value(request.body),
    }


def _value(body: bytes) -> Any:
    try:
        return parse_json(body) if body else None
    except ValueError:
        return None
