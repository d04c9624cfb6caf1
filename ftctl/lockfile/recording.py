"""What is asked for, what exists and the record so far in; the record of what stands now out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ftctl.catalog.answer import asked_otherwise
from ftctl.catalog.request import row_of
from ftctl.domain.desired import Dataset, Desired, FineTune
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action, Plan
from ftctl.lockfile.lock import DataFile, Entry, Lock, Release
from ftctl.lockfile.renaming import renamed

_MINOR = 3  # of the form of the record that says what rows were made of: 1.3

Checkpoints = Mapping[str, Mapping[int, str]]  # by job: step -> model


def updated(
    lock: Lock,
    environment: str,
    desired: Desired,
    observed: Observed,
    plan: Plan,
    *,
    version: str,
    commit: str | None,
    checkpoints: Checkpoints,
) -> Lock:
    """The record with an entry for each fine-tune whose job succeeded and whose model exists.

    `plan` says which job stands; it is made after the apply. An entry follows its fine-tune to
    another name. What left the manifests goes, unless it is promoted, and but for what was
    retired. A fine-tune without a model yet keeps its entry as long as that model exists.
    `commit` counts where the job's own tag has none. What a merge put beside an entry stays until
    the service shows that job: then the job's own mark says what it is. Or until another stands.
    """
    lock = renamed(lock, environment, desired, observed.jobs)
    before = lock.entries(environment)
    entries = dict(before)
    doubtful = {change.name for change in plan.changes if change.action is Action.ATTENTION}
    for name, entry in before.items():
        asked_for = entry.promoted or desired.named(name)
        visible = entry.release is not None and observed.has_model(entry.release.model)
        if not (asked_for and (visible or name in doubtful)):  # what is only hidden must stay
            entries[name] = replace(entry, release=None)
    shown = {job.id for job in observed.every_job}
    entries = {
        name: replace(entry, beside=_not_seen(entry, shown) if desired.named(name) else ())
        for name, entry in entries.items()
    }
    for finetune, job in _standing(desired, observed, plan):
        entry = entries.get(finetune.name, Entry())
        recorded = entry.release if entry.release and entry.release.job == job.id else None
        release = _release(finetune, job, recorded, plan, version=version, commit=commit)
        steps = checkpoints.get(job.id, recorded.checkpoints if recorded else None)
        after = replace(entry, release=replace(release, checkpoints=steps))
        # Whoever bought this one after those beside it, saw them or was told to buy all the same.
        bought = entry.release is not None and entry.release.job != job.id
        entries[finetune.name] = replace(after, beside=()) if bought else after
    kept = {
        name: entry
        for name, entry in entries.items()
        if entry.release or entry.promoted or entry.retired or entry.beside
    }
    now = lock.with_entries(environment, kept)
    return replace(now, minor=max(now.minor, _MINOR)) if now.names_origins else now


def _not_seen(entry: Entry, shown: Collection[str]) -> tuple[Release, ...]:
    return tuple(release for release in entry.beside if release.job not in shown)


def unknown_checkpoints(
    lock: Lock, environment: str, desired: Desired, observed: Observed, plan: Plan
) -> tuple[str, ...]:
    """The jobs to be recorded whose checkpoints are not on record."""
    recorded = {
        entry.release.job
        for entry in lock.entries(environment).values()
        if entry.release is not None and entry.release.checkpoints is not None
    }
    standing = dict.fromkeys(job.id for _, job in _standing(desired, observed, plan))
    return tuple(job for job in standing if job not in recorded)


def _standing(desired: Desired, observed: Observed, plan: Plan) -> Iterator[tuple[FineTune, Job]]:
    """Each fine-tune with the job that stands for it and left a model."""
    jobs = {job.id: job for job in observed.every_job}
    for change in plan.changes:
        finetune = desired.named(change.name) if change.kind == "FineTune" else None
        job = jobs.get(change.job or "")
        if finetune is None or job is None or job.status != "succeeded" or job.model is None:
            continue
        if observed.has_model(job.model):
            yield finetune, job


def _release(
    finetune: FineTune,
    job: Job,
    recorded: Release | None,
    plan: Plan,
    *,
    version: str,
    commit: str | None,
) -> Release:
    """The release that a job is. `recorded` is what was known of the same job before.

    What only the manifest tells may change under a job that stays, as its suffix may: then what
    was recorded first is what the job was bought with.
    """
    adopted = finetune.adopt == job.id
    of_before = finetune.earlier is not None and job.digest == finetune.earlier
    asked_for = finetune.spec.get("seed")
    return Release(
        digest=finetune.earlier if of_before and finetune.earlier else finetune.digest,
        job=job.id,
        model=job.model or "",
        created_at=job.created_at,
        ftctl_version=recorded.ftctl_version if recorded else version,
        method=finetune.method,
        base_model=job.base_model,
        training=_data_file(
            finetune.training, recorded, recorded.training if recorded else None, old=of_before
        ),
        validation=_data_file(
            finetune.validation, recorded, recorded.validation if recorded else None, old=of_before
        ),
        hyperparameters=job.hyperparameters,
        asked=_asked_otherwise(finetune, job, plan),
        seed=job.seed if job.seed is not None else asked_for,
        suffix=recorded.suffix if recorded else finetune.spec.get("suffix"),
        metadata=job.metadata,
        spec=job.spec,
        trained_tokens=job.trained_tokens,
        finished_at=job.finished_at,
        commit=job.commit or (recorded.commit if recorded else None if adopted else commit),
        service=_service(plan),
        adopted=adopted,
        owner=job.project,
    )


def _asked_otherwise(finetune: FineTune, job: Job, plan: Plan) -> dict[str, Any]:
    """What was asked for where the job says that something else was trained."""
    if job.digest != finetune.digest or finetune.adopt is not None:
        return {}
    return asked_otherwise(finetune.spec, job, row_of(plan.service.type))


def _service(plan: Plan) -> dict[str, str]:
    """Where the job is, and whose it is as far as the service tells."""
    account = {"organization": plan.account.organization, "project": plan.account.project}
    told = {key: value for key, value in account.items() if value is not None}
    return {"type": plan.service.type, "base_url": plan.service.base_url, **told}


def _data_file(
    dataset: Dataset | None, recorded: Release | None, before: DataFile | None, *, old: bool
) -> DataFile | None:
    """The file that the job was bought with, under the path that it has now.

    `old` is one of a job that trained on what an earlier ftctl made of its source.
    """
    if old and dataset is not None and dataset.before is not None:
        return before  # what is made now says nothing of it
    if dataset is None or (recorded is not None and before is None):
        return before
    if before is not None and dataset.sha256 != before.sha256:
        return before
    known = before or DataFile("", dataset.sha256, dataset.examples)
    if dataset.origin is None:
        return replace(known, path=dataset.path, dataset=None, origin=None)
    path = dataset.origin.path
    return replace(known, path=path, dataset=dataset.name, origin=dataset.origin)
