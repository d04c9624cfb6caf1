"""Whom the service says a key acts for, and the settings, in; whose it is, or a refusal, out."""

from __future__ import annotations

from dataclasses import replace

from ftctl.domain.observed import AccountId, Observed
from ftctl.engine.events import Noted
from ftctl.engine.session import Session
from ftctl.errors import Diagnostic, InvalidProject, Span
from ftctl.text.escape import one_line, short

_LONGEST = 80  # characters of a name that are told


def with_account(session: Session, observed: Observed) -> Observed:
    """The snapshot with whom the key acts for: as the service tells, else as it was asked to.

    Raises `InvalidProject` where `expect` wants another.
    """
    told = observed.account
    account = told.completed(session.way_in.account)
    problems = account_problems(session, account)
    if problems:
        raise InvalidProject(problems)
    expected = session.way_in.settings.expect
    unconfirmed = [
        name
        for name in ("organization", "project")
        if getattr(expected, name) is not None and getattr(told, name) is None
    ]
    if unconfirmed:
        words = " and ".join(unconfirmed)
        text = f"the service does not tell the {words} that 'expect' names: it was asked to act so"
        session.context.listener(Noted(text, detail=True))
    return replace(observed, account=account)


def account_problems(session: Session, account: AccountId) -> list[Diagnostic]:
    """Where the key acts for another than `expect` names."""
    expected = session.way_in.settings.expect
    problems = []
    for name in ("organization", "project"):
        wanted, there = getattr(expected, name), getattr(account, name)
        if wanted is not None and there is not None and wanted != there:
            place = session.project.file.place(("provider", "expect", name))
            problems.append(other_account(name, there, wanted, place))
    return problems


def other_account(kind: str, there: str, wanted: str, place: Span) -> Diagnostic:
    """What to tell of an organization or project that is not the one expected."""
    there, wanted = short(one_line(there), _LONGEST), short(one_line(wanted), _LONGEST)
    message = f"the key acts for the {kind} {there}, and 'expect' wants {wanted}"
    hint = f"use a key of {wanted}, or change 'expect' in ftctl.yaml if {there} is right"
    return Diagnostic("other-account", message, place, hint)
