"""The pace of time: shown, chosen, and moved on by hand."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, TypeGuard

from ftctl.emulator.admin.admin_context import AdminContext, fields_sent
from ftctl.emulator.http.wire import Json, Response, answer, bad_request
from ftctl.emulator.jobs.virtual_clock import KINDS, Pace, find_pace, keep_pace
from ftctl.emulator.storage.database import Session

MOST_SECONDS = 1e11


def show_clock(context: AdminContext) -> Response:
    """GET clock."""
    with context.api.reading() as session:
        return answer(shown_clock(session))


def set_clock(context: AdminContext) -> Response:
    """PUT clock: the whole pace; what is left out has its usual value."""
    pace = _pace(fields_sent(context, ("kind", "speed", "reads", "now")))
    with context.api.writing() as session:
        if pace.now is not None and pace.now < _latest(session):
            message = "now would be before something that has happened: time does not go back."
            raise bad_request(message, "now")
        keep_pace(session, pace)
    return show_clock(context)


def advance_clock(context: AdminContext) -> Response:
    """POST clock/advance: only where time passes by hand."""
    seconds = fields_sent(context, ("seconds",)).get("seconds")
    if not _is_number(seconds) or not 0 < seconds <= MOST_SECONDS:
        raise bad_request("seconds must be a number above 0.", "seconds")
    with context.api.writing() as session:
        pace = find_pace(session)
        if pace.kind != "hand" or pace.now is None:
            message = f"Time passes by '{pace.kind}' here; it can be moved where that is 'hand'."
            raise bad_request(message, "kind", "clock_not_by_hand")
        keep_pace(session, _checked(pace, "seconds", now=pace.now + seconds))
    return show_clock(context)


def shown_clock(session: Session) -> Json:
    """The pace, and the emulator's present moment in Unix seconds."""
    pace = find_pace(session)
    now = session.now if pace.now is None or pace.kind != "hand" else pace.now
    return {**asdict(pace), "now": now}


def _pace(sent: Json) -> Pace:
    kind = sent.get("kind", "real")
    if not isinstance(kind, str) or kind not in KINDS:
        raise bad_request(f"kind must be one of {', '.join(KINDS)}.", "kind")
    pace = _checked(Pace(), "kind", kind=kind)
    for name in ("speed", "reads", "now"):
        value = sent.get(name)
        if value is None or (name == "now" and kind != "hand"):
            continue
        if not _is_number(value) or (name == "reads" and not isinstance(value, int)):
            raise bad_request(f"{name} must be a {_WORDS[name]}.", name)
        pace = _checked(pace, name, **{name: value})
    return pace


_WORDS = {"speed": "number", "reads": "whole number", "now": "number of Unix seconds"}


def _checked(pace: Pace, param: str, **changes: Any) -> Pace:
    try:
        return replace(pace, **changes)
    except (ValueError, OverflowError) as fault:
        raise bad_request(f"{param}: {fault}.", param) from None


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _latest(session: Session) -> float:
    """The last moment at which anything in the store happened."""
    row = session.first(
        "SELECT max((SELECT coalesce(max(created_at), 0) FROM files),"
        " (SELECT coalesce(max(created_at), 0) FROM jobs),"
        " (SELECT coalesce(max(created_at), 0) FROM events)) AS at"
    )
    return 0.0 if row is None else float(row["at"])
