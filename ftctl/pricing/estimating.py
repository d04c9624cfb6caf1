"""A plan goes in; the same plan, with what each training run is expected to cost, comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from ftctl.catalog import OWN, BaseModelFacts, Catalog, Price
from ftctl.catalog.request import Asked, asked_of, row_of
from ftctl.catalog.terms import Terms, terms_of
from ftctl.data.tokens.model_encodings import encoding_for
from ftctl.domain.desired import Dataset, Desired, FineTune, ServiceInfo, Tokens
from ftctl.domain.observed import Job
from ftctl.domain.plan import Action, Change, Estimate, Plan, StartJob
from ftctl.pricing.epochs import Epochs, epochs_of, is_count
from ftctl.text.format import count_range, plural_range, usd_rate

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class _Epoch:
    """The tokens of a file in one epoch, and what is not quite right about them."""

    low: int
    high: int
    note: str | None = None

    def times(self, epochs: Epochs) -> tuple[int, int]:
        """The tokens of all epochs, at least and at most."""
        return self.low * epochs.low, self.high * epochs.high


def price_plan(plan: Plan, desired: Desired, catalog: Catalog) -> Plan:
    """The plan with the `cost` of every change that trains, now or later."""

    def priced(change: Change) -> Change:
        finetune = desired.named(change.name)
        if finetune is None or finetune.training is None:
            return change
        # What adopts a job that cannot be seen is not to be bought in its place.
        if change.action is Action.ATTENTION and finetune.refused_rows:
            return change  # there is nothing to buy
        if change.action is Action.ATTENTION and (finetune.adopt is None or change.job):
            would = estimate(finetune, desired, catalog, plan.service)
            return replace(change, would_cost=would)
        if not _trains(change):
            return change
        return replace(change, cost=estimate(finetune, desired, catalog, plan.service))

    return replace(plan, changes=tuple(priced(change) for change in plan.changes))


def estimate(
    finetune: FineTune, desired: Desired, catalog: Catalog, service: ServiceInfo
) -> Estimate:
    """What one training run of a fine-tune costs, by the base model at the root of its chain.

    What is priced is the request that is sent for it, with `extra` in it.
    """
    asked = asked_of(finetune.spec, row_of(service.type))
    return _estimate(asked, desired.root_model(finetune), finetune, catalog, service)


def estimate_of_job(
    job: Job, finetune: FineTune, desired: Desired, catalog: Catalog, service: ServiceInfo
) -> Estimate:
    """What a job of a fine-tune costs by the epochs that the service says it trains.

    Where it does not say a number yet, what was asked for counts.
    """
    asked = asked_of(finetune.spec, row_of(service.type))
    told = job.hyperparameters.get("n_epochs")
    if is_count(told):
        asked = replace(asked, hyperparameters={"n_epochs": told}, others={}, stray_epochs=())
    return _estimate(asked, desired.root_model(finetune), finetune, catalog, service)


def _estimate(
    asked: Asked, model: str, finetune: FineTune, catalog: Catalog, service: ServiceInfo
) -> Estimate:
    terms = terms_of(model, catalog, service)
    price = terms.facts.price_of(asked.method)
    if price is not None and price.per == "hour":
        basis = f"billed by the hour: {_rate_words(price, terms.service)}"
        basis += "; how long it takes cannot be known beforehand"
        return Estimate(None, None, basis, terms.billed, price.usd)
    assert finetune.training is not None  # what adopts a job buys nothing
    epochs = epochs_of(asked, finetune.training.examples, terms)
    training = _epoch(finetune.training, terms.facts)
    tokens = training.times(epochs) if training is not None else None
    if price is None:
        basis = _without_price(terms, asked.method, service)
        return Estimate(None, None, basis, terms.billed, tokens=tokens)
    if training is None:
        basis = f"the data was not counted; {_rate_words(price, terms.service)}"
        return Estimate(None, None, basis, terms.billed)
    validation = None
    if price.bills_validation and finetune.validation is not None:
        validation = _epoch(finetune.validation, terms.facts)
    low, high = _together(training, validation).times(epochs)
    return Estimate(
        dollars(low, price),
        dollars(high, price),
        _basis(training, validation, epochs, _rate_words(price, terms.service)),
        terms.billed,
        tokens=tokens,
    )


def cost_of_tokens(
    tokens: int, finetune: FineTune, desired: Desired, catalog: Catalog, service: ServiceInfo
) -> tuple[Decimal, Decimal] | None:
    """What so many training tokens more (or, below zero, fewer) in an epoch cost over all epochs.

    The lower figure first. None where the price is not known, or not by the token.
    """
    terms = terms_of(desired.root_model(finetune), catalog, service)
    asked = asked_of(finetune.spec, row_of(service.type))
    price = terms.facts.price_of(asked.method)
    if price is None or price.per == "hour" or finetune.training is None:
        return None
    epochs = epochs_of(asked, finetune.training.examples, terms)
    ends = [dollars(tokens * number, price) for number in (epochs.low, epochs.high)]
    return min(ends), max(ends)


def _trains(change: Change) -> bool:
    starts = any(isinstance(step, StartJob) for step in change.steps)
    return starts or change.action is Action.DEFER


def _epoch(dataset: Dataset, facts: BaseModelFacts) -> _Epoch | None:
    """A file's tokens as the base model counts and cuts them, else as near to it as was counted."""
    encoding = facts.encoding or encoding_for(facts.name)
    limit = facts.training_context
    counted = sorted(
        dataset.tokens, key=lambda tokens: (tokens.encoding != encoding, tokens.limit != limit)
    )
    if not counted:
        return None
    return _Epoch(counted[0].low, counted[0].high, _how_counted(counted[0], encoding, limit))


def _how_counted(tokens: Tokens, encoding: str | None, limit: int | None) -> str | None:
    if encoding is None:
        return f"counted with {tokens.encoding}, since the model's vocabulary is not known"
    if tokens.encoding != encoding:
        return f"counted with {tokens.encoding}, not with the model's {encoding}"
    if limit is not None and tokens.limit != limit:
        return f"counted with rows cut at {tokens.limit:,} tokens, not at the model's {limit:,}"
    return None


def _together(training: _Epoch, validation: _Epoch | None) -> _Epoch:
    if validation is None:
        return training
    return _Epoch(training.low + validation.low, training.high + validation.high)


def tokens_of_epoch(dataset: Dataset, facts: BaseModelFacts) -> int | None:
    """The most tokens that a file has in one epoch; None where it was not counted."""
    epoch = _epoch(dataset, facts)
    return epoch.high if epoch is not None else None


def dollars(tokens: int, price: Price) -> Decimal:
    """What so many trained tokens cost."""
    return tokens * price.usd / MILLION


def _basis(training: _Epoch, validation: _Epoch | None, epochs: Epochs, rate: str) -> str:
    tokens = f"{count_range(training.low, training.high)} tokens"
    if validation is not None:
        tokens = f"({tokens} and {count_range(validation.low, validation.high)} of validation)"
    words = f"{tokens} × {plural_range(epochs.low, epochs.high, 'epoch')} at {rate}"
    return "; ".join((words, *_notes(training.note, epochs.note)))


def _notes(*notes: str | None) -> Iterator[str]:
    return (note for note in notes if note is not None)


def _rate_words(price: Price, service: str) -> str:
    """`$5.00 a million tokens (openai, 2025-11)`: the price, whose it is, and how old."""
    per = "a million tokens" if price.per == "million-tokens" else "an hour of training"
    return f"{usd_rate(price.usd)} {per} ({_age_words(price, service)})"


def _age_words(price: Price, service: str) -> str:
    """`openai, 2025-11`, `ftctl.yaml, 2026-10`, or `ftctl.yaml` where that gives no date."""
    if price.source != OWN:
        return f"{service}, {price.as_of}"
    return OWN if price.as_of == OWN else f"{OWN}, {price.as_of}"


def _without_price(terms: Terms, method: str, service: ServiceInfo) -> str:
    """Why there is no price, and the edit that gives one."""
    name = terms.facts.name
    if not name:
        return "the fine-tune that it continues from is not known, nor so its base model"
    methods = terms.facts.methods
    trains = methods is None or method in methods
    why = f"no price of {name} at {terms.service} is on record"
    if not trains:
        why = f"{terms.service} is not known to train {name} by method {method}"
    if not service.billed:
        return why
    unit = "usd_per_hour" if method == "reinforcement" else "usd_per_million_tokens"
    facts = f"{unit}: …" if trains else f"methods: [{method}], {unit}: …"
    return f"{why}; give one in ftctl.yaml: catalog: {{{service.type}: {{{name}: {{{facts}}}}}}}"
