"""Models that jobs made, in the store."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ftctl.emulator.store import Session


@dataclass(frozen=True, slots=True)
class TunedModel:
    """A job's result or one of its checkpoints; `created_at` in Unix seconds."""

    id: str
    base: str  # the snapshot at its root
    created_at: float


def find_model(session: Session, name: str) -> TunedModel | None:
    """The tuned model of that name, unless there never was one or it was deleted."""
    row = session.first("SELECT * FROM models WHERE id = ?", name)
    return None if row is None else _model(row)


def all_models(session: Session) -> list[TunedModel]:
    """The tuned models, oldest first."""
    return [_model(row) for row in session.all("SELECT * FROM models ORDER BY seq")]


def remove_model(session: Session, name: str) -> None:
    """Gone for good; the job that made it still names it."""
    session.run("DELETE FROM models WHERE id = ?", name)


def _model(row: sqlite3.Row) -> TunedModel:
    return TunedModel(id=row["id"], base=row["base"], created_at=row["created_at"])
