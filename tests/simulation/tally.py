"""The figures of a test session: what was broken, how often, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts, by what they count."""

    points: set[tuple[str, int, str]] = field(default_factory=set)  # script, request, fault
    kinds: set[str] = field(default_factory=set)  # "request × fault"
    counts: Counter[str] = field(default_factory=Counter)
    applies: Counter[int] = field(default_factory=Counter)  # needed to settle → how often

    def lines(self) -> list[str]:
        """The summary."""
        names = (
            "pairs of faults", "faults in a recovery", "interleavings of two applies",
            "random races", "steps of random journeys", "slow or unfiltered lists",
            "twins stopped before they trained", "bought twice", "left behind", "not converged",
            "strangers touched",
        )  # fmt: skip
        needed = ", ".join(f"{number}: {times}" for number, times in sorted(self.applies.items()))
        points = (
            f"crash and fault points: {len(self.points)}"
            f" (request × fault combinations: {len(self.kinds)})"
        )
        return [
            points,
            *(f"{name}: {self.counts[name]}" for name in names),
            f"applies needed to settle (applies: times): {needed}",
        ]


TALLY = Tally()
