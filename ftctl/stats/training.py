"""A file's rows and tokens go in; epochs, tokens and price of a training on it come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

# The rule of OpenAI's notebook on preparing chats for fine-tuning (Chat_finetuning_data_prep); it
# fits what jobs with `n_epochs: auto` were seen to take, but is not promised.
TARGET_EPOCHS = 3
LEAST_EXAMPLES, MOST_EXAMPLES = 100, 25_000  # rows times epochs
LEAST_EPOCHS, MOST_EPOCHS = 1, 25


@dataclass(frozen=True, slots=True)
class Price:
    """What the tokens of a training cost for one base model, in US dollars."""

    model: str
    low: Decimal
    high: Decimal


def default_epochs(rows: int) -> int:
    """The epochs that the service chooses for so many rows when it is asked to."""
    if rows * TARGET_EPOCHS < LEAST_EXAMPLES:
        return min(MOST_EPOCHS, LEAST_EXAMPLES // max(1, rows))
    if rows * TARGET_EPOCHS > MOST_EXAMPLES:
        return max(LEAST_EPOCHS, MOST_EXAMPLES // rows)
    return TARGET_EPOCHS


def prices(low: int, high: int, table: Mapping[str, Decimal]) -> tuple[Price, ...]:
    """The price of between `low` and `high` tokens by a table of dollars per million, by model."""
    million = Decimal(1_000_000)
    return tuple(
        Price(model, low * table[model] / million, high * table[model] / million)
        for model in sorted(table)
    )
