"""Services that behave as public reports describe: nothing twice, nothing stuck, nobody touched."""

from __future__ import annotations

import json

import pytest

from ftctl.emulator import TEMPERAMENTS
from simulation.proof import Proof
from simulation.scripts import SCRIPTS
from simulation.temperaments import WAYS, Way, play, points
from simulation.wires import FAULTS

_FAULTS = tuple(FAULTS)
_NAMES = tuple(SCRIPTS)
QUICK = 2  # points of each temperament without the flag


def test_every_temperament_of_the_embedded_api_is_simulated() -> None:
    assert {way.name for way in WAYS} == set(TEMPERAMENTS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.slug)
def test_whatever_breaks_under_a_temperament_nothing_is_bought_twice(
    proof: Proof, way: Way
) -> None:
    """A few of the points below: other scripts, requests and faults for each temperament."""
    place = WAYS.index(way)
    failed = []
    for turn in range(QUICK):
        name = _NAMES[(place + 5 * turn) % len(_NAMES)] if turn else "one"
        at = points(proof, way, name)
        number = at[(place + 3 * turn) % len(at)]
        fault = _FAULTS[(place + turn) % len(_FAULTS)]
        faults = {number: fault} if turn else {}
        outcome = play(proof, way, name, faults)
        failed += [f"{name}, {faults}: {one}" for one in outcome.faults]

    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.slug)
def test_every_request_under_a_temperament_may_break(
    proof: Proof, everything: bool, way: Way
) -> None:
    """Of `one` each with each fault; of the others each with one, so that all meet all."""
    if not everything:
        pytest.skip("only with --simulate-all")
    failed = []
    for place, name in enumerate(_NAMES, WAYS.index(way)):
        for number in points(proof, way, name):
            fault = _FAULTS[(place + number) % len(_FAULTS)]
            for each in _FAULTS if name == "one" else (fault,):
                outcome = play(proof, way, name, {number: each})
                failed += [f"{name}, {number} × {each}: {one}" for one in outcome.faults]

    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("name", ["one", "two of one dataset", "a chain", "marked by file name"])
def test_an_honest_service_beside_them_sells_exactly_what_is_asked_for(
    proof: Proof, name: str
) -> None:
    clean = proof.clean(name)
    world = proof.world(clean)
    plan = json.loads(world.run("plan", "--format", "json").lines[-1])

    world.come_to_rest(*clean.script.again)

    assert {change["action"] for change in plan["changes"]} <= {"create", "defer"}
    made = world.bill().made
    assert ([*made.values()], len(made)) == ([1] * len(made), len(plan["changes"]))
