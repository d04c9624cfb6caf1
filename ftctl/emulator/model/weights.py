"""A model being trained: it grows room for what its data holds, and takes steps uphill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from zlib import crc32

from ftctl.emulator.model.examples import Prompt
from ftctl.emulator.model.features import (
    Floats,
    Numbers,
    context_features,
    prompt_features,
)
from ftctl.emulator.model.language_model import MOST_PIECES, Model, kept, rounded
from ftctl.emulator.model.network import WIDTH, Gradient
from ftctl.emulator.model.vocabulary import Vocabulary
from ftctl.numeric import np

MOST_NEW_ROWS = 65_536
MOST_ROWS = 131_072
"""12.6 MB as they are kept. A full table loses the rows that say least."""
MOST_READ = 5_000
"""So many examples, spread evenly, decide what there is room for; all of them are trained on."""

ROW_RATE, OUTPUT_RATE, BIAS_RATE = 0.07, 0.045, 0.05
_FASTEST = 1e6
_Item = TypeVar("_Item")

_LIMIT = 30.0
"""No weight is larger, whatever the learning rate: every number stays finite."""
_KEPT = np.float32(0.997)
"""What is left of a sum of squares after a step: long training goes on learning, to a fault."""
_FLOOR = 1e-6
"""Squares of gradients below this do not count as news."""


@dataclass(slots=True)
class Weights:
    """The network's numbers, and for each row the sum of its squared gradients (AdaGrad).

    One sum for a whole row keeps the direction of its gradient. A rare feature's first gradients
    move it far, a common one's later ones hardly: that weighs words by rarity without counting.
    The sums slowly forget.
    """

    name: str
    vocabulary: Vocabulary
    feature_ids: Numbers
    rows: Floats
    output: Floats
    bias: Floats
    row_memory: Floats
    output_memory: Floats
    bias_memory: Floats

    def ascend(self, gradient: Gradient, rate: float) -> None:
        """One step in the gradient's direction; `rate` 1 is the rate that suits most data."""
        rate = min(rate, _FASTEST)
        at = gradient.at
        self.row_memory[at] = self.row_memory[at] * _KEPT + _square(gradient.rows)
        moved = self.rows[at] + gradient.rows * _rates(rate * ROW_RATE, self.row_memory[at])
        self.rows[at] = moved.clip(-_LIMIT, _LIMIT)
        self.output_memory *= _KEPT
        self.output_memory += _square(gradient.output)
        self.output += gradient.output * _rates(rate * OUTPUT_RATE, self.output_memory)
        self.output.clip(-_LIMIT, _LIMIT, out=self.output)
        self.bias_memory *= _KEPT
        self.bias_memory += gradient.bias**2
        self.bias += gradient.bias * _rates(rate * BIAS_RATE, self.bias_memory)[:, 0]
        self.bias.clip(-_LIMIT, _LIMIT, out=self.bias)

    def model(self) -> Model:
        """The model as it is now."""
        numbers = {"rows": self.rows, "output": self.output, "bias": self.bias}
        return rounded(self.name, self.vocabulary, self.feature_ids, **numbers)


def _square(gradient: Floats) -> Floats:
    mean: Floats = np.einsum("ij,ij->i", gradient, gradient) / np.float32(gradient.shape[1])
    return mean


def _rates(rate: float, memory: Floats) -> Floats:
    rates: Floats = np.float32(rate) / np.sqrt(memory + np.float32(_FLOOR))
    return rates[:, None]


def grown(start: Model, prompts: Sequence[Prompt], answers: Sequence[str]) -> Weights:
    """The model with room for what these hold; it says the same as before, until it is trained."""
    answers = spread(answers, MOST_READ)
    vocabulary = start.vocabulary.extended(answers)
    counts: Counter[int] = Counter()
    for prompt in spread(prompts, MOST_READ):
        counts.update(prompt_features(prompt)[0].tolist())
    for answer in answers:
        tokens = vocabulary.encode(answer, MOST_PIECES)
        counts.update(context_features(tokens).ravel().tolist())
    feature_ids, rows = _with_room(start, counts)
    output, bias = _with_words(start, vocabulary)
    memory = [np.zeros(len(array), np.float32) for array in (rows, output, bias)]
    return Weights(start.name, vocabulary, feature_ids, rows, output, bias, *memory)


def spread(items: Sequence[_Item], most: int) -> Sequence[_Item]:
    """At most so many of the items, at even distances."""
    if len(items) <= most:
        return items
    return [items[place * len(items) // most] for place in range(most)]


def _with_room(start: Model, counts: Counter[int]) -> tuple[Numbers, Floats]:
    here = set(start.feature_ids.tolist())
    new = _commonest(((n, count) for n, count in counts.items() if n not in here), MOST_NEW_ROWS)
    kept = np.arange(len(start.feature_ids))
    if len(kept) + len(new) > MOST_ROWS:
        loudest = np.argsort(-_square(start.rows[1:]), kind="stable") + 1
        kept = np.concatenate(([0], np.sort(loudest[: MOST_ROWS - len(new) - 1])))
    feature_ids = np.concatenate([start.feature_ids[kept], np.array(new, np.uint32)])
    rows = np.concatenate([start.rows[kept], np.zeros((len(new), WIDTH), np.float32)])
    order = np.argsort(feature_ids, kind="stable")
    return feature_ids[order], rows[order]


def _commonest(counted: Iterable[tuple[int, int]], most: int) -> list[int]:
    ranked = sorted(counted, key=lambda pair: (-pair[1], pair[0]))
    return [number for number, _ in ranked[:most]]


def _with_words(start: Model, vocabulary: Vocabulary) -> tuple[Floats, Floats]:
    """New words start as unlikely as the least likely quarter of the old pieces."""
    fresh = vocabulary.words[len(start.vocabulary.words) :]
    drawn = [_first_row(start.name, word) for word in fresh]
    output = np.concatenate([start.output, np.array(drawn, np.float32).reshape(-1, WIDTH)])
    quiet = np.quantile(start.bias, 0.25)
    bias = np.concatenate([start.bias, np.full(len(fresh), quiet, np.float32)])
    return kept(output), kept(bias)


def _first_row(name: str, word: bytes) -> Floats:
    seeds = (crc32(name.encode("utf-8", "replace")), crc32(word))
    row: Floats = np.random.default_rng(seeds).standard_normal(WIDTH, np.float32)
    return row * np.float32(WIDTH**-0.5)
