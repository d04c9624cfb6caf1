"""Dated facts on base models and services: prices, contexts, methods, ends.

The nouns are values; only `load_catalog` reads a file, and its module loads when it is first used.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.catalog.base_model import OWN, BaseModelFacts, EpochRule, Price, TrainingPrices
    from ftctl.catalog.catalog import Catalog, KnownService, base_of, shutdown_warnings
    from ftctl.catalog.shipped import load_catalog

__all__ = [
    "OWN",
    "BaseModelFacts",
    "Catalog",
    "EpochRule",
    "KnownService",
    "Price",
    "TrainingPrices",
    "base_of",
    "load_catalog",
    "shutdown_warnings",
]

_HOMES = {
    "OWN": "base_model",
    "BaseModelFacts": "base_model",
    "Catalog": "catalog",
    "EpochRule": "base_model",
    "KnownService": "catalog",
    "Price": "base_model",
    "TrainingPrices": "base_model",
    "base_of": "catalog",
    "load_catalog": "shipped",
    "shutdown_warnings": "catalog",
}

__getattr__ = lazily(__name__, _HOMES)
