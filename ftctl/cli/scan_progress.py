"""How far a long pass over data has come goes in; one line on the terminal, redrawn, comes out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from ftctl.errors import redact
from ftctl.text.format import duration

_PATIENCE = 1.0  # seconds after which people want to know
_REDRAW = 0.1  # seconds
_CLEAR = "\r\x1b[K"


class ScanProgress:
    """Tells of one file after the other; `done` leaves no trace of it.

    As pip and cargo do: only on a terminal that can redraw a line, and not in CI, whose logs keep
    every line. It is no colour, so --no-color does not concern it.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        out: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out or sys.stderr
        self._shown = self._out.isatty() and not environ.get("CI") and environ.get("TERM") != "dumb"
        self._now = now
        self._drawn = False

    def of(self, shown: str) -> Callable[[int, int], None]:
        """What to call as the file is read, with the bytes that are done and those in all."""
        started = last = self._now()

        def told(done: int, size: int) -> None:
            nonlocal last
            now = self._now()
            if self._shown and now - started >= _PATIENCE and now - last >= _REDRAW:
                last = now
                self._drawn = True
                self._out.write(_CLEAR + redact(progress_line(shown, done, size, now - started)))
                self._out.flush()

        return told

    def done(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._out.write(_CLEAR)
            self._out.flush()
            self._drawn = False


def progress_line(shown: str, done: int, size: int, seconds: float) -> str:
    """Share, rate and time left."""
    rate = done / seconds
    left = f"{duration(max(0, size - done) / rate)} left" if rate else "…"
    share = 100 * done // size if size else 100
    return f"Checking {shown}: {share} %, {rate / 1e6:.0f} MB/s, {left}"
