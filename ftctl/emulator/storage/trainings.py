"""Trainings in the store: each step's figures, and the state to go on from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ftctl.emulator.http.wire import Json
from ftctl.emulator.storage.database import Session


@dataclass(frozen=True, slots=True)
class SavedTraining:
    """A training that can be gone on with; `content` is the trainer's own form."""

    step: int
    content: bytes


def save_training(session: Session, job: int, saved: SavedTraining) -> None:
    """Over the former one: only the newest state is of use."""
    session.run(
        "INSERT OR REPLACE INTO trainings (job, step, content) VALUES (?, ?, ?)",
        *(job, saved.step, saved.content),
    )


def find_training(session: Session, job: int) -> SavedTraining | None:
    """The state that the job's training was last saved in."""
    row = session.first("SELECT step, content FROM trainings WHERE job = ?", job)
    return None if row is None else SavedTraining(row["step"], bytes(row["content"]))


def forget_training(session: Session, job: int) -> None:
    """When the job has ended: its models have their own weights."""
    session.run("DELETE FROM trainings WHERE job = ?", job)


def save_steps(session: Session, job: int, steps: Iterable[tuple[int, Json]]) -> None:
    """The figures of these steps; those that are there already stay."""
    for step, metrics in steps:
        session.run(
            "INSERT OR IGNORE INTO steps (job, step, metrics) VALUES (?, ?, ?)",
            *(job, step, json.dumps(metrics)),
        )


def find_steps(session: Session, job: int, after: int = 0) -> list[tuple[int, Json]]:
    """The figures of every step beyond `after`, in order."""
    rows = session.all(
        "SELECT step, metrics FROM steps WHERE job = ? AND step > ? ORDER BY step", job, after
    )
    return [(row["step"], json.loads(row["metrics"])) for row in rows]
