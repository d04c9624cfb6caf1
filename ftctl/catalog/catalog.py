"""What is known of services and their base models, as a value, and what it warns of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from ftctl.catalog.base_model import BaseModelFacts, EpochRule, TrainingPrices
from ftctl.domain.config import BaseModelOverride, Overrides

_VENDORS = ("openai/", "openai.")  # how gateways and Bedrock lead in the same names
_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")


@dataclass(frozen=True, slots=True)
class KnownService:
    """What is known of a service; `sources` says from where, by the kind of fact.

    `refuses` are the kinds of facts that it is known to refuse a training for: what goes against
    another is only doubtful. `any_model` is what is known of whatever it trains.
    """

    models: Mapping[str, BaseModelFacts] = field(default_factory=dict)
    no_new_jobs_after: date | None = None
    epoch_rule: EpochRule | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    trains_no_others: bool = False  # whether `models` are all that it is known to train
    refuses: frozenset[str] = frozenset()
    any_model: BaseModelFacts = field(default_factory=lambda: BaseModelFacts(""))


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known, and since when."""

    as_of: date
    warn_days: int
    aliases: Mapping[str, str]
    services: Mapping[str, KnownService]

    def facts(self, service: str, model: str) -> BaseModelFacts:
        """What is known of a base model at a service; of a fine-tuned one, what is of its base."""
        name = self.snapshot(model)
        known = self.services.get(service, KnownService())
        return known.models.get(name) or replace(known.any_model, name=name)

    def knows(self, service: str, model: str) -> bool:
        """Whether a base model stands among those of a service, under any of its names."""
        return self.snapshot(model) in self.services.get(service, KnownService()).models

    def service(self, service: str) -> KnownService:
        """What is known of a service; nothing of one that is not in the catalog."""
        return self.services.get(service, KnownService())

    def shutdown(self, service: str, model: str) -> date | None:
        """The day on which a base model and its fine-tunes stop at a service, where it is known."""
        return self.facts(service, model).shutdown

    def no_new_jobs_after(self, service: str) -> date | None:
        """The last day on which a service takes training jobs, where it is known."""
        return self.services.get(service, KnownService()).no_new_jobs_after

    def epoch_rule(self, service: str) -> EpochRule | None:
        """How a service is said to choose the epochs, where anything is said."""
        return self.services.get(service, KnownService()).epoch_rule

    def is_snapshot(self, service: str, model: str) -> bool:
        """Whether a name means the same model for good, and is no alias that moves.

        A name that is not known counts as one if it ends in a date, or if no dated one begins
        with it.
        """
        name = _bare(model)
        if model.startswith("ft:") or _DATED.search(name):
            return True
        if name in self.aliases or name.endswith("-latest"):
            return False
        models = self.services.get(service, KnownService()).models
        return not any(_DATED.sub("", other) == name for other in models if other != name)

    def training_prices(self, service: str, today: date) -> TrainingPrices | None:
        """What a million tokens of training cost, by base model that can still be trained."""
        models = self.services.get(service, KnownService()).models
        prices = {
            model: facts.price
            for model, facts in models.items()
            if facts.price is not None
            and facts.price.per == "million-tokens"
            and (facts.shutdown is None or facts.shutdown > today)
        }
        if not prices:
            return None
        oldest = min(price.as_of for price in prices.values())
        return TrainingPrices(oldest, {model: price.usd for model, price in prices.items()})

    def with_overrides(self, catalog: Overrides) -> Catalog:
        """The same with the facts of ftctl.yaml's `catalog` before these; `FtctlError` if one is
        no fact.
        """
        services = dict(self.services)
        for service, models in catalog.items():
            shipped = services.get(service, KnownService())
            services[service] = replace(shipped, models=self._laid_over(shipped, models, service))
        return replace(self, services=services)

    def _laid_over(
        self, shipped: KnownService, models: Mapping[str, BaseModelOverride], service: str
    ) -> Mapping[str, BaseModelFacts]:
        laid = dict(shipped.models)
        # What is said of a snapshot goes before what is said of its alias.
        for model in sorted(models, key=lambda model: (self.snapshot(model) == model, model)):
            name = self.snapshot(model)
            laid[name] = (laid.get(name) or replace(shipped.any_model, name=name)).overridden(
                models[model], service
            )
        return laid

    def snapshot(self, model: str) -> str:
        """The base model's own name: no alias, no vendor, and of a fine-tuned one its base."""
        name = _bare(model)
        return self.aliases.get(name, name)


def base_of(model: str) -> str:
    """The base model in the name of a fine-tuned one (`ft:BASE:ORG:SUFFIX:ID`), else the name."""
    return model.split(":")[1] if model.startswith("ft:") and model.count(":") > 1 else model


def _bare(model: str) -> str:
    name = base_of(model)
    for vendor in _VENDORS:
        name = name.removeprefix(vendor)
    return name


def shutdown_warnings(
    catalog: Catalog, service: str, models: Iterable[str], today: date
) -> tuple[str, ...]:
    """What people must know before they train: what ends soon, or has ended."""
    warnings = []
    last_day = catalog.no_new_jobs_after(service)
    if last_day is not None and (last_day - today).days <= catalog.warn_days:
        verb = "takes" if last_day >= today else "has taken"
        warnings.append(f"{service} {verb} no new training jobs after {last_day}")
    for model in sorted(set(models)):
        day = catalog.shutdown(service, model)
        if day is not None and (day - today).days <= catalog.warn_days:
            verb = "shuts" if day >= today else "shut"
            warnings.append(f"{service} {verb} {model} down, with its fine-tunes, on {day}")
    return tuple(f"{text} (as known on {catalog.as_of})" for text in warnings)
