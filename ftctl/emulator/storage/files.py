"""Files in the store: kept, found, and shown as the API shows them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from ftctl.emulator.http.wire import Json
from ftctl.emulator.ids import fresh
from ftctl.emulator.storage.database import Session

PRESENT = "deleted = 0 AND (expires_at IS NULL OR expires_at > ?)"
"""The condition, with the moment as its one value, that a file can still be had."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """An upload that passed its checks; `life_seconds` is None for a file that stays."""

    filename: str
    purpose: str
    content: bytes
    life_seconds: int | None


@dataclass(frozen=True, slots=True)
class PartSize:
    """One part of an upload: its row, its id and its size in bytes."""

    seq: int
    id: str
    bytes: int


def add_file(session: Session, new: NewFile, id_seed: int | None) -> Json:
    """Keep the file; returns it as shown to clients."""
    row = _add_row(session, new, len(new.content), id_seed)
    session.run("INSERT INTO contents (file, content) VALUES (?, ?)", row["seq"], new.content)
    return shown_file(row)


def add_joined_file(
    session: Session, new: NewFile, parts: Sequence[PartSize], id_seed: int | None
) -> Json:
    """Keep a file whose content is an upload's parts, in this order; they are not copied."""
    row = _add_row(session, new, sum(part.bytes for part in parts), id_seed)
    for place, part in enumerate(parts):
        session.run(
            "INSERT INTO chunks (file, place, part) VALUES (?, ?, ?)",
            *(row["seq"], place, part.seq),
        )
    return shown_file(row)


def _add_row(session: Session, new: NewFile, size: int, id_seed: int | None) -> sqlite3.Row:
    forget_contents(session)
    expires_at = None if new.life_seconds is None else session.now + new.life_seconds
    file_id = fresh("file-", id_seed, session.next_serial("files"))
    session.run(
        "INSERT INTO files (id, filename, purpose, bytes, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(file_id, new.filename, new.purpose, size, session.now, expires_at),
    )
    row = find_file(session, file_id)
    assert row is not None
    return row


def find_file(session: Session, file_id: str) -> sqlite3.Row | None:
    """The file's row, if it is there now."""
    return find_file_at(session, file_id, session.now)


def find_file_at(session: Session, file_id: str, at: float) -> sqlite3.Row | None:
    """The file's row, if it could be had at that moment (Unix seconds)."""
    return session.first(
        f"SELECT * FROM files WHERE id = ? AND {PRESENT}",  # noqa: S608 - our own words
        *(file_id, at),
    )


def file_content(session: Session, file_id: str, at: float) -> bytes | None:
    """The file's bytes, or None if it was gone at that moment (Unix seconds).

    All of it at once: for a file that came in parts, `file_parts` can be read one by one.
    """
    row = find_file_at(session, file_id, at)
    return None if row is None else _whole(session, row["seq"])


def content_for_job(session: Session, file_id: str) -> bytes:
    """The file's bytes for a job that has not ended: also once the file was deleted."""
    row = session.first("SELECT seq FROM files WHERE id = ?", file_id)
    return b"" if row is None else _whole(session, row["seq"])


def _whole(session: Session, file: int) -> bytes:
    row = session.first("SELECT content FROM contents WHERE file = ?", file)
    if row is not None:
        return bytes(row["content"])
    pieces = [part_content(session, part) for part in file_parts(session, file)]
    return b"".join(piece for piece in pieces if piece is not None)


def add_result_file(
    session: Session, file_id: str, filename: str, content: bytes, at: float
) -> None:
    """Keep a file that a job made at that moment."""
    seq = session.run(
        "INSERT INTO files (id, filename, purpose, bytes, created_at) VALUES (?, ?, ?, ?, ?)",
        *(file_id, filename, "fine-tune-results", len(content), at),
    )
    session.run("INSERT INTO contents (file, content) VALUES (?, ?)", seq, content)


def file_parts(session: Session, file: int) -> tuple[int, ...]:
    """The parts that make the file, in order; none for a file that came in one piece."""
    rows = session.all("SELECT part FROM chunks WHERE file = ? ORDER BY place", file)
    return tuple(row["part"] for row in rows)


def part_content(session: Session, part: int) -> bytes | None:
    """A part's bytes; None when they were given back."""
    row = session.first("SELECT content FROM parts WHERE seq = ?", part)
    return None if row is None or row["content"] is None else bytes(row["content"])


def forget_contents(session: Session) -> None:
    """Give back the space of files that are gone, but for those that a job still learns from."""
    gone = session.all(
        "SELECT seq FROM files WHERE (deleted = 1 OR expires_at <= ?)"
        " AND (seq IN (SELECT file FROM contents) OR seq IN (SELECT file FROM chunks))"
        " AND id NOT IN (SELECT training_file FROM jobs WHERE finished_at IS NULL"
        " UNION SELECT validation_file FROM jobs"
        " WHERE finished_at IS NULL AND validation_file IS NOT NULL)",
        session.now,
    )
    for row in gone:
        _forget_content(session, row["seq"])


def _forget_content(session: Session, file: int) -> None:
    """In whatever form it came."""
    session.run("DELETE FROM contents WHERE file = ?", file)
    session.run(
        "UPDATE parts SET content = NULL WHERE seq IN (SELECT part FROM chunks WHERE file = ?)",
        file,
    )
    session.run("DELETE FROM chunks WHERE file = ?", file)


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
