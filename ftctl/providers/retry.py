"""How often, and after what pause, a request is made again that is harmless to make again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from ftctl.clock import Clock
from ftctl.errors import ProviderError

T = TypeVar("T")

BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
LONGEST_PAUSE_SECONDS = 60.0  # a service that asks for more wants us to come back another time


def with_backoff(ask: Callable[[], T], clock: Clock) -> T:
    """The answer, asked for again after each retryable fault; the last fault if none came."""
    for pause in BACKOFF_SECONDS:
        try:
            return ask()
        except ProviderError as fault:
            if not fault.retryable or asks_too_long(fault):
                raise
            clock.sleep(pause_after(fault, pause))
    return ask()


def asks_too_long(fault: ProviderError) -> bool:
    """Whether the service wants to be left alone for longer than a command waits."""
    return fault.retry_after is not None and fault.retry_after > LONGEST_PAUSE_SECONDS


def pause_after(fault: ProviderError, pause: float) -> float:
    """How long to wait: what the service asks for, else about `pause`, not in step with others."""
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
    return max(fault.retry_after or 0.0, pause * jitter)
