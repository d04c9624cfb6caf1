"""Fixtures of the simulation."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ftctl.emulator import ids, open_emulator
from simulation.proof import Proof
from simulation.world import DEADLINES


@pytest.fixture
def everything(request: pytest.FixtureRequest) -> bool:
    """Whether all of it is to be simulated, and not only what is quick."""
    return bool(request.config.getoption("--simulate-all"))


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """The one stage of a session: what a script needs is made once."""
    return Proof(tmp_path_factory.mktemp("simulation"))


@pytest.fixture
def proof(stage: Proof) -> Iterator[Proof]:
    """Where scenarios are played. The emulator's ids are random again afterwards."""
    before = ids.os, open_emulator.__defaults__
    stage.seed = 0  # a test that runs alone plays the same as among others
    yield stage
    ids.os, open_emulator.__defaults__ = before
    for module in DEADLINES:
        module.time = time  # type: ignore[attr-defined]
