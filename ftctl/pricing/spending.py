"""Estimates and jobs go in; what a plan will cost, and what jobs have cost, come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from ftctl.catalog import Catalog, Price
from ftctl.catalog.request import method_of
from ftctl.catalog.terms import Terms, terms_of
from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Estimate, Plan
from ftctl.pricing.estimating import MILLION
from ftctl.text.format import count_range, usd, usd_range

_NOTHING = Decimal(0)
_NO_TIME = 4_102_444_800  # Unix seconds from 2100 on are milliseconds, or nothing
_NONE_EXPECTED: Mapping[str, Decimal] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Total:
    """What all that a plan trains is billed, in US dollars, besides what nobody can tell.

    `low` and `high` are None where nothing of it can be told. `unknown` runs have no price,
    `hourly` ones no known duration; neither is in the sums.
    """

    low: Decimal | None
    high: Decimal | None
    unknown: int
    hourly: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What jobs were billed, in US dollars. `unknown` of the jobs are not in it."""

    usd: Decimal
    jobs: int
    unknown: int


@dataclass(slots=True)
class _Sum:
    usd: Decimal = field(default=_NOTHING)
    jobs: int = 0
    unknown: int = 0


def total(plan: Plan) -> Total:
    """The sum over a plan's priced changes that are billed, those that start later included."""
    billed = [change.cost for change in plan.changes if change.cost and change.cost.billed]
    ranges = [
        (cost.low, cost.high) for cost in billed if cost.low is not None and cost.high is not None
    ]
    hourly = sum(1 for cost in billed if cost.usd_per_hour is not None)
    if billed and not ranges:
        return Total(None, None, len(billed) - hourly, hourly)
    low, high = (sum((pair[end] for pair in ranges), _NOTHING) for end in (0, 1))
    return Total(low, high, len(billed) - len(ranges) - hourly, hourly)


def spent(
    jobs: Iterable[Job],
    catalog: Catalog,
    service: ServiceInfo,
    since: float,
    *,
    expected: Mapping[str, Decimal] = _NONE_EXPECTED,
) -> Spent:
    """What jobs cost that ended from `since` on, in Unix seconds by the service's clock.

    One that is in progress counts whenever it was made, since it is billed when it ends. A job
    whose tokens are not told counts with what `expected` says by its id, else as unknown. Today's
    prices count, whatever they were then.
    """
    sums = _Sum()
    for job in jobs:
        if not _falls_in(job, since):
            continue
        sums.jobs += 1
        cost = _job_cost(job, catalog, service, expected)
        if cost is None:
            sums.unknown += 1
        else:
            sums.usd += cost
    return Spent(sums.usd, sums.jobs, sums.unknown)


def cost_of_job(job: Job, catalog: Catalog, service: ServiceInfo) -> Decimal | None:
    """What a job that is over has cost, in US dollars; None where it runs, or nobody can tell."""
    return _job_cost(job, catalog, service, _NONE_EXPECTED)


def newest_time(observed: Observed) -> int | None:
    """The newest time that the service has told, in Unix seconds; None where it told none.

    A clock of ours that is wrong must not shift what counts as spent.
    """
    times = [observed.told_at or 0, *(file.created_at for file in observed.files)]
    for job in observed.every_job:
        times += [job.created_at, job.finished_at or 0]
    return max((time for time in times if 0 < time < _NO_TIME), default=None)


def compare(
    job: Job,
    estimate: Estimate | None,
    catalog: Catalog,
    service: ServiceInfo,
    told: Estimate | None = None,
) -> str | None:
    """What a job cost beside what was expected, for people; None where neither is known.

    `told` is what it will cost by what the service says that it trains.
    """
    tokens = job.trained_tokens
    expected = _expected(estimate)
    if tokens is None:
        by_its_word = _expected(told) or expected
        if not by_its_word or not job.in_progress:
            return None
        was = f"; estimated was {expected}" if expected and by_its_word != expected else ""
        return f"estimated {by_its_word}{was}"
    terms, price = _terms(job, catalog, service)
    if not terms.billed or price is None or price.per == "hour":
        foreseen = estimate and estimate.tokens
        expected_tokens = f" (estimated {count_range(*foreseen)})" if foreseen else ""
        return f"{tokens:,} tokens{expected_tokens}"
    facts = [f"{tokens:,} tokens", f"estimated {expected}" if expected else "", _age(price)]
    return f"cost {usd(tokens * price.usd / MILLION)} ({'; '.join(filter(None, facts))})"


def _expected(estimate: Estimate | None) -> str | None:
    if estimate is None or estimate.low is None or estimate.high is None or not estimate.billed:
        return None
    return usd_range(estimate.low, estimate.high)


def _age(price: Price) -> str:
    return "prices of ftctl.yaml" if price.as_of == price.source else f"prices of {price.as_of}"


def _falls_in(job: Job, since: float) -> bool:
    if job.in_progress and job.finished_at is None:
        return True
    return (job.created_at if job.finished_at is None else job.finished_at) >= since


def _job_cost(
    job: Job, catalog: Catalog, service: ServiceInfo, expected: Mapping[str, Decimal]
) -> Decimal | None:
    terms, price = _terms(job, catalog, service)
    if not terms.billed:
        return _NOTHING
    tokens = job.trained_tokens
    told = None if tokens is None or price is None else tokens * price.usd / MILLION
    if job.in_progress:  # some services count its tokens while it runs
        foreseen = expected.get(job.id)
        return None if foreseen is None else max(foreseen, told or _NOTHING)
    if price is not None and price.per == "hour":
        return None
    if tokens is None:
        return _NOTHING if job.status == "failed" else expected.get(job.id)
    return told


def _terms(job: Job, catalog: Catalog, service: ServiceInfo) -> tuple[Terms, Price | None]:
    terms = terms_of(job.base_model or "", catalog, service)
    return terms, terms.facts.price_of(method_of(job.spec or {}))
