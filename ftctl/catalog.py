"""Dated facts on base models and services in `catalog.json`; warnings in time out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known, and since when."""

    as_of: date
    warn_days: int
    aliases: Mapping[str, str]
    services: Mapping[str, Mapping[str, Any]]

    def shutdown(self, service: str, model: str) -> date | None:
        """The day on which a base model and its fine-tunes stop at a service, where it is known."""
        snapshot = self.aliases.get(base_of(model), base_of(model))
        day = self.services.get(service, {}).get("shutdown", {}).get(snapshot)
        return date.fromisoformat(day) if day else None

    def no_new_jobs_after(self, service: str) -> date | None:
        """The last day on which a service takes training jobs, where it is known."""
        day = self.services.get(service, {}).get("no_new_jobs_after")
        return date.fromisoformat(day) if day else None

    def training_prices(self, service: str, today: date) -> TrainingPrices | None:
        """What a million tokens of training cost, by base model that can still be trained."""
        known = self.services.get(service, {}).get("training_price")
        if known is None:
            return None
        table = {
            model: Decimal(price)
            for model, price in known["usd_per_million_tokens"].items()
            if (day := self.shutdown(service, model)) is None or day > today
        }
        return TrainingPrices(known["as_of"], table)


@dataclass(frozen=True, slots=True)
class TrainingPrices:
    """US dollars for a million tokens, by base model, as they were in some month (YYYY-MM)."""

    as_of: str
    usd_per_million: Mapping[str, Decimal]

    def of(self, model: str | None) -> Mapping[str, Decimal]:
        """Those of one model, or of all."""
        if model is None:
            return self.usd_per_million
        return {name: price for name, price in self.usd_per_million.items() if name == model}


def base_of(model: str) -> str:
    """The base model in the name of a fine-tuned one (`ft:BASE:ORG:SUFFIX:ID`), else the name."""
    return model.split(":")[1] if model.startswith("ft:") and model.count(":") > 1 else model


@cache
def load_catalog() -> Catalog:
    """The facts that came with this version."""
    known = json.loads(Path(__file__).with_name("catalog.json").read_text("utf-8"))
    return Catalog(
        date.fromisoformat(known["as_of"]), known["warn_days"], known["aliases"], known["services"]
    )


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
