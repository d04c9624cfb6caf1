"""The arithmetic of the model: features in, the scores of every next piece out, and gradients.

Each feature has a row of numbers. A prompt is the weighted sum of its features' rows; a place in
an answer adds the rows of what was said just before it. The product of that sum with a piece's
output row, and the piece's bias, is the score of the piece: a log-bilinear language model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ftctl.emulator.model.examples import Prompt
from ftctl.emulator.model.features import (
    CONTEXT,
    Floats,
    Numbers,
    context_features,
    next_context,
    prompt_features,
)
from ftctl.emulator.model.vocabulary import Vocabulary
from ftctl.numeric import NDArray, np

Indices = NDArray[np.int32]

WIDTH = 48
"""Numbers in a row."""
# Gains, the kinds of features and the rates in weights.py were chosen by four-fold cross-validation
# on the emotion data's training rows (its validation rows stayed unseen), and by how soon ten short
# chats are known by heart.
PROMPT_GAIN = 3.0
CONTEXT_GAIN = 2.0
MOST_SCORES = 4_000_000
"""Scores held in memory at a time; a larger batch is worked off in parts."""


class Network(Protocol):
    """What the arithmetic needs; rows[0] belongs to no feature and stays zero."""

    @property
    def vocabulary(self) -> Vocabulary: ...
    @property
    def feature_ids(self) -> Numbers: ...
    @property
    def rows(self) -> Floats: ...
    @property
    def output(self) -> Floats: ...
    @property
    def bias(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as places in the table of rows, and each one's weight."""

    at: Indices
    weights: Floats


@dataclass(frozen=True, slots=True)
class Script:
    """A prompt and one answer to it: its pieces, and the rows (pieces, CONTEXT) around each."""

    reading: Reading
    tokens: Indices
    contexts: Indices


def read_prompt(network: Network, prompt: Prompt) -> Reading:
    """Features that the network does not know are left out."""
    numbers, weights = prompt_features(prompt)
    at = _places(network.feature_ids, numbers)
    present = at > 0
    return Reading(at[present], weights[present])


def write_script(network: Network, prompt: Prompt, answer: str, most: int) -> Script:
    """The answer up to its first `most` pieces."""
    tokens = network.vocabulary.encode(answer, most)
    return script_of(network, read_prompt(network, prompt), tokens)


def script_of(network: Network, reading: Reading, tokens: list[int]) -> Script:
    """The same for an answer that is in pieces already."""
    contexts = _places(network.feature_ids, context_features(tokens))
    return Script(reading, np.array(tokens, np.int32), contexts)


def next_state(network: Network, prompt: Floats, tokens: list[int]) -> Floats:
    """The place behind the tokens as a row of numbers, (1, WIDTH), for a prompt's own row."""
    around = network.rows[_places(network.feature_ids, next_context(tokens))]
    total: Floats = around.sum(axis=1) * np.float32(CONTEXT_GAIN) + prompt
    return total


def _places(feature_ids: Numbers, numbers: Numbers) -> Indices:
    """Where each feature stands in the table; 0 for one that does not."""
    at = np.minimum(np.searchsorted(feature_ids, numbers), len(feature_ids) - 1)
    return np.where(feature_ids[at] == numbers, at, 0).astype(np.int32)


def prompt_state(network: Network, reading: Reading) -> Floats:
    """A prompt as one row of numbers."""
    state: Floats = (reading.weights @ network.rows[reading.at]) * np.float32(PROMPT_GAIN)
    return state


def states(network: Network, script: Script) -> Floats:
    """Each place of the answer as a row of numbers."""
    around = network.rows[script.contexts].sum(axis=1) * np.float32(CONTEXT_GAIN)
    total: Floats = around + prompt_state(network, script.reading)
    return total


def log_probabilities(network: Network, state: Floats) -> Floats:
    """The logarithm of every piece's probability at each place, (places, pieces)."""
    scores = state @ network.output.T
    scores += network.bias
    scores -= scores.max(axis=1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return scores


@dataclass(frozen=True, slots=True)
class AnswerLikelihood:
    """How likely one answer is: each piece's log-probability, and whether it led."""

    log_probabilities: Floats
    led: NDArray[np.bool_]


def likelihood_of(network: Network, script: Script) -> AnswerLikelihood:
    """How likely the network finds the answer; nothing is learnt."""
    chances: list[Floats] = []
    led: list[NDArray[np.bool_]] = []
    state = states(network, script)
    for part in _parts(len(state), len(network.bias)):
        table = log_probabilities(network, state[part])
        tokens = script.tokens[part]
        chances.append(table[np.arange(len(tokens)), tokens])
        led.append(table.argmax(axis=1) == tokens)
    return AnswerLikelihood(np.concatenate(chances), np.concatenate(led))


@dataclass(frozen=True, slots=True)
class Gradient:
    """Where the weighted log-likelihood of some answers rises: for rows, and for every piece."""

    at: Indices  # each row once, in order
    rows: Floats
    output: Floats
    bias: Floats


def likelihood_gradient(
    network: Network, scripts: list[Script], shares: list[Floats]
) -> tuple[Gradient, list[AnswerLikelihood]]:
    """The gradient of the sum of share times log-probability over all pieces, and the likelihoods.

    A negative share makes a piece less likely. One share for each piece of each script.
    """
    state = np.concatenate([states(network, script) for script in scripts])
    tokens = np.concatenate([script.tokens for script in scripts])
    share = np.concatenate(shares)
    slope = np.zeros_like(state)
    output, bias = np.zeros_like(network.output), np.zeros_like(network.bias)
    chances, led = np.zeros(len(state), np.float32), np.zeros(len(state), np.bool_)
    for part in _parts(len(state), len(bias)):
        table = log_probabilities(network, state[part])
        places = np.arange(len(table))
        chances[part] = table[places, tokens[part]]
        led[part] = table.argmax(axis=1) == tokens[part]
        np.exp(table, out=table)
        table *= -share[part, None]
        table[places, tokens[part]] += share[part]
        slope[part] = table @ network.output
        output += table.T @ state[part]
        bias += table.sum(axis=0)
    at, rows = _row_gradient(scripts, slope)
    cuts = np.cumsum([len(script.tokens) for script in scripts])[:-1]
    likelihoods = [
        AnswerLikelihood(chance, leads)
        for chance, leads in zip(np.split(chances, cuts), np.split(led, cuts), strict=True)
    ]
    return Gradient(at, rows, output, bias), likelihoods


def _row_gradient(scripts: list[Script], slope: Floats) -> tuple[Indices, Floats]:
    """The slope of the places handed on to the rows that made them up, each row once."""
    around = np.concatenate([script.contexts for script in scripts]).ravel()
    around, near = _summed(around, np.repeat(slope * np.float32(CONTEXT_GAIN), CONTEXT, axis=0))
    every = np.concatenate([around, *(script.reading.at for script in scripts)])
    at, inverse = np.unique(every, return_inverse=True)
    total = np.zeros((len(at), slope.shape[1]), np.float32)
    total[inverse[: len(around)]] = near
    start, place = len(around), 0
    for script in scripts:
        own = slope[place : place + len(script.tokens)].sum(axis=0) * np.float32(PROMPT_GAIN)
        weights = script.reading.weights
        # A prompt has each feature once, so this addition meets no row twice.
        total[inverse[start : start + len(weights)]] += np.outer(weights, own)
        start, place = start + len(weights), place + len(script.tokens)
    learnt = at > 0  # the row of the unknown stays zero
    return at[learnt], total[learnt]


def _summed(at: Indices, rows: Floats) -> tuple[Indices, Floats]:
    """Rows at the same place added up."""
    order = np.argsort(at, kind="stable")
    at = at[order]
    first = np.flatnonzero(np.concatenate(([True], at[1:] != at[:-1])))
    return at[first], np.add.reduceat(rows[order], first, axis=0)


def _parts(places: int, pieces: int) -> list[slice]:
    size = max(1, MOST_SCORES // pieces)
    return [slice(start, start + size) for start in range(0, places, size)]
