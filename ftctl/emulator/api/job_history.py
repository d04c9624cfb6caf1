"""The endpoints for what happened to a job: its events and its checkpoints, newest first."""

from __future__ import annotations

import json
import sqlite3

from ftctl.emulator.api.job_endpoints import job_of
from ftctl.emulator.api.pagination import read_cursor, read_limit
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.http.wire import Json, Response, answer

EVENTS_PAGE, CHECKPOINTS_PAGE, MAX_PAGE = 20, 10, 1_000


def list_events(context: RequestContext) -> Response:
    """GET .../events."""
    rows, more, _ = _page(context, "events", EVENTS_PAGE)
    shown = [_shown_event(row) for row in rows]
    return answer({"object": "list", "data": shown, "has_more": more})


def list_checkpoints(context: RequestContext) -> Response:
    """GET .../checkpoints: those of the last three epochs, made or yet to be replaced."""
    rows, more, job_id = _page(context, "checkpoints", CHECKPOINTS_PAGE)
    shown = [_shown_checkpoint(row, job_id) for row in rows]
    return answer(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": more,
        }
    )


def _page(context: RequestContext, table: str, size: int) -> tuple[list[sqlite3.Row], bool, str]:
    """The page's rows, whether more follow, and the job's id."""
    limit = read_limit(context.request, size, MAX_PAGE)
    with context.reading() as session:
        job = job_of(context, session)
        before = read_cursor(context.request, session, table)
        rows = session.all(
            f"SELECT * FROM {table} WHERE job = ? AND (? IS NULL OR seq < ?)"  # noqa: S608
            " ORDER BY seq DESC LIMIT ?",
            *(job.seq, before, before, limit + 1),
        )
    return rows[:limit], len(rows) > limit, job.id


def _shown_event(row: sqlite3.Row) -> Json:
    return {
        "object": "fine_tuning.job.event",
        "id": row["id"],
        "created_at": int(row["created_at"]),
        "level": row["level"],
        "message": row["message"],
        "type": row["type"],
        "data": json.loads(row["data"]),
    }


def _shown_checkpoint(row: sqlite3.Row, job_id: str) -> Json:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": row["id"],
        "created_at": int(row["created_at"]),
        "fine_tuned_model_checkpoint": row["model"],
        "fine_tuning_job_id": job_id,
        "metrics": {"step": row["step"], **json.loads(row["metrics"])},
        "step_number": row["step"],
    }
