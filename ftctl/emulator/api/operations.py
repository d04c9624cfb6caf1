"""How far each operation of the public API goes here: method, path as in the routes, what to know.

For people: `docs/emulator-operations.md` is made from it. No handler reads it.
"""

from __future__ import annotations

_JOB = "/v1/fine_tuning/jobs/{job_id}"
_GRADERS = "/v1/fine_tuning/alpha/graders"
_PERMISSIONS = "/v1/fine_tuning/checkpoints/{model*}/permissions"
_UPLOAD = "/v1/uploads/{upload_id}"
_COMPLETION = "/v1/chat/completions/{completion_id}"

NOTES: dict[tuple[str, str], str] = {
    ("POST", "/v1/files"): (
        "Up to 512 MB, `expires_after` included. A file is processed at once; what is in it is"
        " looked at when a job reads it, as at the hosted service."
    ),
    ("GET", "/v1/files"): "By `purpose`, in pages of up to 10,000, in either order.",
    ("GET", "/v1/files/{file_id}"): "As specified.",
    ("DELETE", "/v1/files/{file_id}"): (
        "A job that has not read the file yet fails for it; one that has, goes on."
    ),
    ("GET", "/v1/files/{file_id}/content"): "The bytes that came in, unchanged.",
    ("POST", "/v1/uploads"): "Up to 8 GB; expires after an hour. Unknown fields are refused.",
    ("POST", f"{_UPLOAD}/parts"): "Up to 64 MB each, in any order.",
    ("POST", f"{_UPLOAD}/complete"): (
        "Refused when the sizes, or the `md5` if one is given, do not agree."
    ),
    ("POST", f"{_UPLOAD}/cancel"): "The parts are given back.",
    ("POST", "/v1/fine_tuning/jobs"): (
        "Supervised, DPO and reinforcement; a small language model is really trained."
        " `integrations` are kept and shown; nothing is sent to anybody."
    ),
    ("GET", "/v1/fine_tuning/jobs"): (
        "Pages of up to 100, newest first; by every pair of `metadata`, or `metadata=null`."
    ),
    ("GET", _JOB): "As specified; beside it `user_provided_suffix`, as the hosted service has it.",
    ("POST", f"{_JOB}/cancel"): "Any job that has not ended; refused afterwards.",
    ("POST", f"{_JOB}/pause"): (
        "A running job of any method. Its status is `paused`, which the specification's enum lacks."
    ),
    ("POST", f"{_JOB}/resume"): "A paused job goes back into the queue, and on from its step.",
    ("GET", f"{_JOB}/events"): "Newest first, in pages of up to 1,000; metrics are measured ones.",
    ("GET", f"{_JOB}/checkpoints"): "The last three epochs; each is a model that answers.",
    ("GET", _PERMISSIONS): "As specified. Any key will do; the hosted service wants an admin key.",
    ("POST", _PERMISSIONS): (
        "For a model or checkpoint that a job made. A project that has the permission keeps it."
    ),
    ("DELETE", f"{_PERMISSIONS}/{{permission_id}}"): "As specified.",
    ("POST", f"{_GRADERS}/run"): (
        "String checks, text similarity (not `cosine`, which needs embeddings), model graders"
        " answered by the models here, `multi` with its formula. Python source runs only when"
        " `ftctl emulator --python-graders` allows it."
    ),
    ("POST", f"{_GRADERS}/validate"): "The grader's shape, templates and formula; runs nothing.",
    ("GET", "/v1/models"): "The models that can be tuned, and what jobs made of them.",
    ("GET", "/v1/models/{model*}"): "As specified, `shutdown_date` included.",
    ("DELETE", "/v1/models/{model*}"): "Tuned models and checkpoints; a base model is refused.",
    ("POST", "/v1/chat/completions"): (
        "Whole or as a stream, `n`, `stop`, `logprobs`, `tools` and `seed` included, by a small"
        " model that says what it learnt: `tool_choice` and `response_format` force nothing."
        " `logit_bias` is checked and not applied. Audio, web search and moderation are refused."
    ),
    ("GET", "/v1/chat/completions"): "Those that were made with `store`, by model and `metadata`.",
    ("GET", _COMPLETION): "As specified.",
    ("POST", _COMPLETION): "Replaces the `metadata`; nothing else can be changed.",
    ("DELETE", _COMPLETION): "As specified.",
    ("GET", f"{_COMPLETION}/messages"): (
        "What was sent, of any role; the specification's type has the assistant's alone."
    ),
}
"""By the routes' own method and path."""
