"""A key that expires, and for how long it is good: what every exchange ends with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

_LONGEST_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class ShortKey:
    """A key; `seconds` is how long it is good for from now on, None where nobody says."""

    text: str = field(repr=False)
    seconds: float | None = None


def read_seconds(value: object) -> float | None:
    """How long a key is good for, as an answer says it; None for what is no such number."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 < value <= _LONGEST_SECONDS:
        return None
    return float(value)
