"""The table of what is answered here, and of what the public API has beyond it."""

from __future__ import annotations

from ftctl.emulator import files, models, permissions, uploads
from ftctl.emulator.call import Handler
from ftctl.emulator.chat import handlers as chat
from ftctl.emulator.chat import stored
from ftctl.emulator.graders.handlers import run_grader, validate_grader
from ftctl.emulator.jobs import handlers as jobs
from ftctl.emulator.jobs import history
from ftctl.emulator.paths import Match, Paths

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
"""Method, path and handler."""

NOT_IMPLEMENTED: tuple[str, ...] = (
    *("assistants", "audio", "batches", "completions", "containers", "conversations"),
    *("embeddings", "evals", "images", "moderations", "organization", "realtime", "responses"),
    *("skills", "threads", "vector_stores", "videos", "fine_tuning/model_limits"),
)
"""Paths below /v1 that the public API has, and all below them; the emulator has them not."""


_PATHS = Paths(ROUTES)


def find_route(method: str, path: str) -> Match[Handler] | tuple[str, ...]:
    """The route for the percent-encoded path, or the methods that the path has: none if unknown."""
    return _PATHS.find(method, path)


def is_public(path: str) -> bool:
    """Whether the public API has this path although the emulator has not."""
    return any(f"{path}/".startswith(f"/v1/{known}/") for known in NOT_IMPLEMENTED)
