"""The models that a grader asks -> a function that asks them, with no transaction open."""

from __future__ import annotations

from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.chat.chat_request import read_chat_request
from ftctl.emulator.chat.model_handle import ModelHandle, find_model_handle, generate
from ftctl.emulator.graders.grader_schema import named_graders
from ftctl.emulator.graders.model_grader import Ask
from ftctl.emulator.http.wire import ApiError, Json
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.models import find_model

MOST_PIECES = 512
"""Of one verdict."""


def find_ask(session: Session, grader: Json) -> Ask:
    """Finds the grader's models now; they think later, when the function is called.

    The function raises ApiError for a model that is not there or cannot chat.
    """
    parts = named_graders(grader).values() if grader["type"] == "multi" else [grader]
    names = {part["model"] for part in parts if part["type"] in ("score_model", "label_model")}
    handles = {name: _handle(session, name) for name in names}

    def ask(model: str, messages: list[Json], sampling: Json) -> str:
        handle = handles.get(model)
        if handle is None:
            message = f"The model '{model}' does not exist or is no chat model."
            raise ApiError(404, message, param="model", code="model_not_found")
        return _answer(handle, {"model": model, "messages": messages, **sampling})

    return ask


def _handle(session: Session, name: str) -> ModelHandle | None:
    tuned = find_model(session, name)
    base = BY_NAME.get(name if tuned is None else tuned.base)
    if base is None or base.completion:
        return None
    return find_model_handle(session, base.name if tuned is None else tuned.id, base.name)


def _answer(handle: ModelHandle, body: Json) -> str:
    """Encoded: a refusal or a call of a tool has to be told from content."""
    request = read_chat_request(body)
    most = min(MOST_PIECES, request.terms.most_tokens or MOST_PIECES)
    seed = (request.manner.seed or 0,)
    return "".join(piece.text for piece in generate(handle, request, seed=seed, most_pieces=most))
