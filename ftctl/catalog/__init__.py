"""Dated facts on base models and services: prices, contexts, methods, ends."""

from ftctl.catalog.facts import OWN, BaseModelFacts, EpochRule, Price, TrainingPrices
from ftctl.catalog.known import Catalog, KnownService, base_of, load_catalog
from ftctl.catalog.shutdowns import shutdown_warnings

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
