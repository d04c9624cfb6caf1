"""A JSON answer and a change in; the same answer with other jobs, files or lists in it out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ftctl.emulator.http.wire import Json, Request, Response, answer

JOBS = "/v1/fine_tuning/jobs"
FILES = "/v1/files"
MODELS = "/v1/models"


def is_list_of(request: Request, path: str) -> bool:
    """Whether it asks for the list at that path."""
    return request.method == "GET" and request.path.rstrip("/") == path


def below(request: Request, path: str) -> str | None:
    """What the request's path has below that path; None where it is elsewhere."""
    return request.path.removeprefix(f"{path}/") if request.path.startswith(f"{path}/") else None


def with_entries(response: Response, change: Callable[[list[Any]], list[Any]]) -> Response:
    """A list with other entries in it; what is no list stays as it is."""
    body = _body(response)
    if body is None or not isinstance(body.get("data"), list):
        return response
    return _again(response, {**body, "data": change(body["data"])})


def with_fields(response: Response, **fields: Any) -> Response:
    """An answer with other fields in it, where it is an object."""
    body = _body(response)
    return response if body is None else _again(response, {**body, **fields})


def with_each(response: Response, kind: str, change: Callable[[Json], Json]) -> Response:
    """Every object of that kind changed, whether it is the answer or in a list.

    But for the answer to a delete: it names a kind, and is none.
    """
    body = _body(response)
    if body is None or "deleted" in body:
        return response
    if body.get("object") == kind:
        return _again(response, change(body))

    def changed(one: Any) -> Any:
        return change(one) if isinstance(one, dict) and one.get("object") == kind else one

    return with_entries(response, lambda entries: [changed(one) for one in entries])


def field_of(response: Response, name: str) -> Any:
    """What an answer says under that name; None where it says nothing."""
    body = _body(response)
    return None if body is None else body.get(name)


def _body(response: Response) -> Json | None:
    if response.status != 200 or response.stream is not None:
        return None
    if dict(response.headers).get("content-type") != "application/json":
        return None
    value = json.loads(response.body)
    return value if isinstance(value, dict) else None


def _again(response: Response, body: Json) -> Response:
    beside = tuple(pair for pair in response.headers if pair[0] != "content-type")
    return answer(body, response.status, beside)
