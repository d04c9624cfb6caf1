"""A row goes in; its tokens, cut to what a training example may have, come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ftctl.catalog import load_catalog
from ftctl.data.formats.formats import format_of
from ftctl.data.tokens import Counter, count_row, encoding_for, open_counter
from ftctl.domain.desired import Format

DEFAULT_ENCODING = "o200k_base"
_DEFAULT_MODEL = "gpt-4.1"


class Measured(NamedTuple):
    """A row's tokens: all, those billed in one epoch, at least, at most; those learnt."""

    length: int  # before it is cut
    billed: int
    low: int
    high: int
    learnt: int
    cut: bool


@dataclass(frozen=True, slots=True)
class BaseModel:
    """For what to count; `exact` is false where the model's vocabulary is not known."""

    model: str | None
    encoding: str
    exact: bool
    context: int | None  # tokens of a training example; None: not known

    @classmethod
    def about(cls, model: str | None) -> BaseModel:
        """The base of that name; without one, what the gpt-4.1 family counts."""
        if model is None:
            return cls(None, DEFAULT_ENCODING, exact=True, context=training_context(_DEFAULT_MODEL))
        encoding = encoding_for(model)
        known = encoding is not None
        return cls(
            model, encoding or DEFAULT_ENCODING, exact=known, context=training_context(model)
        )

    def counter(self) -> Counter:
        return open_counter(self.encoding)


class TokensOfRow:
    """A row's tokens in one epoch, by its own keys' format; 0 for a row of none.

    The vocabulary is loaded with the first row.
    """

    def __init__(self, base: BaseModel) -> None:
        self._base = base
        self._counter: Counter | None = None

    def __call__(self, row: Mapping[str, Any]) -> int:
        form = format_of(dict(row))
        if form is None:
            return 0
        self._counter = self._counter or self._base.counter()
        return measure(row, form, self._counter, self._base.context).billed


def training_context(model: str) -> int | None:
    """How many tokens of an example OpenAI trains on; None where it is not known."""
    return load_catalog().facts("openai", model).training_context


def measure(
    row: Mapping[str, Any], form: Format, counter: Counter, context: int | None
) -> Measured:
    """The row's tokens. Of a cut row, those learnt are at most those that are left."""
    found = count_row(row, form, counter)
    most = found.high if context is None else context
    return Measured(
        found.training,
        min(found.training, most),
        min(found.low, most),
        min(found.high, most),
        min(found.assistant, most),
        cut=found.training > most,
    )
