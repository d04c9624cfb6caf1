"""A model in the store -> a handle on it, loaded once; a request to it -> an answer in pieces."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ftctl.emulator.chat.chat_request import ChatRequest
from ftctl.emulator.http.wire import ApiError
from ftctl.emulator.model.examples import prompt_of
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.models import find_weights

if TYPE_CHECKING:
    from ftctl.emulator.model import Model

MOST_LOADED = 8
"""Tuned models that stay loaded; the one that was longest not asked goes first."""

_TEXT_SEEDS = 2**64


@dataclass(frozen=True, slots=True)
class GeneratedPiece:
    """What a model said next, encoded; the last piece says nothing but how it `ended`.

    `raw` may be a part of a character; `text` has the character once it is whole.
    """

    text: str
    raw: bytes = b""
    logprob: float = 0.0
    top: tuple[tuple[bytes, float], ...] = ()
    ended: Literal["stop", "length"] | None = None


@dataclass(frozen=True, slots=True)
class ModelHandle:
    """What answers: a model that is at hand, the weights of one, or (neither) the base's own."""

    base: str
    digest: str | None
    model: Model | None
    weights: bytes | None

    def ready(self) -> ModelHandle:
        """With its model at hand. May take a second: not to be called in a transaction."""
        if self.model is not None:
            return self
        with _LOADING:
            return ModelHandle(self.base, self.digest, self._load(), None)

    def _load(self) -> Model:
        from ftctl.emulator.model import Model, base_model

        if self.digest is None or self.weights is None:
            return base_model(self.base)
        model = _LOADED.find(self.digest)
        if model is None:
            try:
                model = Model.from_bytes(self.weights)
            except ValueError as fault:
                message = f"The weights of this model are damaged: {fault}."
                raise ApiError(503, message, kind="server_error") from fault
            _LOADED.keep(self.digest, model)
        return model


def find_model_handle(session: Session, name: str, base: str) -> ModelHandle:
    """The tuned model if it is loaded, its weights if not; the base's where nothing was learnt."""
    row = session.first(
        "SELECT sha256 FROM models JOIN weights ON weights.seq = models.weights WHERE id = ?", name
    )
    if row is None:
        return ModelHandle(base, None, None, None)
    digest = str(row["sha256"])
    model = _LOADED.find(digest)
    return ModelHandle(base, digest, model, None if model else find_weights(session, name))


def generate(
    handle: ModelHandle, request: ChatRequest, *, seed: tuple[int, ...], most_pieces: int
) -> Iterator[GeneratedPiece]:
    """The answer that belongs to the seed."""
    from ftctl.emulator.model import Sampling

    manner = request.manner
    model = handle.ready().model
    assert model is not None
    sampling = Sampling(
        temperature=manner.temperature,
        top_p=manner.top_p,
        max_tokens=most_pieces,
        seed=tuple(number % _TEXT_SEEDS for number in seed),
        top_logprobs=manner.top_logprobs,
        frequency_penalty=manner.frequency_penalty,
        presence_penalty=manner.presence_penalty,
    )
    generation = model.generate(prompt_of(request.messages, request.tools or None), sampling)
    for piece in generation:
        top = tuple((other.bytes, other.logprob) for other in piece.top)
        yield GeneratedPiece(piece.text, piece.bytes, piece.logprob, top)
    yield GeneratedPiece("", ended="length" if generation.ended == "length" else "stop")


class _LoadedModels:
    """Loaded models by the digest of their weights; threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._turn = threading.Lock()

    def find(self, digest: str) -> Model | None:
        with self._turn:
            if digest in self._models:
                self._models.move_to_end(digest)
            return self._models.get(digest)

    def keep(self, digest: str, model: Model) -> None:
        with self._turn:
            self._models[digest] = model
            while len(self._models) > self._most:
                self._models.popitem(last=False)


_LOADED = _LoadedModels(MOST_LOADED)
_LOADING = threading.Lock()
"""Two requests for one model load it once."""
