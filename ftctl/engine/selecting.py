"""Patterns of names and the names there are in; the names that are meant out.

And so for a request as a whole: what it selects, leaves out or takes for changed, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ftctl.engine.events import Noted
from ftctl.engine.planning import PlanRequest
from ftctl.engine.session import Session
from ftctl.errors import UsageError
from ftctl.text.suggest import did_you_mean

_META = frozenset("*?[")
_KNOWN_NAMED = 20  # in a hint


def is_pattern(text: str) -> bool:
    """Whether it may stand for several names. No manifest's name holds such a character."""
    return not _META.isdisjoint(text)


def resolve_request(session: Session, request: PlanRequest) -> PlanRequest:
    """The same request with every fine-tune that it means in `select`, by name.

    `UsageError` for a pattern that fits nothing, for `changed` without a base, and where all is
    left out or what is to be replaced is.
    """
    if request.select is None and not request.exclude and not request.changed:
        return request
    known = tuple(one.name for one in session.desired.finetunes)
    chosen = set(
        known if request.select is None else names_meant(request.select, known, "--select")
    )
    without = set(names_meant(request.exclude, known, "--exclude"))
    if both := sorted(without & {one.partition("=")[0] for one in request.replace}):
        raise UsageError(
            f"--exclude leaves out what --replace trains again: {', '.join(both)}",
            "leave one of them out",
        )
    chosen -= without
    if without and not chosen:
        raise UsageError("--exclude leaves no fine-tune", f"there are: {', '.join(known)}")
    if request.changed:
        chosen &= _changed(session)
    return replace(request, select=tuple(sorted(chosen)), exclude=(), changed=False)


def _changed(session: Session) -> frozenset[str]:
    base = session.context.base_revision
    if base is None:
        raise UsageError("--changed tells what differs from a base", "add --base REV")
    # It reads git and all manifests of the base: most plans need neither.
    from ftctl.engine.changed_finetunes import changed_finetunes

    found = changed_finetunes(session, base)
    if not found:
        session.context.listener(Noted(f"note: no fine-tune differs from what it is at {base}"))
    return found


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
