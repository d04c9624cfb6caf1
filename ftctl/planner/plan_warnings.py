"""A plan's changes, what exists and our record in; what to know before saying yes to them, out."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Action, Change
from ftctl.domain.witness import Witness
from ftctl.text.format import plural

_SEVERAL = 2


def plan_warnings(observed: Observed) -> tuple[str, ...]:
    """What was odd about what was seen: sentences without their full stops."""
    return (
        *observed.unreadable,
        *_refused_files(observed),
        *_no_list_of_models(observed),
    )


def account_warnings(
    changes: Collection[Change],
    observed: Observed,
    service: ServiceInfo,
    witnesses: Collection[Witness],
    environment: str | None,
) -> tuple[str, ...]:
    """What speaks for another account than was meant: to be read before the changes.

    `environment` is the plan's; None: none was named.
    """
    recorded = [witness for witness in witnesses if witness.environment == environment]
    return (
        *_nothing_of_the_record(observed, service, recorded),
        *_all_models_gone(changes, observed),
    )


def _refused_files(observed: Observed) -> Iterator[str]:
    for file in observed.files:
        if file.refusal is not None:
            yield f"{file.name} ({file.id}) is of no use: {file.refusal}"


def _no_list_of_models(observed: Observed) -> Iterator[str]:
    if observed.models is None:
        yield "the service does not list models: those of succeeded jobs are taken to exist"


def _nothing_of_the_record(
    observed: Observed, service: ServiceInfo, recorded: Collection[Witness]
) -> Iterator[str]:
    """Another account looks like an empty one: our record tells them apart."""
    if service.type == "emulator":
        return  # a store that was made anew is no account of anybody's
    jobs = {
        witness.job
        for witness in recorded
        if witness.source == "ftctl.lock"
        and witness.job is not None
        and (witness.base_url is None or service.is_at(witness.base_url))
    }
    if jobs and jobs.isdisjoint(job.id for job in observed.every_job):
        count = plural(len(jobs), "job")
        shows = "it does not show" if len(jobs) == 1 else "none of them shows"
        yield (
            f"ftctl.lock records {count} of this address, and {shows} here:"
            " see that the key is right"
        )


def _all_models_gone(changes: Collection[Change], observed: Observed) -> Iterator[str]:
    """Models seldom go all at once; what a key may see changes in a moment."""
    models = {change.model: change for change in changes if change.model is not None}
    gone = [
        model
        for model, change in models.items()
        if change.action is Action.ATTENTION and not observed.has_model(model)
    ]
    if len(gone) >= _SEVERAL and not any(map(observed.has_model, models)):
        count = f"all {len(gone):,} models"
        yield f"{count} are gone at once: see that the key is right, and sees them"
