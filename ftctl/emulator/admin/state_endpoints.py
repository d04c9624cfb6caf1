"""The emulator's health and state, a job's curve, and the way back to nothing."""

from __future__ import annotations

import json
import sqlite3
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from ftctl.emulator.admin.admin_context import AdminContext, counts, fields_sent, number_asked
from ftctl.emulator.admin.clock_endpoints import shown_clock
from ftctl.emulator.http.wire import ApiError, Json, Response, answer, answer_list, bad_request
from ftctl.emulator.storage.files import PRESENT, shown_file
from ftctl.emulator.storage.tables import SCHEMA_VERSION

DEFAULT_ROWS, MOST_ROWS = 1_000, 10_000
MOST_STEPS = 10_000
LAST_STEP = 999_999_999
KEPT = ("faults", "clock")
_TABLES_KEPT = {"faults": ("faults", "temperaments"), "clock": ("pace",)}
_JOB = (
    "id, status, step, total_steps, model, suffix, created_at, finished_at, fine_tuned_model,"
    " error, fault"
)


def health(context: AdminContext) -> Response:
    """GET health: that it works, since when, and what it holds."""
    with context.api.reading_as_it_is() as session:
        held = counts(session)
        clock = shown_clock(session)
    return answer(
        {
            "status": "ok",
            "version": _version(),
            "schema": SCHEMA_VERSION,
            "uptime_seconds": round(time.monotonic() - context.started_at, 3),
            "clock": clock,
            "training": context.api.settings.training,
            "counts": held,
        }
    )


def state(context: AdminContext) -> Response:
    """GET state: how many there are of everything, and the newest of each in short."""
    limit = number_asked(context, "limit", DEFAULT_ROWS, MOST_ROWS)
    with context.api.reading() as session:
        jobs = session.all(f"SELECT {_JOB} FROM jobs ORDER BY seq DESC LIMIT ?", limit)  # noqa: S608
        files = session.all(
            f"SELECT * FROM files WHERE {PRESENT} ORDER BY seq DESC LIMIT ?",  # noqa: S608
            *(session.now, limit),
        )
        models = session.all(
            "SELECT id, base, job, created_at FROM models ORDER BY seq DESC LIMIT ?", limit
        )
        held = counts(session)
        now = session.now
    return answer(
        {
            "now": now,
            "counts": held,
            "jobs": [_shown_job(row) for row in jobs],
            "files": [shown_file(row) for row in files],
            "models": [{**dict(row), "created_at": int(row["created_at"])} for row in models],
        }
    )


def curve(context: AdminContext) -> Response:
    """GET jobs/{id}/curve: the figures of each step so far, or of those after `after`."""
    after = number_asked(context, "after", 0, LAST_STEP)
    job_id = context.api.path["job_id"]
    with context.api.reading() as session:
        job = session.first("SELECT seq, status, step, total_steps FROM jobs WHERE id = ?", job_id)
        if job is None:
            message = f"There is no job {job_id}."
            raise ApiError(404, message, param="job_id", code="fine_tune_not_found")
        rows = session.all(
            "SELECT step, metrics FROM steps WHERE job = ? AND step > ? ORDER BY step LIMIT ?",
            *(job["seq"], after, MOST_STEPS + 1),
        )
    shown = [f'{{"step":{row["step"]},"metrics":{row["metrics"]}}}' for row in rows[:MOST_STEPS]]
    progress = {"status": job["status"], "step": job["step"], "total_steps": job["total_steps"]}
    return answer_list(shown, job=job_id, **progress, has_more=len(rows) > MOST_STEPS)


def reset(context: AdminContext) -> Response:
    """POST reset: everything goes, and ids start anew; `keep` names what stays.

    The account goes as well: who knew it must not take what is made from now on for what is gone.
    """
    kept = fields_sent(context, ("keep",)).get("keep", [])
    if not isinstance(kept, list) or not all(isinstance(k, str) and k in KEPT for k in kept):
        raise bad_request(f"keep must be a list of {' and '.join(KEPT)}.", "keep")
    with context.api.store.transaction("IMMEDIATE") as connection:
        empty(connection, frozenset(table for name in kept for table in _TABLES_KEPT[name]))
        connection.execute("UPDATE faults SET met = 0")
    context.journal.clear()
    context.renewed()
    return answer({"reset": True, "kept": kept})


def empty(connection: sqlite3.Connection, kept: frozenset[str] = frozenset()) -> None:
    """Take every row out of every table but those; the next row is the first again."""
    connection.execute("PRAGMA defer_foreign_keys = ON")
    for table in tables(connection) - kept:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))


def tables(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of our own tables."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'"
    return frozenset(row[0] for row in connection.execute(f"{sql} ESCAPE '\\'"))


def _shown_job(row: sqlite3.Row) -> Json:
    shown = dict(row)
    shown["created_at"] = int(row["created_at"])
    shown["finished_at"] = None if row["finished_at"] is None else int(row["finished_at"])
    return {**shown, "error": json.loads(row["error"]), "fault": json.loads(row["fault"])}


@cache
def _version() -> str:
    try:
        return version("ftctl")
    except PackageNotFoundError:
        return "unknown"
