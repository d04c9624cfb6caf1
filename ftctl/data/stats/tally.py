"""Names go in, one at a time; how often each came comes out, in memory that has a bound."""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST_NAMES = 1_000
OTHER = "(other)"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Tally:
    """Counts names that read like names; all else counts as other, and never gets out as text."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, name: object) -> None:
        known = name if isinstance(name, str) and _NAME.fullmatch(name) else OTHER
        if known not in self._counts and len(self._counts) >= MOST_NAMES:
            known = OTHER
        self._counts[known] = self._counts.get(known, 0) + 1

    def counts(self) -> Mapping[str, int]:
        """The most frequent first, else by name."""
        return dict(sorted(self._counts.items(), key=lambda item: (-item[1], item[0])))
