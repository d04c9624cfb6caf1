"""Jobs in the store: added, found, listed, and changed together with what happened to them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from ftctl.emulator.ids import derived
from ftctl.emulator.jobs.job import Checkpoint, Event, Happening, Job, Result
from ftctl.emulator.store import Session

KEPT_CHECKPOINTS = 3
"""A job keeps the checkpoints of its last three epochs."""

_COLUMNS = tuple(field.name for field in fields(Job) if field.name != "seq")
_AS_JSON = frozenset({"method", "metadata", "integrations", "error"})
_INSERT = f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})"  # noqa: S608
_UPDATE = f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE seq = ?"  # noqa: S608


def insert_job(session: Session, job: Job) -> None:
    """Add a new job under the sequence number that it was given."""
    seq = session.run(_INSERT, *_values(job))
    assert seq == job.seq
    for key, value in (job.metadata or {}).items():
        session.run("INSERT INTO job_metadata (job, key, value) VALUES (?, ?, ?)", seq, key, value)


def update_job(session: Session, job: Job) -> None:
    """Write the job's present state over its former one."""
    session.run(_UPDATE, *_values(job), job.seq)


def find_job(session: Session, job_id: str) -> Job | None:
    """The job of that id."""
    row = session.first("SELECT * FROM jobs WHERE id = ?", job_id)
    return None if row is None else _job(row)


def due_jobs(session: Session) -> list[Job]:
    """The jobs to which something has happened by now, the longest overdue first."""
    sql = "SELECT * FROM jobs WHERE due_at <= ? ORDER BY due_at, seq"
    return [_job(row) for row in session.all(sql, session.now)]


def select_jobs(
    session: Session,
    *,
    before: int | None,
    pairs: frozenset[tuple[str, str]],
    without_metadata: bool,
    limit: int,
) -> list[Job]:
    """The newest jobs, older than `before`, that carry every one of the metadata pairs."""
    conditions = ["(? IS NULL OR seq < ?)"]
    values: list[Any] = [before, before]
    for pair in sorted(pairs):
        conditions.append(
            "EXISTS (SELECT 1 FROM job_metadata WHERE job = seq AND key = ? AND value = ?)"
        )
        values.extend(pair)
    if without_metadata:
        conditions.append("NOT EXISTS (SELECT 1 FROM job_metadata WHERE job = seq)")
    sql = f"SELECT * FROM jobs WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"  # noqa: S608
    return [_job(row) for row in session.all(sql, *values, limit)]


def record(session: Session, job: Job, happenings: Iterable[Happening]) -> None:
    """Keep what happened, in its order."""
    count = session.first("SELECT count(*) AS n FROM events WHERE job = ?", job.seq)
    number = 0 if count is None else int(count["n"])
    for happening in happenings:
        match happening:
            case Event():
                number += 1
                _insert_event(session, job, happening, number)
            case Checkpoint():
                _insert_checkpoint(session, job, happening)
            case Result():
                _insert_model(session, job, happening.model, happening.at)


def _insert_event(session: Session, job: Job, event: Event, number: int) -> None:
    session.run(
        "INSERT INTO events (id, job, created_at, level, type, message, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(derived("ftevent-", job.id, number), job.seq, event.at, event.level),
        "message" if event.metrics is None else "metrics",
        event.message,
        json.dumps(event.metrics or {}),
    )


def _insert_checkpoint(session: Session, job: Job, checkpoint: Checkpoint) -> None:
    session.run(
        "INSERT INTO checkpoints (id, job, created_at, model, step) VALUES (?, ?, ?, ?, ?)",
        *(derived("ftckpt_", job.id, checkpoint.step), job.seq, checkpoint.at),
        *(checkpoint.model, checkpoint.step),
    )
    _insert_model(session, job, checkpoint.model, checkpoint.at)
    kept = "SELECT seq FROM checkpoints WHERE job = ? ORDER BY seq DESC LIMIT ?"
    outdated = f"job = ? AND seq NOT IN ({kept})"
    session.run(
        f"DELETE FROM models WHERE id IN (SELECT model FROM checkpoints WHERE {outdated})",  # noqa: S608
        *(job.seq, job.seq, KEPT_CHECKPOINTS),
    )
    session.run(
        f"DELETE FROM checkpoints WHERE {outdated}",  # noqa: S608 - only our own words
        *(job.seq, job.seq, KEPT_CHECKPOINTS),
    )


def _insert_model(session: Session, job: Job, model: str, at: float) -> None:
    session.run(
        "INSERT INTO models (id, base, job, created_at) VALUES (?, ?, ?, ?)",
        *(model, job.base, job.id, at),
    )


def _values(job: Job) -> list[Any]:
    return [
        json.dumps(getattr(job, name)) if name in _AS_JSON else getattr(job, name)
        for name in _COLUMNS
    ]


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over values
    return Job(**{name: json.loads(v) if name in _AS_JSON else v for name, v in values.items()})
