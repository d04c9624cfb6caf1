"""The record in; what it says was bought, as witnesses against buying it again, out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.domain.desired import Spec
from ftctl.domain.observed import AccountId
from ftctl.domain.witness import Witness
from ftctl.lockfile.lock import DEFAULT_ENVIRONMENT, Entry, Lock, Pointer, Release

_Place = tuple[str | None, str | None, AccountId, str | None]


def witnesses_of(lock: Lock) -> tuple[Witness, ...]:
    """A witness for every release, promotion and retired model, of every environment."""
    return tuple(
        witness
        for environment, section in sorted(lock.environments.items())
        for name, entry in sorted(section.finetunes.items())
        for witness in _of_entry(None if environment == DEFAULT_ENVIRONMENT else environment,
                                 name, entry)
    )  # fmt: skip


def recorded_jobs(lock: Lock, environment: str) -> frozenset[str]:
    """The jobs that an environment's section names."""
    entries = lock.entries(environment).values()
    pointers = [pointer for entry in entries for pointer in _pointers(entry)]
    releases = [release for entry in entries for release in entry.releases]
    return frozenset([at.job for at in pointers] + [release.job for release in releases])


def _of_entry(environment: str | None, name: str, entry: Entry) -> Iterator[Witness]:
    retired = {pointer.job for pointer in entry.retired}
    for release in entry.releases:
        if release.adopted:  # another bought that one, for its own ends
            continue
        if release is entry.release or release.job not in retired:
            yield Witness(
                "ftctl.lock", name, release.digest, release.job, release.model,
                release.created_at, *_place(release, environment),
            )  # fmt: skip
    place = _place(entry.release, environment)
    for pointer in _pointers(entry):
        if pointer.digest is not None:
            yield Witness(
                "ftctl.lock", name, pointer.digest, pointer.job, pointer.model, 0, *place,
                retired=pointer in entry.retired,
            )  # fmt: skip


def _place(release: Release | None, environment: str | None) -> _Place:
    service: Spec = release.service if release is not None else {}
    account = AccountId(_text(service, "organization"), _text(service, "project"))
    return _text(service, "type"), _text(service, "base_url"), account, environment


def _pointers(entry: Entry) -> tuple[Pointer, ...]:
    """Every job that is on record beside the release."""
    earlier = [pointer for pointers in entry.history.values() for pointer in pointers]
    return (*entry.retired, *entry.promoted.values(), *earlier)


def _text(mapping: Spec, key: str) -> str | None:
    value = mapping.get(key)
    return value if isinstance(value, str) else None
