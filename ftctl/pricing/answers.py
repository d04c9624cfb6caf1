"""Fine-tunes and the jobs that were bought for them in; what these train otherwise out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.catalog import Catalog
from ftctl.catalog.answer import FieldDifference, differences
from ftctl.catalog.request import asked_of, row_of
from ftctl.catalog.services import Service
from ftctl.domain.desired import Desired, FineTune, ServiceInfo, Spec
from ftctl.domain.observed import TERMINAL, Job, Observed
from ftctl.domain.plan import Estimate, Plan
from ftctl.pricing.epochs import is_count
from ftctl.pricing.estimating import estimate, estimate_of_job
from ftctl.text.format import usd_range


def differences_of(
    job: Job,
    finetune: FineTune,
    catalog: Catalog,
    service: ServiceInfo,
    base_model: str | None = None,
) -> tuple[FieldDifference, ...]:
    """How a job departs from what was asked for; nothing where it was bought for another spec.

    `base_model` is what was sent for a fine-tune that continues from another one.
    """
    if job.digest != finetune.digest or finetune.adopt is not None:
        return ()
    sent = finetune.base_model if isinstance(finetune.base_model, str) else base_model
    return differences(finetune.spec, job, row_of(service.type), catalog, sent)


def is_dearer(job: Job, finetune: FineTune, catalog: Catalog, service: ServiceInfo) -> bool:
    """Whether a job costs more than was approved. See `costs_more`."""
    if not differences_of(job, finetune, catalog, service):
        return False
    return costs_more(finetune.spec, job, row_of(service.type), catalog)


def costs_more(spec: Spec, job: Job, service: Service, catalog: Catalog) -> bool:
    """Whether a job that was bought for a spec trains more epochs than were asked for.

    What `auto` becomes is the service's to choose, and the estimate said so.
    """
    fields = [one.field for one in differences(spec, job, service, catalog)]
    if "n_epochs" not in fields:
        return False
    asked = asked_of(spec, service)
    counted = [*asked.values("n_epochs"), *filter(is_count, asked.stray_epochs)]
    return bool(job.hyperparameters["n_epochs"] > max(counted))


def told_differences(
    plan: Plan, desired: Desired, observed: Observed, catalog: Catalog
) -> tuple[str, ...]:
    """A sentence for each fine-tune of a plan whose job departs from what was asked for."""
    jobs = {job.id: job for job in observed.every_job}
    return tuple(_sentences(plan, desired, jobs, catalog))


def _sentences(
    plan: Plan, desired: Desired, jobs: dict[str, Job], catalog: Catalog
) -> Iterator[str]:
    for change in plan.changes:
        job, finetune = jobs.get(change.job or ""), desired.named(change.name)
        if job is None or finetune is None or change.kind != "FineTune":
            continue
        found = differences_of(job, finetune, catalog, plan.service)
        if found:
            words = "; ".join(one.words for one in found)
            if not job.in_progress and job.status != "succeeded":
                yield f"{job.id} of {change.name} would have trained with {words}"
                continue
            verb = "was trained" if job.status in TERMINAL else "trains"
            cost = _cost_words(job, finetune, desired, catalog, plan.service)
            yield f"{job.id} of {change.name} {verb} with {words}{cost}"


def _cost_words(
    job: Job, finetune: FineTune, desired: Desired, catalog: Catalog, service: ServiceInfo
) -> str:
    """` ($1.31 and not $0.49)`; nothing where the price is the same, or not known."""
    answered = estimate_of_job(job, finetune, desired, catalog, service)
    expected = estimate(finetune, desired, catalog, service)
    words = [_amount(answered), _amount(expected)]
    if None in words or words[0] == words[1]:
        return ""
    return f" ({words[0]} and not {words[1]})"


def _amount(cost: Estimate) -> str | None:
    if cost.low is None or cost.high is None or not cost.billed:
        return None
    return usd_range(cost.low, cost.high)
