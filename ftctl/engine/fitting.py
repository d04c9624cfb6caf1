"""A plan and what does not fit in; the faults that stop what it buys, and the warnings, out.

Only a purchase is stopped: what is trained already, or not selected, goes on as it is.
"""

from __future__ import annotations

from collections.abc import Collection

from ftctl.catalog.fit import has_own_facts
from ftctl.domain.plan import Action, Change, Plan
from ftctl.engine.session import Session
from ftctl.errors import InvalidProject
from ftctl.project.fit import Unfit


def require_fit(session: Session, plan: Plan) -> None:
    """Raise `InvalidProject` where a plan buys what the service is known to refuse."""
    bought = [change.name for change in plan.changes if change.trains]
    unfit = _concerning(session, bought)
    if any(one.is_error for one in unfit):
        raise InvalidProject([one.diagnostic for one in unfit if one.is_error])


def fit_warnings(session: Session, plan: Plan) -> tuple[str, ...]:
    """What may come of what a plan buys, and why what has failed may fail again."""
    names = [change.name for change in plan.changes if change.trains or _has_failed(change)]
    # Where the service's own dates are known and it bills, min_days_to_shutdown speaks of them.
    judged = session.service.billed and has_own_facts(session.service.type)
    return tuple(
        one.sentence
        for one in _concerning(session, names)
        if not (judged and one.problem.code == "retired-base-model")
    )


def _concerning(session: Session, names: Collection[str]) -> tuple[Unfit, ...]:
    found = (one.among(names) for one in session.unfit)
    return tuple(one for one in found if one is not None)


def _has_failed(change: Change) -> bool:
    return change.action is Action.ATTENTION and change.in_vain
