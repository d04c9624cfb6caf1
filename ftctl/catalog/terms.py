"""A base model and a service in; at whose prices it is trained there, and by which rule, out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ftctl.catalog.base_model import BaseModelFacts, EpochRule
from ftctl.catalog.catalog import Catalog
from ftctl.domain.desired import ServiceInfo

LIKE = "openai"  # whose prices tell what a run costs where nothing is billed


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of training a base model; `service` is whose facts they are."""

    service: str
    facts: BaseModelFacts
    rule: EpochRule | None
    billed: bool


def terms_of(model: str, catalog: Catalog, service: ServiceInfo) -> Terms:
    """Where nothing is billed: openai's terms, unless the project has given a price for it."""
    own = catalog.facts(service.type, model)
    if service.billed:
        return Terms(service.type, own, catalog.epoch_rule(service.type), billed=True)
    like = catalog.facts(LIKE, model)
    facts = replace(
        like if own.price is None else own,
        training_context=own.training_context or like.training_context,
        encoding=own.encoding or like.encoding,
    )
    return Terms(LIKE, facts, catalog.epoch_rule(LIKE), billed=own.price is not None)
