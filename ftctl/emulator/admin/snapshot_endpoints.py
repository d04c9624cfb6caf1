"""The whole state as one SQLite file, out and in again.

What comes in is copied row by row into the live tables, in one transaction: so their own
constraints check it, and other processes' connections see it like any other write. SQLite's backup
would put the file's own pages, with whatever schema, page size and damage it has, in our place.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ftctl.emulator.admin.admin_context import AdminContext, counts
from ftctl.emulator.admin.state_endpoints import empty, tables
from ftctl.emulator.http.wire import Response, answer, bad_request
from ftctl.emulator.storage.database import BUSY_SECONDS, EmulatorError, Session, open_store
from ftctl.emulator.storage.tables import APPLICATION_ID

PIECE_BYTES = 1024 * 1024
MAGIC = b"SQLite format 3\0"


def take_snapshot(context: AdminContext) -> Response:
    """GET snapshot: the state at this moment, whatever else is written meanwhile."""
    with context.api.reading() as session:
        path = _path(session.connection)
    folder = tempfile.TemporaryDirectory(prefix="ftctl-snapshot-")
    copy = Path(folder.name) / "emulator.sqlite3"
    with closing(_connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    headers = (
        ("content-type", "application/vnd.sqlite3"),
        ("content-disposition", 'attachment; filename="emulator.sqlite3"'),
    )
    return Response(200, headers, b"", stream=_pieces(copy, folder))


def restore_snapshot(context: AdminContext) -> Response:
    """PUT snapshot: this state in place of the present one."""
    body = context.api.request.body
    if not body.startswith(MAGIC):
        raise bad_request("The body must be a snapshot of an emulator: a SQLite file.", None)
    with tempfile.TemporaryDirectory(prefix="ftctl-snapshot-") as folder:
        given = Path(folder) / "emulator.sqlite3"
        given.write_bytes(body)
        _check(given)
        with context.api.store.transaction("DEFERRED") as connection:
            path = _path(connection)
        with closing(_connect(path)) as connection:
            _replace(connection, given)
            held = counts(Session(connection, 0.0))
    context.renewed()
    return answer({"restored": True, "counts": held})


def _pieces(copy: Path, folder: tempfile.TemporaryDirectory[str]) -> Iterator[bytes]:
    with folder, copy.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _check(given: Path) -> None:
    """Bring the file to the present schema; a 400 if it is no whole database of an emulator."""
    try:
        with closing(_connect(str(given))) as connection:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            # Not quick_check: SQLite 3.40 takes a key of a table WITHOUT ROWID for NULL.
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if owner != APPLICATION_ID:
            raise bad_request("The file is a database of another program.", None)
        if verdict != "ok":
            raise bad_request(f"The file is damaged: {verdict}.", None)
        open_store(given).close()
    except (sqlite3.Error, EmulatorError) as fault:
        words = str(fault).removeprefix(f"{given}: ")
        raise bad_request(f"The file cannot be used: {words}.", None) from None


def _replace(connection: sqlite3.Connection, given: Path) -> None:
    connection.execute("ATTACH ? AS given", (str(given),))
    connection.execute("BEGIN IMMEDIATE")
    try:
        empty(connection)
        for table in tables(connection):
            _copy(connection, table)
        connection.execute("DELETE FROM main.sqlite_sequence")
        connection.execute(
            "INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq"
            " FROM given.sqlite_sequence WHERE name IN (SELECT name FROM main.sqlite_schema)"
        )
        connection.execute("COMMIT")
    except (sqlite3.IntegrityError, sqlite3.OperationalError) as fault:
        if "locked" in str(fault) or "busy" in str(fault):
            raise
        raise bad_request(f"The file does not keep the rules of its tables: {fault}.", None) from (
            fault
        )
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _copy(connection: sqlite3.Connection, table: str) -> None:
    columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
    connection.execute(
        f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM given.{table}"  # noqa: S608
    )


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")  # a file from elsewhere may hold anything
    return connection


def _path(connection: sqlite3.Connection) -> str:
    """The file of the live database."""
    return str(connection.execute("PRAGMA database_list").fetchone()[2])
