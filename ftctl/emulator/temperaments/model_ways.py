"""Ways with models, and with deleting: hidden, late, and there for good."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from ftctl.emulator.http.wire import ApiError, Request, Response
from ftctl.emulator.temperaments.answers import FILES, MODELS, below, is_list_of, with_entries
from ftctl.emulator.temperaments.scene import Proceed, Scene, made_at


def models_hidden(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    return _hiding(request, proceed, lambda name: name.startswith("ft:"))


def model_late(request: Request, proceed: Proceed, scene: Scene) -> Response:
    def is_late(name: str) -> bool:
        with scene.reading() as session:
            at = made_at(session, "models", name)
            return at is not None and session.now < at + scene.value

    return _hiding(request, proceed, is_late)


def delete_refused(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    if request.method == "DELETE" and (below(request, FILES) or below(request, MODELS)):
        message = (
            "You have insufficient permissions for this operation. Missing scopes: api.delete."
        )
        raise ApiError(403, message, code="missing_scope")
    return proceed(request)


def _hiding(request: Request, proceed: Proceed, is_hidden: Callable[[str], bool]) -> Response:
    name = below(request, MODELS)
    if name is not None and is_hidden(unquote(name)):
        message = f"The model '{unquote(name)}' does not exist or you do not have access to it."
        raise ApiError(404, message, param="model", code="model_not_found")
    response = proceed(request)
    if not is_list_of(request, MODELS):
        return response
    return with_entries(
        response, lambda entries: [model for model in entries if not is_hidden(model["id"])]
    )
