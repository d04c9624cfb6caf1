"""The hyperparameters of each method: their bounds, and the numbers that `auto` becomes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ftctl.emulator.http.wire import Json, bad_request


@dataclass(frozen=True, slots=True)
class Rule:
    """What one hyperparameter may be; `above` excludes itself, `least` and `most` do not."""

    kind: Literal["integer", "number", "choice"]
    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    default: str = "auto"

    @property
    def words(self) -> str:
        """The rule, to be read after "must be"."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        bounds = [
            f"at least {self.least:g}" if self.least is not None else "",
            f"above {self.above:g}" if self.above is not None else "",
            f"at most {self.most:g}" if self.most is not None else "",
        ]
        kind = "an integer" if self.kind == "integer" else "a number"
        return f"'auto' or {kind} {' and '.join(bound for bound in bounds if bound)}"


_COMMON: Mapping[str, Rule] = {
    "batch_size": Rule("integer", least=1, most=256),
    "learning_rate_multiplier": Rule("number", above=0),
    "n_epochs": Rule("integer", least=1, most=50),
}

RULES: Mapping[str, Mapping[str, Rule]] = {
    "supervised": _COMMON,
    "dpo": {"beta": Rule("number", above=0, most=2), **_COMMON},
    "reinforcement": {
        **_COMMON,
        "reasoning_effort": Rule(
            "choice", choices=("default", "low", "medium", "high"), default="default"
        ),
        "compute_multiplier": Rule("number", above=1e-5, most=10),
        "eval_interval": Rule("integer", least=1),
        "eval_samples": Rule("integer", least=1),
    },
}


def read_hyperparameters(method: str, given: Any, param: str) -> Json:
    """Every hyperparameter of the method, `auto` where none was asked for.

    Unknown names are dropped: the specification does not forbid them.
    """
    if not isinstance(given, dict):
        raise bad_request(f"{param} must be an object.", param)
    return {
        name: _checked(rule, given[name], f"{param}.{name}") if name in given else rule.default
        for name, rule in RULES[method].items()
    }


def _checked(rule: Rule, value: Any, param: str) -> Any:
    if rule.kind == "choice":
        fits = isinstance(value, str) and value in rule.choices
    else:
        fits = value == "auto" or _in_bounds(rule, value)
    if not fits:
        raise bad_request(f"{param} must be {rule.words}.", param)
    return int(value) if rule.kind == "integer" and isinstance(value, float) else value


def _in_bounds(rule: Rule, value: Any) -> bool:
    # A bool is an int to Python, and 3.0 is an integer to JSON Schema.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if rule.kind == "integer" and value != int(value):
        return False
    return (
        (rule.least is None or value >= rule.least)
        and (rule.above is None or value > rule.above)
        and (rule.most is None or value <= rule.most)
    )


# What `auto` becomes. Only the rule for epochs was ever published (in a cookbook's notebook); the
# others are the plainest numbers that train: the hosted service's own choices are not public.
_PLAIN: Mapping[str, int | float] = {
    "learning_rate_multiplier": 1.0,
    "beta": 0.1,
    "compute_multiplier": 1.0,
    "eval_samples": 1,
}


def resolve_auto(hyperparameters: Json, examples: int) -> Json:
    """The same with a number for every `auto`, given how many training examples there are."""
    derived = {"n_epochs": default_epochs(examples), "batch_size": default_batch_size(examples)}
    numbers = {**_PLAIN, **derived}
    asked = hyperparameters["batch_size"]
    batch_size = numbers["batch_size"] if asked == "auto" else asked
    numbers["eval_interval"] = math.ceil(examples / batch_size)  # once an epoch
    return {
        name: numbers[name] if value == "auto" else value for name, value in hyperparameters.items()
    }


def default_epochs(examples: int) -> int:
    """Three, but at least 100 and at most 25,000 examples seen in all, within 1 and 25 epochs."""
    if examples * 3 < 100:
        return min(25, 100 // examples)
    if examples * 3 > 25_000:
        return max(1, 25_000 // examples)
    return 3


def default_batch_size(examples: int) -> int:
    """A five-hundredth of the examples, within 1 and 256."""
    return max(1, min(256, examples // 500))
