"""The stores' own libraries, each against a server on this machine: what they read, and refuse.

Each runs in a process of its own, as in a command: they read the environment when they are
imported, and start threads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from conftest import ROOT, chat_rows
from file_server import FileServer, Shelf

MANY = chat_rows(60_000).encode()  # more than one piece
SHA256 = hashlib.sha256(MANY).hexdigest()
SECRET = base64.b64encode(b"hunter2hunter2hunter2").decode()

PROGRAM = """
import json, sys
from pathlib import Path
from ftctl.data.sources.fetch import Limits, SourceFault, fetch
told = []
for url, pin in json.loads(sys.argv[1]):
    try:
        found = fetch(url, pin, Path(sys.argv[2]), Limits(silence_seconds=6))
        told.append([found.sha256, found.warning and found.warning.code])
    except SourceFault as fault:
        told.append([fault.code, f"{fault.message} {fault.hint}"])
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Store:
    """How a store is reached on this machine."""

    base: str  # of all addresses
    environ: Mapping[str, str]
    folder: Path

    def fetch(self, *names: str, pin: str | None = None, **environ: str) -> list[list[Any]]:
        """What comes of each: hash and warning, or code and sentence."""
        asked = [[f"{self.base}{name}", pin] for name in names]
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(asked), str(self.folder)],
            capture_output=True,
            check=False,
            cwd=ROOT,
            env={"HOME": str(self.folder.parent), **self.environ, **environ},
        )
        assert run.returncode == 0, run.stderr.decode()
        assert SECRET not in run.stdout.decode() + run.stderr.decode()
        told = json.loads(run.stdout)
        assert isinstance(told, list)
        return told


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({"rows/train.jsonl": MANY, "own/set/train.jsonl": MANY})


@pytest.fixture
def server(shelf: Shelf) -> Iterator[FileServer]:
    with FileServer(shelf) as server:
        yield server


def _google(url: str) -> tuple[str, str, dict[str, str]]:
    return "gcsfs", "gs://rows/", {"STORAGE_EMULATOR_HOST": url}


def _azure(url: str) -> tuple[str, str, dict[str, str]]:
    text = "DefaultEndpointsProtocol=http;AccountName=azure"
    text += f";AccountKey={SECRET};BlobEndpoint={url}/azure;"
    return "adlfs", "az://rows/", {"AZURE_STORAGE_CONNECTION_STRING": text}


def _hub(url: str) -> tuple[str, str, dict[str, str]]:
    environ = {"HF_ENDPOINT": url, "HF_TOKEN": f"hf_{SECRET}".rstrip("=")}
    return "huggingface_hub", "hf://datasets/own/set/", environ


@pytest.fixture(params=[_google, _azure, _hub], ids=["gs", "az", "hf"])
def store(request: pytest.FixtureRequest, server: FileServer, tmp_path: Path) -> Store:
    package, base, environ = request.param(server.url)
    pytest.importorskip("fsspec")
    pytest.importorskip(package)
    return Store(base, environ, tmp_path / "cache")


def _contents(path: str) -> bool:
    """Whether a request is one for the file's bytes."""
    return path.startswith(
        ("GET /download/", "GET /azure/rows/train.jsonl", "GET /datasets/own/set/resolve/")
    )


def test_a_store_gives_the_file_and_is_asked_for_it_once(store: Store, shelf: Shelf) -> None:
    first = store.fetch("train.jsonl")
    downloads = sum(map(_contents, shelf.requests))
    again = store.fetch("train.jsonl")
    asked = len(shelf.requests)
    pinned = store.fetch("train.jsonl", pin=SHA256)

    assert first == again == [[SHA256, "unpinned-source"]]
    assert pinned == [[SHA256, None]]
    assert (store.folder / SHA256).read_bytes() == MANY
    assert sum(map(_contents, shelf.requests)) == downloads > 0
    assert len(shelf.requests) == asked


def test_a_store_tells_of_a_change(store: Store, shelf: Shelf) -> None:
    store.fetch("train.jsonl")
    changed = MANY.replace(b"yes", b"nay", 1)
    shelf.files["rows/train.jsonl"] = shelf.files["own/set/train.jsonl"] = changed

    again = store.fetch("train.jsonl")

    assert again == [[hashlib.sha256(changed).hexdigest(), "unpinned-source"]]


def test_a_store_without_the_file_says_so(store: Store) -> None:
    assert [code for code, _ in store.fetch("none.jsonl")] == ["source-missing"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_store_that_refuses_names_the_way_to_log_in(
    status: int, store: Store, shelf: Shelf
) -> None:
    shelf.status = status

    ((code, text),) = store.fetch("train.jsonl")

    assert code == "source-denied"
    assert "login" in text


def test_a_store_that_cuts_the_line_leaves_no_file(store: Store, shelf: Shelf) -> None:
    shelf.halfway = lambda rest: b""

    ((code, _),) = store.fetch("train.jsonl")

    assert code == "source-unreachable"
    assert [path.name for path in store.folder.glob("[!.]*")] == ["known"]


# Amazon's, against moto.


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[Store]:
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)

    def put(method: str, url: str, content: bytes) -> None:
        headers = {"Content-Type": "application/octet-stream", "x-amz-acl": "public-read"}
        with urlopen(Request(url, content, headers, method=method)):
            pass

    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        put("POST", f"{url}/moto-api/reset", b"")
        put("PUT", f"{url}/rows", b"")
        put("PUT", f"{url}/rows/train.jsonl", MANY)
        put("PUT", f"{url}/rows/empty", b"")
        environ = {
            "AWS_ENDPOINT_URL": url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "AKIAABCDEFGHIJKLMNOP",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        yield Store("s3://", environ, tmp_path / "cache")
    finally:
        server.stop()


def test_s3_gives_files_and_says_what_is_none(s3: Store) -> None:
    told = s3.fetch("rows/train.jsonl", "rows/empty", "rows/none", "nobody-has-this/train.jsonl")
    pinned = s3.fetch("rows/train.jsonl", pin=SHA256, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    wrong = s3.fetch("rows/train.jsonl", pin="0" * 64)

    assert told[:2] == [
        [SHA256, "unpinned-source"],
        [hashlib.sha256(b"").hexdigest(), "unpinned-source"],
    ]
    assert [code for code, _ in told[2:]] == ["source-missing"] * 2
    assert pinned == [[SHA256, None]]
    assert [code for code, _ in wrong] == ["sha256-differs"]


def test_s3_without_credentials_names_the_ways_to_have_some(s3: Store) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    ((code, text),) = s3.fetch("rows/train.jsonl", **nobody)
    public = s3.fetch("rows/train.jsonl", FSSPEC_S3_ANON="true", **nobody)

    assert code == "source-denied"
    assert "Unable to locate credentials" in text
    assert "AWS_PROFILE" in text
    assert public == [[SHA256, "unpinned-source"]]
