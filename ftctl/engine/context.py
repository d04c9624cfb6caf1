"""What surrounds a run of the engine: where, when, in which environment, and who listens."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ftctl.clock import Clock, SystemClock
from ftctl.domain.service_address import NoAddress, ServiceAddress, read_service_address
from ftctl.engine.consents import AddressUse, CommandUse
from ftctl.engine.events import Listener, nobody
from ftctl.errors import UsageError

# A transport of the HTTP library around another one; named loosely, since naming it imports it.
Wire = Callable[[Any], Any]
AskAddress = Callable[[AddressUse], bool]
AskCommand = Callable[[CommandUse], bool]


def _nowhere(_secret: str) -> None:
    """Nobody prints anything."""


def addresses_from(texts: Iterable[str]) -> tuple[ServiceAddress, ...]:
    """Addresses as a caller writes them, or `UsageError`."""
    return tuple(map(_address, texts))


def commands_from(texts: Iterable[str | Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Programs with their arguments as a caller writes them, as words or as a shell's text."""
    return tuple(map(_command, texts))


def _command(text: str | Iterable[str]) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text) if isinstance(text, str) else text)
    except ValueError as fault:
        raise UsageError(f"a command that may be run cannot be read: {fault}") from None
    if not words:
        raise UsageError("a command that may be run is empty", "write it as ftctl.yaml does")
    return words


def _address(text: str) -> ServiceAddress:
    try:
        return read_service_address(text)
    except NoAddress as fault:
        message = f"an address that keys may go to {fault}"
        raise UsageError(message, "write it as ftctl.yaml does: https://HOST/v1") from None


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything that a run takes from outside but the project itself."""

    root: Path  # the project's folder
    environment: str | None = None  # of ftctl.yaml
    directory: str | None = None  # in which a command line was told to run, for what is pasted
    base_revision: str | None = None  # the git revision that a change goes to
    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    listener: Listener = nobody
    hide: Callable[[str], None] = _nowhere  # told of each secret that is read later than settings
    allowed_addresses: tuple[ServiceAddress, ...] = ()  # where keys may go, as the caller says
    ask_address: AskAddress | None = None  # None: there is nobody to ask whether a key may go there
    allowed_commands: tuple[tuple[str, ...], ...] = ()  # that may be run, as the caller says
    ask_command: AskCommand | None = None  # None: there is nobody to ask whether they may
    wire: Wire | None = None  # stands between ftctl and the embedded API: tests put faults there

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return datetime.fromtimestamp(self.clock.now(), tz=UTC).date()
