"""`catalog.json` in, the Catalog that came with this version out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ftctl.catalog.base_model import BaseModelFacts, EpochRule, Price
from ftctl.catalog.catalog import Catalog, KnownService

_FILE = Path(__file__).with_name("catalog.json")


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
