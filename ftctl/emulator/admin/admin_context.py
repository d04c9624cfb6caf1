"""What a handler under `/_ftctl/` is given, and how it reads what was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ftctl.emulator.admin.journal import Journal
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.faults.request_faults import RequestFaults
from ftctl.emulator.http.wire import Json, Response, bad_request, json_object
from ftctl.emulator.storage.database import Session
from ftctl.emulator.temperaments.standing import Standings

COUNTED = ("files", "jobs", "models", "events", "faults")


@dataclass(frozen=True, slots=True)
class AdminContext:
    """One request on its way through a handler, and the parts of its emulator."""

    api: RequestContext  # the same request as an endpoint of the API gets it
    faults: RequestFaults
    standings: Standings
    journal: Journal
    started_at: float  # of time.monotonic()
    renewed: Callable[[], None]  # to be told when other rows stand in the place of all that were


AdminHandler = Callable[[AdminContext], Response]


def counts(session: Session) -> Json:
    """How many there are of each; files only those that can still be had."""
    columns = ", ".join(
        f"(SELECT count(*) FROM {table}{' WHERE deleted = 0' if table == 'files' else ''})"  # noqa: S608
        for table in COUNTED
    )
    row = session.first(f"SELECT {columns}")
    assert row is not None
    return dict(zip(COUNTED, tuple(row), strict=True))


def fields_sent(context: AdminContext, names: Sequence[str]) -> Json:
    """The body's fields, none if there is no body; a 400 for one that is not known."""
    if not context.api.request.body.strip():
        return {}
    sent = json_object(context.api.request)
    for name in sent:
        if name not in names:
            choices = ", ".join(names)
            raise bad_request(f"There is no field '{name}' here, but {choices}.", name)
    return sent


def number_asked(context: AdminContext, name: str, default: int, most: int) -> int:
    """A query parameter that is a whole number from 0."""
    text = context.api.request.parameter(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or int(text) > most:
        raise bad_request(f"{name} must be a whole number from 0 to {most}.", name)
    return int(text)
