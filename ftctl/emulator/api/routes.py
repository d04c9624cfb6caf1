"""The table of what is answered here, and of what the public API has beyond it."""

from __future__ import annotations

from ftctl.emulator.api import (
    chat_endpoint,
    file_endpoints,
    job_endpoints,
    job_history,
    model_endpoints,
    permission_endpoints,
    stored_completions,
    upload_endpoints,
)
from ftctl.emulator.api.grader_endpoints import run_grader, validate_grader
from ftctl.emulator.api.request_context import Handler
from ftctl.emulator.http.route_table import Match, RouteTable

_JOB = "/v1/fine_tuning/jobs/{job_id}"
_COMPLETION = "/v1/chat/completions/{completion_id}"
_UPLOAD = "/v1/uploads/{upload_id}"
_PERMISSIONS = "/v1/fine_tuning/checkpoints/{model*}/permissions"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/files", file_endpoints.create_file),
    ("GET", "/v1/files", file_endpoints.list_files),
    ("GET", "/v1/files/{file_id}", file_endpoints.retrieve_file),
    ("DELETE", "/v1/files/{file_id}", file_endpoints.delete_file),
    ("GET", "/v1/files/{file_id}/content", file_endpoints.download_file),
    ("POST", "/v1/fine_tuning/jobs", job_endpoints.create_job),
    ("GET", "/v1/fine_tuning/jobs", job_endpoints.list_jobs),
    ("GET", _JOB, job_endpoints.retrieve_job),
    ("POST", f"{_JOB}/cancel", job_endpoints.cancel_job),
    ("POST", f"{_JOB}/pause", job_endpoints.pause_job),
    ("POST", f"{_JOB}/resume", job_endpoints.resume_job),
    ("GET", f"{_JOB}/events", job_history.list_events),
    ("GET", f"{_JOB}/checkpoints", job_history.list_checkpoints),
    ("POST", "/v1/fine_tuning/alpha/graders/run", run_grader),
    ("POST", "/v1/fine_tuning/alpha/graders/validate", validate_grader),
    ("POST", _PERMISSIONS, permission_endpoints.create_permissions),
    ("GET", _PERMISSIONS, permission_endpoints.list_permissions),
    ("DELETE", f"{_PERMISSIONS}/{{permission_id}}", permission_endpoints.delete_permission),
    ("POST", "/v1/uploads", upload_endpoints.create_upload),
    ("POST", f"{_UPLOAD}/parts", upload_endpoints.add_part),
    ("POST", f"{_UPLOAD}/complete", upload_endpoints.complete_upload),
    ("POST", f"{_UPLOAD}/cancel", upload_endpoints.cancel_upload),
    ("POST", "/v1/chat/completions", chat_endpoint.create_completion),
    ("GET", "/v1/chat/completions", stored_completions.list_completions),
    ("GET", _COMPLETION, stored_completions.retrieve_completion),
    ("POST", _COMPLETION, stored_completions.update_completion),
    ("DELETE", _COMPLETION, stored_completions.delete_completion),
    ("GET", f"{_COMPLETION}/messages", stored_completions.list_messages),
    ("GET", "/v1/models", model_endpoints.list_models),
    ("GET", "/v1/models/{model*}", model_endpoints.retrieve_model),
    ("DELETE", "/v1/models/{model*}", model_endpoints.delete_model),
)
"""Method, path and handler."""

NOT_IMPLEMENTED: tuple[str, ...] = (
    *("assistants", "audio", "batches", "completions", "containers", "conversations"),
    *("embeddings", "evals", "images", "moderations", "organization", "realtime", "responses"),
    *("skills", "threads", "vector_stores", "videos", "fine_tuning/model_limits"),
)
"""Paths below /v1 that the public API has, and all below them; the emulator has them not."""


_PATHS = RouteTable(ROUTES)


def find_route(method: str, path: str) -> Match[Handler] | tuple[str, ...]:
    """The route for the percent-encoded path, or the methods that the path has: none if unknown."""
    return _PATHS.find(method, path)


def is_public(path: str) -> bool:
    """Whether the public API has this path although the emulator has not."""
    return any(f"{path}/".startswith(f"/v1/{public}/") for public in NOT_IMPLEMENTED)
