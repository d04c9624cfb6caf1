"""The faults, to be read, replaced, added to and dropped; the journal of this process."""

from __future__ import annotations

from ftctl.emulator.admin.desk import Desk, number_asked
from ftctl.emulator.admin.journal import MOST_ENTRIES, shown_entry
from ftctl.emulator.faults.rule_parser import MOST_RULES, read_faults
from ftctl.emulator.faults.rule_store import forget_faults, keep_faults, shown_faults
from ftctl.emulator.http.wire import Json, Response, answer, bad_request, json_object
from ftctl.emulator.storage.store import Session

LAST_NUMBER = 999_999_999


def show_faults(desk: Desk) -> Response:
    """GET faults: the document, each rule with how many it has met."""
    with desk.call.reading_as_it_is() as session:
        return answer({"faults": shown_faults(session)})


def set_faults(desk: Desk) -> Response:
    """PUT faults: these and no others."""
    return _kept(desk, read_faults(json_object(desk.call.request)), anew=True)


def add_faults(desk: Desk) -> Response:
    """POST faults: these behind those that are there."""
    return _kept(desk, read_faults(json_object(desk.call.request)), anew=False)


def drop_faults(desk: Desk) -> Response:
    """DELETE faults: none is left."""
    return _kept(desk, [], anew=True)


def show_journal(desk: Desk) -> Response:
    """GET journal: the oldest first; `after` and `limit` as in lists."""
    after = number_asked(desk, "after", 0, LAST_NUMBER)
    limit = number_asked(desk, "limit", MOST_ENTRIES, MOST_ENTRIES)
    entries = desk.journal.entries(after)
    newest = entries[len(entries) - min(limit, len(entries)) :]
    return answer({"object": "list", "data": [shown_entry(entry) for entry in newest]})


def clear_journal(desk: Desk) -> Response:
    """DELETE journal."""
    desk.journal.clear()
    return answer({"object": "list", "data": []})


def _kept(desk: Desk, rules: list[Json], *, anew: bool) -> Response:
    with desk.call.store.transaction("IMMEDIATE") as connection:
        session = Session(connection, 0.0)
        if anew:
            forget_faults(session)
        keep_faults(session, rules)
        shown = shown_faults(session)
        if len(shown) > MOST_RULES:
            raise bad_request(f"There would be more than {MOST_RULES} faults.", "faults")
        desk.faults.forget()
    return answer({"faults": shown})
