"""One SQLite file that several processes share and that a crash at any moment leaves whole."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ftctl.emulator.storage.tables import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, UPGRADES

BUSY_SECONDS = 30.0
"""How long a request waits for another process's transaction before it is refused."""

JOURNAL_BYTES = 64 * 1024 * 1024
"""What the write-ahead log shrinks to after an upload has swollen it."""

Mode = Literal["DEFERRED", "IMMEDIATE"]


class EmulatorError(Exception):
    """The emulator cannot work here: an unusable folder, a foreign or damaged database, a port."""


@dataclass(frozen=True, slots=True)
class Session:
    """One open transaction and the one moment, in Unix seconds, at which it happens."""

    connection: sqlite3.Connection
    now: float

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Every row."""
        return self.connection.execute(sql, values).fetchall()

    def first(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, if there is one."""
        row: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Any) -> int:
        """Carry out a write; returns the sequence number of the row that an INSERT made."""
        return self.connection.execute(sql, values).lastrowid or 0

    def next_serial(self, table: str) -> int:
        """The sequence number that the next row of the table gets; never one used before."""
        row = self.first("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        return 1 if row is None else int(row["seq"]) + 1


class Store:
    """An open database. Threads take turns on its one connection; processes on SQLite's lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    @contextmanager
    def transaction(self, mode: Mode) -> Iterator[sqlite3.Connection]:
        """Commits at the end; any exception takes everything back."""
        with self._turn:
            self._connection.execute(f"BEGIN {mode}")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Waits for the request in hand, if any."""
        with self._turn:
            self._connection.close()


def open_store(path: Path) -> Store:
    """The store in that file, made if it is missing; EmulatorError says why it cannot be used."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        _prepare(connection, path)
    except (sqlite3.Error, EmulatorError) as fault:
        if connection is not None:
            connection.close()
        if isinstance(fault, EmulatorError):
            raise
        raise EmulatorError(f"{path}: cannot be used as the emulator's database: {fault}") from None
    return Store(connection)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _check_owner(connection, path)
    _use_write_ahead_log(connection)
    # NORMAL loses nothing when a process is killed; a power cut may cost the last commits.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Overwriting what is deleted with zeros makes the delete of a large file forty times slower.
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        statements = list(SCHEMA) if version == 0 else _upgrades(version)
        for statement in statements:
            connection.execute(statement)
        if statements:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    _check_owner(connection, path)


def _upgrades(version: int) -> list[str]:
    return [sql for older in range(version, SCHEMA_VERSION) for sql in UPGRADES[older]]


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """EmulatorError for a database of another program or of a newer version of this one."""
    # Read in one transaction: another process may be creating the schema right now.
    connection.execute("BEGIN")
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    version = _version(connection)
    connection.execute("COMMIT")
    if tables and owner != APPLICATION_ID:
        raise EmulatorError(f"{path}: this database belongs to another program")
    if version > SCHEMA_VERSION:
        raise EmulatorError(
            f"{path}: written by a newer version (schema {version}; "
            f"this one knows up to {SCHEMA_VERSION}); update, or use another folder"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switching needs the file alone, and SQLite does not wait for that: so wait here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return
