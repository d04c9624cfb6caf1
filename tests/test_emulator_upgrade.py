"""A database of an older version of the emulator goes on being used."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from ftctl.emulator import Request, open_emulator
from ftctl.emulator.app import DATABASE
from ftctl.emulator.jobs.job import Job
from ftctl.emulator.jobs.rows import insert_job
from ftctl.emulator.store import Session, open_store


def _list(folder: Path) -> object:
    with open_emulator(folder) as emulator:
        target = "/v1/fine_tuning/jobs?metadata[team]=a"
        response = emulator.handle(Request.to("GET", target, [("authorization", "Bearer key")]))
    assert response.status == 200
    return json.loads(response.body)


def test_jobs_of_the_first_version_are_listed_as_before(tmp_path: Path) -> None:
    store = open_store(tmp_path / DATABASE)
    job = Job(
        1, "ftjob-1", 1.0, "base", "base",
        {"type": "supervised", "supervised": {"hyperparameters": {}}},
        "file-1", None, None, 7, {"team": "a"}, None, "succeeded", None,
    )  # fmt: skip
    with store.transaction("IMMEDIATE") as connection:
        insert_job(Session(connection, 1.0), job)
    store.close()
    new = _list(tmp_path)
    database = sqlite3.connect(tmp_path / DATABASE)
    database.execute("ALTER TABLE jobs DROP COLUMN shown")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()

    old = _list(tmp_path)

    assert old == new
    assert isinstance(old, dict)
    assert old["data"][0]["organization_id"] == "ftctl-emulator"
