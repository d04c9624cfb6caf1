"""A project in; the model that serves for each of its fine-tunes, by alias or newest, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ftctl.catalog.services import Service
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Change
from ftctl.engine.context import RunContext
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, make_plan_for
from ftctl.engine.promotion import model_exists
from ftctl.engine.record import environment_of
from ftctl.engine.selecting import names_meant
from ftctl.engine.session import Session
from ftctl.lockfile import DEFAULT_ALIAS, Entry, read_lock_file
from ftctl.providers.protocol import Reader


@dataclass(frozen=True, slots=True)
class ServingModel:
    """What serves for one fine-tune. Without a model, `why` says what keeps it."""

    name: str
    model: str | None
    job: str | None
    digest: str | None
    status: str | None
    current: bool  # whether it is the model of the spec
    promoted: Mapping[str, str] = field(default_factory=dict)  # alias -> model
    why: str = ""
    note: str | None = None


def serving_models(session: Session, name: str | None, alias: str | None) -> list[ServingModel]:
    """What serves for every fine-tune, one, or those of a pattern, as service and record tell."""
    known = [one.name for one in session.desired.finetunes]
    names = known if name is None else names_meant((name,), known, "output")
    entries = read_lock_file(session.root).entries(environment_of(session.context))
    with session.provider() as provider:
        observed = observe(session, provider)
        plan = make_plan_for(session, observed, PlanRequest())
        return [
            _served(
                _serving(change, entries.get(change.name, Entry()), alias, observed, provider),
                session.service,
            )
            for change in plan.changes
            if change.kind == "FineTune" and change.name in names
        ]


def _served(answer: ServingModel, service: Service) -> ServingModel:
    """The same; of a model that has no name yet, how it gets one."""
    if answer.model is None or answer.model != answer.job:
        return answer
    how = service.serving.replace("JOB", answer.job)
    return replace(
        answer, model=None, why=f"{answer.name} has no name to be asked by at {service.type}: {how}"
    )


def recorded_models(context: RunContext, name: str | None, alias: str | None) -> list[ServingModel]:
    """What ftctl.lock tells, without the manifests and the service."""
    entries = read_lock_file(context.root).entries(environment_of(context))
    if name is not None:
        names = names_meant((name,), entries, "output --offline: ftctl.lock")
        entries = {name: entries[name] for name in names}
    return [_recorded(one, entry, alias) for one, entry in sorted(entries.items())]


def _serving(
    change: Change, entry: Entry, alias: str | None, observed: Observed, provider: Reader
) -> ServingModel:
    pointer = entry.promoted.get(alias or DEFAULT_ALIAS)
    if pointer is None:
        if alias is not None:
            return _not_promoted(change.name, alias, entry)
        return _newest(change, observed, entry)
    status = next((job.status for job in observed.every_job if job.id == pointer.job), None)
    promoted = _promoted(
        change.name, alias or DEFAULT_ALIAS, entry, status=status, current=pointer.job == change.job
    )
    if model_exists(provider, observed, pointer.model):
        return promoted
    return replace(
        promoted,
        model=None,
        current=False,
        why=f"{change.name} is promoted as {alias or DEFAULT_ALIAS}, but {pointer.model} does not"
        " exist at the service",
    )


def _promoted(
    name: str, alias: str, entry: Entry, *, status: str | None, current: bool
) -> ServingModel:
    pointer = entry.promoted[alias]
    return ServingModel(
        name=name,
        model=pointer.model,
        job=pointer.job,
        digest=pointer.digest,
        status=status,
        current=current,
        promoted=_aliases(entry),
        note=None if current else f"{name}: {alias} is not the model of the spec",
    )


def _not_promoted(name: str, alias: str, entry: Entry) -> ServingModel:
    why = f"{name} is not promoted as {alias}"
    return ServingModel(
        name, None, None, None, None, current=False, promoted=_aliases(entry), why=why
    )


def _newest(change: Change, observed: Observed, entry: Entry) -> ServingModel:
    job = _job_to_use(change, observed)
    earlier = job is not None and job.digest != change.digest and job in observed.jobs
    note = f"{change.name}: this is the model of an earlier spec; {change.reason}"
    return ServingModel(
        name=change.name,
        model=job.model if job else None,
        job=job.id if job else None,
        digest=(job.digest if job else None) or change.digest,
        status=job.status if job else None,
        current=job is not None and job.model is not None and job.id == change.job,
        promoted=_aliases(entry),
        why=f"{change.name} has no model yet: {change.reason}",
        note=note if earlier else None,
    )


def _job_to_use(change: Change, observed: Observed) -> Job | None:
    """The job whose model serves: that of the spec, else the newest of an earlier one.

    While a new spec trains, applications go on with what there is.
    """
    jobs = {job.id: job for job in observed.every_job}
    standing = jobs.get(change.job or "")
    if standing is not None and standing.model == change.model and change.model is not None:
        return standing
    for job in observed.jobs:
        live = job.status == "succeeded" and job.model is not None
        if live and job.finetune == change.name and observed.has_model(job.model or ""):
            return job
    return standing


def _aliases(entry: Entry) -> dict[str, str]:
    return {alias: pointer.model for alias, pointer in sorted(entry.promoted.items())}


def _recorded(name: str, entry: Entry, alias: str | None) -> ServingModel:
    pointer = entry.promoted.get(alias or DEFAULT_ALIAS)
    release = entry.release
    if pointer is not None:
        current = release is not None and release.job == pointer.job
        return _promoted(name, alias or DEFAULT_ALIAS, entry, status="succeeded", current=current)
    if alias is not None or release is None:
        return _not_promoted(name, alias or DEFAULT_ALIAS, entry)
    return ServingModel(
        name=name,
        model=release.model,
        job=release.job,
        digest=release.digest,
        status="succeeded",
        current=True,
        promoted=_aliases(entry),
    )
