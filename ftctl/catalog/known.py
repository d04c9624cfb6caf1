"""`catalog.json` in, dated facts on services and their base models out, a project's own on top."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ftctl.catalog.facts import BaseModelFacts, EpochRule, Price, TrainingPrices
from ftctl.domain.config import BaseModelOverride, Overrides

_FILE = Path(__file__).with_name("catalog.json")
_VENDORS = ("openai/", "openai.")  # how gateways and Bedrock lead in the same names
_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")


@dataclass(frozen=True, slots=True)
class KnownService:
    """What is known of a service; `sources` says from where, by the kind of fact."""

    models: Mapping[str, BaseModelFacts] = field(default_factory=dict)
    no_new_jobs_after: date | None = None
    epoch_rule: EpochRule | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known, and since when."""

    as_of: date
    warn_days: int
    aliases: Mapping[str, str]
    services: Mapping[str, KnownService]

    def facts(self, service: str, model: str) -> BaseModelFacts:
        """What is known of a base model at a service; of a fine-tuned one, what is of its base."""
        name = self._snapshot(model)
        known = self.services.get(service, KnownService()).models
        return known.get(name, BaseModelFacts(name))

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
        known = self.services.get(service, KnownService()).models
        return not any(_DATED.sub("", other) == name for other in known if other != name)

    def training_prices(self, service: str, today: date) -> TrainingPrices | None:
        """What a million tokens of training cost, by base model that can still be trained."""
        known = self.services.get(service, KnownService()).models
        prices = {
            model: facts.price
            for model, facts in known.items()
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
            known = services.get(service, KnownService())
            services[service] = replace(known, models=self._laid_over(known, models, service))
        return replace(self, services=services)

    def _laid_over(
        self, known: KnownService, models: Mapping[str, BaseModelOverride], service: str
    ) -> Mapping[str, BaseModelFacts]:
        laid = dict(known.models)
        # What is said of a snapshot goes before what is said of its alias.
        for model in sorted(models, key=lambda model: (self._snapshot(model) == model, model)):
            name = self._snapshot(model)
            laid[name] = laid.get(name, BaseModelFacts(name)).overridden(models[model], service)
        return laid

    def _snapshot(self, model: str) -> str:
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


@cache
def load_catalog() -> Catalog:
    """The facts that came with this version."""
    known = json.loads(_FILE.read_text("utf-8"))
    services = {name: _service(facts) for name, facts in known["services"].items()}
    return Catalog(
        date.fromisoformat(known["as_of"]), known["warn_days"], known["aliases"], services
    )


def _service(known: Mapping[str, Any]) -> KnownService:
    day, rule = known.get("no_new_jobs_after"), known.get("epoch_rule")
    dated = known.get("prices", {})
    return KnownService(
        {name: _model(name, facts, dated) for name, facts in known["models"].items()},
        date.fromisoformat(day) if day else None,
        EpochRule(**rule) if rule else None,
        known["sources"],
    )


def _model(name: str, known: Mapping[str, Any], dated: Mapping[str, Any]) -> BaseModelFacts:
    price = None
    if "usd_per_million_tokens" in known:
        price = Price(Decimal(known["usd_per_million_tokens"]), "million-tokens", **dated)
    elif "usd_per_hour" in known:
        price = Price(Decimal(known["usd_per_hour"]), "hour", **dated)
    methods, day = known.get("methods"), known.get("shutdown")
    return BaseModelFacts(
        name,
        known.get("training_context"),
        known.get("encoding"),
        None if methods is None else frozenset(methods),
        date.fromisoformat(day) if day else None,
        price,
    )
