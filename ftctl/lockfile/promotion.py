"""A record in, the same with an alias moved out: to another model, or back to the one before."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from ftctl.lockfile.lock import Lock, Pointer

DEFAULT_ALIAS = "prod"
_ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MOST_EARLIER = 20  # pointers kept to go back to


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
        history[alias] = (*entry.history.get(alias, ()), before)[-_MOST_EARLIER:]
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
        if entry.release or entry.promoted or entry.more
    }
    return lock.with_entries(environment, kept)


def protected(lock: Lock) -> Mapping[str, str]:
    """Promoted models, and the jobs that made them, with their aliases in words.

    Those of every environment: several may share one service and one project's tag.
    """
    aliases: dict[str, set[str]] = {}
    for section in lock.environments.values():
        for entry in section.finetunes.values():
            for alias, pointer in entry.promoted.items():
                for key in (pointer.model, pointer.job):
                    aliases.setdefault(key, set()).add(alias)
    return {key: " and ".join(sorted(names)) for key, names in aliases.items()}
