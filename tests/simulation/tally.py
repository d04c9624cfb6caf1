"""The figures of a test session: what was broken, how often, and what came of it.

With several workers, each counts its own and hands over its counts when it ends.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

_HANDED = "simulation"
_OF_WAYS = ("points", "bought twice", "stuck", "strangers touched")
_MOST_SENTENCES = 3


@dataclass
class Tally:
    """Counts, by what they count."""

    points: set[tuple[str, int, str]] = field(default_factory=set)  # script, request, fault
    kinds: set[str] = field(default_factory=set)  # "request × fault"
    counts: Counter[str] = field(default_factory=Counter)
    applies: Counter[int] = field(default_factory=Counter)  # needed to settle → how often
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)  # by temperament
    sentences: Counter[tuple[str, str]] = field(default_factory=Counter)  # by temperament

    def add(self, other: Tally) -> None:
        """Count what another worker counted."""
        self.points |= other.points
        self.kinds |= other.kinds
        self.counts += other.counts
        self.applies += other.applies
        self.ways += other.ways
        self.sentences += other.sentences

    def lines(self) -> list[str]:
        """The summary."""
        names = (
            "pairs of faults", "faults in a recovery", "interleavings of two applies",
            "random races", "steps of random journeys", "slow or unfiltered lists",
            "checkouts at once", "kills, and lists that lag",
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
            *self._table(),
        ]

    def _table(self) -> Iterator[str]:
        """Of each temperament: how many points, what went wrong, and what a user reads."""
        for way in dict.fromkeys(way for way, _ in self.ways):
            figures = ", ".join(f"{what} {self.ways[way, what]}" for what in _OF_WAYS)
            yield f"{way}: {figures}"
            said = Counter(
                {text: times for (told, text), times in self.sentences.items() if told == way}
            )
            yield from (
                f"    {times} × {text}" for text, times in said.most_common(_MOST_SENTENCES)
            )


TALLY = Tally()


class Figures:
    """A plugin: prints the figures of all workers at the end."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands over its counts."""
        if hasattr(session.config, "workerinput"):
            session.config.workeroutput[_HANDED] = pickle.dumps(TALLY)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of several workers has ended."""
        handed = getattr(node, "workeroutput", {}).get(_HANDED)
        if handed is not None:
            TALLY.add(pickle.loads(handed))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the figures."""
        if TALLY.applies or TALLY.ways:
            terminalreporter.section("simulation")
            for line in TALLY.lines():
                terminalreporter.line(line)
