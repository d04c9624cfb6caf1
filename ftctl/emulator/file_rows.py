"""Files in the store: kept, found, and shown as the API shows them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import cast

from ftctl.emulator.ids import fresh
from ftctl.emulator.store import Session
from ftctl.emulator.wire import Json

PRESENT = "deleted = 0 AND (expires_at IS NULL OR expires_at > ?)"
"""The condition, with the moment as its one value, that a file can still be had."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """An upload that passed its checks; `life_seconds` is None for a file that stays."""

    filename: str
    purpose: str
    content: bytes
    life_seconds: int | None


def add_file(session: Session, new: NewFile, id_seed: int | None) -> Json:
    """Keep the file; returns it as shown to clients."""
    _forget_expired(session)
    expires_at = None if new.life_seconds is None else session.now + new.life_seconds
    file_id = fresh("file-", id_seed, session.next_serial("files"))
    seq = session.run(
        "INSERT INTO files (id, filename, purpose, bytes, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(file_id, new.filename, new.purpose, len(new.content), session.now, expires_at),
    )
    session.run("INSERT INTO contents (file, content) VALUES (?, ?)", seq, new.content)
    row = find_file(session, file_id)
    assert row is not None
    return shown_file(row)


def find_file(session: Session, file_id: str) -> sqlite3.Row | None:
    """The file's row, if it is there now."""
    return session.first(
        f"SELECT * FROM files WHERE id = ? AND {PRESENT}",  # noqa: S608 - our own words
        file_id,
        session.now,
    )


def file_content(session: Session, file_id: str, at: float) -> bytes | None:
    """The file's bytes, or None if it was gone at that moment (Unix seconds)."""
    row = session.first(
        "SELECT content FROM files JOIN contents ON file = seq"  # noqa: S608 - our own words
        f" WHERE id = ? AND {PRESENT}",
        *(file_id, at),
    )
    return None if row is None else bytes(row["content"])


def _forget_expired(session: Session) -> None:
    """Give back the space. Jobs that are due were brought up to now before, so none reads it."""
    session.run(
        "DELETE FROM contents WHERE file IN (SELECT seq FROM files WHERE expires_at <= ?)",
        session.now,
    )


def shown_file(row: sqlite3.Row) -> Json:
    """The file as clients see it."""
    return cast(Json, json.loads(shown_as_json(row)))


def shown_as_json(row: sqlite3.Row) -> str:
    """The same, written down: lists of thousands are written piece by piece."""
    # The specification has `expires_at` absent, never null.
    expires = "" if row["expires_at"] is None else f',"expires_at":{int(row["expires_at"])}'
    return (
        f'{{"id":"{row["id"]}","object":"file","bytes":{row["bytes"]},'
        f'"created_at":{int(row["created_at"])},"filename":{json.dumps(row["filename"])},'
        f'"purpose":"{row["purpose"]}","status":"processed"{expires}}}'
    )
