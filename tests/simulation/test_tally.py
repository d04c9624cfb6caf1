"""The figures of several workers are those of one."""

from __future__ import annotations

import pickle
from collections import Counter

from simulation.tally import Tally


def test_counts_of_two_workers_add_up() -> None:
    one = Tally({("a", 1, "cut")}, {"x × cut"}, Counter({"random races": 2}), Counter({1: 3}))
    other = Tally(
        {("a", 1, "cut"), ("b", 2, "cut")}, {"y × cut"}, Counter({"random races": 1}),
        Counter({1: 1, 2: 1}),
    )  # fmt: skip

    one.add(pickle.loads(pickle.dumps(other)))

    assert one == Tally(
        {("a", 1, "cut"), ("b", 2, "cut")}, {"x × cut", "y × cut"},
        Counter({"random races": 3}), Counter({1: 4, 2: 1}),
    )  # fmt: skip
