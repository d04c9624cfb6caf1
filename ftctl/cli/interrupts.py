"""Ctrl-C during an apply: once stops starting things, twice leaves at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from ftctl.cli.console import Console


@dataclass(slots=True)
class Interrupts:
    """Whether somebody asked to stop."""

    asked: bool = False
    leave_at_once: bool = False  # while nothing is being written, the first one is enough


@contextmanager
def interrupts(console: Console) -> Iterator[Interrupts]:
    """Until the block ends, the first interrupt only asks to stop; the second one leaves."""
    state = Interrupts()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if state.asked or state.leave_at_once:
            raise KeyboardInterrupt
        state.asked = True
        console.note("\nStopping: nothing more is begun. Once more leaves at once.")

    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    # Runners of CI end a job with SIGTERM: it means the same.
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
