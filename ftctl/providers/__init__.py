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
    from ftctl.providers.openai.translate import read_job
    from ftctl.providers.openai.values import OddValue
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
    "OddValue",
    "Probe",
    "Provider",
    "Reader",
    "Writer",
    "connect",
    "read_job",
]

_HOMES = dict.fromkeys(__all__, "protocol") | {
    "MODERATION_MODEL": "openai.provider",
    "Connection": "openai.connection",
    "OddValue": "openai.values",
    "connect": "openai.connect",
    "read_job": "openai.translate",
}

__getattr__ = lazily(__name__, _HOMES)
