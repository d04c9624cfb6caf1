"""What surrounds a run of the engine: where, when, in which environment, and who listens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ftctl.clock import Clock, SystemClock
from ftctl.engine.events import Listener, nobody

# A transport of the HTTP library around another one; named loosely, since naming it imports it.
Wire = Callable[[Any], Any]


def _nowhere(_secret: str) -> None:
    """Nobody prints anything."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything that a run takes from outside but the project itself."""

    root: Path  # the project's folder
    environment: str | None = None  # of ftctl.yaml
    base_revision: str | None = None  # the git revision that a change goes to
    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    listener: Listener = nobody
    hide: Callable[[str], None] = _nowhere  # told of each secret that is read later than settings
    wire: Wire | None = None  # stands between ftctl and the embedded API: tests put faults there

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return datetime.fromtimestamp(self.clock.now(), tz=UTC).date()
