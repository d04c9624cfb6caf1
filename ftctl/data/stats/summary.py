"""What a data file holds, and what training on it costs, as values that at most reckon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ftctl.data.stats.answers import AnswerShares
from ftctl.data.stats.distribution import Bin, Distribution
from ftctl.data.stats.row_tokens import BaseModel


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one epoch: what is billed, at least and at most, and what is learnt.

    `lengths` and `bins` are of whole rows; what is billed, of rows cut to the training context.
    """

    rows: int  # that were counted: those of a known format
    billed: int
    low: int
    high: int
    learnt: int
    cut_rows: int
    lengths: Distribution
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """A training by the default rule, in tokens over all epochs."""

    epochs: int
    billed: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a file holds. Rows that cannot be read are counted apart and are in nothing else."""

    path: str
    sha256: str
    bytes: int
    rows: int
    unreadable: int
    formats: Mapping[str, int]
    base: BaseModel
    tokens: Tokens
    training: Training | None  # None: nothing in it is billed by the token
    messages: Distribution
    roles: Mapping[str, int]
    languages: Mapping[str, int]  # of the last question in each row
    tool_rows: int
    declared: Mapping[str, int]
    calls: Mapping[str, int]
    named: int  # messages with a name
    images: int
    image_rows: int
    answers: AnswerShares

    @property
    def estimated(self) -> tuple[str, ...]:
        """Of what in the rows the tokens are not counted but estimated."""
        parts = {
            "tools": self.tool_rows,
            "calls": self.calls,
            "images": self.images,
            "names": self.named,
        }
        return tuple(part for part, there in parts.items() if there)

    @property
    def exact(self) -> bool:
        """Whether every token of the rows is counted as the model counts it."""
        return self.base.exact and not self.estimated


@dataclass(frozen=True, slots=True)
class Price:
    """What the tokens of a training cost for one base model, in US dollars."""

    model: str
    low: Decimal
    high: Decimal


def prices(low: int, high: int, table: Mapping[str, Decimal]) -> tuple[Price, ...]:
    """The price of between `low` and `high` tokens by a table of dollars per million, by model."""
    million = Decimal(1_000_000)
    return tuple(
        Price(model, low * table[model] / million, high * table[model] / million)
        for model in sorted(table)
    )
