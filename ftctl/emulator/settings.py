"""What can be set on an emulator: how long a job's stages last, its organization, its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ftctl.emulator.temperament import read_temperament

Clock = Callable[[], float]
"""The time in Unix seconds; tests pass one that they move by hand."""

OWNER = "ftctl-emulator"
"""Who owns every model here, so that no answer can be taken for the hosted service's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations are in seconds of the emulator's clock; with `id_seed` every id is reproducible.

    ValueError for a duration below 0, and for what is no temperament.
    """

    validating_seconds: float = 0.4
    queued_seconds: float = 0.4
    running_seconds: float = 3.0
    organization: str = OWNER
    id_seed: int | None = None
    max_file_bytes: int = 512 * 1024 * 1024
    training: bool = True  # off: jobs pass through their stages and learn nothing, for bare speed
    api_key: str | None = None  # the only key that is taken; None takes any
    python_graders: bool = False  # whether a grader's Python source may run on this machine
    look_seconds: float = 20.0  # the longest that a request waits for training that is due
    temperaments: tuple[str, ...] = ()  # as in "lagging-list=30"; beside those in the store

    def __post_init__(self) -> None:
        if min(self.validating_seconds, self.queued_seconds, self.running_seconds) < 0:
            raise ValueError("an emulator's durations cannot be negative")
        for text in self.temperaments:
            read_temperament(text)
