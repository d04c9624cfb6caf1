"""A file's rows and tokens go in; epochs, tokens and price of a training on it come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ftctl.catalog import load_catalog


@dataclass(frozen=True, slots=True)
class Price:
    """What the tokens of a training cost for one base model, in US dollars."""

    model: str
    low: Decimal
    high: Decimal


def default_epochs(rows: int) -> int:
    """The epochs that OpenAI is said to choose for so many rows when it is asked to."""
    rule = load_catalog().epoch_rule("openai")
    assert rule is not None, "catalog.json has OpenAI's rule"
    return rule.epochs(rows)


def prices(low: int, high: int, table: Mapping[str, Decimal]) -> tuple[Price, ...]:
    """The price of between `low` and `high` tokens by a table of dollars per million, by model."""
    million = Decimal(1_000_000)
    return tuple(
        Price(model, low * table[model] / million, high * table[model] / million)
        for model in sorted(table)
    )
