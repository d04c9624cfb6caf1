"""A fine-tune's settings in; how often its rows are trained on, at least and at most, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftctl.catalog.services import SERVICES
from ftctl.catalog.terms import Terms
from ftctl.domain.desired import FineTune
from ftctl.text.format import plural, plural_range

_FEWEST, _MOST = 1, 50  # what the API takes as n_epochs


@dataclass(frozen=True, slots=True)
class Epochs:
    """Passes over the training file; `note` says why they are not simply those of the manifest."""

    low: int
    high: int
    note: str | None = None


def epochs_of(finetune: FineTune, terms: Terms, service: str) -> Epochs:
    """The manifest's number, or what `auto` comes to; of two numbers that are sent, both."""
    each = [_one(value, finetune, terms) for value in _asked(finetune, service)]
    notes = [epochs.note for epochs in each if epochs.note is not None]
    low, high = min(epochs.low for epochs in each), max(epochs.high for epochs in each)
    return Epochs(low, high, notes[0] if notes else None)


def method_of(finetune: FineTune) -> str:
    """The method that the request names: `extra` is merged over the manifest's own."""
    method = _below(finetune.spec.get("extra"), "method", "type")
    return method if isinstance(method, str) else finetune.method


def _asked(finetune: FineTune, service: str) -> Iterator[Any]:
    """Every n_epochs that the request carries; `extra` may name another one, in two places."""
    extra = finetune.spec.get("extra")
    top = _below(extra, "hyperparameters", "n_epochs")
    inner = _below(extra, "method", method_of(finetune), "hyperparameters", "n_epochs")
    row = SERVICES.get(service)
    first, second = (inner, top)
    if row is not None and row.hyperparameters == "top-level":
        first, second = top, inner
    yield finetune.n_epochs if first is None else first
    if second is not None:
        yield second


def _below(value: Any, *way: str) -> Any:
    for key in way:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _one(value: Any, finetune: FineTune, terms: Terms) -> Epochs:
    if isinstance(value, int) and not isinstance(value, bool) and value >= _FEWEST:
        return Epochs(value, value)
    if value != "auto":
        return Epochs(_FEWEST, _MOST, "n_epochs below 'extra' is no number of epochs")
    if terms.rule is None:
        words = plural_range(_FEWEST, _MOST, "epoch")
        note = f"auto: {words}, since no rule of {terms.service} is on record"
        return Epochs(_FEWEST, _MOST, f"{note}; n_epochs in the manifest settles it")
    assert finetune.training is not None  # what adopts a job buys nothing
    number = terms.rule.epochs(finetune.training.examples)
    words = plural(number, "epoch")
    note = f"auto: {words} by the public rule, which the service need not follow"
    return Epochs(number, number, note)
