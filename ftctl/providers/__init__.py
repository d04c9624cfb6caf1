"""Services that train, behind small protocols: `connect` gives a `Client`, callers name its parts.

No module outside this package names the class behind it.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl: what only reads a protocol loads no service
if TYPE_CHECKING:
    from ftctl.providers.openai.connect import connect
    from ftctl.providers.openai.connection import Connection
    from ftctl.providers.openai.provider import MODERATION_MODEL
    from ftctl.providers.protocol import (
        Account,
        Answer,
        Client,
        Moderator,
        Probe,
        Provider,
        Reader,
        Writer,
    )

__all__ = [
    "MODERATION_MODEL",
    "Account",
    "Answer",
    "Client",
    "Connection",
    "Moderator",
    "Probe",
    "Provider",
    "Reader",
    "Writer",
    "connect",
]

_HOMES = dict.fromkeys(__all__, "protocol") | {
    "MODERATION_MODEL": "openai.provider",
    "Connection": "openai.connection",
    "connect": "openai.connect",
}

__getattr__ = lazily(__name__, _HOMES)
