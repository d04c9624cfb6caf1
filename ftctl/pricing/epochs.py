"""What a request asks for in; how often its rows are trained on, at least and at most, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from ftctl.catalog.request import Asked
from ftctl.catalog.terms import Terms
from ftctl.text.format import plural, plural_range

_FEWEST, MOST_EPOCHS = 1, 50  # what the API takes as n_epochs


@dataclass(frozen=True, slots=True)
class Epochs:
    """Passes over the training file; `note` says why they are not simply those of the manifest."""

    low: int
    high: int
    note: str | None = None


def epochs_of(asked: Asked, rows: int, terms: Terms) -> Epochs:
    """The number that is asked for, or what `auto` comes to; of several that are sent, all."""
    each = [_one(value, rows, terms) for value in _values(asked)]
    notes = [epochs.note for epochs in each if epochs.note is not None]
    low, high = min(epochs.low for epochs in each), max(epochs.high for epochs in each)
    if len({(epochs.low, epochs.high) for epochs in each}) > 1:
        notes.append("the request names its epochs more than once")
    return Epochs(low, high, notes[0] if notes else None)


def _values(asked: Asked) -> Iterator[Any]:
    """Every number of epochs that the request carries. A null leaves it to the service."""
    yield _named(asked.hyperparameters.get("n_epochs"))
    if "n_epochs" in asked.others:
        yield _named(asked.others["n_epochs"])
    # A service may heed what stands elsewhere, under whatever name.
    yield from (value for value in asked.stray_epochs if is_count(value) or not _is_word(value))


def _is_word(value: Any) -> bool:
    """Whether a value says nothing of epochs: `auto`, a switch, settings of another kind."""
    if isinstance(value, str):
        return not value.strip().isdecimal()
    return not isinstance(value, Mapping) or [*value] != ["env"]


def _named(value: Any) -> Any:
    return "auto" if value is None else value


def is_count(value: Any) -> TypeGuard[int]:
    """Whether a value is a number of epochs."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= _FEWEST


def _one(value: Any, rows: int, terms: Terms) -> Epochs:
    if is_count(value):
        return Epochs(value, value)
    if value != "auto":
        return Epochs(_FEWEST, MOST_EPOCHS, "n_epochs below 'extra' is no number of epochs")
    if terms.rule is None:
        words = plural_range(_FEWEST, MOST_EPOCHS, "epoch")
        note = f"auto: {words}, since no rule of {terms.service} is on record"
        return Epochs(_FEWEST, MOST_EPOCHS, f"{note}; n_epochs in the manifest settles it")
    number = terms.rule.epochs(rows)
    words = plural(number, "epoch")
    note = f"auto: {words} by the public rule, which the service need not follow"
    return Epochs(number, number, note)
