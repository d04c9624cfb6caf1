"""Ways with files: names that are cut, files that are not ready, and what others do with ours."""

from __future__ import annotations

from ftctl.emulator.http.wire import (
    Json,
    Pairs,
    Request,
    Response,
    bad_request,
    parse_json,
    to_json,
)
from ftctl.emulator.temperaments.answers import FILES, JOBS, field_of, with_each
from ftctl.emulator.temperaments.scene import Proceed, Scene, made_at

FILE = "file"
STRANGERS_SUFFIX = "stranger"
"""Which jobs are those that `strangers-job` made."""

_ANYBODY: Pairs = (("authorization", "Bearer stranger"), ("content-type", "application/json"))


def names_shortened(request: Request, proceed: Proceed, scene: Scene) -> Response:
    most = int(scene.value)
    return with_each(
        proceed(request), FILE, lambda file: {**file, "filename": file["filename"][:most]}
    )


def file_pending(request: Request, proceed: Proceed, scene: Scene) -> Response:
    if request.method == "POST" and request.path.rstrip("/") == JOBS:
        _refuse_pending(request, scene)
    response = proceed(request)
    with scene.reading() as session:

        def shown(file: Json) -> Json:
            at = made_at(session, "files", file["id"])
            pending = at is not None and session.now < at + scene.value
            return {**file, "status": "processing"} if pending else file

        return with_each(response, FILE, shown)


def _refuse_pending(request: Request, scene: Scene) -> None:
    """A 400 for a job whose files are not ready; other faults of a create are told by itself."""
    try:
        body = parse_json(request.body)
    except ValueError:
        return
    if not isinstance(body, dict):
        return
    with scene.reading() as session:
        for param in ("training_file", "validation_file"):
            at = made_at(session, "files", body.get(param))
            if at is not None and session.now < at + scene.value:
                message = (
                    f"File '{body[param]}' is still being processed and is not ready to be used."
                    " Please try again later."
                )
                raise bad_request(message, param, "file_not_ready")


def strangers_job(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    response = proceed(request)
    if request.method != "POST" or request.path.rstrip("/") != FILES or response.status != 200:
        return response
    if field_of(response, "purpose") == "fine-tune":
        wanted = {
            "model": "gpt-4.1-mini",
            "training_file": field_of(response, "id"),
            "suffix": STRANGERS_SUFFIX,
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 7}}},
        }
        proceed(Request.to("POST", JOBS, _ANYBODY, to_json(wanted).encode("ascii")))
    return response
