"""Applies at the same time that share nothing but the service."""

from __future__ import annotations

import random
import re

import pytest

from ftctl.emulator import Settings
from simulation.proof import Proof
from simulation.races import Schedule, every_schedule, race
from simulation.scripts import APPLY
from simulation.tally import TALLY
from simulation.world import Ended

_SEED = 20261122
# Twins are stopped before they train because validation takes longer than a few requests. At the
# services it takes minutes; the embedded API's own 0.4 seconds would be over within a request.
SLOW = Settings(validating_seconds=60, queued_seconds=3, running_seconds=12)
_WAIT = (*APPLY, "--wait")


def followed(ended: Ended) -> dict[str, str]:
    """The job or model that an apply named last as the one that stands for each fine-tune."""
    found: dict[str, str] = {}
    patterns = (
        r"^\S (?P<name>[\w-]+): [\w-]+, (?:running|up to date) as (?P<what>\S+?)[ ;,]*(?:\(|$)",
        r"^\S (?P<name>[\w-]+): cancel, ftjob-\w+ duplicates (?P<what>ftjob-\w+)",
        r"^(?P<name>[\w-]+): started (?P<what>ftjob-\w+)",
        r"^(?P<name>[\w-]+): .*cancelled ftjob-\w+: (?P<what>ftjob-\w+) is the same",
        r"^(?P<name>[\w-]+): succeeded as (?P<what>ft:\S+)",
        r"^(?P<name>[\w-]+): up to date as (?P<what>ft:\S+)",
    )
    for line in ended.text.splitlines():
        for pattern in patterns:
            if match := re.search(pattern, line):
                found[match["name"]] = match["what"]
    return found


def _race(
    proof: Proof,
    name: str,
    schedule: Schedule,
    *,
    command: tuple[str, ...] = APPLY,
    many: int = 2,
    seconds: float = 1.0,
) -> None:
    clean = proof.clean(name, SLOW)
    world = proof.world(clean)
    what = f"{many} × {' '.join(command)} of {name}, {seconds} s a request"
    try:
        ended = race(world, [command] * many, schedule, seconds=seconds)
    finally:
        what += f", schedule {''.join(map(str, schedule.choices))}"
    for one in ended:
        assert one.status == 0, f"{what}: {one.text}"
    made = {job["fine_tuned_model"]: job["id"] for job in world.jobs() if job["fine_tuned_model"]}
    told = [{name: made.get(what, what) for name, what in followed(one).items()} for one in ended]
    assert all(told), f"{what}: {ended}"
    # Within one second the service gives no order to tell the older job by: see the docs.
    if seconds >= 1 or "--wait" in command:
        assert all(one == told[0] for one in told), f"{what}: {told}\n{ended}"
    # The job that everybody was told of is the one that lives.
    proof.ends_as_if_clean(world, clean, what, twins=True)


def _by_chance(seed: int, given: random.Random | None = None) -> Schedule:
    chance = given or random.Random(seed)

    class Chance(Schedule):
        def __call__(self, ready: tuple[int, ...], last: int | None) -> int:
            choice = chance.choice(ready)
            self.made.append((choice, ready, last))
            return choice

    return Chance()


@pytest.mark.parametrize("seconds", [1.0, 0.0])
def test_two_applies_buy_once_however_their_requests_are_mixed(
    proof: Proof, everything: bool, seconds: float
) -> None:
    most = 3 if everything else 1

    for _count in every_schedule(lambda one: _race(proof, "one", one, seconds=seconds), most):
        TALLY.counts["interleavings of two applies"] += 1


@pytest.mark.parametrize(
    ("name", "command", "many"),
    [
        ("one", APPLY, 3),
        ("one", _WAIT, 2),
        ("one", _WAIT, 3),
        ("a chain", _WAIT, 2),
        ("two of one dataset", APPLY, 2),
        ("a replacement", _WAIT, 2),
        ("a replacement of one that runs", APPLY, 3),
        ("marked by file name", _WAIT, 2),
    ],
)
def test_applies_mixed_at_random_buy_once(
    proof: Proof, everything: bool, name: str, command: tuple[str, ...], many: int
) -> None:
    for number in range(60 if everything else 1):
        for seconds in (0.0, 1.0):
            seed = _SEED * 1000 + number
            print(f"seed {seed}")
            _race(proof, name, _by_chance(seed), command=command, many=many, seconds=seconds)
            TALLY.counts["random races"] += 1
