"""Uploads in the store: opened, given parts, closed, and shown as the API shows them.

A part's bytes are written once. A file that is made of parts only names them, so completing an
upload costs the same for a megabyte as for gigabytes, which no single SQLite value could hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from ftctl.emulator.http.wire import Json
from ftctl.emulator.ids import fresh
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import PartSize

LIFE_SECONDS = 3_600
"""How long parts may be added and the upload be completed."""

Closed = Literal["completed", "cancelled"]


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What was announced; `life_seconds` is the coming file's, None for one that stays."""

    filename: str
    purpose: str
    bytes: int
    mime_type: str
    life_seconds: int | None


def add_upload(session: Session, new: NewUpload, id_seed: int | None) -> sqlite3.Row:
    """Open an upload."""
    upload_id = fresh("upload_", id_seed, session.next_serial("uploads"))
    session.run(
        "INSERT INTO uploads (id, filename, purpose, bytes, mime_type, life_seconds, created_at,"
        " expires_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
        *(upload_id, new.filename, new.purpose, new.bytes, new.mime_type, new.life_seconds),
        *(session.now, session.now + LIFE_SECONDS),
    )
    row = find_upload(session, upload_id)
    assert row is not None
    return row


def find_upload(session: Session, upload_id: str) -> sqlite3.Row | None:
    """The upload's row, in whatever state it is."""
    return session.first("SELECT * FROM uploads WHERE id = ?", upload_id)


def add_upload_part(session: Session, upload: int, content: bytes, id_seed: int | None) -> str:
    """Keep a part's bytes; returns the part's id."""
    part_id = fresh("part_", id_seed, session.next_serial("parts"))
    session.run(
        "INSERT INTO parts (id, upload, created_at, bytes, content) VALUES (?, ?, ?, ?, ?)",
        *(part_id, upload, session.now, len(content), content),
    )
    return part_id


def upload_parts(session: Session, upload: int) -> dict[str, PartSize]:
    """The upload's parts by their ids."""
    rows = session.all("SELECT seq, id, bytes FROM parts WHERE upload = ?", upload)
    return {row["id"]: PartSize(row["seq"], row["id"], row["bytes"]) for row in rows}


def close_upload(
    session: Session, upload: int, status: Closed, file: str | None, kept: Collection[int]
) -> None:
    """The upload takes nothing more, and the space of all parts but those kept is given back."""
    session.run("UPDATE uploads SET status = ?, file = ? WHERE seq = ?", status, file, upload)
    for part in upload_parts(session, upload).values():
        if part.seq not in kept:
            session.run("UPDATE parts SET content = NULL WHERE seq = ?", part.seq)


def uploads_are_overdue(session: Session) -> bool:
    """Whether an upload's hour is over and its parts still take space."""
    sql = "SELECT 1 FROM uploads WHERE status = 'pending' AND expires_at <= ? LIMIT 1"
    return session.first(sql, session.now) is not None


def expire_uploads(session: Session) -> None:
    """Close the uploads whose hour is over and give the space of their parts back."""
    due = "status = 'pending' AND expires_at <= ?"
    session.run(
        "UPDATE parts SET content = NULL"  # noqa: S608 - only our own words
        f" WHERE upload IN (SELECT seq FROM uploads WHERE {due})",
        session.now,
    )
    session.run(f"UPDATE uploads SET status = 'expired' WHERE {due}", session.now)  # noqa: S608


def shown_upload(row: sqlite3.Row, file: Json | None) -> Json:
    """The upload as clients see it; only a completed one has a file."""
    shown: Json = {
        "id": row["id"],
        "object": "upload",
        "bytes": row["bytes"],
        "created_at": int(row["created_at"]),
        "filename": row["filename"],
        "purpose": row["purpose"],
        "status": row["status"],
        "expires_at": int(row["expires_at"]),
    }
    return shown if file is None else {**shown, "file": file}
