"""Checkouts that share nothing but a service whose lists lag: applied at once, or killed."""

from __future__ import annotations

import shutil

import pytest

from ftctl.emulator import Settings
from simulation.proof import Clean, Proof
from simulation.scripts import APPLY
from simulation.side_by_side import Base, Paced, Runner, side_by_side
from simulation.tally import TALLY
from simulation.wires import Break
from simulation.world import Bill, World

LAGS = (0.4, 3, 6, 22, 30, 60)
_QUICK_LAGS = (0.4, 22)
APART = (0.0, 0.3, 1.0, 2.5, 7.0, 20.0, 65.0)
_WAIT = (*APPLY, "--wait")
# Files are validated for minutes at the services; a twin that is stopped before it trains is free.
SERVICE = Settings(validating_seconds=200, queued_seconds=3, running_seconds=12)
REQUEST_SECONDS = 0.2


def _checkouts(proof: Proof, clean: Clean, lag: float, many: int) -> tuple[World, list[World]]:
    """The world that has the service, and checkouts of it, each with a clock of its own."""
    world = proof.world(clean)
    world.temper(f"lagging-list={lag:g}")
    base = Base(world.clock.now())
    world.clock = Paced(base)
    names = [world.folder.with_name(f"{world.folder.name}-{number}") for number in range(many)]
    return world, [world.checkout(name, Paced(base)) for name in names]


def _base(world: World) -> Base:
    assert isinstance(world.clock, Paced)
    return world.clock.base


def _ends_as_if_clean(
    proof: Proof, clean: Clean, world: World, checkouts: list[World], what: str
) -> None:
    """Every training was bought once, whether or not anybody applies again; and then all rests."""
    _base(world).time += sum((SERVICE.validating_seconds, SERVICE.queued_seconds, 60))
    bill = world.bill()
    twice = bill.trained - clean.bill.made
    TALLY.counts["bought twice"] += twice.total()
    TALLY.counts["twins stopped before they trained"] += (bill.made - clean.bill.made).total()
    assert not twice, f"{what}: bought twice: {_short(bill)}"
    for checkout in checkouts:
        checkout.run(*clean.script.again)
    world.temper()
    for checkout in checkouts:
        checkout.come_to_rest(*clean.script.again)
    found = world.fingerprint()
    assert found.strangers == clean.found.strangers, what
    assert (found.live, found.models) == (clean.found.live, clean.found.models), what
    assert not (world.bill().trained - clean.bill.made), f"{what}: bought twice afterwards"
    for one in (world, *checkouts):
        shutil.rmtree(one.folder)


def _short(bill: Bill) -> str:
    return ", ".join(f"{digest[:12]}: {number}" for digest, number in bill.trained.items())


@pytest.mark.parametrize("command", [APPLY, _WAIT], ids=["apply", "wait"])
@pytest.mark.parametrize("lag", LAGS)
def test_two_checkouts_that_apply_at_once_buy_once_however_late_lists_are(
    proof: Proof, everything: bool, lag: float, command: tuple[str, ...]
) -> None:
    if lag not in _QUICK_LAGS and not everything:
        pytest.skip("only with --simulate-all")
    clean = proof.clean("one", SERVICE)
    for apart in APART if everything else (0.0,) if command == _WAIT else (0.0, 2.5):
        world, checkouts = _checkouts(proof, clean, lag, 2)
        runners = [
            Runner(checkout, command, start=apart * number)
            for number, checkout in enumerate(checkouts)
        ]

        side_by_side(_base(world), runners, seconds=REQUEST_SECONDS)

        what = f"2 × {' '.join(command)}, {apart} s apart, lists {lag} s late"
        assert all(one.ended and one.ended.status in (0, 4) for one in runners), (
            f"{what}: {runners}"
        )
        _ends_as_if_clean(proof, clean, world, checkouts, what)
        TALLY.counts["checkouts at once"] += 1


@pytest.mark.parametrize("lag", [0.4, 22])
def test_three_checkouts_that_apply_at_once_buy_once(
    proof: Proof, everything: bool, lag: float
) -> None:
    clean = proof.clean("two of one dataset", SERVICE)
    for apart in (0.1, 1.0, 5.0) if everything else (1.0,):
        world, checkouts = _checkouts(proof, clean, lag, 3)
        runners = [
            Runner(checkout, APPLY, start=apart * number)
            for number, checkout in enumerate(checkouts)
        ]

        side_by_side(_base(world), runners, seconds=REQUEST_SECONDS)

        what = f"3 × apply, {apart} s apart, lists {lag} s late"
        _ends_as_if_clean(proof, clean, world, checkouts, what)
        TALLY.counts["checkouts at once"] += 1


@pytest.mark.parametrize("fault", ["killed-before", "killed-after"])
@pytest.mark.parametrize("lag", LAGS)
def test_the_same_checkout_applied_after_a_kill_buys_once(
    proof: Proof, everything: bool, lag: float, fault: str
) -> None:
    """At any request, however soon it is applied again."""
    if lag not in _QUICK_LAGS and not everything:
        pytest.skip("only with --simulate-all")
    clean = proof.clean("one", SERVICE)
    for number in range(len(clean.trace)) if everything else (clean.trace.index("create a job"),):
        for later in (0.5, 10.0, 45.0) if everything else (0.5,):
            world, (checkout,) = _checkouts(proof, clean, lag, 1)
            broken = Runner(checkout, APPLY, plan=Break({number: fault}))
            side_by_side(_base(world), [broken], seconds=REQUEST_SECONDS)
            _base(world).time += later

            again = Runner(checkout, APPLY)
            side_by_side(_base(world), [again], seconds=REQUEST_SECONDS)

            what = f"request {number} {fault}, again {later} s later, lists {lag} s late"
            _ends_as_if_clean(proof, clean, world, [checkout], what)
            TALLY.counts["kills, and lists that lag"] += 1


@pytest.mark.parametrize("lag", LAGS)
def test_another_checkout_beside_one_that_is_killed_buys_once(
    proof: Proof, everything: bool, lag: float
) -> None:
    if lag not in _QUICK_LAGS and not everything:
        pytest.skip("only with --simulate-all")
    clean = proof.clean("one", SERVICE)
    create = clean.trace.index("create a job")
    for number in (create - 1, create, create + 1) if everything else (create,):
        for apart in APART if everything else (0.3,):
            world, checkouts = _checkouts(proof, clean, lag, 2)
            runners = [
                Runner(checkouts[0], APPLY, plan=Break({number: "killed-after"})),
                Runner(checkouts[1], APPLY, start=apart),
            ]

            side_by_side(_base(world), runners, seconds=REQUEST_SECONDS)

            what = f"request {number} killed, another {apart} s later, lists {lag} s late"
            _ends_as_if_clean(proof, clean, world, checkouts, what)
            TALLY.counts["kills, and lists that lag"] += 1
