"""What was asked of a service and the job that it made in; how the two differ out.

Compared is what was asked for explicitly. An alias that became its snapshot, an `auto` that became
a number and a field that the service does not repeat are no difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from ftctl.catalog.catalog import Catalog, base_of
from ftctl.catalog.request import asked_of
from ftctl.catalog.services import Service
from ftctl.domain.model_names import same_model_name
from ftctl.domain.observed import Job

_CLOSE = 1e-6  # relative: some services keep numbers in half the digits


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """What was asked for, and what the service says that it does instead."""

    field: str
    asked: int | float | str
    answered: int | float | str

    @property
    def words(self) -> str:
        """`n_epochs 8, asked was 3`."""
        return f"{self.field} {self.answered}, asked was {self.asked}"


def differences(
    spec: Mapping[str, Any],
    job: Job,
    service: Service,
    catalog: Catalog,
    base_model: str | None = None,
) -> tuple[FieldDifference, ...]:
    """How a job departs from the request that is sent for a spec, `extra` included.

    `base_model` is the model that was sent; None where that is not known or not of interest.
    """
    found = [*_of_numbers(spec, job, service)]
    if base_model and job.base_model and not same_model(base_model, job.base_model, catalog):
        found.append(FieldDifference("base_model", base_model, job.base_model))
    return tuple(found)


def asked_otherwise(
    spec: Mapping[str, Any], job: Job, service: Service
) -> dict[str, int | float | str]:
    """The numbers that were asked for and that a job says it trains otherwise, by their names."""
    return {one.field: one.asked for one in _of_numbers(spec, job, service)}


def _of_numbers(spec: Mapping[str, Any], job: Job, service: Service) -> Iterator[FieldDifference]:
    yield from _of_hyperparameters(spec, job, service)
    seed = spec.get("seed")
    if seed is not None and job.seed is not None and job.seed != seed:
        yield FieldDifference("seed", seed, job.seed)


def _of_hyperparameters(
    spec: Mapping[str, Any], job: Job, service: Service
) -> Iterator[FieldDifference]:
    """Of numbers alone: a word may be answered with another that means the same."""
    asked = asked_of(spec, service)
    for name in dict.fromkeys((*asked.hyperparameters, *asked.others)):
        values, answered = asked.values(name), job.hyperparameters.get(name)
        if not _is_number(answered) or not all(map(_is_number, values)):
            continue
        if not any(math.isclose(value, answered, rel_tol=_CLOSE) for value in values):
            yield FieldDifference(name, values[0], answered)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same_model(asked: str, answered: str, catalog: Catalog) -> bool:
    """Whether an answer's model is the one that was asked for, under a name of the service's."""
    return same_model_name(asked, answered, catalog.aliases)


def another_model(asked: str, answered: str | None, catalog: Catalog) -> bool:
    """Whether a job certainly trains another model than was asked for.

    Some services tell of a job that continues from a fine-tuned model the base of that.
    """
    if not answered or same_model(asked, answered, catalog):
        return False
    return not same_model(base_of(asked), answered, catalog)
