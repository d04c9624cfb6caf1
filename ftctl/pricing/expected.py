"""Jobs in; what those come to of which the service tells no tokens, yet or at all, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ftctl.catalog import Catalog
from ftctl.catalog.request import epochs_named, method_of
from ftctl.catalog.terms import Terms, terms_of
from ftctl.domain.desired import Dataset, Desired, ServiceInfo
from ftctl.domain.observed import Job, Observed
from ftctl.pricing.epochs import MOST_EPOCHS, is_count
from ftctl.pricing.estimating import dollars, estimate_of_job, tokens_of_epoch


def expected_costs(
    jobs: Iterable[Job],
    desired: Desired,
    observed: Observed,
    catalog: Catalog,
    service: ServiceInfo,
) -> Mapping[str, Decimal]:
    """What jobs cost at most, in US dollars, by their id; those are left out of which none can say.

    A job of a spec that the manifests ask for costs its estimate. Of an earlier spec, the file
    that it trains on tells.
    """
    asked = desired.by_digest.items()
    finetunes = {digest: one for digest, one in asked if one.training is not None}
    found: dict[str, Decimal] = {}
    for job in jobs:
        finetune = finetunes.get(job.digest or "")
        if finetune is None:
            cost = _by_its_file(job, desired, observed, catalog, service)
        else:
            cost = estimate_of_job(job, finetune, desired, catalog, service).high
        if cost is not None:
            found[job.id] = cost
    return found


def _by_its_file(
    job: Job, desired: Desired, observed: Observed, catalog: Catalog, service: ServiceInfo
) -> Decimal | None:
    terms = terms_of(job.base_model or "", catalog, service)
    spec = job.spec or {}
    price = terms.facts.price_of(method_of(spec))
    if price is None or price.per == "hour" or price.bills_validation:
        return None
    file = next((one for one in observed.files if one.id == job.training_file), None)
    if file is None:
        return None
    datasets = [one.training for one in desired.finetunes if one.training is not None]
    same = next((one for one in datasets if one.sha256 == file.sha256), None)
    counted = tokens_of_epoch(same, terms.facts) if same is not None else None
    # A token is a byte at least; but an image may be there by its address alone.
    if counted is None and any(map(_has_more_tokens_than_bytes, datasets)):
        return None
    tokens = file.bytes if counted is None else counted
    return dollars(tokens * _most_epochs(job, spec, terms, same), price)


def _has_more_tokens_than_bytes(dataset: Dataset) -> bool:
    return any(tokens.high > dataset.bytes for tokens in dataset.tokens)


def _most_epochs(job: Job, spec: Mapping[str, Any], terms: Terms, same: Dataset | None) -> int:
    """By the service's own word, else by what was asked for; `auto` is the most that it may be."""
    told = job.hyperparameters.get("n_epochs")
    if is_count(told):
        return told
    asked = [value for _way, value in epochs_named(spec)]
    counted = [value for value in asked if is_count(value)]
    if counted and len(counted) == len(asked):
        return max(counted)
    return max([_auto(terms, same), *counted])


def _auto(terms: Terms, same: Dataset | None) -> int:
    if terms.rule is None:
        return MOST_EPOCHS
    return terms.rule.most_epochs if same is None else terms.rule.epochs(same.examples)
