"""Patterns of names and the names there are in; the names that are meant out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from ftctl.errors import UsageError
from ftctl.text.suggest import did_you_mean

_META = frozenset("*?[")
_KNOWN_NAMED = 20  # in a hint


def is_pattern(text: str) -> bool:
    """Whether it may stand for several names. No manifest's name holds such a character."""
    return not _META.isdisjoint(text)


def names_meant(patterns: Iterable[str], known: Iterable[str], what: str) -> tuple[str, ...]:
    """The known names that fit any of the patterns, in order; `UsageError` for one without any.

    `*`, `?` and `[…]` mean what they mean to a shell. A name of just these characters, which only a
    job of the past can have, means itself. `what` is the option or command that asked.
    """
    names = sorted(set(known))
    meant: set[str] = set()
    for pattern in patterns:
        fitting = [pattern] if pattern in names else _fitting(pattern, names)
        if not fitting:
            raise UsageError(*_nothing(pattern, names, what))
        meant.update(fitting)
    return tuple(sorted(meant))


def _fitting(pattern: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if fnmatchcase(name, pattern)]


def _nothing(pattern: str, names: Sequence[str], what: str) -> tuple[str, str]:
    """What is wrong with a pattern that fits nothing, and what to write instead."""
    known = f"known: {', '.join(names[:_KNOWN_NAMED]) or 'none'}"
    if is_pattern(pattern):
        return f"{what}: no fine-tune fits '{pattern}'", known
    return f"{what}: there is no fine-tune '{pattern}'", did_you_mean(pattern, names) or known
