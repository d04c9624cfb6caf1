"""Ways with jobs: metadata that goes, words that are other words, what cannot be stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ftctl.emulator.http.wire import (
    ApiError,
    Json,
    Request,
    Response,
    answer_list,
    bad_request,
    parse_json,
    to_json,
)
from ftctl.emulator.temperaments.answers import JOBS, with_each
from ftctl.emulator.temperaments.list_ways import is_filtered
from ftctl.emulator.temperaments.scene import Proceed, Scene

JOB = "fine_tuning.job"

# As public reports have them: other words, other spellings, and other letter case.
RESPELLED: Mapping[str, str] = {
    "validating_files": "pending",
    "queued": "pending",
    "running": "RUNNING",
    "succeeded": "completed",
    "failed": "error",
    "cancelled": "canceled",
}
UNKNOWN = "in_review"


def metadata_dropped(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    if is_filtered(request):
        return answer_list((), has_more=False)
    return with_each(proceed(request), JOB, lambda job: {**job, "metadata": None})


def metadata_refused(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    if (_create(request) or {}).get("metadata") is not None:
        message = "Unrecognized request argument supplied: metadata"
        raise bad_request(message, "metadata", "unknown_parameter")
    return proceed(request)


def statuses_respelled(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    def respelled(job: Json) -> Json:
        return {**job, "status": RESPELLED.get(job["status"], job["status"])}

    return with_each(proceed(request), JOB, respelled)


def unknown_status(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    for_ever: Json = {
        "status": UNKNOWN,
        "finished_at": None,
        "fine_tuned_model": None,
        "trained_tokens": None,
        "result_files": [],
        "error": None,
    }
    return with_each(proceed(request), JOB, lambda job: {**job, **for_ever})


def no_model_name(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    return with_each(proceed(request), JOB, lambda job: {**job, "fine_tuned_model": None})


def cancel_refused(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    if request.method == "POST" and re.fullmatch(rf"{JOBS}/[^/]+/cancel", request.path):
        raise _not_allowed("model.request")
    return proceed(request)


def hyperparameters_changed(request: Request, proceed: Proceed, scene: Scene) -> Response:
    body = _create(request)
    if body is None:
        return proceed(request)
    numbers = {"n_epochs": int(scene.value), "batch_size": 1}
    return proceed(replace(request, body=to_json(_with_numbers(body, numbers)).encode("ascii")))


def _with_numbers(value: Json, numbers: Mapping[str, int]) -> Json:
    """Wherever one of them was asked for as a number, in `method` or beside it."""
    changed: Json = {}
    for name, one in value.items():
        if isinstance(one, dict) and name != "metadata":
            changed[name] = _with_numbers(one, numbers)
        elif name in numbers and isinstance(one, int) and not isinstance(one, bool):
            changed[name] = numbers[name]
        else:
            changed[name] = one
    return changed


def _create(request: Request) -> Json | None:
    """The body of a create; None for another request, and for a body that is refused anyway."""
    if request.method != "POST" or request.path.rstrip("/") != JOBS:
        return None
    try:
        body = parse_json(request.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _not_allowed(scope: str) -> ApiError:
    message = f"You have insufficient permissions for this operation. Missing scopes: {scope}."
    return ApiError(403, message, code="missing_scope")
