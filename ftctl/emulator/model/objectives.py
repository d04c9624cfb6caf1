"""A batch of examples -> how well the model does on them, and where it would do better.

Supervised: the likelihood of the answers. Preferences: direct preference optimisation (Rafailov
and others, 2023), by how much likelier than at the start the preferred answer has become beside
the other one. Reinforcement: answers are drawn and graded, and those that do better than the
others to the same prompt become likelier (REINFORCE with the group's mean as its baseline).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ftctl.emulator.model.examples import (
    Example,
    GradedPrompt,
    PreferencePair,
    Prompt,
)
from ftctl.emulator.model.features import Floats
from ftctl.emulator.model.generation import Generation, Sampling
from ftctl.emulator.model.language_model import MOST_PIECES
from ftctl.emulator.model.network import (
    AnswerLikelihood,
    Gradient,
    Network,
    Reading,
    Script,
    likelihood_gradient,
    likelihood_of,
    read_prompt,
    script_of,
    write_script,
)
from ftctl.emulator.model.vocabulary import END
from ftctl.numeric import np

Grade = Callable[[dict[str, Any], str], float]
Seeds = tuple[int, ...]

MOST_TURNS = 16
"""Of a row with more turns the last ones are learnt."""
MOST_STEP_PIECES = 16_384
"""Answers of a batch with more pieces are cut to the same length, but not below 16 pieces."""
MOST_KEPT = 16_000_000
"""Numbers of prepared examples that are kept in memory; beyond, examples are prepared each time."""
MOST_DRAWN = 128
"""Pieces of an answer that is drawn to be graded."""

DROPPED = 0.3
"""The share of a prompt's features that a supervised step does not see, so that all are used."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How well the model does on some examples; the numbers are means over them.

    Supervised: `loss` in nats a piece, `accuracy` the share of pieces that led. Preferences:
    `loss` is that of the method, `accuracy` the share of pairs told right, `margin` the mean
    difference of rewards. Reinforcement: `reward` in 0 to 1, and `loss` the negative mean of
    advantage times log-likelihood, which need not fall.
    """

    loss: float | None = None
    accuracy: float | None = None
    reward: float | None = None
    margin: float | None = None
    tokens: int = 0
    samples: int = 0
    grader_errors: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """An example and a key of its own, by which what was prepared of it is kept."""

    key: tuple[str, int]
    example: Example


class Objective(Protocol):
    """What one method wants of a model."""

    def learn(self, batch: Sequence[Placed], seeds: Seeds) -> tuple[Gradient | None, Measured]:
        """The gradient, none where there is nothing to learn."""
        ...

    def measure(self, batch: Sequence[Placed], seeds: Seeds) -> Measured:
        """The same without learning."""
        ...


class ScriptCache:
    """Scripts for a network, prepared once as long as there is room for them."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._scripts: dict[Hashable, Script] = {}
        self._room = MOST_KEPT

    def script(self, key: Hashable, prompt: Prompt, answer: str) -> Script:
        """The prompt and the answer as the network reads them."""
        kept = self._scripts.get(key)
        if kept is not None:
            return kept
        script = write_script(self._network, prompt, answer, MOST_PIECES)
        size = 2 * script.reading.at.size + script.contexts.size + 64
        if size <= self._room:
            self._room -= size
            self._scripts[key] = script
        return script


class Supervised:
    """Examples are tuples of turns, one tuple for a row."""

    def __init__(self, network: Network) -> None:
        self._network, self._cache = network, ScriptCache(network)

    def learn(self, batch: Sequence[Placed], seeds: Seeds) -> tuple[Gradient | None, Measured]:
        """Where the answers get likelier."""
        scripts = self._scripts(batch)
        if not scripts:
            return None, Measured(0.0, 0.0)
        generator = np.random.default_rng(seeds)
        seen = [_with_gaps(script, generator) for script in scripts]
        pieces = sum(len(script.tokens) for script in seen)
        shares = [np.full(len(script.tokens), 1 / pieces, np.float32) for script in seen]
        gradient, likelihoods = likelihood_gradient(self._network, seen, shares)
        return gradient, _mean_likelihood(likelihoods)

    def measure(self, batch: Sequence[Placed], seeds: Seeds) -> Measured:  # noqa: ARG002
        """How likely the answers are."""
        return _mean_likelihood(
            [likelihood_of(self._network, script) for script in self._scripts(batch)]
        )

    def _scripts(self, batch: Sequence[Placed]) -> list[Script]:
        turns = [
            (placed.key, place, turn)
            for placed in batch
            if isinstance(placed.example, tuple)
            for place, turn in enumerate(placed.example[-MOST_TURNS:])
        ]
        most = _room_for(len(turns))
        return [
            _cut(self._cache.script((key, place), turn.prompt, turn.answer), most)
            for key, place, turn in turns
        ]


class Preference:
    """Examples are pairs. The reference is the network as it is when this is made."""

    def __init__(self, network: Network, reference: Network, beta: float) -> None:
        self._network, self._reference, self._beta = network, reference, beta
        self._cache = ScriptCache(network)
        self._before: dict[tuple[str, int], float] = {}

    def learn(self, batch: Sequence[Placed], seeds: Seeds) -> tuple[Gradient | None, Measured]:  # noqa: ARG002
        """Where the preferred answers draw ahead."""
        couples = self._couples(batch)
        if not couples:
            return None, Measured(0.0, 0.0, margin=0.0)
        margins = [self._margin(key, *couple) for key, couple in couples]
        scripts: list[Script] = []
        shares: list[Floats] = []
        for (_, couple), margin in zip(couples, margins, strict=True):
            pull = self._beta * _sigmoid(-margin) / len(couples)
            for script, sign in zip(couple, (1, -1), strict=True):
                scripts.append(script)
                shares.append(np.full(len(script.tokens), sign * pull, np.float32))
        gradient, _ = likelihood_gradient(self._network, scripts, shares)
        return gradient, _preferred(margins, scripts)

    def measure(self, batch: Sequence[Placed], seeds: Seeds) -> Measured:  # noqa: ARG002
        """How far ahead the preferred answers are."""
        couples = self._couples(batch)
        margins = [self._margin(key, *couple) for key, couple in couples]
        return _preferred(margins, [script for _, couple in couples for script in couple])

    def _couples(
        self, batch: Sequence[Placed]
    ) -> list[tuple[tuple[str, int], tuple[Script, Script]]]:
        most = _room_for(2 * len(batch))
        couples = []
        for placed in batch:
            pair = placed.example
            if isinstance(pair, PreferencePair):
                better = self._cache.script((placed.key, 0), pair.prompt, pair.preferred)
                worse = self._cache.script((placed.key, 1), pair.prompt, pair.non_preferred)
                couples.append((placed.key, (_cut(better, most), _cut(worse, most))))
        return couples

    def _margin(self, key: tuple[str, int], better: Script, worse: Script) -> float:
        """The difference of the answers' rewards: beta times what was gained since the start."""
        before = self._before.get(key)
        if before is None:
            before = _lead(self._reference, better, worse)
            self._before[key] = before
        return self._beta * (_lead(self._network, better, worse) - before)


class Reinforcement:
    """Examples are graded prompts; `grade` gives an item and an answer a number from 0 to 1."""

    def __init__(self, network: Network, grade: Grade, draws: int, eval_draws: int) -> None:
        self._network, self._grade = network, grade
        self._draws, self._eval_draws = draws, eval_draws

    def learn(self, batch: Sequence[Placed], seeds: Seeds) -> tuple[Gradient | None, Measured]:
        """Where answers get likelier that did better than the others to the same prompt."""
        scripts: list[Script] = []
        gains: list[float] = []
        rewards: list[float] = []
        errors = 0
        for place, example in enumerate(_graded_prompts(batch)):
            drawn, graded, failed = self._tried(example, self._draws, (*seeds, place))
            baseline = sum(graded) / len(graded)
            scripts += drawn
            gains += [reward - baseline for reward in graded]
            rewards += graded
            errors += failed
        if not scripts:
            return None, Measured(0.0, reward=0.0)
        shares = [
            np.full(len(script.tokens), gain / len(scripts), np.float32)
            for script, gain in zip(scripts, gains, strict=True)
        ]
        gradient, likelihoods = likelihood_gradient(self._network, scripts, shares)
        sums = [float(answer.log_probabilities.sum(dtype=np.float64)) for answer in likelihoods]
        weighted = (gain * total for gain, total in zip(gains, sums, strict=True))
        loss = -sum(weighted) / len(sums)
        return gradient if any(gains) else None, _rewarded(rewards, errors, scripts, loss)

    def measure(self, batch: Sequence[Placed], seeds: Seeds) -> Measured:
        """The mean reward of freshly drawn answers."""
        scripts: list[Script] = []
        rewards: list[float] = []
        errors = 0
        for place, example in enumerate(_graded_prompts(batch)):
            drawn, graded, failed = self._tried(example, self._eval_draws, (*seeds, place))
            scripts += drawn
            rewards += graded
            errors += failed
        return _rewarded(rewards, errors, scripts, None)

    def _tried(
        self, example: GradedPrompt, draws: int, seeds: Seeds
    ) -> tuple[list[Script], list[float], int]:
        reading = read_prompt(self._network, example.prompt)
        scripts: list[Script] = []
        rewards: list[float] = []
        errors = 0
        for draw in range(draws):
            script, text = self._drawn(reading, (*seeds, draw))
            reward = _reward(self._grade, example.item, text)
            scripts.append(script)
            rewards.append(reward or 0.0)
            errors += reward is None
        return scripts, rewards, errors

    def _drawn(self, reading: Reading, seeds: Seeds) -> tuple[Script, str]:
        generation = Generation(self._network, reading, Sampling(max_tokens=MOST_DRAWN, seed=seeds))
        pieces = list(generation)
        tokens = [piece.number for piece in pieces] + [END] * (generation.ended == "stop")
        return script_of(self._network, reading, tokens), "".join(p.text for p in pieces)


def _graded_prompts(batch: Sequence[Placed]) -> list[GradedPrompt]:
    return [placed.example for placed in batch if isinstance(placed.example, GradedPrompt)]


def _reward(grade: Grade, item: dict[str, Any], text: str) -> float | None:
    """None for a grader that fails: what it runs is the user's, and may fail in any way."""
    try:
        reward = float(grade(item, text))
    except Exception:  # noqa: BLE001
        return None
    return None if math.isnan(reward) else min(1.0, max(0.0, reward))


def _room_for(answers: int) -> int:
    return max(16, min(MOST_PIECES, MOST_STEP_PIECES // max(1, answers)))


def _cut(script: Script, most: int) -> Script:
    if len(script.tokens) <= most:
        return script
    return Script(script.reading, script.tokens[:most], script.contexts[:most])


def _with_gaps(script: Script, generator: np.random.Generator) -> Script:
    reading = script.reading
    seen = generator.random(len(reading.at)) >= DROPPED
    weights = reading.weights[seen] / np.float32(1 - DROPPED)
    return Script(Reading(reading.at[seen], weights), script.tokens, script.contexts)


def _lead(network: Network, better: Script, worse: Script) -> float:
    preferred, other = (
        likelihood_of(network, script).log_probabilities for script in (better, worse)
    )
    return float(preferred.sum(dtype=np.float64) - other.sum(dtype=np.float64))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


def _mean_likelihood(likelihoods: Sequence[AnswerLikelihood]) -> Measured:
    pieces = sum(len(answer.led) for answer in likelihoods)
    if not pieces:
        return Measured(0.0, 0.0)
    total = sum(float(answer.log_probabilities.sum(dtype=np.float64)) for answer in likelihoods)
    return Measured(
        -total / pieces,
        sum(int(answer.led.sum()) for answer in likelihoods) / pieces,
        tokens=pieces,
    )


def _preferred(margins: list[float], scripts: list[Script]) -> Measured:
    if not margins:
        return Measured(0.0, 0.0, margin=0.0)
    count = len(margins)
    loss = sum(math.log1p(math.exp(-abs(m))) + max(0.0, -m) for m in margins) / count
    right = sum(margin > 0 for margin in margins) / count
    pieces = sum(len(script.tokens) for script in scripts)
    return Measured(loss, right, margin=sum(margins) / count, tokens=pieces)


def _rewarded(
    rewards: list[float], errors: int, scripts: list[Script], loss: float | None
) -> Measured:
    mean = sum(rewards) / len(rewards) if rewards else 0.0
    pieces = sum(len(script.tokens) for script in scripts)
    return Measured(loss, reward=mean, tokens=pieces, samples=len(rewards), grader_errors=errors)
