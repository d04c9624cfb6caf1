"""A job and how far it has come in; what it has cost so far, in words, out."""

from __future__ import annotations

from decimal import Decimal

from ftctl.catalog import Catalog, Price
from ftctl.catalog.request import method_of
from ftctl.catalog.terms import terms_of
from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import Job, Progress
from ftctl.domain.plan import Estimate
from ftctl.pricing.estimating import MILLION
from ftctl.text.format import duration, usd, usd_range, usd_rate

_NOT_TRAINING = frozenset({"validating_files", "queued"})
_HOUR_SECONDS = 3600


def cost_so_far(
    progress: Progress,
    estimate: Estimate | None,
    catalog: Catalog,
    service: ServiceInfo,
    now: float,
    *,
    steps_told: bool = True,
) -> str:
    """`about $1.20 (step 30 of 100; at most $4.10 in all)`, or why nobody can tell.

    `estimate` is that of the whole run, None where nobody has one: a job of an earlier spec.
    `now` is in Unix seconds; `steps_told` is whether the service told the job's events.
    """
    job = progress.job
    terms = terms_of(job.base_model or "", catalog, service)
    if not terms.billed:
        return "none, as nothing is billed here"
    price = terms.facts.price_of(method_of(job.spec or {}))
    if job.trained_tokens is not None:
        return _of_tokens(job.trained_tokens, price)
    if job.status in _NOT_TRAINING and steps_told and progress.step is None:
        return f"none yet, as it does not train ({job.status})"
    if price is not None and price.per == "hour":
        return _of_hours(job, price, now)
    if estimate is None:
        return "not known: it was bought for an earlier spec, and the service tells no tokens"
    if estimate.low is None or estimate.high is None:
        return f"not known: {estimate.basis}"
    return _of_steps(progress, estimate.low, estimate.high)


def _of_tokens(tokens: int, price: Price | None) -> str:
    if price is None or price.per == "hour":
        return f"not known: {tokens:,} trained tokens, whose price is not on record"
    return f"{usd(tokens * price.usd / MILLION)} ({tokens:,} trained tokens)"


def _of_hours(job: Job, price: Price, now: float) -> str:
    """Since its creation, as when training began is not told."""
    passed = max(now - job.created_at, 0.0)
    most = price.usd * Decimal(passed) / _HOUR_SECONDS
    rate = usd_rate(price.usd)
    return f"at most {usd(most)} ({duration(passed)} since it was made, at {rate} an hour)"


def _of_steps(progress: Progress, low: Decimal, high: Decimal) -> str:
    """The part of the whole that the last step told of is; rows differ in length, hence `about`."""
    step, total = progress.step, progress.total_steps
    if step is None or total is None or total <= 0:
        return f"at most {usd(high)}: the service tells no steps of it"
    part = Decimal(min(max(step, 0), total)) / total
    amount = usd_range(low * part, high * part)
    return f"about {amount} (step {step:,} of {total:,}; at most {usd(high)} in all)"
