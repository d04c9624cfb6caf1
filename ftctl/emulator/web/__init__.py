"""A path below `/_ftctl/` in; the file of the web page that is served there, and its type, out."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def asset(path: str) -> tuple[str, bytes] | None:
    """The content type and the bytes; "" is the page itself. None for what is no part of it."""
    return _assets().get(path or "index.html")


@cache
def _assets() -> dict[str, tuple[str, bytes]]:
    # A table, so that no path that a client makes up ever reaches the file system.
    return {
        file.name: (_TYPES[file.suffix], file.read_bytes())
        for file in sorted(Path(__file__).parent.iterdir())
        if file.suffix in _TYPES
    }
