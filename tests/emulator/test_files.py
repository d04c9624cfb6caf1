"""The emulator's files: what may be uploaded, how lists page, when files go."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator.lab import Lab, chats, form

FILES = "/v1/files"
Field = tuple[str, str | None, bytes]
GOOD: dict[str, Field] = {
    "file": ("file", "data.jsonl", b"{}\n"),
    "purpose": ("purpose", None, b"fine-tune"),
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path, max_file_bytes=1_000_000)
    with lab.emulator:
        yield lab


def test_an_uploaded_file_comes_back_byte_for_byte(lab: Lab) -> None:
    content = bytes(range(256)) * 100 + b"\r\n--edge-not\r\n"
    header, body = form(("purpose", None, b"fine-tune"), ("file", "größe.jsonl", content))

    created = json.loads(lab.send("POST", FILES, body, header).body)
    download = lab.send("GET", f"{FILES}/{created['id']}/content")

    assert created == {
        "id": created["id"],
        "object": "file",
        "bytes": len(content),
        "created_at": 1_800_000_000,
        "filename": "größe.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
    }
    assert lab.get(f"{FILES}/{created['id']}") == created
    assert download.body == content
    assert dict(download.headers)["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"file": None}, "file"),
        ({"purpose": None}, "purpose"),
        ({"purpose": ("purpose", None, b"fine-tuning")}, "purpose"),
        ({"purpose": ("purpose", None, b"fine-tune-results")}, "purpose"),
        ({"file": ("file", "data.txt", b"{}")}, "file"),
        ({"file": ("file", "data.jsonl", b"")}, "file"),
        ({"file": ("file", None, b"{}")}, "file"),
        ({"file": ("file", "", b"{}")}, "file"),
        ({"more": ("colour", None, b"red")}, "colour"),
        ({"more": ("purpose", None, b"fine-tune")}, None),
        ({"more": ("expires_after[seconds]", None, b"3600")}, "expires_after[anchor]"),
        ({"more": ("expires_after[anchor]", None, b"created_at")}, "expires_after[seconds]"),
        ({"more": ("expires_after[anchor]", None, b"now")}, "expires_after[anchor]"),
    ],
)
def test_an_upload_that_breaks_a_rule_is_a_400_that_names_the_field(
    lab: Lab, change: dict[str, Field | None], param: str | None
) -> None:
    fields = [field for field in {**GOOD, **change}.values() if field is not None]
    header, body = form(*fields)

    response = lab.send("POST", FILES, body, header)

    assert response.status == 400
    assert json.loads(response.body)["error"]["param"] == param
    assert lab.get(FILES)["data"] == []


@pytest.mark.parametrize("purpose", ["assistants", "batch", "vision", "user_data", "evals"])
def test_other_purposes_take_other_file_names(lab: Lab, purpose: str) -> None:
    header, body = form(("purpose", None, purpose.encode()), ("file", "a.png", b"x"))

    response = lab.send("POST", FILES, body, header)

    assert json.loads(response.body)["purpose"] == purpose


def test_a_file_over_the_limit_is_a_413(lab: Lab) -> None:
    header, body = form(GOOD["purpose"], ("file", "big.jsonl", b"x" * 1_000_001))

    response = lab.send("POST", FILES, body, header)

    assert response.status == 413
    assert json.loads(response.body)["error"]["param"] == "file"


_HEADER, _BODY = form(*GOOD.values())


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (("content-type", "application/json"), b"{}"),
        (("content-type", "multipart/form-data"), _BODY),
        (("content-type", "multipart/form-data; boundary=" + "e" * 1000), _BODY),
        (("content-type", "multipart/form-data; boundary=other"), _BODY),
        (("content-type", "\u2713; boundary=edge"), _BODY),
        (_HEADER, b""),
        (_HEADER, b"--edge"),
        (_HEADER, _BODY[:-8]),
        (_HEADER, _BODY[:40]),
        (_HEADER, b"--edge\r\nNo colon here\r\n\r\nx\r\n--edge--\r\n"),
        (_HEADER, b"--edge\r\nA: b\r\n\r\nx\r\n" * 100 + b"--edge--\r\n"),
    ],
)
def test_a_body_that_is_no_form_is_a_400(lab: Lab, header: tuple[str, str], body: bytes) -> None:
    response = lab.send("POST", FILES, body, header)

    assert response.status == 400
    assert json.loads(response.body)["error"]["type"] == "invalid_request_error"


def test_files_are_listed_newest_first_or_oldest_first(lab: Lab) -> None:
    made = [lab.upload() for _ in range(3)]

    newest = lab.get(FILES)
    oldest = lab.get(f"{FILES}?order=asc")

    assert [file["id"] for file in newest["data"]] == made[::-1]
    assert [file["id"] for file in oldest["data"]] == made
    assert (oldest["first_id"], oldest["last_id"]) == (made[0], made[2])
    assert not newest["has_more"]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_cursor_walks_over_every_file_once(lab: Lab, order: str) -> None:
    made = [lab.upload() for _ in range(7)]

    seen: list[str] = []
    page = {"has_more": True, "last_id": ""}
    while page["has_more"]:
        page = lab.get(f"{FILES}?limit=3&order={order}&after={page['last_id']}")
        seen += [file["id"] for file in page["data"]]

    assert seen == (made if order == "asc" else made[::-1])


def test_a_cursor_stays_good_when_its_file_is_deleted(lab: Lab) -> None:
    made = [lab.upload() for _ in range(4)]
    first = lab.get(f"{FILES}?limit=2")
    for file in first["data"]:
        lab.call("DELETE", f"{FILES}/{file['id']}")

    rest = lab.get(f"{FILES}?limit=2&after={first['last_id']}")

    assert [file["id"] for file in rest["data"]] == [made[1], made[0]]


def test_a_list_can_be_of_one_purpose(lab: Lab) -> None:
    batch = lab.upload(purpose="batch")
    lab.upload()

    listed = lab.get(f"{FILES}?purpose=batch")
    none = lab.get(f"{FILES}?purpose=vision")

    assert [file["id"] for file in listed["data"]] == [batch]
    assert none == {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}


@pytest.mark.parametrize(
    ("query", "param", "status"),
    [
        ("limit=0", "limit", 400),
        ("limit=10001", "limit", 400),
        ("limit=-1", "limit", 400),
        ("limit=ten", "limit", 400),
        ("limit=²", "limit", 400),
        ("limit=" + "9" * 5000, "limit", 400),
        ("order=newest", "order", 400),
        ("after=file-none", "after", 404),
    ],
)
def test_a_page_that_cannot_be_is_refused(lab: Lab, query: str, param: str, status: int) -> None:
    error = lab.refused("GET", f"{FILES}?{query}")

    assert (error["status"], error["param"]) == (status, param)


def test_a_deleted_file_is_gone(lab: Lab) -> None:
    file = lab.upload()

    deleted = lab.call("DELETE", f"{FILES}/{file}")

    assert deleted == (200, {"id": file, "object": "file", "deleted": True})
    assert lab.refused("GET", f"{FILES}/{file}")["param"] == "id"
    assert lab.refused("GET", f"{FILES}/{file}/content")["status"] == 404
    assert lab.refused("DELETE", f"{FILES}/{file}")["status"] == 404
    assert lab.get(FILES)["data"] == []


def test_an_id_is_never_given_twice(lab: Lab) -> None:
    first = lab.upload()
    lab.call("DELETE", f"{FILES}/{first}")

    assert lab.upload() != first


def test_a_file_vanishes_at_the_second_it_expires(lab: Lab) -> None:
    lasting = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = lab.upload(**lasting)
    lab.now += 3599
    before = lab.get(f"{FILES}/{file}")
    lab.now += 1

    assert before["expires_at"] == before["created_at"] + 3600
    assert lab.refused("GET", f"{FILES}/{file}")["status"] == 404
    assert lab.refused("GET", f"{FILES}/{file}/content")["status"] == 404
    assert lab.get(FILES)["data"] == []


def test_an_expired_file_gives_its_space_back_at_the_next_upload(lab: Lab) -> None:
    lab.upload(purpose="batch")
    lab.now += 2_592_000
    lab.upload(b"kept")

    with closing(sqlite3.connect(lab.folder / "emulator.sqlite3")) as database:
        contents = database.execute("SELECT content FROM contents").fetchall()

    assert contents == [(b"kept",)]


def test_only_batch_files_expire_by_themselves(lab: Lab) -> None:
    stays, goes = lab.upload(), lab.upload(purpose="batch")
    lab.now += 2_592_000

    assert [file["id"] for file in lab.get(FILES)["data"]] == [stays]
    assert lab.refused("GET", f"{FILES}/{goes}")["status"] == 404


@pytest.mark.parametrize("seconds", ["3599", "2592001", "-3600", "1e4", "", "9" * 40])
def test_a_life_outside_its_bounds_is_refused(lab: Lab, seconds: str) -> None:
    header, body = form(
        *GOOD.values(),
        ("expires_after[anchor]", None, b"created_at"),
        ("expires_after[seconds]", None, seconds.encode()),
    )

    response = lab.send("POST", FILES, body, header)

    assert json.loads(response.body)["error"]["param"] == "expires_after[seconds]"


def test_a_job_reads_a_file_that_expired_only_after_the_job_validated(lab: Lab) -> None:
    lasting = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    job = lab.create(training_file=lab.upload(chats(12), **lasting))
    lab.now += 7200
    lab.upload()

    assert lab.job(job["id"])["status"] == "succeeded"
