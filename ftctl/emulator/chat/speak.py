"""A model and what was said to it -> its answer, piece by piece; the one door to `model`."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ftctl.emulator.chat.chat_request import ChatRequest
from ftctl.emulator.http.wire import ApiError
from ftctl.emulator.model.lessons import prompt_of
from ftctl.emulator.model.markup import Answer, read_answer
from ftctl.emulator.storage.models import find_weights
from ftctl.emulator.storage.store import Session

if TYPE_CHECKING:
    from ftctl.emulator.model import Mind

__all__ = ["Answer", "Speaker", "Spoken", "find_speaker", "listen", "read_answer"]

MOST_MINDS = 8
"""Tuned minds that stay loaded; the one that was longest not asked goes first."""

_TEXT_SEEDS = 2**64


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a mind said next, in markup; the last piece says nothing but how it `ended`.

    `raw` may be a part of a character; `text` has the character once it is whole.
    """

    text: str
    raw: bytes = b""
    logprob: float = 0.0
    top: tuple[tuple[bytes, float], ...] = ()
    ended: Literal["stop", "length"] | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answers: a mind that is at hand, the weights of one, or (neither) the base's own."""

    base: str
    digest: str | None
    mind: Mind | None
    weights: bytes | None

    def ready(self) -> Speaker:
        """With its mind at hand. May take a second: not to be called in a transaction."""
        if self.mind is not None:
            return self
        with _LOADING:
            return Speaker(self.base, self.digest, self._load(), None)

    def _load(self) -> Mind:
        from ftctl.emulator.model import Mind, base_mind

        if self.digest is None or self.weights is None:
            return base_mind(self.base)
        mind = _MINDS.find(self.digest)
        if mind is None:
            try:
                mind = Mind.from_bytes(self.weights)
            except ValueError as fault:
                message = f"The weights of this model are damaged: {fault}."
                raise ApiError(503, message, kind="server_error") from fault
            _MINDS.keep(self.digest, mind)
        return mind


def find_speaker(session: Session, model: str, base: str) -> Speaker:
    """The model's mind if it is loaded, its weights if not; the base's where nothing was learnt."""
    row = session.first(
        "SELECT sha256 FROM models JOIN weights ON weights.seq = models.weights WHERE id = ?", model
    )
    if row is None:
        return Speaker(base, None, None, None)
    digest = str(row["sha256"])
    mind = _MINDS.find(digest)
    return Speaker(base, digest, mind, None if mind else find_weights(session, model))


def listen(
    speaker: Speaker, request: ChatRequest, *, seed: tuple[int, ...], most_pieces: int
) -> Iterator[Spoken]:
    """The answer that belongs to the seed."""
    from ftctl.emulator.model import Sampling

    manner = request.manner
    mind = speaker.ready().mind
    assert mind is not None
    sampling = Sampling(
        temperature=manner.temperature,
        top_p=manner.top_p,
        max_tokens=most_pieces,
        seed=tuple(number % _TEXT_SEEDS for number in seed),
        top_logprobs=manner.top_logprobs,
        frequency_penalty=manner.frequency_penalty,
        presence_penalty=manner.presence_penalty,
    )
    speech = mind.answer(prompt_of(request.messages, request.tools or None), sampling)
    for piece in speech:
        top = tuple((other.bytes, other.logprob) for other in piece.top)
        yield Spoken(piece.text, piece.bytes, piece.logprob, top)
    yield Spoken("", ended="length" if speech.ended == "length" else "stop")


class _Minds:
    """Loaded minds by the digest of their weights; threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minds: OrderedDict[str, Mind] = OrderedDict()
        self._turn = threading.Lock()

    def find(self, digest: str) -> Mind | None:
        with self._turn:
            if digest in self._minds:
                self._minds.move_to_end(digest)
            return self._minds.get(digest)

    def keep(self, digest: str, mind: Mind) -> None:
        with self._turn:
            self._minds[digest] = mind
            while len(self._minds) > self._most:
                self._minds.popitem(last=False)


_MINDS = _Minds(MOST_MINDS)
_LOADING = threading.Lock()
"""Two requests for one mind load it once."""
