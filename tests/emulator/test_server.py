"""The emulator under the openai SDK, in process and over the socket, and under raw bytes."""

from __future__ import annotations

import json
import socket
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from emulator.lab import Lab, chats, form
from ftctl.emulator import EmulatorError, EmulatorTransport, Server, serve

KEY = b"Authorization: Bearer any\r\n"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path, max_file_bytes=1_000_000)
    with lab.emulator:
        yield lab


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    with serve(lab.emulator).start() as server:
        yield server


@pytest.fixture(params=["in process", "over the socket"])
def client(lab: Lab, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    if request.param == "in process":
        http = httpx2.Client(transport=EmulatorTransport(lab.emulator))
        with openai.OpenAI(
            api_key="any", base_url="http://emulator/v1", max_retries=0, http_client=http
        ) as client:
            yield client
    else:
        with (
            serve(lab.emulator).start() as server,
            openai.OpenAI(api_key="any", base_url=server.url, max_retries=0) as client,
        ):
            yield client


def exchange(server: Server, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send the bytes, and read until the server hangs up: status, headers, body."""
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    host = host.replace("0.0.0.0", "127.0.0.1")  # no other address is for tests
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


def test_the_sdk_walks_through_a_whole_job(lab: Lab, client: openai.OpenAI) -> None:
    content = chats(12)
    file = client.files.create(
        file=("data.jsonl", content),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    jobs = client.fine_tuning.jobs
    job = jobs.create(
        model="gpt-4.1-mini",
        training_file=file.id,
        suffix="tone",
        metadata={"ftctl.project": "a b"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    )
    lab.now += 5
    paused = jobs.pause(job.id).status
    resumed = jobs.resume(job.id).status
    lab.now += 50

    done = jobs.retrieve(job.id)
    events = list(jobs.list_events(job.id, limit=5))
    checkpoints = list(jobs.checkpoints.list(job.id, limit=1))

    assert client.files.content(file.id).content == content
    assert [found.id for found in client.files.list(limit=1)] == [file.id]
    assert (paused, resumed, done.status) == ("paused", "queued", "succeeded")
    assert done.hyperparameters.n_epochs == 2
    assert [found.id for found in jobs.list(metadata={"ftctl.project": "a b"})] == [job.id]
    assert list(jobs.list(metadata={"ftctl.project": "b"})) == []
    assert list(jobs.list(extra_query={"metadata": "null"})) == []
    assert events[-1].message == f"Created fine-tuning job: {job.id}"
    assert [checkpoint.step_number for checkpoint in checkpoints] == [24, 12]
    assert done.fine_tuned_model in [model.id for model in client.models.list()]
    assert client.models.retrieve(str(done.fine_tuned_model)).owned_by == "ftctl-emulator"
    assert client.models.delete(checkpoints[0].fine_tuned_model_checkpoint).deleted
    assert client.files.delete(file.id).deleted


def test_the_sdk_raises_its_own_errors(lab: Lab, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.fine_tuning.jobs.retrieve("ftjob-none")
    with pytest.raises(openai.BadRequestError) as bad:
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file="file-none")
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("gpt-4.1")

    assert missing.value.code == "fine_tune_not_found"
    assert str(missing.value.request_id).startswith("req_")
    assert (bad.value.param, bad.value.code) == ("training_file", "file_not_found")


def test_an_empty_key_is_refused_over_the_socket_too(server: Server) -> None:
    status, headers, body = exchange(server, b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert status == 401
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


def test_the_sdk_pages_over_more_than_a_hundred_jobs(lab: Lab, client: openai.OpenAI) -> None:
    file = lab.upload()
    made = [lab.create(training_file=file)["id"] for _ in range(105)]

    assert [job.id for job in client.fine_tuning.jobs.list()] == made[::-1]


def test_closing_a_client_leaves_the_emulator_open(lab: Lab) -> None:
    with httpx2.Client(transport=EmulatorTransport(lab.emulator)):
        pass

    assert lab.get("/v1/models")["object"] == "list"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /v1/models HTTP/9.9\r\n\r\n", 400),
        (b"GET /v1/models HTTP/x\r\n\r\n", 400),
        (b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (b"BREW /v1/models HTTP/1.1\r\n" + KEY + b"\r\n", 405),
        (b"PUT /v1/models HTTP/1.1\r\n" + KEY + b"Connection: close\r\n\r\n", 405),
        (b"GET /v1/nothing HTTP/1.1\r\n" + KEY + b"\r\n", 404),
        (b"GET http://host/v1/nothing HTTP/1.1\r\n" + KEY + b"\r\n", 404),
        (b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Content-Length: x\r\n\r\n", 400),
        (b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Content-Length: -1\r\n\r\n", 400),
        (b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Content-Length: 9\r\n\r\nshort", 400),
        (b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Content-Length: 99999999\r\n\r\n", 413),
        (b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST /v1/files HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /v1/files HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        (
            b"POST /v1/files HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
            400,
        ),
        (b"POST /v1/files HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 400),
    ],
)
def test_whatever_comes_over_the_socket_is_answered_in_the_envelope(
    server: Server, capfd: pytest.CaptureFixture[str], request_bytes: bytes, status: int
) -> None:
    answered, headers, body = exchange(server, request_bytes)

    assert answered == status
    assert headers["content-type"] == "application/json"
    assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}
    assert capfd.readouterr() == ("", "")


def test_a_body_in_chunks_is_the_same_body(server: Server, lab: Lab) -> None:
    (_, kind), body = form(("purpose", None, b"fine-tune"), ("file", "a.jsonl", b"{}"))
    pieces = [body[:7], body[7:90], body[90:]]
    chunks = b"".join(b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Transfer-Encoding: chunked\r\n"

    status, _, answer = exchange(
        server,
        head + f"Content-Type: {kind}\r\n\r\n".encode() + chunks + b"0\r\nTrailer: x\r\n\r\n",
    )

    assert status == 200
    assert json.loads(answer)["bytes"] == 2


def test_a_body_is_asked_for_only_when_it_will_be_read(server: Server) -> None:
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    head = b"POST /v1/files HTTP/1.1\r\n" + KEY + b"Expect: 100-continue\r\nContent-Length: "
    first_lines = []
    for length in (b"2", b"99999999"):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(head + length + b"\r\n\r\n")
            first_lines.append(connection.recv(12))

    assert first_lines == [b"HTTP/1.1 100", b"HTTP/1.1 413"]  # the phrases differ by Python


def test_a_head_request_has_no_body(server: Server) -> None:
    status, headers, body = exchange(server, b"HEAD /v1/models HTTP/1.1\r\n" + KEY + b"\r\n")

    assert (status, body) == (405, b"")
    assert int(headers["content-length"]) > 0


def test_many_requests_share_one_connection(server: Server) -> None:
    request = b"GET /v1/models/gpt-4o HTTP/1.1\r\n" + KEY + b"\r\n"

    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        answers = []
        for _ in range(20):
            connection.sendall(request)
            answers.append(connection.recv(65536))

    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answers)
    assert all(answer.endswith(b'"}') for answer in answers)


def test_a_call_over_the_socket_waits_for_no_delayed_acknowledgement(server: Server) -> None:
    with httpx2.Client(headers={"authorization": "Bearer any"}) as http:
        seconds = []
        for _ in range(25):
            start = time.perf_counter()
            http.get(f"{server.url}/models")
            seconds.append(time.perf_counter() - start)

    # A stalled call takes 40 ms at least; the median is no matter of a busy machine.
    assert statistics.median(seconds) < 0.030


def test_threads_can_call_at_once(lab: Lab, server: Server) -> None:
    file = lab.upload()

    def create() -> None:
        with openai.OpenAI(api_key="any", base_url=server.url, max_retries=0) as client:
            for _ in range(5):
                client.fine_tuning.jobs.create(model="gpt-4o", training_file=file)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({job["id"] for job in lab.get("/v1/fine_tuning/jobs?limit=100")["data"]}) == 30


def test_a_closed_server_ends_its_connections_and_threads(lab: Lab) -> None:
    before = threading.active_count()
    server = serve(lab.emulator).start()
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as idle:
        idle.sendall(b"GET /v1/models HTTP/1.1\r\n" + KEY + b"\r\n")
        assert idle.recv(65536)

        server.close()

        assert idle.recv(65536) == b""
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=10)


def test_a_server_that_never_started_can_be_closed(lab: Lab) -> None:
    serve(lab.emulator).close()


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.0.1", "example.com"])
def test_others_can_never_reach_the_server(lab: Lab, host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        serve(lab.emulator, host=host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
def test_every_name_of_this_machine_is_allowed(lab: Lab, host: str) -> None:
    with serve(lab.emulator, host=host).start() as server:
        status, _, _ = exchange(server, b"GET /v1/models HTTP/1.1\r\n" + KEY + b"\r\n")

    assert status == 200


def test_a_port_in_use_is_an_error_that_names_it(lab: Lab, server: Server) -> None:
    port = int(server.url.removesuffix("/v1").rsplit(":", 1)[1])

    with pytest.raises(EmulatorError, match=f"cannot listen on 127.0.0.1:{port}"):
        serve(lab.emulator, port=port)


def at(server: Server, method: bytes, path: bytes, *headers: bytes) -> tuple[int, dict[str, Any]]:
    lines = b"".join(header + b"\r\n" for header in headers)
    request = method + b" " + path + b" HTTP/1.1\r\n" + KEY + lines + b"\r\n"
    status, _, body = exchange(server, request)
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"Host: localhost", 200),
        (b"Host: LOCALHOST.:8700", 200),
        (b"Host: emulator.localhost:8700", 200),
        (b"Host: 127.0.0.1:1", 200),
        (b"Host: 127.9.9.9", 200),
        (b"Host: [::1]:8700", 200),
        (b"X-No-Host: at-all", 200),
        (b"Host: evil.example", 421),
        (b"Host: localhost.evil.example:8700", 421),
        (b"Host: 192.168.0.1:8700", 421),
        (b"Host: 0.0.0.0", 421),
        (b"Host: [::1", 421),
        (b"Host:", 421),
        (b"Host: localhost@evil.example", 421),
        (b"Host: localhost\r\nHost: evil.example", 421),
    ],
)
def test_a_name_that_was_made_to_lead_here_is_not_answered(
    server: Server, host: bytes, status: int
) -> None:
    for path in (b"/v1/models", b"/_ftctl/state"):
        answered, body = at(server, b"GET", path, host)

        assert answered == status
        if status == 421:
            assert body["error"]["code"] == "host_not_allowed"


def test_a_host_that_others_reach_is_served_under_any_name_to_who_has_the_key(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path / "own", api_key="any")
    with lab.emulator, serve(lab.emulator, host="0.0.0.0").start() as server:
        allowed, _ = at(server, b"GET", b"/v1/models", b"Host: emulator:8700")
        refused, _, _ = exchange(
            server, b"GET /v1/models HTTP/1.1\r\nAuthorization: Bearer other\r\n\r\n"
        )

    assert (allowed, refused) == (200, 401)


def test_the_page_and_the_snapshot_come_over_the_socket(server: Server, lab: Lab) -> None:
    file = lab.upload()
    with httpx2.Client() as http:
        root = server.url.removesuffix("v1")
        page = http.get(root, follow_redirects=True)
        snapshot = http.get(f"{root}_ftctl/snapshot").content
        http.post(f"{root}_ftctl/reset")
        gone = http.get(f"{server.url}/files/{file}", headers={"authorization": "Bearer any"})
        restored = http.put(f"{root}_ftctl/snapshot", content=snapshot)

    assert (page.status_code, str(page.url)) == (200, f"{root}_ftctl/")
    assert snapshot.startswith(b"SQLite format 3\0")
    assert gone.status_code == 404
    assert restored.json()["counts"]["files"] == 1
    assert lab.get(f"/v1/files/{file}")["id"] == file


def test_jobs_go_on_while_nobody_asks(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "own", training=False)
    with lab.emulator, serve(lab.emulator).start():
        job = lab.create()
        lab.now += 60
        deadline = time.monotonic() + 20
        status = None
        with sqlite3.connect(lab.folder / "emulator.sqlite3") as connection:
            while status != "succeeded" and time.monotonic() < deadline:
                time.sleep(0.02)
                status = connection.execute("SELECT status FROM jobs").fetchone()[0]
        connection.close()

    assert status == "succeeded"
    assert job["status"] == "validating_files"


def test_a_database_that_fails_does_not_end_the_background(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lab = Lab(tmp_path / "own", training=False)
    with lab.emulator, serve(lab.emulator).start() as server:
        lab.emulator._store._connection.execute("ALTER TABLE jobs RENAME TO elsewhere")
        time.sleep(0.5)
        lab.emulator._store._connection.execute("ALTER TABLE elsewhere RENAME TO jobs")
        status, _ = at(server, b"GET", b"/v1/models")
        working = server._worker.is_alive()

    assert (status, working) == (200, True)
    assert capfd.readouterr() == ("", "")


def test_an_emulator_may_be_closed_before_its_server(lab: Lab) -> None:
    with serve(lab.emulator).start() as server:
        lab.emulator.close()
        time.sleep(0.3)
        status, _ = at(server, b"GET", b"/v1/files")

    assert status == 503


def test_a_large_file_comes_back_whole(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "own", max_file_bytes=4_000_000)
    content = b'{"a": 1}\n' * 300_000
    with lab.emulator, serve(lab.emulator).start() as server:
        file = lab.upload(content, purpose="batch")
        with httpx2.Client(headers={"authorization": "Bearer any"}) as http:
            assert http.get(f"{server.url}/files/{file}/content").content == content
