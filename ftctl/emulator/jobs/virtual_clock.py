"""How time passes for jobs: at a speed, at once, with every so many reads, or only by hand.

The pace stands in the store, so that every process that shares it agrees on the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ftctl.emulator.storage.database import Session

Kind = Literal["real", "immediate", "reads", "hand"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` matters for `real` (2 halves every stage), `reads` for `reads`, `now` for `hand`.

    `real`: a job's stages last as long as the settings say, divided by the speed.
    `immediate`: the first look after the create finds the job ended.
    `reads`: every so many retrievals of a job bring it one status further.
    `hand`: the clock stands at `now` (Unix seconds) until somebody moves it.
    """

    kind: Kind = "real"
    speed: float = 1.0
    reads: int = 1
    now: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"'{self.kind}' is not a pace: {', '.join(KINDS)}")
        if not (math.isfinite(self.speed) and 1e-6 <= self.speed <= 1e6):
            raise ValueError("a speed is a number from 0.000001 to 1000000")
        if not 1 <= self.reads <= 1_000_000:
            raise ValueError("the number of reads is from 1 to 1000000")
        if self.now is not None and not (0 <= self.now <= LAST_MOMENT):
            raise ValueError(f"a moment is from 0 to {LAST_MOMENT} Unix seconds")

    def due(self, at: float, seconds: float) -> float | None:
        """When a stage that starts at `at` and lasts so long is over; None: not by itself."""
        match self.kind:
            case "reads":
                return None
            case "immediate":
                return at
            case _:
                return at + self.lasting(seconds)

    def lasting(self, seconds: float) -> float:
        """How long a stage of so many seconds lasts at this pace."""
        if self.kind in ("immediate", "reads"):
            return 0.0
        return seconds / self.speed if self.kind == "real" else seconds


LAST_MOMENT = 253_402_300_799
"""The end of the year 9999, beyond which dates have no form."""

REAL = Pace()


def find_pace(session: Session) -> Pace:
    """The pace in the store; real time when none was ever chosen."""
    row = session.first("SELECT * FROM pace")
    if row is None:
        return REAL
    return Pace(row["kind"], row["speed"], row["reads"], row["now"])


def keep_pace(session: Session, pace: Pace) -> None:
    """Make this the pace from now on; jobs under way follow it from where they are."""
    before = find_pace(session)
    now = pace.now if pace.now is not None or pace.kind != "hand" else session.now
    session.run(
        "INSERT OR REPLACE INTO pace (only, kind, speed, reads, now) VALUES (1, ?, ?, ?, ?)",
        *(pace.kind, pace.speed, pace.reads, now),
    )
    if before.kind == pace.kind == "real" and before.speed == pace.speed:
        return
    if pace.kind == "reads":
        session.run(f"UPDATE jobs SET due_at = NULL WHERE {_MOVING}")  # noqa: S608 - our own words
    elif pace.kind == "immediate":
        session.run(
            "UPDATE jobs SET due_at = ?, step_seconds = 0,"  # noqa: S608 - our own words
            f" running_since = min(running_since, ?) WHERE {_MOVING}",
            *(session.now, session.now),  # the clock may go back, coming from the hand
        )
    elif before.kind == "reads":
        session.run(f"UPDATE jobs SET due_at = ? WHERE {_MOVING}", session.now)  # noqa: S608


# A job that a fault keeps in the queue has nothing due at any pace.
_MOVING = (
    "status IN ('validating_files', 'queued', 'running')"
    " AND coalesce(json_extract(fault, '$.at'), '') != 'queue'"
)
