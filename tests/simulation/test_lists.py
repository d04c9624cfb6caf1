"""Services whose lists lag behind what was made, or that do not filter them."""

from __future__ import annotations

import contextlib

import pytest

from simulation.proof import Proof
from simulation.scripts import APPLY, SCRIPTS
from simulation.tally import TALLY
from simulation.wires import FAULTS, Break, Killed, Lag, Unfiltered

_LOST = [fault for fault, done in FAULTS.items() if done and not fault.startswith("killed")]


@pytest.mark.parametrize("fault", _LOST)
@pytest.mark.parametrize("name", ["one", "a chain"])
@pytest.mark.parametrize(("looks", "seconds"), [(1, 0.0), (3, 0.0), (0, 14.0)])
def test_a_lost_answer_and_a_list_that_lags_buy_once(  # noqa: PLR0917 - pytest passes by name
    proof: Proof, everything: bool, name: str, fault: str, looks: int, seconds: float
) -> None:
    if not everything and (name, fault) not in (("one", "lost"), ("one", "garbled")):
        pytest.skip("only with --simulate-all")
    clean = proof.clean(name)
    for number, kind in enumerate(clean.trace):
        if kind not in ("create a job", "upload"):
            continue
        world = proof.world(clean)
        lag = Lag(world.clock, looks, seconds)

        world.run(*clean.script.command, wire=Break({number: fault}, around=lag))
        world.clock.time += 20  # the lag is over before somebody looks again

        proof.ends_as_if_clean(world, clean, f"{name}: {number} × {fault}, lists lag {lag}")
        TALLY.counts["slow or unfiltered lists"] += 1


@pytest.mark.parametrize("name", ["one", "one, waited for", "two of one dataset", "a chain"])
def test_a_list_that_lags_behind_a_good_answer_costs_nothing(proof: Proof, name: str) -> None:
    clean = proof.clean(name)
    world = proof.world(clean)

    world.run(*clean.script.command, wire=Lag(world.clock, looks=2, seconds=5.0))
    world.clock.time += 20

    proof.ends_as_if_clean(world, clean, f"{name}: lists lag")
    TALLY.counts["slow or unfiltered lists"] += 1


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_service_that_does_not_filter_loses_nothing_of_strangers(proof: Proof, name: str) -> None:
    clean = proof.clean(name)
    world = proof.world(clean)

    ended = world.run(*clean.script.command, wire=Unfiltered)

    assert ended.status == 0, ended.text
    proof.ends_as_if_clean(world, clean, f"{name}: lists are not filtered")
    TALLY.counts["slow or unfiltered lists"] += 1


@pytest.mark.parametrize("fault", ["lost", "killed-after"])
def test_a_second_apply_beside_one_that_died_finds_its_job(proof: Proof, fault: str) -> None:
    clean = proof.clean("one")
    world = proof.world(clean)
    plan = Break({clean.trace.index("create a job"): fault})
    with pytest.raises(Killed) if fault.startswith("killed") else _nothing():
        world.run(*clean.script.command, wire=plan)

    ended = world.run(*APPLY)

    assert ended.status == 0
    assert "no-op, running as ftjob-" in ended.text
    proof.ends_as_if_clean(world, clean, fault)


def _nothing() -> contextlib.nullcontext[None]:
    return contextlib.nullcontext()
