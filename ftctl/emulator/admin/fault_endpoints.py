"""The faults, to be read, replaced, added to and dropped; the journal of this process."""

from __future__ import annotations

from ftctl.emulator.admin.admin_context import AdminContext, number_asked
from ftctl.emulator.admin.journal import MOST_ENTRIES, shown_entry
from ftctl.emulator.faults.rule_parser import MOST_RULES, read_faults
from ftctl.emulator.faults.rule_store import forget_faults, keep_faults, shown_faults
from ftctl.emulator.http.wire import Json, Response, answer, bad_request, json_object
from ftctl.emulator.storage.database import Session

LAST_NUMBER = 999_999_999


def show_faults(context: AdminContext) -> Response:
    """GET faults: the document, each rule with how many it has met."""
    with context.api.reading_as_it_is() as session:
        return answer({"faults": shown_faults(session)})


def set_faults(context: AdminContext) -> Response:
    """PUT faults: these and no others."""
    return _kept(context, read_faults(json_object(context.api.request)), anew=True)


def add_faults(context: AdminContext) -> Response:
    """POST faults: these behind those that are there."""
    return _kept(context, read_faults(json_object(context.api.request)), anew=False)


def drop_faults(context: AdminContext) -> Response:
    """DELETE faults: none is left."""
    return _kept(context, [], anew=True)


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


def _kept(context: AdminContext, rules: list[Json], *, anew: bool) -> Response:
    with context.api.store.transaction("IMMEDIATE") as connection:
        session = Session(connection, 0.0)
        if anew:
            forget_faults(session)
        keep_faults(session, rules)
        shown = shown_faults(session)
        if len(shown) > MOST_RULES:
            raise bad_request(f"There would be more than {MOST_RULES} faults.", "faults")
        context.faults.forget()
    return answer({"faults": shown})
