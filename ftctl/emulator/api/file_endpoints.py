"""The files endpoints: upload, list, retrieve, delete, download."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ftctl.emulator.api.pagination import read_cursor, read_limit, read_order
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.http.multipart import Part, read_form
from ftctl.emulator.http.wire import ApiError, Response, answer, answer_list, bad_request
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import (
    PRESENT,
    NewFile,
    add_file,
    file_content,
    file_parts,
    find_file,
    forget_contents,
    part_content,
    shown_as_json,
    shown_file,
)

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
MAX_PAGE = 10_000
PIECE_BYTES = 1024 * 1024  # of a download that is sent as it is read
SHORTEST_LIFE, LONGEST_LIFE = 3_600, 2_592_000  # seconds that `expires_after` may ask for
BATCH_LIFE = 2_592_000  # seconds; the one purpose whose files go by themselves


def create_file(context: RequestContext) -> Response:
    """POST /v1/files."""
    new = _read_upload(read_form(context.request), context.settings.max_file_bytes)
    with context.writing() as session:
        return answer(add_file(session, new, context.settings.id_seed))


def list_files(context: RequestContext) -> Response:
    """GET /v1/files."""
    limit = read_limit(context.request, default=MAX_PAGE, most=MAX_PAGE, strict=True)
    order = read_order(context.request)
    purpose = context.request.parameter("purpose")
    with context.reading() as session:
        after = read_cursor(context.request, session, "files")
        beyond = ">" if order == "ASC" else "<"
        rows = session.all(
            f"SELECT * FROM files WHERE {PRESENT}"  # noqa: S608 - only our own words
            f" AND (? IS NULL OR purpose = ?) AND (? IS NULL OR seq {beyond} ?)"
            f" ORDER BY seq {order} LIMIT ?",
            session.now,
            *(purpose, purpose),
            *(after, after),
            limit + 1,
        )
    shown = rows[:limit]
    return answer_list(
        map(shown_as_json, shown),
        # The specification wants strings here, also when there is nothing to name.
        first_id=shown[0]["id"] if shown else "",
        last_id=shown[-1]["id"] if shown else "",
        has_more=len(rows) > limit,
    )


def retrieve_file(context: RequestContext) -> Response:
    """GET /v1/files/{id}."""
    with context.reading() as session:
        return answer(shown_file(_found(session, context.path["file_id"])))


def delete_file(context: RequestContext) -> Response:
    """DELETE /v1/files/{id}: a job that has not yet read the file fails for it later."""
    with context.writing() as session:
        row = _found(session, context.path["file_id"])
        session.run("UPDATE files SET deleted = 1 WHERE seq = ?", row["seq"])
        forget_contents(session)
    return answer({"id": row["id"], "object": "file", "deleted": True})


def download_file(context: RequestContext) -> Response:
    """GET /v1/files/{id}/content: the bytes that came in, unchanged."""
    binary = (("content-type", "application/octet-stream"),)
    file_id = context.path["file_id"]
    with context.reading() as session:
        parts = file_parts(session, _found(session, file_id)["seq"])
        content = b"" if parts else file_content(session, file_id, session.now)
    assert content is not None
    return Response(200, binary, content, _pieces(context, parts) if parts else None)


def _pieces(context: RequestContext, parts: tuple[int, ...]) -> Iterator[bytes]:
    """The parts' bytes, one part in memory at a time; nobody waits while a client reads slowly."""
    for part in parts:
        with context.store.transaction("DEFERRED") as connection:
            content = part_content(Session(connection, context.clock()), part)
        if content is None:
            # The headers are out: only an answer that ends early can still say so.
            raise ConnectionAbortedError("the file was deleted while it was sent")
        for start in range(0, len(content), PIECE_BYTES):
            yield content[start : start + PIECE_BYTES]


def _found(session: Session, file_id: str) -> sqlite3.Row:
    row = find_file(session, file_id)
    if row is None:
        raise _missing(file_id)
    return row


def _missing(file_id: str) -> ApiError:
    return ApiError(404, f"No such File object: {file_id}", param="id")


def _read_upload(parts: tuple[Part, ...], most_bytes: int) -> NewFile:
    fields = {part.name: part for part in parts}
    names = {"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"}
    for part in parts:
        if part.name not in names:
            raise bad_request(f"'{part.name}' is not a field of this form.", part.name)
    if len(fields) < len(parts):
        raise bad_request("The form gives a field twice.", None)
    purpose = _purpose(fields.get("purpose"))
    upload = _upload(fields.get("file"), purpose, most_bytes)
    life = _life_seconds(fields, purpose)
    return NewFile(upload.filename or "", purpose, upload.content, life)


def _purpose(part: Part | None) -> str:
    if part is None:
        raise bad_request("'purpose' is a required field.", "purpose")
    purpose = part.content.decode("utf-8", "replace")
    if purpose not in PURPOSES:
        choices = ", ".join(PURPOSES)
        raise bad_request(f"'{purpose}' is not one of: {choices}.", "purpose")
    return purpose


def _upload(part: Part | None, purpose: str, most_bytes: int) -> Part:
    if part is None or not part.filename:
        raise bad_request("'file' is a required field and must carry a file name.", "file")
    if not part.content:
        raise bad_request("The file is empty.", "file")
    if len(part.content) > most_bytes:
        raise ApiError(413, f"The file is larger than {most_bytes} bytes.", param="file")
    if purpose == "fine-tune" and not part.filename.endswith(".jsonl"):
        message = f"'{part.filename}': a file for fine-tuning must be named *.jsonl."
        raise bad_request(message, "file", "invalid_file_format")
    return part


def _life_seconds(fields: dict[str, Part], purpose: str) -> int | None:
    anchor = fields.get("expires_after[anchor]")
    seconds = fields.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return BATCH_LIFE if purpose == "batch" else None
    if anchor is None or anchor.content != b"created_at":
        raise bad_request("The only anchor is 'created_at'.", "expires_after[anchor]")
    text = "" if seconds is None else seconds.content.decode("utf-8", "replace")
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or not (
        SHORTEST_LIFE <= int(text) <= LONGEST_LIFE
    ):
        message = f"'{text}' is not a whole number from {SHORTEST_LIFE} to {LONGEST_LIFE}."
        raise bad_request(message, "expires_after[seconds]")
    return int(text)
