"""A database of an older version of the emulator goes on being used."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ftctl.emulator import Request, Settings, open_emulator
from ftctl.emulator.app import DATABASE
from ftctl.emulator.storage.tables import APPLICATION_ID

DUMP = Path(__file__).parent / "databases" / "emulator-2.sql"
STOPPED_AT = 1_800_000_024.25  # the moment of the dump: its second job had trained for 2 s of 10
SETTINGS = Settings(validating_seconds=1, queued_seconds=1, running_seconds=10, look_seconds=60)


def old_database(folder: Path, version: int) -> None:
    """A database as that version wrote it."""
    database = sqlite3.connect(folder / DATABASE)
    database.executescript(DUMP.read_text("utf-8"))
    if version == 1:
        database.execute("ALTER TABLE jobs DROP COLUMN shown")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {version}")
    database.commit()
    database.close()


def jobs_at(folder: Path, moment: float) -> list[dict[str, Any]]:
    """The jobs that carry the dump's metadata, as that moment finds them; newest first."""
    with open_emulator(folder, lambda: moment, SETTINGS) as emulator:
        target = "/v1/fine_tuning/jobs?metadata[team]=a"
        response = emulator.handle(Request.to("GET", target, [("authorization", "Bearer key")]))
    assert response.status == 200, response.body
    listed: list[dict[str, Any]] = json.loads(response.body)["data"]
    return listed


@pytest.mark.parametrize("version", [1, 2])
def test_jobs_of_an_older_version_are_listed_as_before(tmp_path: Path, version: int) -> None:
    old_database(tmp_path, version)

    running, done = jobs_at(tmp_path, STOPPED_AT)

    assert (running["status"], done["status"]) == ("running", "succeeded")
    assert done["fine_tuned_model"] == "ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:old:oXy8dzH8"
    assert (done["trained_tokens"], done["result_files"]) == (None, [])
    assert done["organization_id"] == "ftctl-emulator"


def test_a_job_that_an_older_version_left_running_is_trained_to_its_end(tmp_path: Path) -> None:
    old_database(tmp_path, 2)

    finished, _ = jobs_at(tmp_path, STOPPED_AT + 60)

    assert finished["status"] == "succeeded"
    assert len(finished["result_files"]) == 1
