"""A model's weights as a value: what it answers, how likely it finds an answer, its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ftctl.emulator.model.arrays import pack, unpack
from ftctl.emulator.model.examples import Prompt
from ftctl.emulator.model.features import Floats, Numbers
from ftctl.emulator.model.generation import Generation, Sampling
from ftctl.emulator.model.network import WIDTH, likelihood_of, write_script
from ftctl.emulator.model.vocabulary import FIRST_WORD, Vocabulary
from ftctl.numeric import np

MOST_PIECES = 512
"""Of a longer answer only the start is learnt and scored."""


@dataclass(frozen=True, slots=True)
class Score:
    """Mean negative log-likelihood of a piece in nats, share of pieces that led, their number."""

    loss: float
    accuracy: float
    tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The weights of one model, in numbers that 16 bits can hold: what is kept is what answers.

    `rows` is (features, WIDTH) and belongs to the sorted hashes in `feature_ids`, `output` is
    (pieces, WIDTH) and `bias` (pieces) to the vocabulary. Nothing in it ever changes.
    """

    name: str  # of the base model
    vocabulary: Vocabulary
    feature_ids: Numbers
    rows: Floats
    output: Floats
    bias: Floats

    def __post_init__(self) -> None:
        for array in (self.feature_ids, self.rows, self.output, self.bias):
            array.flags.writeable = False

    def generate(self, prompt: Prompt, sampling: Sampling) -> Generation:
        """An encoded answer, piece by piece."""
        return Generation(self, prompt, sampling)

    def score(self, prompt: Prompt, answer: str) -> Score:
        """How likely the answer is, up to its first MOST_PIECES pieces, its end included."""
        likelihood = likelihood_of(self, write_script(self, prompt, answer, MOST_PIECES))
        loss = -float(likelihood.log_probabilities.mean(dtype=np.float64))
        return Score(loss, float(likelihood.led.mean()), len(likelihood.led))

    def to_bytes(self) -> bytes:
        """The whole model; `from_bytes` is the way back."""
        words = self.vocabulary.words
        text = np.frombuffer(b"".join(words), "|u1")
        sizes = np.array([len(word) for word in words], "|u1")
        arrays = {"words": text, "sizes": sizes, "known": self.feature_ids.astype("<u4")}
        for name in ("rows", "output", "bias"):
            arrays[name] = getattr(self, name).astype("<f2")
        return pack({"name": self.name}, arrays)

    @staticmethod
    def from_bytes(packed: bytes) -> Model:
        """ValueError if these are not a model's bytes."""
        facts, arrays = unpack(packed)
        try:
            sizes, text = arrays["sizes"].tolist(), arrays["words"].tobytes()
            numbers = {n: arrays[n].astype(np.float32) for n in ("rows", "output", "bias")}
            name, feature_ids = str(facts["name"]), arrays["known"].astype(np.uint32)
        except (KeyError, TypeError) as fault:
            raise ValueError(f"not a model's bytes: {fault!r}") from fault
        ends = np.cumsum([0, *sizes]).tolist()
        words = tuple(text[start:end] for start, end in pairwise(ends))
        model = Model(name, Vocabulary(words), feature_ids, **numbers)
        if ends[-1] != len(text) or not _consistent(model):
            raise ValueError("not a model's bytes: its parts do not fit")
        return model


def _consistent(model: Model) -> bool:
    pieces = len(model.vocabulary)
    return (
        len(model.feature_ids) > 0
        and model.rows.shape == (len(model.feature_ids), WIDTH)
        and model.output.shape == (pieces, WIDTH)
        and model.bias.shape == (pieces,)
    )


@lru_cache(maxsize=64)
def untrained(name: str) -> Model:
    """A model that has learnt nothing; its output rows are random, by its name."""
    generator = np.random.default_rng(list(name.encode("utf-8", "replace")))
    output = generator.normal(0.0, WIDTH**-0.5, (FIRST_WORD, WIDTH))
    return rounded(
        name,
        Vocabulary(),
        np.zeros(1, np.uint32),
        rows=np.zeros((1, WIDTH), np.float32),
        output=output.astype(np.float32),
        bias=np.zeros(FIRST_WORD, np.float32),
    )


def rounded(
    name: str,
    vocabulary: Vocabulary,
    feature_ids: Numbers,
    *,
    rows: Floats,
    output: Floats,
    bias: Floats,
) -> Model:
    """A model of copies of these numbers, rounded to what is kept."""
    return Model(name, vocabulary, feature_ids.copy(), kept(rows), kept(output), kept(bias))


def kept(numbers: Floats) -> Floats:
    """A copy of the numbers, rounded to 16 bits."""
    return numbers.astype(np.float16).astype(np.float32)
