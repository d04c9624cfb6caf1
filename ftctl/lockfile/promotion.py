"""A record in, the same with an alias moved out: to another model, or back to the one before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ftctl.lockfile.lock import Entry, Lock, Pointer

DEFAULT_ALIAS = "prod"
_ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MOST_RETIRED = 50
_MINOR = 1  # of the form of the record that has them: 1.1
MOST_EARLIER = 20  # pointers kept to go back to


def is_alias(text: str) -> bool:
    """Whether an alias may be called so."""
    return _ALIAS.fullmatch(text) is not None


def promote(lock: Lock, environment: str, name: str, alias: str, pointer: Pointer) -> Lock:
    """The record with the alias at the pointer; the same record where it leads there already."""
    entry = lock.entry(environment, name)
    before = entry.promoted.get(alias)
    if before is not None and before.leads_to(pointer):
        return lock
    history = dict(entry.history)
    if before is not None:
        history[alias] = (*entry.history.get(alias, ()), before)[-MOST_EARLIER:]
    after = replace(entry, promoted={**entry.promoted, alias: pointer}, history=history)
    return lock.with_entries(environment, {**lock.entries(environment), name: after})


def rollback(lock: Lock, environment: str, name: str, alias: str) -> Lock:
    """The record with the alias at the pointer before; the same record where there is none."""
    entry = lock.entry(environment, name)
    before = entry.history.get(alias, ())
    if not before:
        return lock
    *rest, earlier = before
    history = {key: value for key, value in entry.history.items() if key != alias}
    if rest:
        history[alias] = tuple(rest)
    after = replace(entry, promoted={**entry.promoted, alias: earlier}, history=history)
    return lock.with_entries(environment, {**lock.entries(environment), name: after})


def without_models(lock: Lock, environment: str, models: Collection[str]) -> Lock:
    """The record without promotions of models that were deleted."""
    entries = {
        name: replace(
            entry,
            promoted={
                alias: pointer
                for alias, pointer in entry.promoted.items()
                if pointer.model not in models
            },
        )
        for name, entry in lock.entries(environment).items()
    }
    kept = {
        name: entry
        for name, entry in entries.items()
        if entry.release or entry.promoted or entry.retired or entry.beside or entry.more
    }
    return lock.with_entries(environment, kept)


def with_retired(lock: Lock, environment: str, retired: Mapping[str, Sequence[Pointer]]) -> Lock:
    """The record with models that ftctl has deleted as it was asked to, by fine-tune.

    Without it, nobody could tell them from models that are hidden. A name that none could have in
    a manifest is left out: a service may tell of any.
    """
    entries = dict(lock.entries(environment))
    for name, pointers in retired.items():
        if _ALIAS.fullmatch(name) is None:  # fine-tunes are named as aliases are
            continue
        entry = entries.get(name, Entry())
        new = [at for at in pointers if at.job not in {known.job for known in entry.retired}]
        entries[name] = replace(entry, retired=(*entry.retired, *new)[-MOST_RETIRED:])
    after = lock.with_entries(environment, entries)
    return after if after == lock else replace(after, minor=max(after.minor, _MINOR))


class KeptForOthers(Mapping[str, str]):
    """Every model, with the reason why it stays: nobody can tell which of them others use."""

    def __init__(self, known: Mapping[str, str], environments: Collection[str]) -> None:
        self._known = known
        names = " and ".join(sorted(environments))
        self._why = f"ftctl.lock does not tell what {names} {'use' if ' and ' in names else 'uses'}"

    def __getitem__(self, key: str) -> str:
        """Why a model, or the job that made it, stays; "" is none of them."""
        if not key:
            raise KeyError(key)
        return self._known.get(key, self._why)

    def __iter__(self) -> Iterator[str]:
        """Those that are known by name."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many are known by name; never none, since all are kept."""
        return len(self._known) + 1


def protected(lock: Lock, environment: str) -> Mapping[str, str]:
    """Promoted models, and the jobs that made them, with the reason why they stay.

    Those of every environment, since several may share one service and one project's tag; and what
    stands for a fine-tune in another environment than the one that is planned for.
    """
    aliases: dict[str, set[str]] = {}
    for section in lock.environments.values():
        for entry in section.finetunes.values():
            for alias, pointer in entry.promoted.items():
                for key in (pointer.model, pointer.job):
                    aliases.setdefault(key, set()).add(alias)
    reasons = {
        key: f"in use by the environment {name}"
        for name, section in sorted(lock.environments.items())
        for entry in section.finetunes.values()
        if name != environment
        for release in entry.releases
        for key in (release.model, release.job)
    }
    promoted = {key: f"promoted as {' and '.join(sorted(names))}" for key, names in aliases.items()}
    return reasons | promoted
