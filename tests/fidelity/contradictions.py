"""Where the specification contradicts itself, the guides or the service that it describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contradiction:
    """An object that does not fit although it is right, and the object that would."""

    name: str
    reason: str
    read: Callable[[dict[str, Any]], dict[str, Any] | None]  # None: not about this object


def _paused(value: dict[str, Any]) -> dict[str, Any] | None:
    is_paused_job = value.get("object") == "fine_tuning.job" and value.get("status") == "paused"
    return {**value, "status": "running"} if is_paused_job else None


def _map_of_graders(value: dict[str, Any]) -> dict[str, Any] | None:
    graders = value.get("graders")
    if value.get("type") != "multi" or not isinstance(graders, dict) or "type" in graders:
        return None
    # Each member fits by itself; one is enough here, for `GraderParts` judges them all.
    return {**value, "graders": next(iter(graders.values()), None)}


def _file_for_evals(value: dict[str, Any]) -> dict[str, Any] | None:
    is_one = value.get("object") == "file" and value.get("purpose") == "evals"
    return {**value, "purpose": "user_data"} if is_one else None


def _stored_message(value: dict[str, Any]) -> dict[str, Any] | None:
    is_one = "content_parts" in value and value.get("role") != "assistant"
    return {**value, "role": "assistant"} if is_one else None


KNOWN_CONTRADICTIONS: tuple[Contradiction, ...] = (
    Contradiction(
        "a paused job",
        "the example of POST .../pause answers `paused`; the enum of the same status lacks it",
        _paused,
    ),
    Contradiction(
        "a map of graders",
        "the guide names the graders of a `multi`; the specification has one grader there",
        _map_of_graders,
    ),
    Contradiction(
        "a file for evals",
        "files may be uploaded for `evals`; the purposes of a file as answered lack it",
        _file_for_evals,
    ),
    Contradiction(
        "a stored message",
        "the messages of a stored completion are those that were sent, of any role and in parts;"
        " their type has the assistant's role alone",
        _stored_message,
    ),
)


def as_meant(value: Any) -> tuple[Any, set[str]]:
    """The value with the known contradictions read as the specification has it, and their names."""
    used: set[str] = set()

    def read(part: Any) -> Any:
        if isinstance(part, list):
            return [read(one) for one in part]
        if not isinstance(part, dict):
            return part
        part = {name: read(one) for name, one in part.items()}
        for known in KNOWN_CONTRADICTIONS:
            other = known.read(part)
            if other is not None:
                part = other
                used.add(known.name)
        return part

    return read(value), used


EXPECTED_FAILURES: Mapping[str, str] = {
    "test_a_closed_emulator_still_answers_in_the_envelope": "its database is closed",
    "test_an_emulator_may_be_closed_before_its_server": "its database is closed",
    "test_a_stream_that_breaks_ends_with_the_fault": "its database is closed on the way",
}
"""Tests that break the emulator and look for what it says then."""

BREAKING_TEMPERAMENTS: frozenset[str] = frozenset(
    {"file-pending", "odd-jobs", "statuses-respelled", "unknown-status"}
)
"""Ways of a service whose point is to say what the specification has not: they are not judged."""
