"""Two records that grew from one in; the record that loses nothing of either out.

A record may only stop a purchase, so wherever both sides changed the same, what stops more stays:
of two jobs for one fine-tune both are known, of a removal and a change the change counts. Which
side is called ours makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple, TypeVar

from ftctl.domain.desired import Spec
from ftctl.lockfile.lock import Entry, Lock, Pointer, Release, Section
from ftctl.lockfile.lock_codec import pointer_document, release_document
from ftctl.lockfile.promotion import MOST_EARLIER, MOST_RETIRED

T = TypeVar("T")

IsAncestor = Callable[[str, str], bool]  # whether the second commit descends from the first

_MOST_BESIDE = 20  # jobs known beside the one that stands
_MINOR = 2  # of the form of the record that has them: 1.2


class Merged(NamedTuple):
    """A record made of two, and a line for each thing that a rule had to decide."""

    lock: Lock
    decided: tuple[str, ...]


class _Side(NamedTuple):
    """Where an alias leads, and where it led before."""

    pointer: Pointer | None
    earlier: tuple[Pointer, ...]


def merged(
    base: Lock, ours: Lock, theirs: Lock, is_ancestor: IsAncestor = lambda _a, _b: False
) -> Merged:
    """The record with what either side changed since `base`.

    What one side alone changed is as that side has it. Where both changed the same, each rule is
    told of in `decided`: docs/releases.md lists them.
    """
    merge = _Merge(is_ancestor)
    sections = {
        name: section
        for name in sorted({*ours.environments, *theirs.environments})
        if (section := merge.section(name, *_each(name, *map(_sections, (base, ours, theirs)))))
    }
    minor = max(ours.minor, theirs.minor)
    if any(entry.beside for section in sections.values() for entry in section.finetunes.values()):
        minor = max(minor, _MINOR)
    more = merge.keys("the record", base.more, ours.more, theirs.more)
    return Merged(Lock(sections, minor, more), tuple(merge.decided))


class _Merge:
    """The rules, and what they decided."""

    def __init__(self, is_ancestor: IsAncestor) -> None:
        self.is_ancestor = is_ancestor
        self.decided: list[str] = []

    def section(
        self, name: str, base: Section | None, ours: Section | None, theirs: Section | None
    ) -> Section | None:
        done, section = _clean(base, ours, theirs)
        if done:
            return section
        none = Section()
        finetunes = [(one or none).finetunes for one in (base, ours, theirs)]
        entries = {
            key: entry
            for key in sorted({*finetunes[1], *finetunes[2]})
            if (entry := self.entry(f"{name}/{key}", *_each(key, *finetunes)))
        }
        more = self.keys(name, *((one or none).more for one in (base, ours, theirs)))
        return Section(entries, more) if entries or more else None

    def entry(
        self, where: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> Entry | None:
        done, entry = _clean(base, ours, theirs)
        if done:
            return entry
        if ours is None or theirs is None:
            self.decided.append(f"{where}: removed on one side, changed on the other: it stays")
            return ours or theirs
        base = base or Entry()
        release, lost = self.release(where, base.release, ours.release, theirs.release)
        promoted, history = {}, {}
        for alias in sorted({*ours.promoted, *theirs.promoted, *ours.history, *theirs.history}):
            sides = [_Side(one.promoted.get(alias), one.history.get(alias, ()))
                     for one in (base, ours, theirs)]  # fmt: skip
            side = self.alias(where, alias, *sides)
            if side.pointer is not None:
                promoted[alias] = side.pointer
            if side.earlier:
                history[alias] = side.earlier
        return Entry(
            release,
            promoted,
            history,
            self.keys(where, base.more, ours.more, theirs.more),
            _retired(ours.retired, theirs.retired),
            _beside(release, lost, base.beside, ours.beside, theirs.beside),
        )

    def release(
        self, where: str, base: Release | None, ours: Release | None, theirs: Release | None
    ) -> tuple[Release | None, Release | None]:
        """The release that stands, and one that has to be known beside it."""
        done, release = _clean(base, ours, theirs)
        if done:
            return release, None
        if ours is None or theirs is None:
            self.decided.append(f"{where}: one side has no job any more, the other: it stays")
            return ours or theirs, None
        if ours.job == theirs.job:
            return _facts(base, ours, theirs), None
        stands, other = (ours, theirs) if self._stands(ours, theirs) else (theirs, ours)
        self.decided.append(
            f"{where}: each side has a job of its own: {stands.job} stands,"
            f" {other.job} is known beside it"
        )
        return stands, other

    def _stands(self, one: Release, other: Release) -> bool:
        """Whether the first of two jobs is the one that stands: it was asked for later."""
        if one.commit and other.commit and one.commit != other.commit:
            if self.is_ancestor(other.commit, one.commit):
                return True
            if self.is_ancestor(one.commit, other.commit):
                return False
        return (one.created_at, one.job) > (other.created_at, other.job)

    def alias(self, where: str, alias: str, base: _Side, ours: _Side, theirs: _Side) -> _Side:
        done, side = _clean(base, ours, theirs)
        if done:
            return side
        earlier = _kept(base.earlier, ours.earlier, theirs.earlier)
        same, pointer = _clean(base.pointer, ours.pointer, theirs.pointer)
        if same:
            return _Side(pointer, _in_order(earlier, without=pointer))
        if ours.pointer is None or theirs.pointer is None:
            self.decided.append(f"{where}: {alias} was taken away on one side, and moved: it stays")
            pointer = ours.pointer or theirs.pointer
            return _Side(pointer, _in_order(earlier, without=pointer))
        pointer, other = sorted((ours.pointer, theirs.pointer), key=_lateness, reverse=True)
        if not pointer.leads_to(other):
            earlier = (*earlier, other)
            self.decided.append(
                f"{where}: {alias} moved on each side: {pointer.model}, promoted later, stays;"
                f" {other.model} is what it was before"
            )
        return _Side(pointer, _in_order(earlier, without=pointer))

    def keys(self, where: str, base: Spec, ours: Spec, theirs: Spec) -> dict[str, Any]:
        """Keys that a later version wrote: both sides' as far as they can stand together."""
        found = {}
        for key in sorted({*ours, *theirs}):
            done, value = _clean(*_each(key, base, ours, theirs))
            if not done:
                value = self._value(where, *_each(key, base, ours, theirs))
            if value is not None:
                found[key] = value
        return found

    def _value(self, where: str, base: Any, ours: Any, theirs: Any) -> Any:
        if ours is None or theirs is None:
            return theirs if ours is None else ours
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return self.keys(where, base if isinstance(base, dict) else {}, ours, theirs)
        chosen, other = sorted((ours, theirs), key=_text, reverse=True)
        if isinstance(chosen, list) and isinstance(other, list):
            return [*chosen, *(one for one in other if one not in chosen)]
        self.decided.append(f"{where}: a key of a later version differs: one side's value stays")
        return chosen


def _clean(base: T, ours: T, theirs: T) -> tuple[bool, T]:
    """Whether at most one side changed it, and what it is then."""
    if ours in (base, theirs):
        return True, theirs
    return theirs == base, ours


def _each(key: str, *mappings: Mapping[str, T]) -> tuple[T | None, T | None, T | None]:
    base, ours, theirs = (mapping.get(key) for mapping in mappings)
    return base, ours, theirs


def _sections(lock: Lock) -> Mapping[str, Section]:
    return lock.environments


def _facts(base: Release | None, ours: Release, theirs: Release) -> Release:
    """What both sides know of one job; where they differ, whoever knows something."""
    chosen = {}
    for fact in fields(Release):
        of_ours, of_theirs = getattr(ours, fact.name), getattr(theirs, fact.name)
        done, value = _clean(getattr(base, fact.name, None), of_ours, of_theirs)
        if not done or value is None:
            known = [one for one in (of_ours, of_theirs) if one not in (None, {}, False)]
            value = max(known, key=_text) if known else of_ours
        chosen[fact.name] = value
    return replace(ours, **chosen)


def _kept(
    base: tuple[Pointer, ...], ours: tuple[Pointer, ...], theirs: tuple[Pointer, ...]
) -> tuple[Pointer, ...]:
    """What stands in both lists, or is new in one."""
    return tuple(
        one
        for one in _unique((*ours, *theirs))
        if (one in ours and one in theirs) or one not in base
    )


def _in_order(
    pointers: tuple[Pointer, ...], *, without: Pointer | None = None
) -> tuple[Pointer, ...]:
    ordered = sorted((one for one in pointers if one != without), key=_lateness)
    return tuple(ordered[-MOST_EARLIER:])


def _unique(values: Iterable[T]) -> list[T]:
    found: list[T] = []
    for value in values:  # they hold mappings, which have no hash
        if value not in found:
            found.append(value)
    return found


def _retired(ours: tuple[Pointer, ...], theirs: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
    """Whatever either side knows to be retired: it is what stops a purchase."""
    known: dict[tuple[str, str], Pointer] = {}
    for one in sorted((*ours, *theirs), key=_lateness):
        known.setdefault((one.job, one.model), one)
    return tuple(known.values())[-MOST_RETIRED:]


def _beside(
    release: Release | None,
    lost: Release | None,
    base: tuple[Release, ...],
    ours: tuple[Release, ...],
    theirs: tuple[Release, ...],
) -> tuple[Release, ...]:
    """The jobs that are known beside the one that stands, the newest last."""
    were, here, there = ({one.job: one for one in side} for side in (base, ours, theirs))
    known = {
        job: max((side[job] for side in (here, there) if job in side), key=_text)
        for job in {*here, *there}
        if job not in were or (job in here and job in there)
    }
    if lost is not None:
        known[lost.job] = lost
    if release is not None:
        known.pop(release.job, None)
    ordered = sorted(known.values(), key=lambda one: (one.created_at, one.job))
    return tuple(ordered[-_MOST_BESIDE:])


def _lateness(pointer: Pointer) -> tuple[str, str]:
    return pointer.at, _text(pointer)


def _text(value: Any) -> str:
    """Any value as text, so that of two the same is chosen whichever side it stands on."""
    return json.dumps(_document(value), sort_keys=True, default=repr)


def _document(value: Any) -> Any:
    match value:
        case Pointer():
            return pointer_document(value)
        case Release():
            return release_document(value)
        case Mapping():
            return {str(key): one for key, one in value.items()}
        case _:
            return value
