"""Answers that do not come to an end: what is read of them, and how long that takes."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import KEY, HandClock
from plain_server import PlainServer, World

from ftctl.catalog.services import SERVICES
from ftctl.clock import SystemClock
from ftctl.domain.digest import file_name
from ftctl.domain.plan import FileRef, StartJob, Upload
from ftctl.errors import ProviderError
from ftctl.providers import Client, Connection, connect
from ftctl.providers.openai import bounded_http
from ftctl.providers.openai.bounds import Bounds, bounds_now, within

OPENAI = SERVICES["openai"]
SHA256 = "a" * 64
NAME = file_name("demo", "rows", SHA256)
START = StartJob("tone", "v1:d", {}, "gpt", FileRef("rows", NAME, SHA256, "file-1"), None)
TAGS = {"ftctl_project": "demo", "ftctl_finetune": "tone", "ftctl_digest": "v1:d"}
PATIENCE = 0.5  # seconds, in place of the minute that is usual
SLACK = 1.0  # of a machine that has other things to do


@pytest.fixture
def slow(world: World) -> World:
    """A service of 20 bytes a second: each comes soon, and the last one never."""
    world.jobs.append({"id": "ftjob-1", "status": "running"})
    world.models.append("ft:1")
    world.pace = lambda _method, _path: 0.05
    return world


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with PlainServer(world) as server:
        here = Connection(server.url, KEY, timeout_seconds=PATIENCE)
        client = connect(here, OPENAI, clock=SystemClock())
        yield client
        client.close()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("jobs", ("demo",)), ("observe", ("demo",)), ("job", ("ftjob-1",)),
        ("model_visible", ("ft:1",)), ("file_names", ()), ("cancel_job", ("ftjob-1",)),
        ("delete_model", ("ft:1",)), ("delete_file", ("file-1",)), ("moderate", (["text"],)),
    ],
)  # fmt: skip
def test_what_comes_a_byte_at_a_time_ends_in_time(
    slow: World, client: Client, method: str, arguments: tuple[Any, ...]
) -> None:
    began = time.monotonic()

    with pytest.raises(ProviderError, match="no answer in time"):
        getattr(client, method)(*arguments)

    # A cancel that is not answered is looked up, which is a read of its own.
    assert time.monotonic() - began < 2 * PATIENCE + SLACK


def test_the_way_over_a_proxy_is_bounded_too(slow: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with PlainServer(slow) as proxy:
        monkeypatch.setenv("https_proxy", proxy.address)
        monkeypatch.delenv("no_proxy", raising=False)
        there = Connection("https://api.example/v1", KEY, timeout_seconds=PATIENCE)
        client = connect(there, OPENAI, clock=SystemClock())
        began = time.monotonic()

        with pytest.raises(ProviderError, match="no answer in time"):
            client.jobs("demo")

        assert time.monotonic() - began < PATIENCE + SLACK
        assert len(slow.requests) == 1
        client.close()


def test_a_body_that_drips_ends_in_time_where_its_headers_came_at_once(client: Client) -> None:
    """The embedded API and its like are no network: the body is what counts there."""

    def drip() -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b" "

    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, content=drip()))
    dripping = connect(
        Connection("https://api.example/v1", KEY, timeout_seconds=PATIENCE), OPENAI,
        transport=transport, clock=SystemClock(),
    )  # fmt: skip
    began = time.monotonic()

    with pytest.raises(ProviderError, match="no answer in time"):
        dripping.jobs("demo")

    assert time.monotonic() - began < PATIENCE + SLACK
    dripping.close()


def test_a_purchase_whose_answer_does_not_end_is_in_doubt(slow: World, client: Client) -> None:
    began = time.monotonic()

    with pytest.raises(ProviderError) as fault:
        client.start_job(
            START, base_model="gpt", training_file="file-1", validation_file=None, tags=TAGS
        )

    assert fault.value.ambiguous
    assert slow.requests == ["POST /fine_tuning/jobs"]
    assert time.monotonic() - began < PATIENCE + SLACK


def test_a_file_may_take_longer_than_a_read(
    world: World, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What bounds an upload is that nothing more of it is taken, or no answer comes after it."""
    source = tmp_path / "rows.jsonl"
    source.write_bytes(b"0123456789")
    step = Upload("rows", "rows.jsonl", SHA256, 10, NAME)
    world.pace = lambda _method, _path: 0.005  # some 300 bytes: more than a second
    began = time.monotonic()

    assert client.upload(step, source).id == "file-1"
    assert time.monotonic() - began > PATIENCE

    monkeypatch.setattr("ftctl.providers.openai.provider._STORING_SECONDS", 0.2)
    with pytest.raises(ProviderError, match="no answer in time") as fault:
        client.upload(step, source)
    assert fault.value.ambiguous


def test_a_download_is_bounded_by_the_piece(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftctl.providers.openai.provider._PIECE_BYTES", 100)
    content = (200, b"0123456789" * 60)
    world.before = lambda _method, path: content if path.endswith("/content") else None
    world.pace = lambda _method, _path: 0.003
    patience = 1.5  # for some hundred bytes of headers, and for each hundred after them

    with PlainServer(world) as server:
        client = connect(
            Connection(server.url, KEY, timeout_seconds=patience), OPENAI, clock=SystemClock()
        )
        began = time.monotonic()
        assert b"".join(client.download("file-1")) == content[1]
        assert time.monotonic() - began > patience  # the whole may take longer than one piece

        world.pace = lambda _method, _path: 0.05
        with pytest.raises(ProviderError, match="no answer in time"):
            list(client.download("file-1"))
        client.close()


def test_nobody_else_is_held_to_the_bounds_of_a_download(world: World, client: Client) -> None:
    world.before = lambda _method, path: (200, b"0" * 600_000) if "content" in path else None

    pieces = client.download("file-1")
    next(pieces)

    assert bounds_now() is None
    assert len(b"".join(pieces)) == 600_000 - 256 * 1024


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_is_read_no_further_than_its_limit(
    monkeypatch: pytest.MonkeyPatch, packed: bool, status: int
) -> None:
    monkeypatch.setattr(bounded_http, "LARGEST_ANSWER", 1000)
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        whole = gzip.compress(b" " * 10_000_000) if packed else b" " * 10_000_000
        for first in range(0, len(whole), 50):
            read += 1
            yield whole[first : first + 50]

    headers = {"content-encoding": "gzip"} if packed else {}
    answer = httpx2.MockTransport(
        lambda _request: httpx2.Response(status, headers=headers, content=endless())
    )
    client = connect(
        Connection("https://api.example/v1", KEY), OPENAI, transport=answer, clock=HandClock()
    )

    with pytest.raises(ProviderError, match="the answer is longer than 64 MiB") as fault:
        client.jobs("demo")

    assert not fault.value.retryable
    assert read < 30
    client.close()


def test_an_answer_that_came_packed_is_read(world: World) -> None:
    body = gzip.compress(b'{"object": "list", "data": []}')
    packed = httpx2.MockTransport(
        lambda _request: httpx2.Response(200, headers={"content-encoding": "gzip"}, content=body)
    )
    client = connect(
        Connection("https://api.example/v1", KEY), OPENAI, transport=packed, clock=HandClock()
    )

    assert client.jobs("demo") == ()
    client.close()


def test_a_download_that_is_refused_at_length_is_read_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_http, "LARGEST_ANSWER", 1000)
    refusal = httpx2.MockTransport(lambda _request: httpx2.Response(404, content=b" " * 5000))
    client = connect(
        Connection("https://api.example/v1", KEY), OPENAI, transport=refusal, clock=HandClock()
    )

    with pytest.raises(ProviderError, match="the answer is longer than 64 MiB"):
        list(client.download("file-1"))

    client.close()


class Line:
    """A connection that notes how long it may take for each piece."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    def read(self, _most: int, timeout: float | None = None) -> bytes:
        self.timeouts.append(timeout)
        return b"x"

    def write(self, _content: bytes, timeout: float | None = None) -> None:
        self.timeouts.append(timeout)

    def start_tls(self, *_how: object, timeout: float | None = None, **_more: object) -> Line:
        self.timeouts.append(timeout)
        return self

    def get_extra_info(self, info: str) -> str:
        return info


def test_a_piece_may_take_what_is_left_for_the_whole() -> None:
    line = Line()
    stream = bounded_http._Stream(line)

    stream.read(1, timeout=60.0)
    with within(Bounds(5.0)) as bounds:
        stream.read(1, timeout=60.0)
        stream.read(1)
        stream.read(1, timeout=1.0)
        stream.start_tls("context", timeout=60.0).write(b"x", timeout=60.0)
        bounds.ends_at = 0.0
        with pytest.raises(httpx2.ReadTimeout):
            stream.read(1, timeout=60.0)

    told = [timeout for timeout in line.timeouts if timeout is not None]
    assert (told[0], told[3]) == (60.0, 1.0)
    assert all(4.0 < timeout <= 5.0 for timeout in (*told[1:3], *told[4:]))
    assert len(told) == 6
    assert stream.get_extra_info("socket") == "socket"


@pytest.mark.parametrize("by_progress", [False, True])
def test_what_is_sent_is_progress_where_that_counts(by_progress: bool) -> None:
    stream = bounded_http._Stream(Line())

    with within(Bounds(60.0, by_progress=by_progress)) as bounds:
        bounds.ends_at -= 59.0
        stream.write(b"x")

    assert (bounds.left_seconds > 50.0) is by_progress


def test_bounds_go_on_only_where_something_does() -> None:
    whole, going = Bounds(60.0), Bounds(60.0, by_progress=True)
    whole.ends_at = going.ends_at = 0.0

    going.goes_on()

    assert whole.left_seconds < 0 < going.left_seconds <= 60.0
    with within(whole):
        with within(going):
            assert bounds_now() is going
        assert bounds_now() is whole
    assert bounds_now() is None
