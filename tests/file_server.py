"""Files behind the standard library's HTTP server, asked as a web server or in a store's language.

It speaks as much of Google's, Azure's and Hugging Face's as their own clients need to read a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from loopback import Loopback

DATE = "Sun, 22 Nov 2026 00:00:00 GMT"


@dataclass
class Shelf:
    """What the server has, and how it behaves."""

    files: dict[str, bytes] = field(default_factory=dict)  # by path below the language's root
    requests: list[str] = field(default_factory=list)
    status: int | None = None  # instead of any answer
    redirects: dict[str, str] = field(default_factory=dict)
    tells: bool = True  # ETag and date
    # Called in the middle of every content. What it returns is sent in place of the second half;
    # the length was told before.
    halfway: Callable[[bytes], bytes] | None = None
    packed: str | None = None  # what the files' contents are, as Content-Encoding has it

    def etag(self, name: str) -> str:
        return hashlib.sha256(self.files[name]).hexdigest()[:32]


class FileServer(Loopback):
    """The server; `shelf` is its state."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(_Handler)
        self.shelf = shelf

    @property
    def url(self) -> str:
        return self.address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or is killed, is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        shelf = self.server.shelf
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        shelf.requests.append(f"{self.command} {self.path}")
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        if shelf.status is not None:
            self._json(shelf.status, {"error": {"code": shelf.status, "message": "no"}})
        elif path in shelf.redirects:
            self._send(302, b"", {"Location": shelf.redirects[path]})
        elif path.startswith(("/storage/v1/b/", "/download/storage/v1/b/")):
            self._google(path, query)
        elif path.startswith("/azure/"):
            self._azure(path, query)
        elif path.startswith("/api/datasets/"):
            self._hub(path, json.loads(body) if body.startswith(b"{") else {})
        elif path.startswith("/datasets/"):
            owner, name, _, revision, file = path.removeprefix("/datasets/").split("/", 4)
            self._content(f"{owner}/{name}/{file}", {"X-Repo-Commit": revision})
        else:
            self._content(path.lstrip("/"), {})

    def _content(self, name: str, headers: dict[str, str]) -> None:
        shelf = self.server.shelf
        if name not in shelf.files:
            self._json(404, {"error": {"code": 404, "message": "Not Found"}})
            return
        content, status = shelf.files[name], 200
        if shelf.tells:
            headers |= {"ETag": f'"{shelf.etag(name)}"', "Last-Modified": DATE}
        if shelf.packed is not None:
            headers["Content-Encoding"] = shelf.packed
        wanted = self.headers.get("Range") or self.headers.get("x-ms-range")
        if wanted and self.command == "GET":
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = min(int(last) + 1 if last else len(content), len(content))
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(content)}"
            content, status = content[int(first) : end], 206
        self._send(status, content, headers)

    def _google(self, path: str, query: dict[str, list[str]]) -> None:
        bucket, _, name = path.partition("/v1/b/")[2].partition("/o")
        name = f"{bucket}{name}"
        if path.startswith("/download/"):
            self._content(name, {})
        elif name == bucket:
            prefix = f"{bucket}/{query.get('prefix', [''])[0]}"
            found = [one for one in self.server.shelf.files if one.startswith(prefix)]
            self._json(200, {"items": [self._google_object(one) for one in found]})
        elif name in self.server.shelf.files:
            self._json(200, self._google_object(name))
        else:
            self._json(404, {"error": {"code": 404, "message": f"No such object: {name}"}})

    def _google_object(self, name: str) -> dict[str, Any]:
        bucket, _, key = name.partition("/")
        shelf = self.server.shelf
        return {"name": key, "bucket": bucket, "size": str(len(shelf.files[name])),
                "etag": shelf.etag(name), "generation": "1", "contentType": "text/plain",
                "updated": "2026-11-22T00:00:00Z"}  # fmt: skip

    def _azure(self, path: str, query: dict[str, list[str]]) -> None:
        shelf = self.server.shelf
        name = path.removeprefix("/azure/")
        headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2024-01-01"}
        if query.get("comp") != ["list"]:
            if name in shelf.files:
                self._content(name, {**headers, "Accept-Ranges": "bytes"})
            else:
                code = "ContainerNotFound" if query.get("restype") else "BlobNotFound"
                self._send(404, b"", {**headers, "x-ms-error-code": code})
            return
        prefix = f"{name}/{query.get('prefix', [''])[0]}"
        blobs = "".join(
            f"<Blob><Name>{escape(one.partition('/')[2])}</Name><Properties>"
            f"<Content-Length>{len(content)}</Content-Length><Etag>{shelf.etag(one)}</Etag>"
            f"<Last-Modified>{DATE}</Last-Modified><BlobType>BlockBlob</BlobType>"
            "</Properties></Blob>"
            for one, content in shelf.files.items()
            if one.startswith(prefix)
        )
        text = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{name}">'
        text += f"<Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>"
        self._send(200, text.encode(), {**headers, "Content-Type": "application/xml"})

    def _hub(self, path: str, _: dict[str, Any]) -> None:
        shelf = self.server.shelf
        owner, name, *rest = path.removeprefix("/api/datasets/").split("/", 4)
        home = f"{owner}/{name}/"
        inside = {one.removeprefix(home): one for one in shelf.files if one.startswith(home)}
        if not inside:
            self._json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif rest[:1] == ["tree"]:
            files = [
                {"type": "file", "path": short, "size": len(shelf.files[one]),
                 "oid": shelf.etag(one)}
                for short, one in inside.items()
            ]  # fmt: skip
            self._json(200, files)
        else:
            info = {"id": f"{owner}/{name}", "sha": "0" * 40, "private": False, "siblings": []}
            self._json(200, {**info, "author": owner, "tags": [], "downloads": 0, "likes": 0})

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        head = {"Content-Type": "application/json", **(headers or {})}
        self._send(status, json.dumps(value).encode(), head)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        halfway = self.server.shelf.halfway
        if halfway is None or status not in (200, 206) or "Content-Type" in headers:
            self.wfile.write(content)
            return
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        self.wfile.write(halfway(content[half:]))
        self.close_connection = True
