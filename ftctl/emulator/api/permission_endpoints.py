"""The checkpoint permissions: which projects may use a tuned model, or one of its checkpoints.

The hosted service wants an admin key for these; here any key will do, as everywhere.
"""

from __future__ import annotations

import sqlite3

from ftctl.emulator.api.pagination import read_cursor, read_limit
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.http.wire import (
    ApiError,
    Json,
    Request,
    Response,
    answer,
    bad_request,
    json_object,
)
from ftctl.emulator.ids import fresh
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.models import find_model

DEFAULT_PAGE, MAX_PAGE = 10, 100
MAX_PROJECTS = 1_000  # of one request; the specification names no limit


def create_permissions(context: RequestContext) -> Response:
    """POST …/permissions: a project that has the permission keeps the one that it has."""
    projects = _read_projects(json_object(context.request))
    model = context.path["model"]
    with context.writing() as session:
        _check_model(session, model)
        rows = [_granted(session, model, project, context.settings.id_seed) for project in projects]
    return answer(_shown_list(rows, has_more=False))


def list_permissions(context: RequestContext) -> Response:
    """GET …/permissions: newest first unless `order` is ascending."""
    limit = read_limit(context.request, DEFAULT_PAGE, MAX_PAGE)
    order = _read_order(context.request)
    project = context.request.parameter("project_id")
    model = context.path["model"]
    with context.reading() as session:
        _check_model(session, model)
        after = read_cursor(context.request, session, "permissions")
        beyond = ">" if order == "ASC" else "<"
        rows = session.all(
            "SELECT * FROM permissions WHERE deleted = 0 AND model = ?"  # noqa: S608 - only our own words
            f" AND (? IS NULL OR project = ?) AND (? IS NULL OR seq {beyond} ?)"
            f" ORDER BY seq {order} LIMIT ?",
            model,
            *(project, project),
            *(after, after),
            limit + 1,
        )
    return answer(_shown_list(rows[:limit], has_more=len(rows) > limit))


def delete_permission(context: RequestContext) -> Response:
    """DELETE …/permissions/{id}."""
    model, permission_id = context.path["model"], context.path["permission_id"]
    with context.writing() as session:
        _check_model(session, model)
        row = session.first(
            "SELECT seq FROM permissions WHERE deleted = 0 AND id = ? AND model = ?",
            *(permission_id, model),
        )
        if row is None:
            message = f"The model '{model}' has no permission '{permission_id}'."
            raise ApiError(404, message, param="permission_id")
        session.run("UPDATE permissions SET deleted = 1 WHERE seq = ?", row["seq"])
    return answer({"id": permission_id, "object": "checkpoint.permission", "deleted": True})


def _check_model(session: Session, model: str) -> None:
    """Only what a job made can be shared; a base model is everybody's already."""
    if find_model(session, model) is None:
        message = f"The model '{model}' is not a fine-tuned model or checkpoint of this place."
        raise ApiError(404, message, param="fine_tuned_model_checkpoint", code="model_not_found")


def _granted(session: Session, model: str, project: str, id_seed: int | None) -> sqlite3.Row:
    permission_id = fresh("cp_", id_seed, session.next_serial("permissions"))
    session.run(
        "INSERT INTO permissions (id, model, project, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (model, project) WHERE deleted = 0 DO NOTHING",
        *(permission_id, model, project, session.now),
    )
    row = session.first(
        "SELECT * FROM permissions WHERE deleted = 0 AND model = ? AND project = ?", model, project
    )
    assert row is not None
    return row


def _read_projects(body: Json) -> list[str]:
    for name in body:
        if name != "project_ids":
            raise bad_request(f"'{name}' is not a field of this request.", name)
    projects = body.get("project_ids")
    if not isinstance(projects, list) or not 1 <= len(projects) <= MAX_PROJECTS:
        message = f"'project_ids' is required and must be a list of 1 to {MAX_PROJECTS} strings."
        raise bad_request(message, "project_ids")
    for place, project in enumerate(projects):
        if not isinstance(project, str) or not project:
            where = f"project_ids[{place}]"
            raise bad_request(f"'{where}' must be a project's id.", where)
    return list(dict.fromkeys(projects))


def _read_order(request: Request) -> str:
    """`ASC` or `DESC`; these lists spell the words out."""
    text = request.parameter("order")
    if text is None:
        return "DESC"
    if text not in {"ascending", "descending"}:
        message = f"'{text}' is not an order: give 'ascending' or 'descending'."
        raise bad_request(message, "order")
    return text.removesuffix("ending").upper()


def _shown_list(rows: list[sqlite3.Row], *, has_more: bool) -> Json:
    return {
        "object": "list",
        "data": [_shown(row) for row in rows],
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": has_more,
    }


def _shown(row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "object": "checkpoint.permission",
        "created_at": int(row["created_at"]),
        "project_id": row["project"],
    }
