"""Wires between ftctl and the embedded API that break, wait, lag or do not filter.

`Settings.wire` puts one around the transport of each run. What several runs share (which request
is next, what a list hides) stands in the value that the wire was made from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx2
from conftest import HandClock

Inner = httpx2.BaseTransport


class Killed(BaseException):
    """Stands for kill -9: nothing of ours may catch it, nothing may be asked after it."""


class Endless(BaseException):
    """A run that would go on for ever: nothing of ours may catch it."""


_KINDS = (
    (r"GET /v1/files", "list files"),
    (r"GET /v1/files/.+", "look up a file"),
    (r"POST /v1/files", "upload"),
    (r"GET /v1/files/.+", "look up a file"),
    (r"DELETE /v1/files/.+", "delete a file"),
    (r"GET /v1/models", "list models"),
    (r"GET /v1/models/.+", "look up a model"),
    (r"DELETE /v1/models/.+", "delete a model"),
    (r"GET /v1/fine_tuning/jobs", "list jobs"),
    (r"POST /v1/fine_tuning/jobs", "create a job"),
    (r"POST /v1/fine_tuning/jobs/[^/]+/cancel", "cancel a job"),
    (r"GET /v1/fine_tuning/jobs/[^/]+/events", "list events"),
    (r"GET /v1/fine_tuning/jobs/[^/]+/checkpoints", "list checkpoints"),
    (r"GET /v1/fine_tuning/jobs/[^/]+", "look up a job"),
)


def kind_of(request: httpx2.Request) -> str:
    """What a request asks for, in words."""
    asked = f"{request.method} {request.url.path}"
    return next((kind for pattern, kind in _KINDS if re.fullmatch(pattern, asked)), asked)


# What may go wrong with one request. `done`: the service carried it out all the same.
FAULTS: Mapping[str, bool] = {
    "refused": False,
    "cut-before": False,
    "lost": True,
    "500-before": False,
    "500-after": True,
    "429": False,
    "timeout-after": True,
    "garbled": True,  # says that it is JSON, and is none
    "down-before": False,  # this one and all that follow in the run are refused
    "down-after": True,
    "killed-before": False,
    "killed-after": True,
}

# Answers with status 200 that are something else than what was asked for.
STRANGE: Mapping[str, bool] = {
    "page": True,  # a proxy's page in HTML
    "hollow": True,  # an empty object
}
_DONE = {**FAULTS, **STRANGE}


@dataclass
class Break:
    """Breaks the requests of one run: number (from 0) → fault. `trace` is what was asked."""

    faults: Mapping[int, str] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    dead: bool = False
    down: bool = False
    after_death: int = 0
    around: Callable[[Inner], Inner] = lambda inner: inner  # a service with ways of its own
    most: int | None = None  # requests of one run; None: as many as it likes
    on_request: Callable[[], None] = lambda: None  # time that a request takes

    def __call__(self, inner: Inner) -> Inner:
        return _Broken(self.around(inner), self)


class _Broken(httpx2.BaseTransport):
    def __init__(self, inner: Inner, plan: Break) -> None:
        self.inner = inner
        self.plan = plan

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        plan = self.plan
        if plan.dead:
            plan.after_death += 1
            raise Killed
        if plan.down:
            raise httpx2.ConnectError("connection refused", request=request)
        number = len(plan.trace)
        kind = kind_of(request)
        plan.trace.append(kind)
        if plan.most is not None and number >= plan.most:
            raise Endless
        plan.on_request()
        fault = plan.faults.get(number)
        if fault is None:
            return self.inner.handle_request(request)
        plan.applied.append(f"{kind} × {fault}")
        response = self.inner.handle_request(request) if _DONE[fault] else None
        return self._break(fault, request, response)

    def _break(
        self, fault: str, request: httpx2.Request, response: httpx2.Response | None
    ) -> httpx2.Response:
        match fault:
            case "refused":
                raise httpx2.ConnectError("connection refused", request=request)
            case "down-before" | "down-after":
                self.plan.down = True
                broken = httpx2.ReadError if response else httpx2.ConnectError
                raise broken("connection lost", request=request)
            case "cut-before" | "lost":
                raise httpx2.ReadError("connection reset by peer", request=request)
            case "timeout-after":
                raise httpx2.ReadTimeout("timed out", request=request)
            case "500-before" | "500-after":
                return _says(500, {"error": {"message": "The server had an error."}})
            case "429":
                told = {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}
                return _says(429, told, {"retry-after": "1"})
            case "garbled":
                return httpx2.Response(200, headers=_JSON, content=b'{"id": "ftj')
            case "page":
                return httpx2.Response(
                    200, headers={"content-type": "text/html"}, content=b"<html>Welcome</html>"
                )
            case "hollow":
                return _says(200, {})
        self.plan.dead = True
        raise Killed


_JSON = {"content-type": "application/json"}


def _says(status: int, body: object, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    content = json.dumps(body).encode()
    return httpx2.Response(status, headers={**_JSON, **(headers or {})}, content=content)


@dataclass
class Lag:
    """A service whose lists show what was made only a while after it was made.

    `looks`: further list requests of the same kind before it shows; `seconds`: time before.
    """

    clock: HandClock
    looks: int = 0
    seconds: float = 0.0
    hidden: dict[str, tuple[int, float]] = field(default_factory=dict)  # id → looks left, until

    def __call__(self, inner: Inner) -> Inner:
        return _Lagging(inner, self)


class _Lagging(httpx2.BaseTransport):
    def __init__(self, inner: Inner, lag: Lag) -> None:
        self.inner = inner
        self.lag = lag

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self.inner.handle_request(request)
        kind = kind_of(request)
        lag = self.lag
        if kind in ("create a job", "upload") and response.status_code == 200:
            made = json.loads(response.read())["id"]
            lag.hidden[made] = (lag.looks, lag.clock.now() + lag.seconds)
        if kind not in ("list jobs", "list files"):
            return response
        body = json.loads(response.read())
        body["data"] = [one for one in body["data"] if not self._hides(one["id"])]
        return _says(response.status_code, body)

    def _hides(self, name: str) -> bool:
        looks, until = self.lag.hidden.get(name, (0, 0.0))
        if looks > 0:
            self.lag.hidden[name] = (looks - 1, until)
        return looks > 0 or self.lag.clock.now() < until


class Unfiltered(httpx2.BaseTransport):
    """A service that does not know the metadata filter: it lists every job."""

    def __init__(self, inner: Inner) -> None:
        self.inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        kept = [(k, v) for k, v in request.url.params.multi_items() if "metadata" not in k]
        plain = httpx2.Request(
            request.method,
            request.url.copy_with(params=kept) if kept else request.url.copy_with(query=None),
            headers=request.headers,
            content=request.read(),
        )
        return self.inner.handle_request(plain)
