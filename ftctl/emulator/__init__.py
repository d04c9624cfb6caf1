"""The fine-tuning API on this machine: the same wire, no account, no network, nothing to pay.

A request in, an answer out: the app, and two thin shells around it, a server and a transport. It
stands in for someone else's service, so it imports nothing of the rest of ftctl. Names load on
first use: a command that never emulates pays nothing for the import.

Its rooms, each of which may use those before it:

| room | what goes in and out |
|---|---|
| http | bytes -> a request, an answer -> bytes |
| storage | values <-> rows of one SQLite file |
| model | examples -> a small language model -> answers |
| chat | a chat request -> a model's answer, piece by piece |
| graders | a grader, a row and a sample -> a score |
| jobs | a create request -> a job that goes on with the clock, and is trained |
| faults | rules -> the requests and jobs that go wrong by them |
| api | a request of the API -> its answer |
| temperaments | a request -> the answer of a service that behaves in its own way |
| web | a path -> a file of the page to look inside |
| admin | a request under `/_ftctl/` -> state, time, faults, journal |
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.emulator.app import Emulator, open_emulator
    from ftctl.emulator.http.wire import Request, Response
    from ftctl.emulator.server import Server, serve
    from ftctl.emulator.settings import Clock, Settings
    from ftctl.emulator.storage.database import EmulatorError, Store, open_store
    from ftctl.emulator.temperament import (
        TEMPERAMENTS,
        BadTemperament,
        Temperament,
        read_temperament,
    )
    from ftctl.emulator.transport import EmulatorTransport

__all__ = [
    "TEMPERAMENTS",
    "BadTemperament",
    "Clock",
    "Emulator",
    "EmulatorError",
    "EmulatorTransport",
    "Request",
    "Response",
    "Server",
    "Settings",
    "Store",
    "Temperament",
    "open_emulator",
    "open_store",
    "read_temperament",
    "serve",
]

_HOMES = {
    "TEMPERAMENTS": "temperament",
    "BadTemperament": "temperament",
    "Clock": "settings",
    "Emulator": "app",
    "EmulatorError": "storage.database",
    "EmulatorTransport": "transport",
    "Request": "http.wire",
    "Response": "http.wire",
    "Server": "server",
    "Settings": "settings",
    "Store": "storage.database",
    "Temperament": "temperament",
    "open_emulator": "app",
    "open_store": "storage.database",
    "read_temperament": "temperament",
    "serve": "server",
}

__getattr__ = lazily(__name__, _HOMES)
