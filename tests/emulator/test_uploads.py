"""Uploads: a file in parts, from its announcement to its content, and every way to go wrong."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import openai
import pytest
from conftest import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.lab import Lab, chats, form
from ftctl.emulator import EmulatorTransport, Response, serve
from ftctl.emulator.api.upload_endpoints import MAX_PART_BYTES, MAX_UPLOAD_BYTES

SPEC = DATA / "openapi" / "openai-fine-tuning.json"
UPLOADS = "/v1/uploads"
GOOD: dict[str, Any] = {
    "filename": "data.jsonl",
    "purpose": "fine-tune",
    "bytes": 6,
    "mime_type": "text/jsonl",
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state", training=False)
    with lab.emulator:
        yield lab


def announce(lab: Lab, **changes: Any) -> Any:
    status, upload = lab.call("POST", UPLOADS, {**GOOD, **changes})
    assert status == 200, upload
    return upload


def send_part(lab: Lab, upload: str, content: bytes) -> Response:
    header, body = form(("data", "part", content))
    return lab.send("POST", f"{UPLOADS}/{upload}/parts", body, header)


def add(lab: Lab, upload: str, *contents: bytes) -> list[str]:
    """The parts' ids."""
    return [json.loads(send_part(lab, upload, content).body)["id"] for content in contents]


def complete(lab: Lab, upload: str, parts: list[str], **more: Any) -> tuple[int, Any]:
    return lab.call("POST", f"{UPLOADS}/{upload}/complete", {"part_ids": parts, **more})


def content_of(lab: Lab, file: str) -> bytes:
    response = lab.send("GET", f"/v1/files/{file}/content")
    assert response.status == 200, response.body
    return response.body if response.stream is None else b"".join(response.stream)


def bytes_held(lab: Lab) -> int:
    """What parts take in the database now."""
    with closing(sqlite3.connect(lab.folder / "emulator.sqlite3")) as database:
        held: int = database.execute("SELECT total(length(content)) FROM parts").fetchone()[0]
    return int(held)


def sdk(lab: Lab) -> openai.OpenAI:
    transport = EmulatorTransport(lab.emulator)
    return openai.OpenAI(
        api_key="any", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def test_parts_become_a_file_in_the_order_asked_for(lab: Lab) -> None:
    upload = announce(lab)
    last, first = add(lab, upload["id"], b"def", b"abc")
    lab.now += 10

    status, done = complete(lab, upload["id"], [first, last])

    file = {
        "id": done["file"]["id"],
        "object": "file",
        "bytes": 6,
        "created_at": 1_800_000_010,
        "filename": "data.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
    }
    pending = {
        "id": upload["id"],
        "object": "upload",
        "bytes": 6,
        "created_at": 1_800_000_000,
        "filename": "data.jsonl",
        "purpose": "fine-tune",
        "status": "pending",
        "expires_at": 1_800_003_600,
    }
    assert upload == pending
    assert (status, done) == (200, {**pending, "status": "completed", "file": file})
    assert lab.get(f"/v1/files/{file['id']}") == file
    assert lab.get("/v1/files")["data"] == [file]
    assert content_of(lab, file["id"]) == b"abcdef"


def test_a_part_says_whose_it_is(lab: Lab) -> None:
    upload = announce(lab)["id"]

    part = json.loads(send_part(lab, upload, b"abc").body)

    assert part == {
        "id": part["id"],
        "object": "upload.part",
        "created_at": 1_800_000_000,
        "upload_id": upload,
    }
    assert part["id"].startswith("part_")


def test_a_job_trains_on_what_came_in_parts(lab: Lab) -> None:
    rows = chats(12)
    upload = announce(lab, bytes=len(rows))["id"]
    parts = add(lab, upload, rows[:100], rows[100:101], rows[101:])
    file = complete(lab, upload, parts)[1]["file"]["id"]

    job = lab.create(training_file=file)
    lab.now += 60

    assert lab.job(job["id"])["status"] == "succeeded"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"filename": None}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "data.json"}, "filename"),
        ({"purpose": None}, "purpose"),
        ({"purpose": "fine-tuning"}, "purpose"),
        ({"purpose": "user_data"}, "purpose"),
        ({"bytes": None}, "bytes"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": 1.5}, "bytes"),
        ({"bytes": True}, "bytes"),
        ({"bytes": "6"}, "bytes"),
        ({"bytes": MAX_UPLOAD_BYTES + 1}, "bytes"),
        ({"bytes": 10**400}, "bytes"),
        ({"mime_type": None}, "mime_type"),
        ({"mime_type": "image/png"}, "mime_type"),
        ({"mime_type": "application/pdf"}, "mime_type"),
        ({"purpose": "vision"}, "mime_type"),
        ({"purpose": "assistants", "mime_type": "video/mp4"}, "mime_type"),
        ({"expires_after": None}, "expires_after"),
        ({"expires_after": {}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "now"}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "created_at"}}, "expires_after.seconds"),
        (
            {"expires_after": {"anchor": "created_at", "seconds": 3599}},
            "expires_after.seconds",
        ),
        (
            {"expires_after": {"anchor": "created_at", "seconds": 2_592_001}},
            "expires_after.seconds",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_announcement_that_breaks_a_rule_is_a_400_that_names_the_field(
    lab: Lab, change: dict[str, Any], param: str
) -> None:
    error = lab.refused("POST", UPLOADS, {**GOOD, **change})

    assert (error["status"], error["param"]) == (400, param)


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": MAX_UPLOAD_BYTES},
        {"bytes": 1},
        {"bytes": 6.0},
        {"mime_type": "application/jsonl"},
        {"mime_type": "Text/JSONL; charset=utf-8"},
        {"purpose": "batch"},
        {"purpose": "vision", "mime_type": "image/png", "filename": "a.png"},
        {"purpose": "assistants", "mime_type": "application/pdf", "filename": "a.pdf"},
        {"purpose": "assistants", "mime_type": "text/x-python", "filename": "a.py"},
        {"expires_after": {"anchor": "created_at", "seconds": 3600}},
    ],
)
def test_what_the_rules_allow_is_taken(lab: Lab, change: dict[str, Any]) -> None:
    assert announce(lab, **change)["status"] == "pending"


def test_a_files_life_is_counted_from_its_completion(lab: Lab) -> None:
    upload = announce(lab, expires_after={"anchor": "created_at", "seconds": 3600})["id"]
    parts = add(lab, upload, b"abcdef")
    lab.now += 100

    file = complete(lab, upload, parts)[1]["file"]
    lab.now += 3_599
    kept = lab.send("GET", f"/v1/files/{file['id']}").status
    lab.now += 1

    assert file["expires_at"] == file["created_at"] + 3600 == 1_800_003_700
    assert (kept, lab.refused("GET", f"/v1/files/{file['id']}")["status"]) == (200, 404)
    lab.upload()
    assert bytes_held(lab) == 0


def test_a_batch_file_lives_thirty_days_unless_told_otherwise(lab: Lab) -> None:
    upload = announce(lab, purpose="batch")["id"]

    file = complete(lab, upload, add(lab, upload, b"abcdef"))[1]["file"]

    assert file["expires_at"] - file["created_at"] == 2_592_000


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ((), 400, "data"),
        ((("data", "part", b""),), 400, "data"),
        ((("data", "part", b"a"), ("data", "part", b"b")), 400, "data"),
        ((("data", "part", b"a"), ("colour", None, b"red")), 400, "colour"),
        ((("data", "part", b"x" * (MAX_PART_BYTES + 1)),), 413, "data"),
    ],
)
def test_a_part_that_breaks_a_rule_is_refused(
    lab: Lab, fields: tuple[tuple[str, str | None, bytes], ...], status: int, param: str
) -> None:
    upload = announce(lab)["id"]
    header, body = form(*fields)

    response = lab.send("POST", f"{UPLOADS}/{upload}/parts", body, header)

    assert response.status == status
    assert json.loads(response.body)["error"]["param"] == param
    assert bytes_held(lab) == 0


def test_a_part_of_64_mib_is_taken_and_comes_back(lab: Lab) -> None:
    upload = announce(lab, bytes=MAX_PART_BYTES + 3)["id"]
    large = b"0123456789abcdef" * (MAX_PART_BYTES // 16)

    file = complete(lab, upload, add(lab, upload, large, b"end"))[1]["file"]["id"]

    response = lab.send("GET", f"/v1/files/{file}/content")
    assert response.stream is not None
    digest = hashlib.sha256()
    largest = 0
    for piece in response.stream:
        digest.update(piece)
        largest = max(largest, len(piece))
    assert digest.digest() == hashlib.sha256(large + b"end").digest()
    assert largest <= 1024 * 1024


def test_an_upload_holds_at_most_what_it_may_announce(lab: Lab) -> None:
    upload = announce(lab, bytes=MAX_UPLOAD_BYTES)["id"]
    with closing(sqlite3.connect(lab.folder / "emulator.sqlite3")) as database:
        database.execute(
            "INSERT INTO parts (id, upload, created_at, bytes, content)"
            " SELECT 'part_huge', seq, 0, ?, x'' FROM uploads",
            (MAX_UPLOAD_BYTES - 2,),
        )
        database.commit()

    fits, beyond = send_part(lab, upload, b"ab"), send_part(lab, upload, b"c")

    assert (fits.status, beyond.status) == (200, 400)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"part_ids": None}, "part_ids"),
        ({"part_ids": "part_1"}, "part_ids"),
        ({"part_ids": [1]}, "part_ids"),
        ({"part_ids": []}, "part_ids"),
        ({"part_ids": ["part_none"]}, "part_ids"),
        ({"md5": 5}, "md5"),
        ({"md5": "abc"}, "md5"),
        ({"md5": hashlib.md5(b"fedcba").hexdigest()}, "md5"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_completion_that_breaks_a_rule_leaves_the_upload_open(
    lab: Lab, change: dict[str, Any], param: str
) -> None:
    upload = announce(lab)["id"]
    parts = add(lab, upload, b"abc", b"def")

    error = lab.refused("POST", f"{UPLOADS}/{upload}/complete", {"part_ids": parts, **change})

    assert (error["status"], error["param"]) == (400, param)
    assert lab.get("/v1/files")["data"] == []
    right = hashlib.md5(b"abcdef").hexdigest().upper()
    assert complete(lab, upload, parts, md5=right)[0] == 200


def test_a_part_counts_once_and_only_for_its_own_upload(lab: Lab) -> None:
    upload, other = announce(lab)["id"], announce(lab)["id"]
    part = add(lab, upload, b"abc")[0]
    foreign = add(lab, other, b"def")[0]

    assert complete(lab, upload, [part, part])[0] == 400
    assert complete(lab, upload, [part, foreign])[0] == 400


def test_the_bytes_must_be_those_announced(lab: Lab) -> None:
    upload = announce(lab)["id"]
    parts = add(lab, upload, b"abc", b"defg", b"def")

    short, long = complete(lab, upload, parts[:1]), complete(lab, upload, parts[:2])
    exact = complete(lab, upload, [parts[0], parts[2]])

    assert short[1]["error"]["message"] == "The parts have 3 bytes, but 6 were announced."
    assert (short[0], long[0], exact[0]) == (400, 400, 200)
    assert bytes_held(lab) == 6


def test_a_cancelled_upload_gives_its_space_back(lab: Lab) -> None:
    upload = announce(lab)["id"]
    add(lab, upload, b"abc")

    status, cancelled = lab.call("POST", f"{UPLOADS}/{upload}/cancel")

    assert (status, cancelled["status"], "file" in cancelled) == (200, "cancelled", False)
    assert bytes_held(lab) == 0


def test_a_deleted_file_gives_the_space_of_its_parts_back(lab: Lab) -> None:
    upload = announce(lab)["id"]
    file = complete(lab, upload, add(lab, upload, b"abc", b"def"))[1]["file"]["id"]

    lab.call("DELETE", f"/v1/files/{file}")

    assert lab.refused("GET", f"/v1/files/{file}/content")["status"] == 404
    assert bytes_held(lab) == 0


def test_an_hour_after_its_start_an_upload_is_over(lab: Lab) -> None:
    upload = announce(lab)["id"]
    parts = add(lab, upload, b"abc")
    lab.now += 3_599
    parts += add(lab, upload, b"def")
    lab.now += 1

    refusals = [
        complete(lab, upload, parts),
        lab.call("POST", f"{UPLOADS}/{upload}/cancel"),
    ]

    words = f"The upload {upload} is expired: nothing more can be done with it."
    assert [(status, value["error"]["message"]) for status, value in refusals] == [(400, words)] * 2
    assert send_part(lab, upload, b"x").status == 400
    assert bytes_held(lab) == 0


@pytest.mark.parametrize("end", ["complete", "cancel"])
def test_an_upload_that_ended_takes_nothing_more(lab: Lab, end: str) -> None:
    upload = announce(lab)["id"]
    parts = add(lab, upload, b"abcdef")
    body = {"part_ids": parts}
    lab.call("POST", f"{UPLOADS}/{upload}/{end}", body)

    again = [
        lab.call("POST", f"{UPLOADS}/{upload}/{verb}", body) for verb in ("complete", "cancel")
    ]

    assert [(status, value["error"]["param"]) for status, value in again] == [
        (400, "upload_id"),
        (400, "upload_id"),
    ]
    assert send_part(lab, upload, b"x").status == 400
    assert len(lab.get("/v1/files")["data"]) == (end == "complete")


def test_an_unknown_upload_is_a_404(lab: Lab) -> None:
    statuses = [
        send_part(lab, "upload_none", b"x").status,
        complete(lab, "upload_none", ["part_1"])[0],
        lab.call("POST", f"{UPLOADS}/upload_none/cancel")[0],
    ]

    assert statuses == [404, 404, 404]


def test_parts_sent_at_the_same_time_are_all_kept(lab: Lab) -> None:
    upload = announce(lab, bytes=80)["id"]
    parts: dict[int, str] = {}

    def send(number: int) -> None:
        parts[number] = add(lab, upload, b"%010d" % number)[0]

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file = complete(lab, upload, [parts[n] for n in range(8)])[1]["file"]["id"]

    assert content_of(lab, file) == b"".join(b"%010d" % number for number in range(8))


def test_a_download_whose_file_is_deleted_meanwhile_ends_early(lab: Lab) -> None:
    upload = announce(lab)["id"]
    file = complete(lab, upload, add(lab, upload, b"abc", b"def"))[1]["file"]["id"]
    response = lab.send("GET", f"/v1/files/{file}/content")
    assert response.stream is not None
    first = next(response.stream)

    lab.call("DELETE", f"/v1/files/{file}")

    assert first == b"abc"
    with pytest.raises(ConnectionAbortedError):
        next(response.stream)


def test_the_public_client_uploads_a_file_in_chunks(lab: Lab, tmp_path: Path) -> None:
    client = sdk(lab)
    content = bytes(range(256)) * 20_000
    source = tmp_path / "rows.jsonl"
    source.write_bytes(content)

    upload = client.uploads.upload_file_chunked(
        file=source,
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=1_000_000,
        md5=hashlib.md5(content).hexdigest(),
    )

    assert upload.file is not None
    assert (upload.status, upload.file.filename, upload.file.bytes) == (
        "completed",
        "rows.jsonl",
        len(content),
    )
    assert client.files.content(upload.file.id).read() == content


def test_the_public_client_downloads_over_a_socket_as_it_is_read(lab: Lab) -> None:
    with serve(lab.emulator).start() as server:
        client = openai.OpenAI(api_key="any", base_url=server.url, max_retries=0)
        upload = client.uploads.upload_file_chunked(
            file=b"x" * 3_000_000,
            filename="rows.jsonl",
            bytes=3_000_000,
            mime_type="text/jsonl",
            purpose="fine-tune",
            part_size=2_000_000,
        )
        assert upload.file is not None
        with client.files.with_streaming_response.content(upload.file.id) as response:
            read = b"".join(response.iter_bytes())
        client.close()

    assert read == b"x" * 3_000_000


@pytest.mark.skipif(not SPEC.exists(), reason=f"the public specification is not at {SPEC}")
def test_every_answer_fits_the_specification(lab: Lab) -> None:
    spec = json.loads(SPEC.read_text())
    upload = announce(lab)
    part = json.loads(send_part(lab, upload["id"], b"abcdef").body)
    done = complete(lab, upload["id"], [part["id"]])[1]
    other = announce(lab, expires_after={"anchor": "created_at", "seconds": 3600})
    answers = [
        ("/uploads", upload),
        ("/uploads/{upload_id}/parts", part),
        ("/uploads/{upload_id}/complete", done),
        ("/uploads/{upload_id}/cancel", lab.call("POST", f"{UPLOADS}/{other['id']}/cancel")[1]),
    ]

    for path, answer in answers:
        answered = spec["paths"][path]["post"]["responses"]["200"]
        schema = answered["content"]["application/json"]["schema"]
        whole = {**schema, "components": spec["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_BODIES = st.one_of(
    _ANYTHING,
    st.builds(
        lambda changes: {**GOOD, **changes},
        st.dictionaries(st.sampled_from([*GOOD, "expires_after", "part_ids", "md5"]), _ANYTHING),
    ),
    st.fixed_dictionaries({"part_ids": _ANYTHING}, optional={"md5": _ANYTHING}),
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, str]]:
    lab = Lab(tmp_path_factory.mktemp("uploads"), training=False)
    with lab.emulator:
        yield lab, announce(lab)["id"]


@settings(max_examples=150, deadline=None)
@given(_BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=60))
def test_no_body_is_answered_with_a_fault_of_ours(fuzzed: tuple[Lab, str], body: bytes) -> None:
    lab, upload = fuzzed

    for rest in ("", f"/{upload}/parts", f"/{upload}/complete"):
        response = lab.send("POST", UPLOADS + rest, body)

        assert response.status < 500
        assert "error" in json.loads(response.body) or response.status == 200
