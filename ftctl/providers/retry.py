"""How often, and after what pause, a request is made again that is harmless to make again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ftctl.clock import Clock
from ftctl.errors import ProviderError

T = TypeVar("T")

BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
LONGEST_PAUSE_SECONDS = 60.0  # a service that asks for more wants us to come back another time


@dataclass(slots=True)
class Patience:
    """How long a question may still take, with all its repeats and the pauses between them."""

    left_seconds: float


def with_backoff(ask: Callable[[], T], clock: Clock, patience: Patience | None = None) -> T:
    """The answer, asked for again after each retryable fault; the last fault if none came.

    With `patience`, nothing is asked that could only be answered when that is over.
    """
    patience = patience or Patience(float("inf"))
    for pause in BACKOFF_SECONDS:
        began = time.monotonic()
        try:
            return ask()
        except ProviderError as fault:
            patience.left_seconds -= time.monotonic() - began
            wait = pause_after(fault, pause)
            if not fault.retryable or asks_too_long(fault) or wait >= patience.left_seconds:
                raise
            # Counted as it is asked for: the clock of the machine may be set in between.
            patience.left_seconds -= wait
            clock.sleep(wait)
    return ask()


def asks_too_long(fault: ProviderError) -> bool:
    """Whether the service wants to be left alone for longer than a command waits."""
    return fault.retry_after is not None and fault.retry_after > LONGEST_PAUSE_SECONDS


def pause_after(fault: ProviderError, pause: float) -> float:
    """How long to wait: what the service asks for, else about `pause`, not in step with others."""
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
    return max(fault.retry_after or 0.0, pause * jitter)
