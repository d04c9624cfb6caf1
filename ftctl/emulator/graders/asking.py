"""The models that a grader asks -> a function that asks them, with no transaction open."""

from __future__ import annotations

from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.chat.chat_request import read_chat_request
from ftctl.emulator.chat.speak import Speaker, find_speaker, listen
from ftctl.emulator.graders.grader_schema import named_graders
from ftctl.emulator.graders.judge import Ask
from ftctl.emulator.http.wire import ApiError, Json
from ftctl.emulator.storage.models import find_model
from ftctl.emulator.storage.store import Session

MOST_PIECES = 512
"""Of one verdict."""


def find_ask(session: Session, grader: Json) -> Ask:
    """Finds the grader's models now; they think later, when the function is called.

    The function raises ApiError for a model that is not there or cannot chat.
    """
    parts = named_graders(grader).values() if grader["type"] == "multi" else [grader]
    names = {part["model"] for part in parts if part["type"] in ("score_model", "label_model")}
    speakers = {name: _speaker(session, name) for name in names}

    def ask(model: str, messages: list[Json], sampling: Json) -> str:
        speaker = speakers.get(model)
        if speaker is None:
            message = f"The model '{model}' does not exist or is no chat model."
            raise ApiError(404, message, param="model", code="model_not_found")
        return _answer(speaker, {"model": model, "messages": messages, **sampling})

    return ask


def _speaker(session: Session, name: str) -> Speaker | None:
    tuned = find_model(session, name)
    base = BY_NAME.get(name if tuned is None else tuned.base)
    if base is None or base.completion:
        return None
    return find_speaker(session, base.name if tuned is None else tuned.id, base.name)


def _answer(speaker: Speaker, body: Json) -> str:
    """Encoded: a refusal or a call of a tool has to be told from content."""
    request = read_chat_request(body)
    most = min(MOST_PIECES, request.terms.most_tokens or MOST_PIECES)
    seed = (request.manner.seed or 0,)
    return "".join(piece.text for piece in listen(speaker, request, seed=seed, most_pieces=most))
