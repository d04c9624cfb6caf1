"""A fine-tuning API that is not ours: one dictionary behind the standard library's HTTP server.

It is as plain as a stand-in can be: it ignores filters, limits and cursors, leaves out fields that
a client could live without, trains in no time, and can be told to misbehave.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from loopback import Loopback

Answer = tuple[int, Any]


@dataclass
class World:
    """What the server knows, and how it behaves."""

    files: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)  # paths with their queries
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    # (method, path) → answer instead of the usual one; None: go on as usual
    before: Callable[[str, str], Answer | None] = lambda _method, _path: None
    # the same once the work is done: "cut" closes the line without an answer
    after: Callable[[str, str], Answer | str | None] = lambda _method, _path: None
    # (method, path) → seconds between two bytes of the answer, its headers too; None: all at once
    pace: Callable[[str, str], float | None] = lambda _method, _path: None
    lists_models: bool = True
    keeps_metadata: bool = True
    finishes: bool = True
    date: str | None = None  # the header of that name in every answer
    names_models: bool = True
    # what else the service tells of a job, by the request that it was created with
    tells: Callable[[dict[str, Any]], dict[str, Any]] = lambda _body: {}
    organization: str | None = None  # told of each job
    project: str | None = None  # told in a header of each answer
    headers_told: bytes = b""  # lines of its head besides, as they are sent


class PlainServer(Loopback):
    """The server; `world` is its state."""

    def __init__(self, world: World, port: int = 0) -> None:
        super().__init__(_Handler, port)
        self.world = world

    @property
    def url(self) -> str:
        return f"{self.address}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: PlainServer

    def _answer(self) -> None:
        world = self.server.world
        path = self.path.partition("?")[0].removeprefix("/v1")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        world.requests.append(f"{self.command} {path}")
        world.targets.append(self.path)
        world.headers.append({key.lower(): value for key, value in self.headers.items()})
        answer: Answer | str | None = world.before(self.command, path)
        if answer is None:
            usual = _work(world, self.command, path, body)
            answer = world.after(self.command, path) or usual
        if answer == "cut":
            self.close_connection = True
            return
        assert not isinstance(answer, str)
        status, document = answer
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
        head += f"openai-project: {world.project}\r\n" if world.project else ""
        head += f"Date: {world.date}\r\n" if world.date else ""
        length = f"Content-Length: {len(text)}\r\n\r\n".encode()
        whole = head.encode() + world.headers_told + length + text
        self._send(whole, world.pace(self.command, path))
        self.close_connection = True

    def _send(self, content: bytes, pause: float | None) -> None:
        if pause is None:
            self.wfile.write(content)
            return
        try:
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(pause)
        except OSError:  # who asked has had enough
            return

    do_GET = do_POST = do_DELETE = do_CONNECT = _answer  # noqa: N815 - the standard library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _work(world: World, method: str, path: str, body: bytes) -> Answer:
    parts = path.strip("/").split("/")
    match method, parts:
        case "GET", ["files", *file]:
            return _files(world, file)
        case "POST", ["files"]:
            return 200, _add_file(world, body)
        case "DELETE", ["files", file]:
            world.files[:] = [known for known in world.files if known["id"] != file]
            return 200, {"id": file, "deleted": True}
        case "GET", ["models"]:
            names = world.models if world.lists_models else []
            return _list([{"id": name, "object": "model"} for name in ["gpt-x", *names]])
        case "GET", ["models", model] if model in world.models:
            return 200, {"id": model, "object": "model"}
        case "DELETE", ["models", model] if model in world.models:
            world.models.remove(model)
            return 200, {"id": model, "deleted": True}
        case "GET", ["fine_tuning", "jobs"]:
            _finish(world)
            return _list(world.jobs[::-1])
        case "POST", ["fine_tuning", "jobs"]:
            return 200, _add_job(world, json.loads(body))
        case "GET", ["fine_tuning", "jobs", job, "events"]:
            return _list([])
        case "GET", ["fine_tuning", "jobs", job] if found := _job(world, job):
            return 200, found
        case "POST", ["fine_tuning", "jobs", job, "cancel"] if found := _job(world, job):
            found["status"] = "cancelled"
            return 200, found
    return 404, {"error": {"message": f"no {path} here", "type": "invalid_request_error"}}


def _job(world: World, job: str) -> dict[str, Any] | None:
    return next((known for known in world.jobs if known["id"] == job), None)


def _files(world: World, named: list[str]) -> Answer:
    """The list, or one file by its id."""
    if not named:
        return _list(world.files)
    found = [known for known in world.files if known["id"] == named[0]]
    return (200, found[0]) if found else (404, {"error": {"message": f"no {named[0]} here"}})


def _list(entries: list[dict[str, Any]]) -> Answer:
    return 200, {"object": "list", "data": entries, "has_more": False}


def _add_file(world: World, body: bytes) -> dict[str, Any]:
    name = re.search(rb'filename="([^"]+)"', body)
    boundary = body.partition(b"\r\n")[0]
    parts = [part for part in body.split(boundary) if b"filename=" in part]
    content = parts[0].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    assert name is not None
    file = {
        "id": f"file-{len(world.files) + 1}",
        "object": "file",
        "bytes": len(content),
        "created_at": 1_790_000_000 + len(world.files),
        "filename": name[1].decode(),
        "purpose": "fine-tune",
    }
    world.files.append(file)
    return file


def _add_job(world: World, body: dict[str, Any]) -> dict[str, Any]:
    world.bodies.append(body)
    job = {
        "id": f"ftjob-{len(world.jobs) + 1}",
        "object": "fine_tuning.job",
        "created_at": 1_790_000_000 + len(world.jobs),
        "model": body["model"],
        "training_file": body["training_file"],
        "status": "queued",
        "metadata": body.get("metadata") if world.keeps_metadata else None,
    }
    job |= world.tells(body)
    if world.organization is not None:
        job["organization_id"] = world.organization
    world.jobs.append(job)
    return job


def _finish(world: World) -> None:
    if not world.finishes:
        return
    for job in world.jobs:
        if job["status"] == "queued":
            job["status"] = "succeeded"
            if not world.names_models:
                continue
            job["fine_tuned_model"] = f"ft:{job['model']}:plain::{job['id'][6:]}"
            world.models.append(job["fine_tuned_model"])


# Answers for `World.before`.

CREATE = ("POST", "/fine_tuning/jobs")
DAILY = (429, {"error": {"message": "12 jobs a day", "code": "daily_rate_limit_exceeded"}})


def times(number: int, answer: Answer) -> Callable[[str, str], Answer | None]:
    """Answer so many creates in this way."""
    left = [answer] * number

    def decide(method: str, path: str) -> Answer | None:
        return left.pop() if (method, path) == CREATE and left else None

    return decide
