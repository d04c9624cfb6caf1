"""How long and how much in; a block whose answers end within that, out.

Timeouts of an HTTP client are for each piece of an answer: one byte a second never runs into them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

LARGEST_ANSWER = 64 * 1024 * 1024  # bytes, decompressed


class AnswerTooLong(Exception):
    """A service does not stop sending."""

    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {LARGEST_ANSWER // 1024 // 1024} MiB")


@dataclass(slots=True)
class Bounds:
    """When the answer of a request has to be there, by the clock that never jumps.

    `by_progress`: the time begins anew with each piece that is sent.
    `streamed`: the answer is read piece by piece, and whoever does says `goes_on` after each.
    """

    seconds: float
    by_progress: bool = False
    streamed: bool = False
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.goes_on()

    def goes_on(self) -> None:
        """Begin to count anew."""
        self.ends_at = time.monotonic() + self.seconds

    @property
    def left_seconds(self) -> float:
        """How long it is until then; nothing or less where that is over."""
        return self.ends_at - time.monotonic()


_BOUNDS: ContextVar[Bounds | None] = ContextVar("bounds", default=None)


def bounds_now() -> Bounds | None:
    """Those of the block that runs."""
    return _BOUNDS.get()


@contextmanager
def within(bounds: Bounds) -> Iterator[Bounds]:
    """A block whose requests keep these bounds."""
    before = _BOUNDS.set(bounds)
    try:
        yield bounds
    finally:
        _BOUNDS.reset(before)
