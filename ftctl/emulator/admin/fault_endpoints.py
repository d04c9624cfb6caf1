"""Faults and temperaments, to be read, replaced, added to and dropped; this process's journal."""

from __future__ import annotations

from dataclasses import dataclass

from ftctl.emulator.admin.admin_context import AdminContext, number_asked
from ftctl.emulator.admin.journal import MOST_ENTRIES, shown_entry
from ftctl.emulator.faults.rule_fields import fields_at
from ftctl.emulator.faults.rule_parser import MOST_RULES, read_faults
from ftctl.emulator.faults.rule_store import forget_faults, keep_faults, shown_faults
from ftctl.emulator.http.wire import Json, Response, answer, bad_request, json_object
from ftctl.emulator.storage.database import Session
from ftctl.emulator.temperaments.standing import (
    MOST_TEMPERAMENTS,
    forget_temperaments,
    keep_temperaments,
    kept_temperaments,
    read_temperaments,
)

LAST_NUMBER = 999_999_999


@dataclass(frozen=True, slots=True)
class _Document:
    """What goes wrong, and how the service behaves; None where it does not speak of that."""

    faults: list[Json] | None
    temperaments: list[str] | None


def show_faults(context: AdminContext) -> Response:
    """GET faults: the document, each rule with how many it has met."""
    with context.api.reading_as_it_is() as session:
        return answer(_shown(session))


def set_faults(context: AdminContext) -> Response:
    """PUT faults: these and no others, of what the document speaks of."""
    return _kept(context, _read(context), anew=True)


def add_faults(context: AdminContext) -> Response:
    """POST faults: these behind those that are there."""
    return _kept(context, _read(context), anew=False)


def drop_faults(context: AdminContext) -> Response:
    """DELETE faults: none is left, and no temperament."""
    return _kept(context, _Document([], []), anew=True)


def show_journal(context: AdminContext) -> Response:
    """GET journal: the oldest first; `after` and `limit` as in lists."""
    after = number_asked(context, "after", 0, LAST_NUMBER)
    limit = number_asked(context, "limit", MOST_ENTRIES, MOST_ENTRIES)
    entries = context.journal.entries(after)
    newest = entries[len(entries) - min(limit, len(entries)) :]
    return answer({"object": "list", "data": [shown_entry(entry) for entry in newest]})


def clear_journal(context: AdminContext) -> Response:
    """DELETE journal."""
    context.journal.clear()
    return answer({"object": "list", "data": []})


def _read(context: AdminContext) -> _Document:
    document = json_object(context.api.request)
    fields_at(document, "", ("faults", "temperaments"))
    named = document.get("temperaments")
    temperaments = None if "temperaments" not in document else read_temperaments(named)
    if "faults" not in document and temperaments is not None:
        return _Document(None, temperaments)
    return _Document(read_faults(document.get("faults")), temperaments)


def _kept(context: AdminContext, document: _Document, *, anew: bool) -> Response:
    with context.api.store.transaction("IMMEDIATE") as connection:
        session = Session(connection, 0.0)
        if document.faults is not None:
            if anew:
                forget_faults(session)
            keep_faults(session, document.faults)
        if document.temperaments is not None:
            if anew:
                forget_temperaments(session)
            keep_temperaments(session, document.temperaments)
        shown = _shown(session)
        if len(shown["faults"]) > MOST_RULES:
            raise bad_request(f"There would be more than {MOST_RULES} faults.", "faults")
        if len(shown["temperaments"]) > MOST_TEMPERAMENTS:
            message = f"There would be more than {MOST_TEMPERAMENTS} temperaments."
            raise bad_request(message, "temperaments")
        context.faults.forget()
        context.standings.forget()
    return answer(shown)


def _shown(session: Session) -> Json:
    return {"faults": shown_faults(session), "temperaments": kept_temperaments(session)}
