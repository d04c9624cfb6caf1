"""One scenario: a world as it was, something that goes wrong, and what must be true afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ftctl.emulator import Settings
from simulation.scripts import SCRIPTS, Script
from simulation.tally import TALLY
from simulation.wires import Break, Killed
from simulation.world import Bill, Ended, Print, World, at_once, prepare, take_time

_AS_IT_IS = Settings()


@dataclass(frozen=True)
class Clean:
    """What one clean run of a script asks for, and where it ends."""

    script: Script
    before: World
    trace: tuple[str, ...]
    found: Print
    bill: Bill


@dataclass
class Proof:
    """Plays scenarios below a folder, each in a copy of its script's world."""

    folder: Path
    known: dict[tuple[str, Settings], Clean] = field(default_factory=dict)
    played: int = 0
    seed: int = 0

    def clean(self, name: str, service: Settings = _AS_IT_IS) -> Clean:
        """The clean run of a script. `service` says how long things take there."""
        take_time(service)
        key = (name, service)
        if key not in self.known:
            at_once(0)
            script = SCRIPTS[name]
            before = prepare(script, self.folder / f"before-{len(self.known)}")
            world = before.copy(self.folder / f"clean-{len(self.known)}")
            plan = Break()
            ended = world.run(*script.command, wire=plan)
            assert ended.status == 0, ended.text
            world.come_to_rest(*script.again)
            found, bill = world.fingerprint(), world.bill()
            shutil.rmtree(world.folder)
            self.known[key] = Clean(script, before, tuple(plan.trace), found, bill)
        return self.known[key]

    def world(self, clean: Clean) -> World:
        """A fresh copy of a script's world."""
        self.played += 1
        self.seed += 1
        at_once(self.seed)
        return clean.before.copy(self.folder / f"world-{self.played}")

    def breaks(
        self, name: str, faults: Mapping[int, str], later: Mapping[int, str] | None = None
    ) -> None:
        """Break requests of a script's command, and of the recovery; all must end as if clean."""
        clean = self.clean(name)
        world = self.world(clean)
        what = f"{name}: {dict(faults)}, then {dict(later or {})}"
        broken_run(world, clean.script.command, faults)
        if later is not None:
            broken_run(world, clean.script.again, later)
        self.ends_as_if_clean(world, clean, what)

    def ends_as_if_clean(
        self, world: World, clean: Clean, what: str, *, twins: bool = False
    ) -> None:
        """Settle; nothing is bought twice, left behind or missing, no stranger was touched.

        `twins`: whether jobs may have been made that were stopped before they trained.
        """
        try:
            needed = world.come_to_rest(*clean.script.again)
        except AssertionError as fault:
            TALLY.counts["not converged"] += 1
            raise AssertionError(f"{what}: {fault}") from None
        TALLY.applies[needed] += 1
        found, bill = world.fingerprint(), world.bill()
        # Against what was made, not trained: a job that is to be stopped may be over before.
        twice = bill.trained - clean.bill.made
        extra = bill.made - clean.bill.made
        behind = _behind(found, clean.found)
        TALLY.counts["bought twice"] += twice.total()
        TALLY.counts["left behind"] += len(behind)
        TALLY.counts["twins stopped before they trained"] += extra.total()
        TALLY.counts["strangers touched"] += found.strangers != clean.found.strangers
        assert not twice, f"{what}: bought twice: {dict(twice)}"
        assert twins or not extra, f"{what}: made once too often: {dict(extra)}"
        assert twins or bill.uploads <= clean.bill.uploads, f"{what}: a file was sent twice"
        assert found == clean.found, f"{what}: another end: {found} instead of {clean.found}"
        shutil.rmtree(world.folder)


def broken_run(world: World, command: tuple[str, ...], faults: Mapping[int, str]) -> Ended | None:
    """One run with faults; None if it was killed."""
    plan = Break(faults)
    ended: Ended | None = None
    try:
        ended = world.run(*command, wire=plan)
    except Killed:
        assert plan.dead
    else:
        assert not plan.dead, f"a kill was caught: {ended}"
        assert ended.status != 70, ended.text
    assert plan.after_death == 0, "a dead process asked for something"
    TALLY.kinds.update(plan.applied)
    return ended


def _behind(found: Print, wanted: Print) -> list[str]:
    """Files and models that a clean run would not have left."""
    left = [*found.files, *found.models]
    for one in (*wanted.files, *wanted.models):
        if one in left:
            left.remove(one)
    return left
