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
    document = json.loads(_FILE.read_text("utf-8"))
    services = {name: _service(facts) for name, facts in document["services"].items()}
    return Catalog(
        date.fromisoformat(document["as_of"]), document["warn_days"], document["aliases"], services
    )


def _service(document: Mapping[str, Any]) -> KnownService:
    day, rule = document.get("no_new_jobs_after"), document.get("epoch_rule")
    dated = document.get("prices", {})
    every = document.get("every_model", {})
    return KnownService(
        {name: _model(name, every | facts, dated) for name, facts in document["models"].items()},
        date.fromisoformat(day) if day else None,
        EpochRule(**rule) if rule else None,
        document["sources"],
        document.get("trains_no_others", False),
        frozenset(document.get("refuses", ())),
        BaseModelFacts("") if document.get("trains_no_others") else _model("", every, {}),
    )


def _model(name: str, document: Mapping[str, Any], dated: Mapping[str, Any]) -> BaseModelFacts:
    price = None
    if "usd_per_million_tokens" in document:
        price = Price(Decimal(document["usd_per_million_tokens"]), "million-tokens", **dated)
    elif "usd_per_hour" in document:
        price = Price(Decimal(document["usd_per_hour"]), "hour", **dated)
    methods, day = document.get("methods"), document.get("shutdown")
    formats = document.get("formats")
    return BaseModelFacts(
        name,
        document.get("training_context"),
        document.get("encoding"),
        None if methods is None else frozenset(methods),
        date.fromisoformat(day) if day else None,
        price,
        formats=None if formats is None else frozenset(formats),
        images=document.get("images"),
        tools=document.get("tools"),
    )
