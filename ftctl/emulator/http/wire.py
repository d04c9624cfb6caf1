"""HTTP as values: what came in, what goes out, and the one form of every refusal."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Pairs = tuple[tuple[str, str], ...]
Json = dict[str, Any]

MAX_JSON_BYTES = 8 * 1024 * 1024
"""More than any job can fill, with all its graders."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. The path stays percent-encoded; header names are in lower case."""

    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: bytes

    @classmethod
    def to(
        cls,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """From a request line's target, such as `/v1/files?limit=2` or `http://host/v1/files`."""
        origin = re.sub(r"^https?://[^/?#]*", "", target, flags=re.IGNORECASE)
        path, _, query = origin.partition("#")[0].partition("?")
        return cls(
            method=method.upper(),
            path=path or "/",
            # Only an in-process caller can send half characters: no database takes them.
            query=tuple(
                parse_qsl(query.encode("utf-8", "replace").decode("utf-8"), keep_blank_values=True)
            ),
            headers=tuple((name.lower(), value) for name, value in headers),
            body=body,
        )

    def header(self, name: str) -> str | None:
        """The first header of that name, given in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    def parameter(self, name: str) -> str | None:
        """The last query parameter of that name."""
        return dict(self.query).get(name)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; its length is the shell's business.

    With `stream` the body comes in pieces as they are made, and `body` is empty. A shell waits
    `delay_seconds` before it answers, lets `byte_seconds` pass before each byte, and hangs up
    instead of answering when the answer is `cut`.
    """

    status: int
    headers: Pairs
    body: bytes
    stream: Iterator[bytes] | None = None
    delay_seconds: float = 0.0
    byte_seconds: float = 0.0
    cut: bool = False


class ApiError(Exception):
    """A refusal in the service's words: becomes `{"error": {message, type, param, code}}`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: Pairs = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.kind = kind
        self.headers = headers


def bad_request(message: str, param: str | None, code: str | None = None) -> ApiError:
    """A 400 that names the parameter at fault."""
    return ApiError(400, message, param=param, code=code)


def answer(value: Json, status: int = 200, headers: Pairs = ()) -> Response:
    """A JSON answer. ASCII only, so that no text whatever can fail to be encoded."""
    body = to_json(value).encode("ascii")
    return Response(status, (("content-type", "application/json"), *headers), body)


def answer_list(entries: Iterable[str], **beside: Any) -> Response:
    """A JSON answer whose entries are JSON texts already; `beside` are its other fields."""
    head = f'{{"object":"list","data":[{",".join(entries)}]'
    fields = "".join(f',"{name}":{to_json(value)}' for name, value in beside.items())
    body = f"{head}{fields}}}".encode("ascii")
    return Response(200, (("content-type", "application/json"),), body)


def to_json(value: Any) -> str:
    """Compact, and ASCII only."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def refusal(error: ApiError) -> Response:
    """The answer that says no."""
    envelope = {
        "message": error.message,
        "type": error.kind,
        "param": error.param,
        "code": error.code,
    }
    return answer({"error": envelope}, error.status, error.headers)


def single_bytes(response: Response) -> Iterator[bytes]:
    """The body, a byte at a time."""
    pieces = (response.body,) if response.stream is None else response.stream
    return (piece[place : place + 1] for piece in pieces for place in range(len(piece)))


def json_object(request: Request) -> Json:
    """The request's body, which must be one JSON object of plain numbers and valid text."""
    kind = (request.header("content-type") or "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        message = f"Unsupported content type: '{kind[:100]}'. Send 'application/json'."
        raise bad_request(message, None, "unsupported_content_type")
    if len(request.body) > MAX_JSON_BYTES:
        raise ApiError(413, f"The request's body is larger than {MAX_JSON_BYTES} bytes.")
    try:
        value = parse_json(request.body)
    except ValueError as fault:
        raise bad_request(f"The request's body is not valid JSON: {fault}.", None) from fault
    if not isinstance(value, dict):
        raise bad_request("The request's body must be a JSON object.", None)
    return value


def parse_json(text: bytes) -> Any:
    """Strict JSON: no NaN, no number beyond a double, no half characters. ValueError otherwise."""
    try:
        value = json.loads(
            text.decode("utf-8"), parse_constant=_not_a_number, parse_float=_finite_number
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if b"\\u" in text:
        # An escaped lone surrogate parses, but neither SQLite nor UTF-8 can carry it.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _not_a_number(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite_number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is too large")
    return number
