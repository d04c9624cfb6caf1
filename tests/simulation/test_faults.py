"""Whatever request breaks in whatever way: applying again ends where one clean apply would have."""

from __future__ import annotations

import pytest

from simulation.proof import Proof
from simulation.scripts import APPLY, DESTROY, SCRIPTS
from simulation.tally import TALLY
from simulation.wires import FAULTS, STRANGE

# Without the flag: these requests of these scripts, of `one` each with every fault, of the others
# each with every other one, so that every script meets every fault.
_QUICK = {
    "one": (0, 1, 2, 3, 4, 5, 6),
    "one, waited for": (7, 10),
    "a replacement of one that runs": (3, 5),
    "keeps one of three": (3, -1),
    "destroyed while it runs": (3, 5),
    "marked by file name": (5,),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_broken_request_changes_nothing_about_the_end(
    proof: Proof, name: str, fault: str, everything: bool
) -> None:
    clean = proof.clean(name)
    numbers = range(len(clean.trace)) if everything else _QUICK.get(name, ())
    if not numbers:
        pytest.skip("only with --simulate-all")
    if not everything and name != "one":
        numbers = numbers[[*FAULTS].index(fault) % len(numbers) :: 2]
    for number in numbers:
        at = number % len(clean.trace)
        proof.breaks(name, {at: fault})
        TALLY.points.add((name, at, fault))


@pytest.mark.parametrize("answer", STRANGE)
def test_an_answer_that_is_something_else_changes_nothing_about_the_end(
    proof: Proof, answer: str, everything: bool
) -> None:
    for name in SCRIPTS if everything else ("one", "a replacement of one that runs"):
        for number in range(len(proof.clean(name).trace)):
            proof.breaks(name, {number: answer})
            TALLY.points.add((name, number, answer))


@pytest.mark.xfail(reason="a job without a model tells no name to find its checkpoints by")
def test_a_job_cancelled_while_it_trains_leaves_no_checkpoints_behind(proof: Proof) -> None:
    world = proof.world(proof.clean("one"))
    world.run(*APPLY)
    world.clock.time += 2.6  # the first epoch is over

    world.settle(*DESTROY)

    assert not world.fingerprint().orphans
