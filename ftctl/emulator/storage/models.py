"""Models that jobs made, in the store."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

from ftctl.emulator.storage.database import Session


@dataclass(frozen=True, slots=True)
class TunedModel:
    """A job's result or one of its checkpoints; `created_at` in Unix seconds."""

    id: str
    base: str  # the snapshot at its root
    created_at: float


def find_weights(session: Session, name: str) -> bytes | None:
    """What the tuned model has learnt; None for one that was made without training."""
    return weights_at(session, weights_of(session, name))


def weights_of(session: Session, name: str) -> int | None:
    """Where the model's weights stand; None for one that was made without training."""
    row = session.first("SELECT weights FROM models WHERE id = ?", name)
    return None if row is None else row["weights"]


def weights_at(session: Session, place: int | None) -> bytes | None:
    """The weights that stand there."""
    row = session.first("SELECT content FROM weights WHERE seq = ?", place)
    return None if row is None else bytes(row["content"])


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
    forget_weights(session)


def save_weights(session: Session, content: bytes) -> int:
    """Where the weights stand from now on; models that learnt the same share them."""
    name = hashlib.sha256(content).hexdigest()
    row = session.first("SELECT seq FROM weights WHERE sha256 = ?", name)
    if row is not None:
        return int(row["seq"])
    return session.run("INSERT INTO weights (sha256, content) VALUES (?, ?)", name, content)


def forget_weights(session: Session) -> None:
    """Give back the weights that no model has any more, and no job under way started from."""
    session.run(
        "DELETE FROM weights WHERE seq NOT IN ("
        "SELECT weights FROM models WHERE weights IS NOT NULL"
        " UNION SELECT start_weights FROM jobs WHERE start_weights IS NOT NULL)"
    )


def _model(row: sqlite3.Row) -> TunedModel:
    return TunedModel(id=row["id"], base=row["base"], created_at=row["created_at"])
