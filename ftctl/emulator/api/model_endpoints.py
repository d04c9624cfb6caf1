"""The models endpoints: what can be tuned and what was, listed, retrieved, deleted."""

from __future__ import annotations

from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.http.wire import ApiError, Json, Response, answer
from ftctl.emulator.settings import OWNER
from ftctl.emulator.storage.models import TunedModel, all_models, find_model, remove_model


def list_models(context: RequestContext) -> Response:
    """GET /v1/models: all of them, there are no pages."""
    with context.reading() as session:
        tuned = [_shown_tuned(model) for model in all_models(session)]
    return answer({"object": "list", "data": [_shown_base(name) for name in BY_NAME] + tuned})


def retrieve_model(context: RequestContext) -> Response:
    """GET /v1/models/{model}; a name may hold colons and slashes."""
    name = context.path["model"]
    if name in BY_NAME:
        return answer(_shown_base(name))
    with context.reading() as session:
        model = find_model(session, name)
    if model is None:
        raise _missing(name)
    return answer(_shown_tuned(model))


def delete_model(context: RequestContext) -> Response:
    """DELETE /v1/models/{model}: tuned models and checkpoints; nobody may delete a base model."""
    name = context.path["model"]
    if name in BY_NAME:
        message = f"The model '{name}' is a base model and cannot be deleted."
        raise ApiError(403, message, param="model", code="model_not_deletable")
    with context.writing() as session:
        if find_model(session, name) is None:
            raise _missing(name)
        remove_model(session, name)
    return answer({"id": name, "object": "model", "deleted": True})


def _missing(name: str) -> ApiError:
    message = f"The model '{name}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


def _shown_base(name: str) -> Json:
    base = BY_NAME[name]
    return _shown(name, base.created, base.shutdown)


def _shown_tuned(model: TunedModel) -> Json:
    base = BY_NAME.get(model.base)
    shutdown = None if base is None else base.tuned_shutdown
    return _shown(model.id, int(model.created_at), shutdown)


def _shown(name: str, created: int, shutdown: str | None) -> Json:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": OWNER,
        "shutdown_date": shutdown,
    }
