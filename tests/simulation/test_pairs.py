"""Two faults: both in one run, or the second one in the run that was to recover from the first."""

from __future__ import annotations

import random

import pytest

from simulation.proof import Proof
from simulation.scripts import SCRIPTS
from simulation.tally import TALLY
from simulation.wires import FAULTS

QUICK, ALL = 20, 800
_SEED = 20261122


def _some(number: int) -> tuple[random.Random, str, str]:
    """The chance, script and fault of one case; it is told by its number alone."""
    chance = random.Random(_SEED * 100_000 + number)
    return chance, chance.choice(sorted(SCRIPTS)), chance.choice(sorted(FAULTS))


@pytest.mark.parametrize("part", range(4))
def test_two_faults_in_one_run_change_nothing_about_the_end(
    proof: Proof, everything: bool, part: int
) -> None:
    for number in range(part, ALL if everything else QUICK, 4):
        chance, name, fault = _some(number)
        trace = proof.clean(name).trace
        first = chance.randrange(len(trace))
        # Requests shift once one of them is repeated; the second fault hits whatever comes then.
        second = first + chance.randrange(1, 9)
        print(f"pair {number}: {name}")
        proof.breaks(name, {first: fault, second: chance.choice(sorted(FAULTS))})
        TALLY.counts["pairs of faults"] += 1


@pytest.mark.parametrize("part", range(4))
def test_a_fault_in_the_recovery_changes_nothing_about_the_end(
    proof: Proof, everything: bool, part: int
) -> None:
    for number in range(part, ALL if everything else QUICK, 4):
        chance, name, fault = _some(number + ALL)
        trace = proof.clean(name).trace
        later = {chance.randrange(12): chance.choice(sorted(FAULTS))}
        print(f"recovery {number}: {name}")
        proof.breaks(name, {chance.randrange(len(trace)): fault}, later)
        TALLY.counts["faults in a recovery"] += 1
