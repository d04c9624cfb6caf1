"""A prompt -> an answer, drawn piece by piece from a network's probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ftctl.emulator.model.examples import Prompt
from ftctl.emulator.model.features import Floats
from ftctl.emulator.model.network import (
    Network,
    Reading,
    log_probabilities,
    next_state,
    prompt_state,
    read_prompt,
)
from ftctl.emulator.model.vocabulary import BYTES, END, may_follow, unfinished
from ftctl.numeric import NDArray, np

MOST_GENERATED = 2_048
"""No answer has more pieces, whatever was asked for."""

_COLDEST = 1e-3
"""Below this temperature the likeliest piece is taken."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw. The penalties are taken off a piece's score as the API documents them."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int | None = None
    seed: int | tuple[int, ...] | None = None  # none: 0; the caller has the randomness
    top_logprobs: int = 0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A piece that could have come, and its log-probability."""

    text: str
    bytes: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Piece:
    """What was said next.

    `bytes` may be a part of a character; `text` is then empty until the character is whole, so
    that the texts joined are the answer. The log-probability is the model's own, before any
    temperature or penalty. `top` has the likeliest pieces, best first.
    """

    text: str
    bytes: bytes
    logprob: float
    top: tuple[Alternative, ...] = ()
    number: int = 0  # in the vocabulary


class Generation(Iterator[Piece]):
    """The pieces of one answer; `ended` tells how, once there are no more."""

    def __init__(self, network: Network, prompt: Prompt | Reading, sampling: Sampling) -> None:
        self.ended: Literal["stop", "length"] | None = None
        self._network = network
        self._sampling = sampling
        reading = prompt if isinstance(prompt, Reading) else read_prompt(network, prompt)
        self._prompt = prompt_state(network, reading)
        self._said: list[int] = []
        self._counts = np.zeros(len(network.bias), np.float64)
        self._open = b""  # the bytes of a character that is not whole yet
        self._generator = np.random.default_rng(_seeds(sampling.seed))
        asked = MOST_GENERATED if sampling.max_tokens is None else sampling.max_tokens
        self._most = max(0, min(asked, MOST_GENERATED))

    def __next__(self) -> Piece:
        if self.ended is None and len(self._said) >= self._most:
            self.ended = "length"
        if self.ended is not None:
            raise StopIteration
        state = next_state(self._network, self._prompt, self._said)
        chances = self._kept(log_probabilities(self._network, state)[0])
        number = self._drawn(chances)
        if number == END:
            self.ended = "stop"
            raise StopIteration
        return self._generated(number, chances)

    def _generated(self, number: int, chances: Floats) -> Piece:
        self._said.append(number)
        self._counts[number] += 1
        piece = self._network.vocabulary.pieces[number]
        whole = self._open + piece
        self._open = unfinished(self._open, number) if number < BYTES else b""
        text = "" if self._open else whole.decode("utf-8", "replace")
        return Piece(text, piece, float(chances[number]), self._top(chances), number)

    def _kept(self, chances: Floats) -> Floats:
        """The log-probabilities of what keeps the answer UTF-8, adding up to 1 again."""
        allowed = _sayable(self._open, len(chances))
        chances = np.where(allowed, chances, np.float32(-np.inf))
        chances -= chances.max()
        kept: Floats = chances - np.log(np.exp(chances).sum())
        return kept

    def _drawn(self, chances: Floats) -> int:
        sampling = self._sampling
        scores = chances.astype(np.float64)
        scores -= sampling.frequency_penalty * self._counts
        scores -= sampling.presence_penalty * (self._counts > 0)
        if sampling.temperature < _COLDEST:
            return int(scores.argmax())
        scores = (scores - scores.max()) / sampling.temperature
        shares = np.exp(scores)
        shares /= shares.sum()
        if sampling.top_p < 1:
            shares = _nucleus(shares, sampling.top_p)
        return int(self._generator.choice(len(shares), p=shares))

    def _top(self, chances: Floats) -> tuple[Alternative, ...]:
        if not self._sampling.top_logprobs:
            return ()
        order = np.argsort(-chances, kind="stable")[: self._sampling.top_logprobs + 1]
        pieces = self._network.vocabulary.pieces
        alternatives = [
            Alternative(pieces[n].decode("utf-8", "replace"), pieces[n], float(chances[n]))
            for n in order.tolist()
            if n != END and np.isfinite(chances[n])
        ]
        return tuple(alternatives[: self._sampling.top_logprobs])


def _seeds(seed: int | tuple[int, ...] | None) -> list[int]:
    """A request may have any integer for a seed; the generator takes none below 0."""
    seeds = (seed or 0,) if isinstance(seed, int | None) else seed
    return [number % 2**64 for number in seeds]


@lru_cache(maxsize=256)
def _sayable(begun: bytes, pieces: int) -> NDArray[np.bool_]:
    """Which pieces may follow the start of a character."""
    allowed = np.zeros(pieces, np.bool_)
    allowed[list(may_follow(begun))] = True
    if not begun:
        allowed[BYTES:] = True
    return allowed


def _nucleus(shares: NDArray[np.float64], top_p: float) -> NDArray[np.float64]:
    """The fewest pieces that together have `top_p` of the probability; at least one."""
    order = np.argsort(-shares, kind="stable")
    before = np.cumsum(shares[order]) - shares[order]
    kept = np.zeros_like(shares)
    chosen = order[(before < top_p) | (np.arange(len(order)) == 0)]
    kept[chosen] = shares[chosen]
    total: NDArray[np.float64] = kept / kept.sum()
    return total
