"""The endpoints of stored completions, and their rows: list, retrieve, update, delete, messages."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

from ftctl.emulator.api.pagination import read_cursor, read_limit, read_order
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.chat.chat_request import ChatRequest, read_metadata
from ftctl.emulator.chat.field_readers import missing
from ftctl.emulator.http.wire import (
    ApiError,
    Json,
    Request,
    Response,
    answer,
    answer_list,
    bad_request,
    json_object,
    to_json,
)
from ftctl.emulator.storage.database import Session

DEFAULT_PAGE, MAX_PAGE = 20, 100
MOST_FILTERS = 16


def keep_completion(session: Session, request: ChatRequest, shown: Json) -> None:
    """Keep a completion as it was answered, with what was asked."""
    given = request.given
    asked = {
        "seed": request.manner.seed,
        "temperature": request.manner.temperature,
        "top_p": request.manner.top_p,
        "presence_penalty": request.manner.presence_penalty,
        "frequency_penalty": request.manner.frequency_penalty,
        **{name: given.get(name) for name in ("tools", "tool_choice", "response_format")},
        "input_user": given.get("user"),
    }
    session.run(
        "INSERT INTO completions (id, created_at, model, messages, metadata, shown)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(shown["id"], session.now, shown["model"], to_json(request.messages)),
        *(to_json(request.metadata), to_json({**shown, **asked})),
    )


def list_completions(context: RequestContext) -> Response:
    """GET /v1/chat/completions: oldest first unless asked otherwise."""
    limit = read_limit(context.request, DEFAULT_PAGE, MAX_PAGE)
    order = _order(context.request)
    model = context.request.parameter("model")
    name = BY_NAME[model].name if model is not None and model in BY_NAME else model
    pairs = _metadata_filter(context.request)
    filters = " AND EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)" * len(
        pairs
    )
    with context.reading() as session:
        after = read_cursor(context.request, session, "completions")
        beyond = ">" if order == "ASC" else "<"
        rows = session.all(
            "SELECT * FROM completions WHERE (? IS NULL OR model = ?)"  # noqa: S608 - our words
            f" AND (? IS NULL OR seq {beyond} ?){filters} ORDER BY seq {order} LIMIT ?",
            *(name, name),
            *(after, after),
            *(text for pair in pairs for text in pair),
            limit + 1,
        )
    ids = [row["id"] for row in rows[:limit]]
    return answer_list(
        [to_json(_shown(row)) for row in rows[:limit]],
        # The specification wants strings here, also when there is nothing to name.
        first_id=ids[0] if ids else "",
        last_id=ids[-1] if ids else "",
        has_more=len(rows) > limit,
    )


def retrieve_completion(context: RequestContext) -> Response:
    """GET /v1/chat/completions/{id}."""
    with context.reading() as session:
        return answer(_shown(_found(context, session)))


def update_completion(context: RequestContext) -> Response:
    """POST /v1/chat/completions/{id}: its metadata, as a whole."""
    body = json_object(context.request)
    for name in body:
        if name != "metadata":
            raise bad_request(f"Unrecognized request argument supplied: {name[:64]}", None)
    if "metadata" not in body:
        raise missing("metadata")
    pairs = {} if body["metadata"] is None else read_metadata(body["metadata"], "metadata")
    with context.writing() as session:
        row = _found(context, session)
        change = "UPDATE completions SET metadata = ? WHERE seq = ?"
        session.run(change, to_json(pairs), row["seq"])
        return answer(_shown(_found(context, session)))


def delete_completion(context: RequestContext) -> Response:
    """DELETE /v1/chat/completions/{id}."""
    with context.writing() as session:
        row = _found(context, session)
        session.run("DELETE FROM completions WHERE seq = ?", row["seq"])
    return answer({"object": "chat.completion.deleted", "id": row["id"], "deleted": True})


def list_messages(context: RequestContext) -> Response:
    """GET /v1/chat/completions/{id}/messages: what was asked; a message's id is its place."""
    limit = read_limit(context.request, DEFAULT_PAGE, MAX_PAGE)
    order = _order(context.request)
    with context.reading() as session:
        row = _found(context, session)
    said = json.loads(row["messages"])
    shown = [_shown_message(row["id"], place, message) for place, message in enumerate(said)]
    if order == "DESC":
        shown.reverse()
    rest = shown[_start(context.request, [message["id"] for message in shown]) :]
    page = rest[:limit]
    return answer_list(
        map(to_json, page),
        first_id=page[0]["id"] if page else "",
        last_id=page[-1]["id"] if page else "",
        has_more=len(rest) > limit,
    )


def _start(request: Request, ids: list[str]) -> int:
    after = request.parameter("after")
    if not after:
        return 0
    if after not in ids:
        raise ApiError(404, f"The cursor '{after}' names nothing.", param="after")
    return ids.index(after) + 1


def _order(request: Request) -> str:
    return "ASC" if request.parameter("order") is None else read_order(request)


def _metadata_filter(request: Request) -> list[tuple[str, str]]:
    if request.parameter("metadata") not in {None, "null"}:
        raise bad_request("Filter with metadata[key]=value.", "metadata")
    pairs = {
        (key[1], value)
        for name, value in request.query
        if (key := re.fullmatch(r"metadata\[(.*)\]", name, re.DOTALL))
    }
    if len(pairs) > MOST_FILTERS:
        message = f"No completion has over {MOST_FILTERS} pairs of metadata."
        raise bad_request(message, "metadata")
    return sorted(pairs)


def _found(context: RequestContext, session: Session) -> sqlite3.Row:
    name = context.path["completion_id"]
    row = session.first("SELECT * FROM completions WHERE id = ?", name)
    if row is None:
        message = f"Chat completion '{name}' not found: only those made with 'store' are kept."
        raise ApiError(404, message, param="completion_id", code="not_found")
    return row


def _shown(row: sqlite3.Row) -> Json:
    shown: Json = json.loads(row["shown"])
    return {**shown, "metadata": json.loads(row["metadata"])}


def _shown_message(completion: str, place: int, message: Json) -> Json:
    """A message that was sent; parts stand beside the text that they hold."""
    content: Any = message.get("content")
    parts = content if isinstance(content, list) else None
    shown: Json = {
        "id": f"{completion}-{place}",
        "role": message["role"],
        "content": content if parts is None else "".join(part.get("text", "") for part in parts),
        "refusal": message.get("refusal"),
        "name": message.get("name"),
        "content_parts": None
        if parts is None
        else [part for part in parts if part["type"] in ("text", "image_url")],
    }
    carried = ("tool_calls", "function_call", "tool_call_id")
    return {**shown, **{name: message[name] for name in carried if message.get(name) is not None}}
