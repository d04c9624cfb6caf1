"""The fine-tuning API on this machine: the same wire, no account, no network, nothing to pay.

It stands in for someone else's service, so it imports nothing of the rest of ftctl. Names load on
first use: a command that never emulates pays nothing for the import.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.emulator.app import Emulator, open_emulator
    from ftctl.emulator.server import Server, serve
    from ftctl.emulator.settings import Clock, Settings
    from ftctl.emulator.store import EmulatorError, Store, open_store
    from ftctl.emulator.transport import EmulatorTransport
    from ftctl.emulator.wire import Request, Response

__all__ = [
    "Clock",
    "Emulator",
    "EmulatorError",
    "EmulatorTransport",
    "Request",
    "Response",
    "Server",
    "Settings",
    "Store",
    "open_emulator",
    "open_store",
    "serve",
]

_HOMES = {
    "Clock": "settings",
    "Emulator": "app",
    "EmulatorError": "store",
    "EmulatorTransport": "transport",
    "Request": "wire",
    "Response": "wire",
    "Server": "server",
    "Settings": "settings",
    "Store": "store",
    "open_emulator": "app",
    "open_store": "store",
    "serve": "server",
}

__getattr__ = lazily(__name__, _HOMES)
