"""The tables. Files, jobs and events keep their rows for ever: a list's cursor stays good."""

from __future__ import annotations

SCHEMA_VERSION = 4
APPLICATION_ID = 0x46544331  # "FTC1": tells our databases from any other

# What a job learns: each step's figures, where its training stands, and the weights of its models,
# each kept once however many models share them.
TRAINING: tuple[str, ...] = (
    """
    CREATE TABLE weights (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        sha256 TEXT NOT NULL UNIQUE,
        content BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE steps (
        job INTEGER NOT NULL REFERENCES jobs (seq),
        step INTEGER NOT NULL,
        metrics TEXT NOT NULL,
        PRIMARY KEY (job, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE trainings (
        job INTEGER PRIMARY KEY REFERENCES jobs (seq),
        step INTEGER NOT NULL,
        content BLOB NOT NULL
    )
    """,
)

# What stands beside files, jobs and models.
BESIDE: tuple[str, ...] = (
    """
    CREATE TABLE uploads (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        mime_type TEXT NOT NULL,
        life_seconds INTEGER,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        status TEXT NOT NULL,
        file TEXT
    )
    """,
    """
    CREATE TABLE parts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        upload INTEGER NOT NULL REFERENCES uploads (seq),
        created_at REAL NOT NULL,
        bytes INTEGER NOT NULL,
        content BLOB
    )
    """,
    "CREATE INDEX parts_upload ON parts (upload)",
    # A completed upload's file is its parts in their order: gigabytes are never copied.
    """
    CREATE TABLE chunks (
        file INTEGER NOT NULL REFERENCES files (seq),
        place INTEGER NOT NULL,
        part INTEGER NOT NULL REFERENCES parts (seq),
        PRIMARY KEY (file, place)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE permissions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        model TEXT NOT NULL,
        project TEXT NOT NULL,
        created_at REAL NOT NULL,
        deleted INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE UNIQUE INDEX permissions_present ON permissions (model, project) WHERE deleted = 0",
    """
    CREATE TABLE completions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        messages TEXT NOT NULL,
        metadata TEXT NOT NULL,
        shown TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE faults (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        rule TEXT NOT NULL,
        met INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE pace (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        kind TEXT NOT NULL,
        speed REAL NOT NULL,
        reads INTEGER NOT NULL,
        now REAL
    )
    """,
)

# Whose the store is, and how the service behaves that it is the state of.
CHARACTER: tuple[str, ...] = (
    "CREATE TABLE account (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL)",
    "CREATE TABLE temperaments (seq INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL)",
)

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
        shown TEXT,
        start_weights INTEGER REFERENCES weights (seq),
        trained_tokens INTEGER,
        result_files TEXT NOT NULL DEFAULT '[]',
        fault TEXT NOT NULL DEFAULT 'null',
        reads INTEGER NOT NULL DEFAULT 0
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
        step INTEGER NOT NULL,
        metrics TEXT NOT NULL DEFAULT '{}'
    )
    """,
    "CREATE INDEX checkpoints_job ON checkpoints (job)",
    """
    CREATE TABLE models (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        base TEXT NOT NULL,
        job TEXT NOT NULL,
        created_at REAL NOT NULL,
        weights INTEGER REFERENCES weights (seq)
    )
    """,
    *TRAINING,
    *BESIDE,
    *CHARACTER,
)

# How a database of each older version becomes one of the next.
UPGRADES: dict[int, tuple[str, ...]] = {
    1: ("ALTER TABLE jobs ADD COLUMN shown TEXT",),
    2: (
        *TRAINING,
        *BESIDE,
        "ALTER TABLE jobs ADD COLUMN start_weights INTEGER REFERENCES weights (seq)",
        "ALTER TABLE jobs ADD COLUMN trained_tokens INTEGER",
        "ALTER TABLE jobs ADD COLUMN result_files TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE jobs ADD COLUMN fault TEXT NOT NULL DEFAULT 'null'",
        "ALTER TABLE jobs ADD COLUMN reads INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE checkpoints ADD COLUMN metrics TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE models ADD COLUMN weights INTEGER REFERENCES weights (seq)",
    ),
    3: CHARACTER,
}
