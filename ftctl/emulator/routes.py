"""The table of what is answered here, and of what the public API has beyond it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ftctl.emulator import files, models
from ftctl.emulator.call import Handler
from ftctl.emulator.jobs import handlers as jobs
from ftctl.emulator.jobs import history

_JOB = "/v1/fine_tuning/jobs/{job_id}"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/files", files.create_file),
    ("GET", "/v1/files", files.list_files),
    ("GET", "/v1/files/{file_id}", files.retrieve_file),
    ("DELETE", "/v1/files/{file_id}", files.delete_file),
    ("GET", "/v1/files/{file_id}/content", files.download_file),
    ("POST", "/v1/fine_tuning/jobs", jobs.create_job),
    ("GET", "/v1/fine_tuning/jobs", jobs.list_jobs),
    ("GET", _JOB, jobs.retrieve_job),
    ("POST", f"{_JOB}/cancel", jobs.cancel_job),
    ("POST", f"{_JOB}/pause", jobs.pause_job),
    ("POST", f"{_JOB}/resume", jobs.resume_job),
    ("GET", f"{_JOB}/events", history.list_events),
    ("GET", f"{_JOB}/checkpoints", history.list_checkpoints),
    ("GET", "/v1/models", models.list_models),
    ("GET", "/v1/models/{model*}", models.retrieve_model),
    ("DELETE", "/v1/models/{model*}", models.delete_model),
)
"""Method, path and handler; `{name}` is one segment, `{name*}` one or more."""

NOT_IMPLEMENTED: tuple[str, ...] = (
    "/v1/chat/completions",
    "/v1/chat/completions/{completion_id}",
    "/v1/chat/completions/{completion_id}/messages",
    "/v1/uploads",
    "/v1/uploads/{upload_id}/parts",
    "/v1/uploads/{upload_id}/complete",
    "/v1/uploads/{upload_id}/cancel",
    "/v1/fine_tuning/alpha/graders/run",
    "/v1/fine_tuning/alpha/graders/validate",
    "/v1/fine_tuning/checkpoints/{model*}/permissions",
    "/v1/fine_tuning/checkpoints/{model*}/permissions/{permission_id}",
)
"""Paths that the public API has and the emulator has not."""


@dataclass(frozen=True, slots=True)
class Match:
    """A handler with the decoded parameters of the path."""

    handler: Handler
    path: dict[str, str]


def find_route(method: str, path: str) -> Match | tuple[str, ...]:
    """The route for the percent-encoded path, or the methods that the path has: none if unknown."""
    allowed = []
    for route_method, pattern, handler in _COMPILED:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if route_method == method:
            return Match(
                handler, {name: _decoded(text) for name, text in found.groupdict().items()}
            )
        allowed.append(route_method)
    return tuple(allowed)


def is_public(path: str) -> bool:
    """Whether the public API has this path although the emulator has not."""
    return any(pattern.fullmatch(path) for pattern in _PUBLIC)


def _decoded(text: str) -> str:
    # Half characters, which only an in-process caller can send, would not fit into the database.
    return unquote(text).encode("utf-8", "replace").decode("utf-8")


def _compiled(template: str) -> re.Pattern[str]:
    whole = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", whole))


_COMPILED = tuple((method, _compiled(path), handler) for method, path, handler in ROUTES)
_PUBLIC = tuple(_compiled(path) for path in NOT_IMPLEMENTED)
