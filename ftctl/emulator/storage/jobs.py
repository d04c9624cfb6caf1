"""Jobs in the store: added, found, listed, and changed together with what happened to them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from ftctl.emulator.http.wire import Json, to_json
from ftctl.emulator.ids import derived
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import add_result_file
from ftctl.emulator.storage.job_record import (
    TERMINAL,
    Checkpoint,
    Event,
    Happening,
    Job,
    Result,
    shown_anywhere,
)
from ftctl.emulator.storage.models import forget_weights, save_weights
from ftctl.emulator.storage.trainings import find_steps

KEPT_CHECKPOINTS = 3
"""Of its last three epochs; of reinforcement those with the three best rewards on validation."""

RESULT_FILE = "step_metrics.csv"

# The public guide's columns, in its order; a method that measures something else adds its own.
_FIGURES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "supervised": (),
    "dpo": (),
    "reinforcement": (
        ("train_reward_mean", "train_reward_mean"),
        ("valid_reward_mean", "valid_reward_mean"),
    ),
}
_COMMON_FIGURES = (
    ("train_loss", "train_loss"),
    ("train_accuracy", "train_mean_token_accuracy"),
    ("valid_loss", "valid_loss"),
    ("valid_mean_token_accuracy", "valid_mean_token_accuracy"),
)

_COLUMNS = tuple(field.name for field in fields(Job) if field.name != "seq")
_BEYOND = 2**62  # after every sequence number
_AS_JSON = frozenset({"method", "metadata", "integrations", "error", "result_files", "fault"})
_WRITTEN = (*_COLUMNS, "shown")  # the job's JSON, once nothing about it can change any more
_INSERT = f"INSERT INTO jobs ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' for _ in _WRITTEN)})"  # noqa: S608
_UPDATE = f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in _WRITTEN)} WHERE seq = ?"  # noqa: S608


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
    organization: str,
) -> list[str]:
    """The newest jobs, older than `before`, that carry every one of the metadata pairs, as JSON."""
    marks = sorted(pairs)
    source, seq = "jobs", "jobs.seq"
    conditions: list[str] = []
    values: list[Any] = []
    if marks:  # its index gives the jobs that carry the pair, and no other, in order
        source, seq = "job_metadata AS mark CROSS JOIN jobs ON jobs.seq = mark.job", "mark.job"
        conditions.append("mark.key = ? AND mark.value = ?")
        values += [*marks[0]]
    for pair in marks[1:]:
        conditions.append(
            "EXISTS (SELECT 1 FROM job_metadata WHERE job = jobs.seq AND key = ? AND value = ?)"
        )
        values += [*pair]
    if without_metadata:
        conditions.append("NOT EXISTS (SELECT 1 FROM job_metadata WHERE job = jobs.seq)")
    conditions.append(f"{seq} < ?")
    values += [_BEYOND if before is None else before, limit]
    rows = session.all(
        f"SELECT jobs.seq, jobs.shown FROM {source}"  # noqa: S608 - only our own words
        f" WHERE {' AND '.join(conditions)} ORDER BY {seq} DESC LIMIT ?",
        *values,
    )
    ending = f',"organization_id":{json.dumps(organization)}}}'
    return [
        (row["shown"] or _shown_now(session, row["seq"])).removesuffix("}") + ending for row in rows
    ]


def _shown_now(session: Session, seq: int) -> str:
    row = session.first("SELECT * FROM jobs WHERE seq = ?", seq)
    assert row is not None
    return to_json(shown_anywhere(_job(row)))


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
                _insert_model(session, job, happening.model, happening.at, happening.weights)
                if happening.file is not None:
                    _insert_figures(session, job, happening.file, happening.at)


def _insert_event(session: Session, job: Job, event: Event, number: int) -> None:
    session.run(
        "INSERT INTO events (id, job, created_at, level, type, message, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(derived("ftevent-", job.id, number), job.seq, event.at, event.level),
        *(event.kind, event.message, json.dumps(event.data)),
    )


def _insert_checkpoint(session: Session, job: Job, checkpoint: Checkpoint) -> None:
    session.run(
        "INSERT INTO checkpoints (id, job, created_at, model, step, metrics)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(derived("ftckpt_", job.id, checkpoint.step), job.seq, checkpoint.at),
        *(checkpoint.model, checkpoint.step, json.dumps(checkpoint.metrics)),
    )
    _insert_model(session, job, checkpoint.model, checkpoint.at, checkpoint.weights)
    best = "json_extract(metrics, '$.valid_reward_mean') DESC,"
    first = best if job.method_type == "reinforcement" else ""
    kept = f"SELECT seq FROM checkpoints WHERE job = ? ORDER BY {first} seq DESC LIMIT ?"  # noqa: S608
    outdated = f"job = ? AND seq NOT IN ({kept})"
    session.run(
        f"DELETE FROM models WHERE id IN (SELECT model FROM checkpoints WHERE {outdated})",  # noqa: S608
        *(job.seq, job.seq, KEPT_CHECKPOINTS),
    )
    session.run(
        f"DELETE FROM checkpoints WHERE {outdated}",  # noqa: S608 - only our own words
        *(job.seq, job.seq, KEPT_CHECKPOINTS),
    )
    forget_weights(session)


def _insert_model(session: Session, job: Job, model: str, at: float, weights: bytes | None) -> None:
    session.run(
        "INSERT INTO models (id, base, job, created_at, weights) VALUES (?, ?, ?, ?, ?)",
        *(model, job.base, job.id, at),
        None if weights is None else save_weights(session, weights),
    )


def _insert_figures(session: Session, job: Job, file_id: str, at: float) -> None:
    content = _result_csv(job.method_type, find_steps(session, job.seq))
    add_result_file(session, file_id, RESULT_FILE, content, at)


def _result_csv(method: str, steps: Iterable[tuple[int, Json]]) -> bytes:
    """Comma-separated values, a line for each step; what was not measured there stays empty."""
    columns = (*_COMMON_FIGURES, *_FIGURES[method])
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["step", *(name for name, _ in columns)])
    for step, metrics in steps:
        figures = [metrics.get(source) for _, source in columns]
        writer.writerow([step, *("" if figure is None else f"{figure:.5f}" for figure in figures)])
    return table.getvalue().encode()


def _values(job: Job) -> list[Any]:
    values = [
        json.dumps(getattr(job, name)) if name in _AS_JSON else getattr(job, name)
        for name in _COLUMNS
    ]
    return [*values, to_json(shown_anywhere(job)) if job.status in TERMINAL else None]


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in ("seq", *_COLUMNS)}
    return Job(**{name: json.loads(v) if name in _AS_JSON else v for name, v in values.items()})
