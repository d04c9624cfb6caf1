"""The base models that can be tuned here, as data: one row a snapshot, dates as of 2026-11-21.

Retired models stay: the emulator is for trying out manifests of any age. To offer another model,
add a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

_PREFERENCE = ("supervised", "dpo")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A snapshot, its other names, how it can be tuned, and when it and its tunes go away."""

    name: str
    released: str  # the day of the snapshot; `created` on the wire is its midnight, UTC
    shutdown: str | None
    tuned_shutdown: str | None
    methods: tuple[str, ...] = ("supervised",)
    aliases: tuple[str, ...] = ()
    completion: bool = False  # trained on prompt and completion, not on chats

    @property
    def created(self) -> int:
        """Unix seconds."""
        return int(datetime.fromisoformat(self.released).replace(tzinfo=UTC).timestamp())


BASE_MODELS: tuple[BaseModel, ...] = (
    BaseModel(
        "gpt-4.1-2025-04-14", "2025-04-14", "2027-01-14", "2027-01-14", _PREFERENCE, ("gpt-4.1",)
    ),
    BaseModel(
        "gpt-4.1-mini-2025-04-14",
        "2025-04-14",
        "2027-01-14",
        "2027-01-14",
        _PREFERENCE,
        ("gpt-4.1-mini",),
    ),
    BaseModel(
        "gpt-4.1-nano-2025-04-14",
        "2025-04-14",
        "2026-10-23",
        "2026-10-23",
        _PREFERENCE,
        ("gpt-4.1-nano",),
    ),
    BaseModel(
        "gpt-4o-2024-08-06", "2024-08-06", "2027-01-14", "2027-01-14", _PREFERENCE, ("gpt-4o",)
    ),
    BaseModel(
        "gpt-4o-mini-2024-07-18",
        "2024-07-18",
        "2027-01-14",
        "2027-01-14",
        _PREFERENCE,
        ("gpt-4o-mini",),
    ),
    BaseModel(
        "o4-mini-2025-04-16",
        "2025-04-16",
        "2026-10-23",
        "2026-10-23",
        ("reinforcement",),
        ("o4-mini",),
    ),
    BaseModel("gpt-4-0613", "2023-06-13", "2026-10-23", "2026-10-23", aliases=("gpt-4",)),
    BaseModel(
        "gpt-3.5-turbo-0125", "2024-01-25", "2026-10-23", "2026-10-23", aliases=("gpt-3.5-turbo",)
    ),
    BaseModel("gpt-3.5-turbo-1106", "2023-11-06", "2026-09-28", "2026-10-23"),
    BaseModel("gpt-3.5-turbo-0613", "2023-06-13", "2024-09-13", None),
    BaseModel("babbage-002", "2023-08-22", "2026-09-28", "2026-10-23", completion=True),
    BaseModel("davinci-002", "2023-08-22", "2026-09-28", "2026-10-23", completion=True),
)

BY_NAME: Mapping[str, BaseModel] = MappingProxyType(
    {name: base for base in BASE_MODELS for name in (base.name, *base.aliases)}
)
"""Every name that a request may use, aliases included."""
