"""The tables. Files, jobs and events keep their rows for ever: a list's cursor stays good."""

from __future__ import annotations

SCHEMA_VERSION = 2
APPLICATION_ID = 0x46544331  # "FTC1": tells our databases from any other

SCHEMA: tuple[str, ...] = (
    """
    CREATE TABLE files (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL,
        deleted INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE contents (
        file INTEGER PRIMARY KEY REFERENCES files (seq),
        content BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        base TEXT NOT NULL,
        method TEXT NOT NULL,
        training_file TEXT NOT NULL,
        validation_file TEXT,
        suffix TEXT,
        seed INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        integrations TEXT NOT NULL,
        status TEXT NOT NULL,
        due_at REAL,
        total_steps INTEGER NOT NULL DEFAULT 0,
        steps_per_epoch INTEGER NOT NULL DEFAULT 0,
        step INTEGER NOT NULL DEFAULT 0,
        step_seconds REAL NOT NULL DEFAULT 0,
        trained_seconds REAL NOT NULL DEFAULT 0,
        running_since REAL,
        finished_at REAL,
        fine_tuned_model TEXT,
        error TEXT NOT NULL,
        shown TEXT
    )
    """,
    "CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE job_metadata (
        job INTEGER NOT NULL REFERENCES jobs (seq),
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (key, value, job)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX job_metadata_job ON job_metadata (job)",
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job INTEGER NOT NULL REFERENCES jobs (seq),
        created_at REAL NOT NULL,
        level TEXT NOT NULL,
        type TEXT NOT NULL,
        message TEXT NOT NULL,
        data TEXT NOT NULL
    )
    """,
    "CREATE INDEX events_job ON events (job)",
    """
    CREATE TABLE checkpoints (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job INTEGER NOT NULL REFERENCES jobs (seq),
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        step INTEGER NOT NULL
    )
    """,
    "CREATE INDEX checkpoints_job ON checkpoints (job)",
    """
    CREATE TABLE models (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        base TEXT NOT NULL,
        job TEXT NOT NULL,
        created_at REAL NOT NULL
    )
    """,
)

# How a database of each older version becomes one of the next.
UPGRADES: dict[int, tuple[str, ...]] = {1: ("ALTER TABLE jobs ADD COLUMN shown TEXT",)}
