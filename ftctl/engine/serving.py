"""A project in; the model that serves for each of its fine-tunes, by alias or newest, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ftctl.catalog.services import Service
from ftctl.domain.desired import Desired
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action, Change
from ftctl.engine.context import RunContext
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, make_plan_for
from ftctl.engine.promotion import model_exists
from ftctl.engine.record import environment_of
from ftctl.engine.selecting import names_meant
from ftctl.engine.session import Session
from ftctl.lockfile import DEFAULT_ALIAS, Entry, Pointer, read_lock_file, renamed
from ftctl.planner.lineage import lineage
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
    stuck: bool = False  # without a model, and nothing that runs or is planned brings it one


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the service tells, and who to ask for more."""

    observed: Observed
    provider: Reader
    jobs: Mapping[str, list[Job]]  # of each fine-tune, whatever they were trained as, newest first


def serving_models(session: Session, name: str | None, alias: str | None) -> list[ServingModel]:
    """What serves for every fine-tune, one, or those of a pattern, as service and record tell."""
    known = [one.name for one in session.desired.finetunes]
    names = known if name is None else names_meant((name,), known, "output")
    lock, environment = read_lock_file(session.root), environment_of(session.context)
    with session.provider() as provider:
        observed = observe(session, provider)
        entries = renamed(lock, environment, session.desired, observed.jobs).entries(environment)
        plan = make_plan_for(session, observed, PlanRequest())
        seen = _Seen(observed, provider, _by_finetune(session.desired, observed, entries))
        return [
            _served(
                _serving(change, entries.get(change.name, Entry()), alias, seen), session.service
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


def _by_finetune(
    desired: Desired, observed: Observed, entries: Mapping[str, Entry]
) -> Mapping[str, list[Job]]:
    """The jobs of each fine-tune, whatever they were trained as, newest first."""
    names = dict(lineage(desired, observed.jobs))
    for name, entry in entries.items():
        if entry.release is not None and desired.named(name) is not None:
            names.setdefault(entry.release.job, name)
    jobs: dict[str, list[Job]] = {}
    for job in sorted(observed.jobs, key=lambda job: job.age_order, reverse=True):
        if (owner := names.get(job.id)) is not None:
            jobs.setdefault(owner, []).append(job)
    return jobs


def _serving(change: Change, entry: Entry, alias: str | None, seen: _Seen) -> ServingModel:
    pointer = entry.promoted.get(alias or DEFAULT_ALIAS)
    if pointer is None:
        if alias is not None:
            return _not_promoted(change.name, alias, entry)
        return _newest(change, entry, seen)
    status = next((job.status for job in seen.observed.every_job if job.id == pointer.job), None)
    promoted = _promoted(
        change.name, alias or DEFAULT_ALIAS, entry, status=status, current=pointer.job == change.job
    )
    if model_exists(seen.provider, seen.observed, pointer.model):
        return promoted
    return replace(
        promoted,
        model=None,
        current=False,
        why=f"{change.name} is promoted as {alias or DEFAULT_ALIAS}, but {pointer.model}"
        f" {_why_unseen(pointer, entry)}",
        stuck=True,
    )


def _why_unseen(pointer: Pointer, entry: Entry) -> str:
    """What is known of a promoted model that is not there; nothing newer goes in its place."""
    if pointer.model in {retired.model for retired in entry.retired}:
        return "was retired: promote another"
    return "is not visible to this key: it was deleted, or is hidden"


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


def _newest(change: Change, entry: Entry, seen: _Seen) -> ServingModel:
    job, model = _job_to_use(change, seen)
    earlier = job is not None and job.digest != change.digest and job in seen.observed.jobs
    note = f"{change.name}: this is the model of another spec; {change.reason}"
    return ServingModel(
        name=change.name,
        model=model,
        job=job.id if job else None,
        digest=(job.digest if job else None) or change.digest,
        status=job.status if job else None,
        current=job is not None and model is not None and job.id == change.job,
        promoted=_aliases(entry),
        why=f"{change.name} has no model yet: {change.reason}",
        note=note if earlier else None,
        stuck=model is None and change.action is Action.ATTENTION,
    )


def _job_to_use(change: Change, seen: _Seen) -> tuple[Job | None, str | None]:
    """The job whose model serves, and that model: of the spec, else the newest of another one.

    While a new spec trains, applications go on with what there is. A model that cannot be seen
    serves nobody.
    """
    observed = seen.observed
    standing = next((job for job in observed.every_job if job.id == change.job), None)
    if standing is not None and _serves(standing, observed) and standing.model == change.model:
        return standing, standing.model
    for job in seen.jobs.get(change.name, ()):
        if _serves(job, observed):
            return job, job.model
    return standing, None


def _serves(job: Job, observed: Observed) -> bool:
    return job.status == "succeeded" and job.model is not None and observed.has_model(job.model)


def _aliases(entry: Entry) -> dict[str, str]:
    return {alias: pointer.model for alias, pointer in sorted(entry.promoted.items())}


def _recorded(name: str, entry: Entry, alias: str | None) -> ServingModel:
    pointer = entry.promoted.get(alias or DEFAULT_ALIAS)
    release = entry.release
    if pointer is not None:
        current = release is not None and release.job == pointer.job
        found = _promoted(name, alias or DEFAULT_ALIAS, entry, status="succeeded", current=current)
        if pointer.model in {retired.model for retired in entry.retired}:
            why = f"{name} is promoted as {alias or DEFAULT_ALIAS}, but {pointer.model}"
            return replace(
                found,
                model=None,
                current=False,
                why=f"{why} {_why_unseen(pointer, entry)}",
                stuck=True,
            )
        return found
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
