"""A model, examples and a recipe -> a better model, one optimiser step at a time.

Every number follows from the arguments: the order of the examples, what is left out and what is
drawn come from the recipe's seed and the step. So a trainer that is written down at any step and
read back goes on as if nothing had happened, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ftctl.emulator.model.arrays import pack, unpack
from ftctl.emulator.model.examples import Example, GradedPrompt, PreferencePair, Prompt
from ftctl.emulator.model.language_model import Model
from ftctl.emulator.model.objectives import (
    Grade,
    Measured,
    Objective,
    Placed,
    Preference,
    Reinforcement,
    Supervised,
)
from ftctl.emulator.model.weights import Weights, grown, spread
from ftctl.numeric import NDArray, np

MOST_VALIDATED = 1_000
"""Rows of a full validation, spread evenly; of a reinforcement's, which draws answers, 200."""
_MOST_GRADED = 200
_DRAWS = 4
"""Answers drawn for a prompt of a reinforcement step at a compute multiplier of 1."""
_MOST_DRAWS = 32
_WARM_STEPS = 20
_LAST_RATE = 0.1
_METHOD_RATES = {"supervised": 1.0, "dpo": 0.1, "reinforcement": 0.3}
_ORDER, _STEP, _VALID, _FULL = range(4)
"""What a random number is for."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: a job's method and hyperparameters, all resolved, and its seed."""

    method: Literal["supervised", "dpo", "reinforcement"]
    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    seed: int
    beta: float = 0.1
    compute_multiplier: float = 1.0
    eval_samples: int = 1


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """A step, counted from 1: the model on its batch before the step, and after on validation."""

    step: int
    train: Measured
    valid: Measured | None = None


class Trainer:
    """A training run; `begin` or `resume` one."""

    def __init__(
        self,
        start: Model,
        training: Sequence[Example],
        validation: Sequence[Example],
        recipe: Recipe,
        grade: Grade | None,
    ) -> None:
        self.step = 0
        self.total_steps = recipe.n_epochs * math.ceil(len(training) / recipe.batch_size)
        self._start = start
        self._training, self._validation = training, validation
        self._recipe = recipe
        self._weights = grown(start, *_texts(training))
        self._objective = _objective(self._weights, recipe, grade)
        self._order: tuple[int, list[int]] | None = None

    @classmethod
    def begin(
        cls,
        start: Model,
        training: Sequence[Example],
        validation: Sequence[Example] | None,
        recipe: Recipe,
        grade: Grade | None = None,
    ) -> Trainer:
        """A run before its first step; one example for each row of the file."""
        return cls(start, training, validation or (), recipe, grade)

    @classmethod
    def resume(
        cls,
        packed: bytes,
        training: Sequence[Example],
        validation: Sequence[Example] | None,
        recipe: Recipe,
        grade: Grade | None = None,
    ) -> Trainer:
        """The run that `to_bytes` wrote; ValueError if these bytes or examples are not its own."""
        facts, arrays = unpack(packed)
        try:
            start = Model.from_bytes(arrays.pop("start").tobytes())
            trainer = cls(start, training, validation or (), recipe, grade)
            trainer.step = int(facts["step"])
            for name, array in arrays.items():
                mine = getattr(trainer._weights, name)
                if mine.shape != array.shape:
                    raise ValueError(f"these examples are not those of the run: {name}")
                mine[...] = array
        except (AttributeError, KeyError, TypeError) as fault:
            raise ValueError(f"not a training run's bytes: {fault!r}") from fault
        return trainer

    def to_bytes(self) -> bytes:
        """The run as it stands, without its examples."""
        arrays = {name: getattr(self._weights, name) for name in _TRAINED}
        return pack({"step": self.step}, {"start": self._packed_start, **arrays})

    @cached_property
    def _packed_start(self) -> NDArray[Any]:
        """The model that the run began with; it never changes, and packing it takes 10 ms."""
        return np.frombuffer(self._start.to_bytes(), "|u1")

    @property
    def done(self) -> bool:
        """Whether the last step was taken."""
        return self.step >= self.total_steps

    def advance(self, *, validate: bool = False) -> StepMetrics:
        """One step; with `validate` also a look at as many validation rows as a batch has."""
        assert not self.done, "the run is over"
        gradient, train = self._objective.learn(self._batch(), self._seeds(_STEP))
        if gradient is not None:
            self._weights.ascend(gradient, self._rate())
        self.step += 1
        valid = self._glance() if validate and self._validation else None
        return StepMetrics(self.step, train, valid)

    def full_validation(self) -> Measured | None:
        """The model as it stands on the validation rows, or None if there are none."""
        if not self._validation:
            return None
        most = _MOST_GRADED if self._recipe.method == "reinforcement" else MOST_VALIDATED
        places = spread(range(len(self._validation)), most)
        return self._objective.measure(self._validation_rows(places), self._seeds(_FULL))

    def model(self) -> Model:
        """The model as it stands."""
        return self._weights.model()

    def _batch(self) -> list[Placed]:
        size = self._recipe.batch_size
        epoch, step = divmod(self.step, math.ceil(len(self._training) / size))
        if self._order is None or self._order[0] != epoch:
            generator = np.random.default_rng((self._recipe.seed, _ORDER, epoch))
            self._order = epoch, generator.permutation(len(self._training)).tolist()
        places = self._order[1][step * size : (step + 1) * size]
        return [Placed(("training", place), self._training[place]) for place in places]

    def _glance(self) -> Measured:
        seeds = self._seeds(_VALID)
        count = min(self._recipe.batch_size, len(self._validation))
        chosen = np.random.default_rng(seeds).choice(len(self._validation), count, replace=False)
        return self._objective.measure(self._validation_rows(chosen.tolist()), seeds)

    def _validation_rows(self, places: Sequence[int]) -> list[Placed]:
        return [Placed(("validation", place), self._validation[place]) for place in places]

    def _rate(self) -> float:
        """Rises over the first steps, then falls in a straight line to a tenth."""
        warm = min(1.0, (self.step + 1) / min(_WARM_STEPS, 1 + self.total_steps // 10))
        left = 1.0 - (1.0 - _LAST_RATE) * self.step / self.total_steps
        recipe = self._recipe
        return _METHOD_RATES[recipe.method] * recipe.learning_rate_multiplier * warm * left

    def _seeds(self, purpose: int) -> tuple[int, ...]:
        return self._recipe.seed, purpose, self.step


_TRAINED = ("rows", "output", "bias", "row_memory", "output_memory", "bias_memory")


def _objective(weights: Weights, recipe: Recipe, grade: Grade | None) -> Objective:
    match recipe.method:
        case "supervised":
            return Supervised(weights)
        case "dpo":
            return Preference(weights, weights.model(), recipe.beta)
        case "reinforcement":
            assert grade is not None, "a reinforcement needs a grader"
            draws = round(_DRAWS * recipe.compute_multiplier)
            draws = max(2, min(_MOST_DRAWS, draws))
            return Reinforcement(weights, grade, draws, recipe.eval_samples)


def _texts(examples: Sequence[Example]) -> tuple[list[Prompt], list[str]]:
    """The prompts and the answers of the examples, to make room for them."""
    prompts: list[Prompt] = []
    answers: list[str] = []
    for example in examples:
        match example:
            case PreferencePair():
                prompts.append(example.prompt)
                answers += [example.preferred, example.non_preferred]
            case GradedPrompt():
                prompts.append(example.prompt)
            case _:
                prompts += [turn.prompt for turn in example]
                answers += [turn.answer for turn in example]
    return prompts, answers
