"""The table of what is answered here, and of what the public API has beyond it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ftctl.emulator import files, models, permissions, uploads
from ftctl.emulator.call import Handler
from ftctl.emulator.chat import handlers as chat
from ftctl.emulator.chat import stored
from ftctl.emulator.graders.handlers import run_grader, validate_grader
from ftctl.emulator.jobs import handlers as jobs
from ftctl.emulator.jobs import history

_JOB = "/v1/fine_tuning/jobs/{job_id}"
_COMPLETION = "/v1/chat/completions/{completion_id}"
_UPLOAD = "/v1/uploads/{upload_id}"
_PERMISSIONS = "/v1/fine_tuning/checkpoints/{model*}/permissions"

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
    ("POST", "/v1/fine_tuning/alpha/graders/run", run_grader),
    ("POST", "/v1/fine_tuning/alpha/graders/validate", validate_grader),
    ("POST", _PERMISSIONS, permissions.create_permissions),
    ("GET", _PERMISSIONS, permissions.list_permissions),
    ("DELETE", f"{_PERMISSIONS}/{{permission_id}}", permissions.delete_permission),
    ("POST", "/v1/uploads", uploads.create_upload),
    ("POST", f"{_UPLOAD}/parts", uploads.add_part),
    ("POST", f"{_UPLOAD}/complete", uploads.complete_upload),
    ("POST", f"{_UPLOAD}/cancel", uploads.cancel_upload),
    ("POST", "/v1/chat/completions", chat.create_completion),
    ("GET", "/v1/chat/completions", stored.list_completions),
    ("GET", _COMPLETION, stored.retrieve_completion),
    ("POST", _COMPLETION, stored.update_completion),
    ("DELETE", _COMPLETION, stored.delete_completion),
    ("GET", f"{_COMPLETION}/messages", stored.list_messages),
    ("GET", "/v1/models", models.list_models),
    ("GET", "/v1/models/{model*}", models.retrieve_model),
    ("DELETE", "/v1/models/{model*}", models.delete_model),
)
"""Method, path and handler; `{name}` is one segment, `{name*}` one or more."""

NOT_IMPLEMENTED: tuple[str, ...] = (
    *("assistants", "audio", "batches", "completions", "containers", "conversations"),
    *("embeddings", "evals", "images", "moderations", "organization", "realtime", "responses"),
    *("skills", "threads", "vector_stores", "videos", "fine_tuning/model_limits"),
)
"""Paths below /v1 that the public API has, and all below them; the emulator has them not."""


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
    return any(f"{path}/".startswith(f"/v1/{known}/") for known in NOT_IMPLEMENTED)


def _decoded(text: str) -> str:
    # Half characters, which only an in-process caller can send, would not fit into the database.
    return unquote(text).encode("utf-8", "replace").decode("utf-8")


def _compiled(template: str) -> re.Pattern[str]:
    whole = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", whole))


_COMPILED = tuple((method, _compiled(path), handler) for method, path, handler in ROUTES)
