"""The uploads endpoints: a file too large for one request comes in parts, up to 8 GB."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ftctl.emulator.api.file_endpoints import BATCH_LIFE, LONGEST_LIFE, SHORTEST_LIFE
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.http.multipart import Part, read_form
from ftctl.emulator.http.wire import ApiError, Json, Response, answer, bad_request, json_object
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import NewFile, PartSize, add_joined_file, part_content
from ftctl.emulator.storage.uploads import (
    NewUpload,
    add_upload,
    add_upload_part,
    close_upload,
    expire_uploads,
    find_upload,
    shown_upload,
    upload_parts,
    uploads_are_overdue,
)

MAX_UPLOAD_BYTES = 8 * 1024**3
MAX_PART_BYTES = 64 * 1024**2

_JSON_LINES = (
    *("text/jsonl", "application/jsonl", "application/jsonlines"),
    *("application/x-jsonlines", "application/x-ndjson", "application/ndjson"),
)
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_DOCUMENTS = (
    *("application/pdf", "application/json", "application/msword", "application/typescript"),
    *("application/x-sh", "application/xml", "application/zip", "application/x-tar"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)

MIME_TYPES: Mapping[str, tuple[str, ...]] = {
    "fine-tune": _JSON_LINES,
    "batch": _JSON_LINES,
    "vision": _IMAGES,
    "assistants": ("text/*", *_DOCUMENTS, *_IMAGES),
}
"""By purpose. The specification gives no list for JSON Lines: these are the names in use for it."""

_FIELDS = ("filename", "purpose", "bytes", "mime_type", "expires_after")


def create_upload(context: RequestContext) -> Response:
    """POST /v1/uploads."""
    new = _read_announcement(json_object(context.request))
    _close_overdue(context)
    with context.writing() as session:
        return answer(shown_upload(add_upload(session, new, context.settings.id_seed), None))


def add_part(context: RequestContext) -> Response:
    """POST /v1/uploads/{id}/parts."""
    content = _read_part(read_form(context.request))
    _close_overdue(context)
    with context.writing() as session:
        upload = _pending(session, context.path["upload_id"])
        held = sum(part.bytes for part in upload_parts(session, upload["seq"]).values())
        if held + len(content) > MAX_UPLOAD_BYTES:
            raise bad_request(f"The parts would be over {MAX_UPLOAD_BYTES} bytes.", "data")
        part_id = add_upload_part(session, upload["seq"], content, context.settings.id_seed)
        shown = {
            "id": part_id,
            "object": "upload.part",
            "created_at": int(session.now),
            "upload_id": upload["id"],
        }
    return answer(shown)


def complete_upload(context: RequestContext) -> Response:
    """POST /v1/uploads/{id}/complete: the parts become a file, in the order that is asked for."""
    completion = _read_completion(json_object(context.request))
    _close_overdue(context)
    upload_id = context.path["upload_id"]
    with context.reading() as session:
        parts = _listed(session, _pending(session, upload_id), completion.part_ids)
    if completion.md5 is not None and _md5(context, parts) != completion.md5:
        raise bad_request("The md5 of the parts in this order is another one.", "md5")
    with context.writing() as session:
        upload = _pending(session, upload_id)
        new = NewFile(upload["filename"], upload["purpose"], b"", upload["life_seconds"])
        file = add_joined_file(session, new, parts, context.settings.id_seed)
        kept = {part.seq for part in parts}
        close_upload(session, upload["seq"], "completed", file["id"], kept)
        return answer(shown_upload(_found(session, upload_id), file))


def cancel_upload(context: RequestContext) -> Response:
    """POST /v1/uploads/{id}/cancel."""
    _close_overdue(context)
    with context.writing() as session:
        upload = _pending(session, context.path["upload_id"])
        close_upload(session, upload["seq"], "cancelled", None, ())
        return answer(shown_upload(_found(session, upload["id"]), None))


def _close_overdue(context: RequestContext) -> None:
    """In a transaction of its own, since the request that finds an upload too late is refused."""
    with context.reading() as session:
        overdue = uploads_are_overdue(session)
    if overdue:
        with context.writing() as session:
            expire_uploads(session)


def _found(session: Session, upload_id: str) -> sqlite3.Row:
    row = find_upload(session, upload_id)
    if row is None:
        raise ApiError(404, f"No such Upload object: {upload_id}", param="upload_id")
    return row


def _pending(session: Session, upload_id: str) -> sqlite3.Row:
    row = _found(session, upload_id)
    status = row["status"]
    if status == "pending" and row["expires_at"] <= session.now:
        status = "expired"
    if status != "pending":
        message = f"The upload {upload_id} is {status}: nothing more can be done with it."
        raise bad_request(message, "upload_id")
    return row


def _read_announcement(body: Json) -> NewUpload:
    _only_fields(body, _FIELDS)
    filename = _text(body, "filename")
    purpose = _text(body, "purpose")
    if purpose not in MIME_TYPES:
        raise bad_request(f"'{purpose}' is not one of: {', '.join(MIME_TYPES)}.", "purpose")
    if purpose == "fine-tune" and not filename.endswith(".jsonl"):
        message = f"'{filename}': a file for fine-tuning must be named *.jsonl."
        raise bad_request(message, "filename", "invalid_file_format")
    mime_type = _text(body, "mime_type")
    plain = mime_type.partition(";")[0].strip().lower()
    if not any(fnmatchcase(plain, pattern) for pattern in MIME_TYPES[purpose]):
        example = "; 'text/jsonl' is" if purpose in ("fine-tune", "batch") else ""
        message = f"'{mime_type}' is no MIME type for the purpose '{purpose}'{example}."
        raise bad_request(message, "mime_type")
    size = _whole(body.get("bytes"), 1, MAX_UPLOAD_BYTES, "bytes")
    return NewUpload(filename, purpose, size, mime_type, _life_seconds(body, purpose))


def _only_fields(body: Json, names: Sequence[str]) -> None:
    for name in body:
        if name not in names:
            raise bad_request(f"'{name}' is not a field of this request.", name)


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise bad_request(f"'{name}' is required and must be a string.", name)
    return value


def _whole(value: Any, least: int, most: int, param: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise bad_request(f"'{param}' must be a whole number from {least} to {most}.", param)
    return value


def _life_seconds(body: Json, purpose: str) -> int | None:
    if "expires_after" not in body:
        return BATCH_LIFE if purpose == "batch" else None
    expires_after = body["expires_after"]
    if not isinstance(expires_after, dict):
        raise bad_request("'expires_after' must be an object.", "expires_after")
    if expires_after.get("anchor") != "created_at":
        raise bad_request("The only anchor is 'created_at'.", "expires_after.anchor")
    seconds = expires_after.get("seconds")
    return _whole(seconds, SHORTEST_LIFE, LONGEST_LIFE, "expires_after.seconds")


def _read_part(parts: tuple[Part, ...]) -> bytes:
    for part in parts:
        if part.name != "data":
            raise bad_request(f"'{part.name}' is not a field of this form.", part.name)
    if len(parts) != 1:
        raise bad_request("The form must give 'data', once.", "data")
    content = parts[0].content
    if not content:
        raise bad_request("The part is empty.", "data")
    if len(content) > MAX_PART_BYTES:
        raise ApiError(413, f"The part is larger than {MAX_PART_BYTES} bytes.", param="data")
    return content


@dataclass(frozen=True, slots=True)
class _Completion:
    """What is asked for; the md5, in lower-case hex, is None if it is not to be checked."""

    part_ids: tuple[str, ...]
    md5: str | None


def _read_completion(body: Json) -> _Completion:
    _only_fields(body, ("part_ids", "md5"))
    ids = body.get("part_ids")
    if not isinstance(ids, list) or not all(isinstance(part_id, str) for part_id in ids):
        raise bad_request("'part_ids' is required and must be a list of strings.", "part_ids")
    if len(set(ids)) < len(ids):
        raise bad_request("'part_ids' names a part twice.", "part_ids")
    md5 = body.get("md5")
    if md5 is None:
        return _Completion(tuple(ids), None)
    if not isinstance(md5, str) or not re.fullmatch("[0-9a-fA-F]{32}", md5):
        raise bad_request("'md5' must be a checksum of 32 hexadecimal digits.", "md5")
    return _Completion(tuple(ids), md5.lower())


def _listed(session: Session, upload: sqlite3.Row, part_ids: tuple[str, ...]) -> list[PartSize]:
    parts_by_id = upload_parts(session, upload["seq"])
    for part_id in part_ids:
        if part_id not in parts_by_id:
            message = f"'{part_id}' is no part of the upload {upload['id']}."
            raise bad_request(message, "part_ids")
    parts = [parts_by_id[part_id] for part_id in part_ids]
    size = sum(part.bytes for part in parts)
    if size != upload["bytes"]:
        message = f"The parts have {size} bytes, but {upload['bytes']} were announced."
        raise bad_request(message, "part_ids")
    return parts


def _md5(context: RequestContext, parts: Sequence[PartSize]) -> str:
    """Over one part at a time, each in a transaction of its own: nobody waits for gigabytes."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        with context.store.transaction("DEFERRED") as connection:
            # Gone only if the upload was closed meanwhile; the next look at it says so.
            content = part_content(Session(connection, context.clock()), part.seq) or b""
        digest.update(content)
    return digest.hexdigest()
