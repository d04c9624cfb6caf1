"""A record in; what exists at the service, as far as the record tells, out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.domain.observed import Job, Observed
from ftctl.lockfile.lock import Entry, Lock, Release


def observed_from(lock: Lock, environment: str, *, others: bool = False) -> Observed:
    """The jobs that stand or are promoted, with their models, newest first; no files.

    And the jobs whose models were retired, without those.

    `others`: also the jobs that other projects bought, as for `Provider.observe`.
    """
    releases: dict[str, tuple[str, Release]] = {}
    promoted: dict[str, Job] = {}
    for name, entry in sorted(lock.entries(environment).items()):
        if entry.release is not None:
            releases.setdefault(entry.release.job, (name, entry.release))
        promoted |= {job.id: job for job in _pointed(name, entry)}
    for name, entry in sorted(lock.entries(environment).items()):
        for release in entry.beside:  # after what stands, by whatever name
            releases.setdefault(release.job, (name, release))
    jobs = {job: _job(name, release) for job, (name, release) in releases.items()}
    adopted = [jobs[job] for job, (_, release) in releases.items() if release.adopted]
    theirs = [jobs[job] for job, (_, release) in releases.items() if release.owner]
    apart = {job.id for job in (*adopted, *theirs)}
    ours = [job for job in (promoted | jobs).values() if job.id not in apart]
    return Observed(
        jobs=_newest_first(ours),
        models=frozenset(_models(lock, environment)),
        adopted=_newest_first(adopted),
        others=_newest_first(theirs) if others else (),
    )


def _job(name: str, release: Release) -> Job:
    return Job(
        id=release.job,
        status="succeeded",
        created_at=release.created_at,
        finetune=None if release.adopted else name,
        digest=None if release.adopted else release.digest,
        project=release.owner,
        spec=release.spec,
        model=release.model,
        base_model=release.base_model,
        metadata=release.metadata,
        trained_tokens=release.trained_tokens,
        finished_at=release.finished_at,
        hyperparameters=release.hyperparameters,
        seed=release.seed,
        commit=release.commit,
    )


def _pointed(name: str, entry: Entry) -> Iterator[Job]:
    """Jobs that a pointer leads to by their final model; when they were made is not on record."""
    for pointer in (*entry.retired, *entry.promoted.values()):
        if pointer.digest is not None and pointer.checkpoint is None:
            yield Job(pointer.job, "succeeded", 0, name, pointer.digest, model=pointer.model)


def _models(lock: Lock, environment: str) -> set[str]:
    entries = lock.entries(environment).values()
    retired = {pointer.model for entry in entries for pointer in entry.retired}
    return set(_recorded_models(lock, environment)) - retired


def _recorded_models(lock: Lock, environment: str) -> Iterator[str]:
    for entry in lock.entries(environment).values():
        for release in entry.releases:
            yield release.model
            yield from (release.checkpoints or {}).values()
        yield from (pointer.model for pointer in entry.promoted.values())


def _newest_first(jobs: list[Job]) -> tuple[Job, ...]:
    return tuple(sorted(jobs, key=lambda job: job.age_order, reverse=True))
