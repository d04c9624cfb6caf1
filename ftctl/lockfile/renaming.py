"""A record and the manifests in; the record with each entry under the name it has now, out.

A fine-tune is what its digest says. A name may be changed, or exchanged with another's, and what
is promoted, retired and remembered goes with the training, not with the name. But a name that is
promoted never comes to lead to another model by that: an entry moves only to a place that is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ftctl.domain.desired import Desired
from ftctl.domain.observed import Job
from ftctl.lockfile.lock import Entry, Lock

_FIRST = "prod"  # of an entry's aliases


def renamed(lock: Lock, environment: str, desired: Desired, jobs: Iterable[Job] = ()) -> Lock:
    """The record with the entries of fine-tunes that have other names now under those.

    An entry moves to the fine-tune that asks for its training, where its own name has left the
    manifests or takes over another entry in the same way (names were exchanged), and where nothing
    is promoted under the new name, or what is moves on as well. A name that asks for something new
    keeps its entry, whoever asks for its old training: applications use what is promoted so.
    `jobs` tell of a new spec that trains under the old name and is not on record yet.
    """
    entries = lock.entries(environment)
    moves = _moves(entries, desired, tuple(jobs))
    if not moves:
        return lock
    staying = {name: entry for name, entry in entries.items() if name not in moves}
    digests = {finetune.name: finetune.digest for finetune in desired.finetunes}
    moved = {
        new: _merged(entries[old], staying.get(new), digests[new]) for old, new in moves.items()
    }
    return lock.with_entries(environment, {**staying, **moved})


def _moves(entries: Mapping[str, Entry], desired: Desired, jobs: tuple[Job, ...]) -> dict[str, str]:
    """Which entry moves to which name: of all that may, those that get in nobody's way."""
    names = {finetune.name for finetune in desired.finetunes}
    moves: dict[str, str] = {}
    # Of two that would go to the same place, what is promoted and asked for no more goes first.
    for name, entry in sorted(
        entries.items(), key=lambda one: (one[0] in names, not one[1].promoted, one[0])
    ):
        new = _new_name(name, entry, entries, desired, jobs)
        if new is not None and new not in moves.values():
            moves[name] = new
    while blocked := [name for name in moves if not _is_free(name, moves, entries, names)]:
        for name in blocked:
            del moves[name]
    return moves


def _is_free(
    name: str, moves: Mapping[str, str], entries: Mapping[str, Entry], names: set[str]
) -> bool:
    """Whether an entry may leave its name, and come to the new one."""
    leaves = name not in names or name in moves.values()
    there = entries.get(moves[name], Entry())
    return leaves and (moves[name] in moves or not (there.promoted or there.history))


def _new_name(
    name: str, entry: Entry, entries: Mapping[str, Entry], desired: Desired, jobs: tuple[Job, ...]
) -> str | None:
    """The other fine-tune that asks for what an entry is about; None where its own still does."""
    own = desired.named(name)
    digests = tuple(_digests(entry))
    if own is not None and not {*own.digests}.isdisjoint(digests):
        return None
    heirs = [one for digest in digests for one in desired.finetunes if digest in one.digests]
    if not heirs:
        bought = {job.digest for job in jobs if job.finetune == name}
        heirs = [
            one for one in desired.finetunes if one.digest in bought and one.name not in entries
        ]
    # Two may ask for the same: one that is on record already has its own.
    ordered = sorted(heirs, key=lambda one: one.name in entries)
    return ordered[0].name if ordered else None


def _digests(entry: Entry) -> Iterator[str]:
    """What an entry is about: its release, else what is promoted."""
    if entry.release is not None:
        yield entry.release.digest
    for _, pointer in sorted(entry.promoted.items(), key=lambda one: (one[0] != _FIRST, one[0])):
        if pointer.digest is not None:
            yield pointer.digest


def _merged(entry: Entry, there: Entry | None, digest: str) -> Entry:
    """An entry that comes to a name under which nothing is promoted."""
    if there is None:
        return entry
    release = there.release
    if release is None or release.digest != digest:
        release = entry.release
    known = {pointer.job for pointer in entry.retired}
    retired = (*entry.retired, *(one for one in there.retired if one.job not in known))
    bought = {one.job for one in entry.beside}
    beside = (*entry.beside, *(one for one in there.beside if one.job not in bought))
    more = {**there.more, **entry.more}
    return replace(entry, release=release, retired=retired, beside=beside, more=more)
