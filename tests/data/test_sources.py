"""Sources elsewhere: fetched once, checked as they come, and no secret in any message."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest
from conftest import ROOT, chat_rows
from file_server import FileServer, Shelf
from hypothesis import given
from hypothesis import strategies as st

from ftctl.data.scanning.source import MAX_FILE_BYTES
from ftctl.data.sources import (
    CODES,
    WARNINGS,
    is_remote,
    missing_hint,
    pointer_of,
    read_scope_of,
    show_source,
)
from ftctl.data.sources.address import Address, read_address
from ftctl.data.sources.content_cache import ContentCache
from ftctl.data.sources.fetch import MAX_BYTES, Fetched, Limits, fetch, fetch_at
from ftctl.data.sources.source_faults import SourceFault, fault_of
from ftctl.data.sources.timeout import call_with_timeout
from ftctl.errors import Finding, Span
from ftctl.extras import install_command

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402

ROWS = chat_rows(12).encode()
MANY = chat_rows(60_000).encode()  # more than one piece
SECRET = "hunter2hunter2hunter2"
QUICK = Limits(silence_seconds=5.0)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({"train.jsonl": ROWS, "many.jsonl": MANY})


@pytest.fixture
def server(shelf: Shelf) -> Iterator[FileServer]:
    with FileServer(shelf) as server:
        yield server


def fault(url: str, folder: Path, pin: str | None = None, **more: Any) -> SourceFault:
    with pytest.raises(SourceFault) as caught:
        fetch(url, pin, folder, more.pop("limits", QUICK), **more)
    return caught.value


def contents(folder: Path) -> list[str]:
    """What the cache holds besides its notes."""
    hidden = {".gitignore", "known"}
    return sorted(path.name for path in folder.iterdir() if path.name not in hidden)


# Fetching.


def test_a_pinned_source_is_fetched_once_and_then_asks_nobody(
    server: FileServer, tmp_path: Path
) -> None:
    url = f"{server.url}/train.jsonl"

    first = fetch(url, sha256(ROWS), tmp_path)
    asked = len(server.shelf.requests)
    second = fetch(url, sha256(ROWS), tmp_path)

    assert first == second == Fetched(tmp_path / sha256(ROWS), sha256(ROWS))
    assert first.path.read_bytes() == ROWS
    assert asked > 0
    assert len(server.shelf.requests) == asked


def test_a_pinned_source_that_is_kept_needs_no_package(server: FileServer, tmp_path: Path) -> None:
    fetch(f"{server.url}/train.jsonl", sha256(ROWS), tmp_path)
    program = (
        "import sys; from pathlib import Path; sys.modules['fsspec'] = None;"
        "from ftctl.data.sources.fetch import fetch;"
        f"print(fetch('s3://any/where', {sha256(ROWS)!r}, Path({str(tmp_path)!r})).sha256);"
        "sys.exit('aiohttp' in sys.modules)"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT)

    assert run.stdout.decode().strip() == sha256(ROWS)


def test_an_unpinned_source_names_the_hash_to_pin(server: FileServer, tmp_path: Path) -> None:
    url = f"{server.url}/train.jsonl"

    found = fetch(url, None, tmp_path)

    assert found.warning is not None
    assert astuple(found)[:2] == (tmp_path / sha256(ROWS), sha256(ROWS))
    assert found.warning == Finding(
        "unpinned-source",
        f"'{url}' is not pinned: what is trained on may change with it",
        f"pin what is there now: sha256: {sha256(ROWS)}",
        severity="warning",
    )


def test_where_pins_are_a_must_the_want_of_one_is_a_fault(
    server: FileServer, tmp_path: Path
) -> None:
    url = f"{server.url}/train.jsonl"

    found = fault(url, tmp_path, must_pin=True)

    assert (found.code, found.hint) == (
        "unpinned-source",
        f"pin what is there now: sha256: {sha256(ROWS)}",
    )
    assert fetch(url, sha256(ROWS), tmp_path, must_pin=True).warning is None


def test_an_unpinned_source_is_downloaded_again_only_when_it_changed(
    server: FileServer, tmp_path: Path
) -> None:
    url, shelf = f"{server.url}/train.jsonl", server.shelf

    hashes = [fetch(url, None, tmp_path).sha256 for _ in range(3)]
    downloads = shelf.requests.count("GET /train.jsonl")
    shelf.files["train.jsonl"] = ROWS.replace(b"yes", b"nay")  # of the same size
    hashes.append(fetch(url, None, tmp_path).sha256)

    assert downloads == 1
    assert hashes == [sha256(ROWS)] * 3 + [sha256(shelf.files["train.jsonl"])]
    assert shelf.requests.count("GET /train.jsonl") == 2


def test_a_keeper_that_tells_nothing_is_asked_for_the_content_each_time(
    server: FileServer, tmp_path: Path
) -> None:
    server.shelf.tells = False

    for _ in range(2):
        fetch(f"{server.url}/train.jsonl", None, tmp_path)

    assert server.shelf.requests.count("GET /train.jsonl") == 2


@pytest.mark.parametrize("damage", [ROWS[:-1], b"", ROWS.replace(b"yes", b"nay")])
def test_a_kept_file_that_was_changed_is_fetched_again(
    damage: bytes, server: FileServer, tmp_path: Path
) -> None:
    path = fetch(f"{server.url}/train.jsonl", sha256(ROWS), tmp_path).path
    assert ContentCache(tmp_path, _later).find(sha256(ROWS)) == path  # seen to be whole, and noted
    time.sleep(0.02)  # the clock that stamps files ticks a hundred times a second or more
    path.write_bytes(damage)

    again = fetch(f"{server.url}/train.jsonl", sha256(ROWS), tmp_path)

    assert again.path.read_bytes() == ROWS
    assert server.shelf.requests.count("GET /train.jsonl") == 2


def _later() -> int:
    """When the file is no longer one that was just written, in nanoseconds."""
    return time.time_ns() + 10_000_000_000


def test_a_kept_file_is_read_once_and_not_in_every_run(server: FileServer, tmp_path: Path) -> None:
    path = fetch(f"{server.url}/train.jsonl", sha256(ROWS), tmp_path).path
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)

    found = [ContentCache(tmp_path, _later).find(sha256(ROWS)) for _ in range(4)]

    assert found == [path] * 4
    assert opened.count(str(path)) == 1


def test_a_link_in_the_cache_is_no_kept_file(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(ROWS)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / sha256(ROWS)).symlink_to(tmp_path / "elsewhere")

    found = fetch(f"{server.url}/train.jsonl", sha256(ROWS), tmp_path / "cache")

    assert not found.path.is_symlink()


def test_progress_is_told_in_bytes(server: FileServer, tmp_path: Path) -> None:
    told: list[tuple[int | None, int]] = []

    fetch(f"{server.url}/many.jsonl", None, tmp_path, progress=lambda *now: told.append(now))

    assert told[-1] == (len(MANY), len(MANY))
    assert [so_far for _, so_far in told] == sorted({so_far for _, so_far in told})
    assert len(told) > 1


# What goes wrong.


def test_another_content_than_the_pinned_one_is_refused_and_not_kept(
    server: FileServer, tmp_path: Path
) -> None:
    url = f"{server.url}/train.jsonl"

    found = fault(url, tmp_path, "0" * 64)

    assert (found.code, found.message) == (
        "sha256-differs",
        f"{url} has the SHA-256 {sha256(ROWS)}; the manifest pins another",
    )
    assert contents(tmp_path) == []


def test_a_download_that_is_cut_off_is_no_file(server: FileServer, tmp_path: Path) -> None:
    server.shelf.halfway = lambda rest: b""

    found = [fault(f"{server.url}/many.jsonl", tmp_path, pin) for pin in (None, sha256(MANY))]

    assert [one.code for one in found] == ["source-unreachable"] * 2
    assert contents(tmp_path) == []


def test_a_keeper_that_falls_silent_is_given_up(server: FileServer, tmp_path: Path) -> None:
    over = Event()
    server.shelf.halfway = lambda rest: rest if over.wait(20) else b""
    start = time.monotonic()

    found = fault(f"{server.url}/many.jsonl", tmp_path, limits=Limits(silence_seconds=0.5))
    over.set()

    assert found.code == "source-unreachable"
    assert time.monotonic() - start < 8
    assert contents(tmp_path) == []


def test_a_download_has_an_end(server: FileServer, tmp_path: Path) -> None:
    found = fault(f"{server.url}/many.jsonl", tmp_path, limits=Limits(total_seconds=0.0))

    assert found.message.endswith("cannot be read: not complete after 0 seconds")


def test_what_is_larger_than_the_limit_is_not_downloaded(
    server: FileServer, tmp_path: Path
) -> None:
    limits = Limits(max_bytes=len(MANY) - 1)

    found = fault(f"{server.url}/many.jsonl", tmp_path, limits=limits)

    assert found.code == "file-too-large"
    assert f"{len(MANY):,} bytes" in found.message
    assert "GET /many.jsonl" not in server.shelf.requests
    assert fetch(f"{server.url}/many.jsonl", None, tmp_path, Limits(max_bytes=len(MANY)))


def test_what_turns_out_larger_than_the_limit_is_given_up(grown: None, tmp_path: Path) -> None:
    found = fault("gs://rows/train.jsonl", tmp_path, limits=Limits(max_bytes=len(ROWS)))

    assert found.code == "file-too-large"
    assert contents(tmp_path) == []


def test_the_limit_is_the_one_of_data_files() -> None:
    assert MAX_BYTES == MAX_FILE_BYTES


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "source-missing"), (410, "source-missing"), (401, "source-denied"),
     (403, "source-denied"), (429, "source-unreachable"), (500, "source-unreachable"),
     (503, "source-unreachable")],
)  # fmt: skip
def test_each_refusal_has_its_code(
    status: int, code: str, server: FileServer, tmp_path: Path
) -> None:
    server.shelf.status = status

    found = fault(f"{server.url}/train.jsonl", tmp_path)

    assert found.code == code
    assert found.mendable == (code != "source-unreachable")
    assert found.hint


def test_a_machine_that_does_not_answer_is_the_worlds_fault(tmp_path: Path) -> None:
    found = fault("http://127.0.0.1:9/train.jsonl", tmp_path)

    assert (found.code, found.mendable) == ("source-unreachable", False)
    assert "pinned" in str(found.hint)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<!DOCTYPE html>\n<html><body>Log in</body></html>", "web-page"),
        (b"\n <!-- a -->\n<HTML lang='en'>", "web-page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "pointer-file"),
        (b"# xet version 0\nfilesize = 1\nhash = '0'\n", "pointer-file"),
    ],
)
def test_what_stands_in_for_the_data_is_recognised(
    content: bytes, code: str, server: FileServer, tmp_path: Path
) -> None:
    server.shelf.files["page"] = content

    found = [fault(f"{server.url}/page", tmp_path, pin) for pin in (None, "0" * 64)]

    assert [one.code for one in found] == [code] * 2
    assert contents(tmp_path) == []


def test_a_redirect_is_followed(server: FileServer, tmp_path: Path) -> None:
    server.shelf.redirects["/latest"] = "/train.jsonl"

    assert fetch(f"{server.url}/latest", sha256(ROWS), tmp_path).path.read_bytes() == ROWS


def test_a_folder_that_cannot_be_written_is_told(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be", "utf-8")

    found = fault(f"{server.url}/train.jsonl", tmp_path / "file" / "cache")

    assert (found.code, found.mendable) == ("cache-unwritable", False)
    assert found.message.endswith("not a directory")


def test_what_can_be_mended_stands_at_its_place_and_the_rest_is_raised(
    server: FileServer, tmp_path: Path
) -> None:
    span = Span("finetunes/tone.yaml", 5, 9)
    url = f"{server.url}/train.jsonl"

    found, warnings = fetch_at(span, url, None, tmp_path)
    nothing, problems = fetch_at(span, f"{server.url}/none", None, tmp_path)
    server.shelf.status = 500
    with pytest.raises(SourceFault) as raised:
        fetch_at(span, url, None, tmp_path)

    assert found is not None
    assert nothing is None
    assert [(one.code, one.severity) for one in warnings] == [("unpinned-source", "warning")]
    assert "\n".join(map(str, problems)) == (
        f"finetunes/tone.yaml:5:9: error[source-missing]: there is no file at '{server.url}/none'"
        "\n    hint: check the address; upper and lower case matter"
    )
    assert raised.value.code == "source-unreachable"


def test_warnings_are_codes() -> None:
    assert set(CODES) > WARNINGS


# Several commands at once, and their sudden end.

FETCH = """
import sys
from pathlib import Path
from ftctl.data.sources.fetch import fetch
print(fetch(sys.argv[1], None, Path(sys.argv[2])).sha256)
"""


def _start(url: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", FETCH, url, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)


def test_commands_at_once_all_get_the_whole_file(server: FileServer, tmp_path: Path) -> None:
    runs = [_start(f"{server.url}/many.jsonl", tmp_path) for _ in range(4)]

    told = [run.communicate(timeout=60)[0].decode().strip() for run in runs]

    assert told == [sha256(MANY)] * 4
    assert contents(tmp_path) == [sha256(MANY)]
    assert (tmp_path / sha256(MANY)).read_bytes() == MANY


def test_a_command_that_is_killed_leaves_nothing_half_written(
    server: FileServer, tmp_path: Path
) -> None:
    over = Event()
    server.shelf.halfway = lambda rest: rest if over.wait(30) else b""
    run = _start(f"{server.url}/many.jsonl", tmp_path)
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in tmp_path.glob(".part-*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    alive = contents(tmp_path)
    _make_old(tmp_path)
    with ContentCache(tmp_path).draft():
        while_alive = contents(tmp_path)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=30)
    left = contents(tmp_path)
    over.set()
    server.shelf.halfway = None
    found = fetch(f"{server.url}/many.jsonl", None, tmp_path)

    assert run.returncode == -signal.SIGKILL
    assert len(alive) == 1  # a part, which another command leaves alone while its owner lives
    assert set(while_alive) > set(alive)
    assert left == alive
    assert found.path.read_bytes() == MANY
    assert contents(tmp_path) == [sha256(MANY)]  # and takes away after its owner's end


def _make_old(folder: Path) -> None:
    for path in folder.glob(".part-*"):
        os.utime(path, (time.time() - 3600,) * 2)


# Through a store's library: fsspec's own in memory, in Google's place.


class Store(MemoryFileSystem):
    """A store in memory, and what happens on the way to it."""

    protocol = "gs"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    before_open: ClassVar[Callable[[], None] | None] = None
    told_size: ClassVar[int | None] = None

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("gs://"))

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        found = super().info(path, **options)
        if found["type"] == "file":
            found["etag"] = sha256(self.store[self._strip_protocol(path)].getvalue())
            found["size"] = self.told_size or found["size"]
        return dict(found)

    def _open(self, path: str, *arguments: Any, **options: Any) -> Any:
        if self.before_open is not None and "r" in (arguments[0] if arguments else "rb"):
            type(self).before_open()
        return super()._open(path, *arguments, **options)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> type[Store]:
    # fsspec can replace an implementation, but not forget it again.
    monkeypatch.setitem(import_module("fsspec.registry")._registry, "gs", Store)
    Store.store.clear()
    Store.before_open = Store.told_size = None
    Store().pipe("gs://rows/train.jsonl", ROWS)
    return Store


@pytest.fixture
def grown(store: type[Store]) -> None:
    """A file that is larger than its store says."""
    store().pipe("gs://rows/train.jsonl", ROWS * 2)
    store.told_size = len(ROWS)


def test_a_store_is_read_by_its_own_library(store: type[Store], tmp_path: Path) -> None:
    opened: list[int] = []
    store.before_open = lambda: opened.append(1)

    found = [fetch("gs://rows/train.jsonl", None, tmp_path).sha256 for _ in range(2)]

    assert found == [sha256(ROWS)] * 2
    assert len(opened) == 1


def test_a_folder_of_a_store_is_no_file(store: type[Store], tmp_path: Path) -> None:
    assert fault("gs://rows", tmp_path).code == "bad-address"
    assert fault("gs://rows/", tmp_path).code == "bad-address"
    store().pipe("gs://rows/deep/train.jsonl", ROWS)
    assert fault("gs://rows/deep", tmp_path).code == "not-a-regular-file"
    assert fault("gs://rows/deep/", tmp_path).code == "not-a-regular-file"


def test_a_file_that_changes_while_it_is_read_is_refused(
    store: type[Store], tmp_path: Path
) -> None:
    def change() -> None:
        store.before_open = None
        store().pipe("gs://rows/train.jsonl", ROWS.replace(b"yes", b"nay"))

    store.before_open = change

    found = fault("gs://rows/train.jsonl", tmp_path)

    assert found.message.endswith("it was changed while it was downloaded")
    assert contents(tmp_path) == []


def test_a_file_that_ends_too_early_is_refused(store: type[Store], tmp_path: Path) -> None:
    store.told_size = len(ROWS) + 1

    found = fault("gs://rows/train.jsonl", tmp_path, sha256(ROWS))

    assert found.message.endswith(f"it ended after {len(ROWS):,} of {len(ROWS) + 1:,} bytes")
    assert contents(tmp_path) == []


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [("fsspec", "s3://b/k", "s3"), ("s3fs", "s3://b/k", "s3"), ("gcsfs", "gs://b/k", "gs"),
     ("adlfs", "abfs://b/k", "az"), ("huggingface_hub", "hf://datasets/o/n/f", "hf"),
     ("aiohttp", "https://localhost:9/k", "https")],
)  # fmt: skip
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    missing: str, url: str, extra: str, tmp_path: Path
) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pathlib import Path; from ftctl.data.sources.fetch import SourceFault, fetch\n"
        f"try: fetch({url!r}, None, Path({str(tmp_path)!r}))\n"
        "except SourceFault as fault: print(fault.code, fault.hint)"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT)

    assert run.stdout.decode().strip() == f"missing-extra {install_command(extra)}"


def test_a_call_that_takes_too_long_is_left_behind() -> None:
    over = Event()

    with pytest.raises(TimeoutError):
        call_with_timeout(0.05, lambda: over.wait(20))
    over.set()

    assert call_with_timeout(5, lambda: None) is None
    assert call_with_timeout(5, lambda: "answer") == "answer"


def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(KeyError):
        call_with_timeout(5, lambda: {}["a"])


# Addresses.


@pytest.mark.parametrize(
    "source",
    ["s3://b/k", "S3://b/k", "gs://b/k", "az://c/p", "abfs://c@a.dfs.core.windows.net/p",
     "hf://datasets/o/n/f", "https://h/f", "http://h/f", "ftp://h/f", "file:///f",
     "simplecache::s3://b/k", "s3://", "x+y://z"],
)  # fmt: skip
def test_what_has_a_scheme_is_an_address(source: str) -> None:
    assert is_remote(source)


@pytest.mark.parametrize(
    "source",
    ["", "data/train.jsonl", "../train.jsonl", "/data/train.jsonl", r"C:\train.jsonl",
     "C:/train.jsonl", "C://train.jsonl", "s3:/b/k", "a:b", "//host/f", "data/s3://b/k", "~/x",
     " s3://b/k"],
)  # fmt: skip
def test_everything_else_is_a_path(source: str) -> None:
    assert not is_remote(source)
    assert show_source(source) == source


@pytest.mark.parametrize(
    "url",
    ["s3://b/k.jsonl", "s3a://b/k", "s3://b/k?versionId=3", "gs://b/a b", "gcs://b/k",
     "az://c/p", "abfs://c@a.dfs.core.windows.net/p", "abfss://c@a.dfs.core.windows.net/p",
     "hf://datasets/o/n/f.jsonl", "hf://datasets/o/n@main/d/f.jsonl", "https://h/f?page=1",
     "http://127.0.0.1:8000/f", "http://localhost/f", "HTTPS://h/f",
     "https://h/?id=1"],
)  # fmt: skip
def test_an_address_of_a_file_is_read(url: str) -> None:
    found = read_address(url)

    assert isinstance(found, Address)
    assert (found.url, found.shown.lower()) == (url, url.lower())


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://h/f", "unknown-scheme"),
        ("file:///data/f", "unknown-scheme"),
        ("memory://f", "unknown-scheme"),
        ("http://h/f", "unencrypted-address"),
        ("http://127.0.0.1.evil.example/f", "unencrypted-address"),
        ("s3://", "bad-address"),
        ("s3://bucket", "bad-address"),
        ("s3:///key", "bad-address"),
        ("https://h", "bad-address"),
        ("https://[::1/f", "bad-address"),
        ("hf://datasets/o/n", "bad-address"),
        ("hf://o/n/f", "bad-address"),
        ("simplecache::s3://b/k", "bad-address"),
        ("https://h/a::file:///etc/passwd", "bad-address"),
        ("https://h/f\n", "bad-address"),
        ("https://h/\x1b[31mf", "bad-address"),
        ("s3://b/k\ud800", "bad-address"),
        ("http://[::1]:8000/f", "bad-address"),
        ("gs://b/folder/", "not-a-regular-file"),
    ],
)
def test_an_address_that_cannot_be_read_says_why(url: str, code: str, tmp_path: Path) -> None:
    found = fault(url, tmp_path)

    assert found.code == code
    assert found.message.isprintable()


def test_a_scheme_that_is_nearly_right_gets_a_proposal(tmp_path: Path) -> None:
    assert fault("abfd://c/p", tmp_path).hint == "did you mean 'abfs://'?"


# Secrets.

SECRET_ADDRESSES = [
    f"https://user:{SECRET}@h/f",
    f"https://{SECRET}@h/f",
    f"HTTPS://user:{SECRET}@h/f",
    f"s3://AKIAABCDEFGHIJKLMNOP:{SECRET}@b/k",
    f"abfs://c:{SECRET}@a.dfs.core.windows.net/p",
    f"az://c/p?sv=2024&sig={SECRET}",
    f"https://a.blob.core.windows.net/c/p?se=1&sp=r&SIG={SECRET}",
    f"https://b.s3.amazonaws.com/k?X-Amz-Credential=a&X-Amz-Signature={SECRET}",
    f"https://storage.googleapis.com/b/k?X-Goog-Signature={SECRET}",
    f"https://h/f?access_token={SECRET}",
    f"https://h/f?a=1&token={SECRET}&b=2",
    f"https://h/f?a=1;token={SECRET}",
    f"https://h/f?to%6Ben={SECRET}",
    f"https://h/f?api_key={SECRET}",
    f"https://h/f?key={SECRET}",
    f"https://h/f?password={SECRET}",
    f"https://h/f#access_token={SECRET}",
    f"ftp://user:{SECRET}@h/f",
    f"http://user:{SECRET}@h/f",
    f"simplecache::https://user:{SECRET}@h/f",
    f"simplecache::https://{SECRET}@h/f",
    f"https://h/f::https://{SECRET}@h/f",
    f"https://user:{SECRET}@h/\n",
]


@pytest.mark.parametrize("url", SECRET_ADDRESSES)
def test_a_secret_in_an_address_is_refused_and_not_repeated(url: str, tmp_path: Path) -> None:
    found = fault(url, tmp_path)

    assert found.code == "secret-in-address"
    assert SECRET not in f"{found!r} {found.message} {found.hint} {show_source(url)}"
    assert list(tmp_path.iterdir()) == []


@given(
    secret=st.text("abcdefgh0123456789%/+=-_.", min_size=20, max_size=60),
    name=st.sampled_from(["sig", "token", "x", "q", "X-Amz-Signature", "download"]),
    scheme=st.sampled_from(["https", "s3", "az", "ftp", "zip::https"]),
)
def test_what_is_long_in_a_query_is_not_shown(secret: str, name: str, scheme: str) -> None:
    assert secret not in show_source(f"{scheme}://h/f?a=1&{name}={secret}")


@given(
    user=st.text("abcXYZ019._~-!$", min_size=6), secret=st.text("abcXYZ019._~-!$:@%", min_size=6)
)
def test_who_one_is_is_not_shown(user: str, secret: str) -> None:
    shown = show_source(f"https://{user}:{secret}@host/path")

    assert shown == "https://[redacted]@host/path"


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    assert isinstance(show_source(f"https://{text}"), str)
    assert isinstance(is_remote(text), bool)
    read_address(f"s3://{text}")


WORDS = [
    f"403 for https://cdn.example/f?X-Amz-Signature={SECRET}&x=1",
    f"cannot open <https://user:{SECRET}@h/f>",
    f"header Authorization: Bearer {SECRET}",
    f"AccountName=a;AccountKey={SECRET};EndpointSuffix=core.windows.net",
    f"SharedAccessSignature={SECRET}",
    f"url='https://h/c/p?sv=1&sig={SECRET}'",
    f"the environment said {SECRET}",
    f"password={SECRET}",
    f"token hf_{SECRET} is wrong",
    f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("kind", [PermissionError, ValueError, OSError, FileNotFoundError])
def test_what_a_library_says_is_told_without_its_secrets(
    words: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", SECRET)
    address = read_address("s3://b/k")
    assert isinstance(address, Address)
    error = kind(words)
    error.__cause__ = RuntimeError(words)

    found = fault_of(error, address)

    assert SECRET not in f"{found!r}{found.message}{found.hint}"
    assert found.message.isprintable()


@pytest.mark.parametrize("words", WORDS[:-4] + WORDS[-3:])
def test_secrets_are_known_by_their_looks_too(words: str) -> None:
    address = read_address("s3://b/k")
    assert isinstance(address, Address)

    assert SECRET not in fault_of(PermissionError(words), address).message


def test_the_cache_does_not_tell_which_addresses_were_read(
    server: FileServer, tmp_path: Path
) -> None:
    server.shelf.files["private/train.jsonl"] = ROWS
    fetch(f"{server.url}/private/train.jsonl", None, tmp_path)

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))

    assert kept
    assert b"private" not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*"))


# Pointer files.


@pytest.mark.parametrize(
    ("head", "shown", "hint"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "data/a.jsonl",
         "fetch the data: git lfs pull"),
        (b"outs:\n- md5: 00\n  size: 1\n  path: a.jsonl\n", "data/a.jsonl.dvc",
         "name 'a.jsonl' as the source, and fetch it: dvc pull data/a.jsonl.dvc"),
        (b"md5: 00\nfrozen: true\ndeps:\n- path: x\nouts:\r\n- md5: 0\n  path: 'b c.jsonl'\r\n",
         "data/my rows.dvc",
         "name 'b c.jsonl' as the source, and fetch it: dvc pull 'data/my rows.dvc'"),
        (b"outs:\n- md5: 00\n", "data/a.jsonl.dvc",
         "name 'a.jsonl' as the source, and fetch it: dvc pull data/a.jsonl.dvc"),
        (b"outs:\n- md5: 00\n  path: a.jsonl\n", "data/a.jsonl", "fetch the data: dvc pull"),
        (b"# xet version 0\nfilesize = 1\nhash = '00'\n", "data/a.jsonl",
         "fetch the data: git xet materialize data/a.jsonl"),
        (b"/annex/objects/SHA256E-s1--00.jsonl\n", "data/a.jsonl",
         "fetch the data: git annex get data/a.jsonl"),
    ],
)  # fmt: skip
def test_a_pointer_names_the_command_that_fetches_the_data(
    head: bytes, shown: str, hint: str
) -> None:
    found = pointer_of(head, shown)

    assert found is not None
    assert (found.code, found.hint) == ("pointer-file", hint)


@pytest.mark.parametrize("head", [b"", ROWS[:1024], b"outs", b"# xet", b"/annex", b"version 1\n"])
def test_rows_are_no_pointer(head: bytes) -> None:
    assert pointer_of(head, "data/a.jsonl") is None


@given(st.binary(max_size=300), st.sampled_from([b"", b"outs:\n- ", b"a: b\n", b"- x\n  y\n"]))
def test_any_bytes_can_be_asked_for_a_pointer(more: bytes, start: bytes) -> None:
    pointer_of(start + more, "a.dvc")


def test_a_long_head_is_judged_at_once() -> None:
    start = time.monotonic()

    assert pointer_of(b"a:\n- b\n  c\n" * 400, "a.dvc") is None
    assert pointer_of(b"   \n" * 1000, "a.dvc") is None

    assert time.monotonic() - start < 1


def test_a_missing_file_that_left_a_trace_names_its_command(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.dvc").write_text("outs:\n- path: a.jsonl\n", "utf-8")
    (tmp_path / "b.jsonl").symlink_to(".git/annex/objects/xx/SHA256E-s1--00/SHA256E-s1--00")

    hints = [missing_hint(tmp_path / name, f"data/{name}") for name in ("a.jsonl", "b.jsonl", "c")]

    assert hints == [
        "DVC keeps it: dvc pull data/a.jsonl.dvc",
        "git-annex keeps it: git annex get data/b.jsonl",
        None,
    ]
    assert missing_hint(Path("/"), "/") is None
    assert missing_hint(Path("a\0b"), "a") is None


# Places.


def test_what_leads_out_of_the_repository_is_refused_links_followed(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    (root / "data").mkdir(parents=True)
    other.mkdir()
    (other / "secret").write_text("x", "utf-8")
    (root / "data" / "train").write_text("x", "utf-8")
    links = {
        "out": other / "secret",
        "folder": other,
        "in": root / "data" / "train",
        "dangling-out": other / "none",
        "dangling-in": root / "none",
        "loop": root / "loop",
        "relative": Path("../other/secret"),
    }
    for name, target in links.items():
        (root / name).symlink_to(target)

    scope = read_scope_of(root)

    told = {
        path: scope.refuses(root / path, path) is not None
        for path in ("data/train", "data/none", "../other/secret", "data/../../other/secret", ".",
                     "folder/secret", "folder/none", *links)
    }  # fmt: skip

    assert {path for path, out in told.items() if out} == {
        "../other/secret", "data/../../other/secret", "folder/secret", "folder/none", "out",
        "folder", "dangling-out", "relative",
    }  # fmt: skip


def test_places_are_compared_as_they_really_are(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root-too").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "root")

    told = [
        read_scope_of(tmp_path / home).refuses(tmp_path / path, path) is not None
        for home, path in (
            ("link", "root/a"), ("root", "link/a"), ("root", "root-too/a"), ("root", "root/a\0b"),
        )
    ]  # fmt: skip

    # Nobody can read what has a NUL in its name: others say so.
    assert told == [False, False, True, False]


def test_the_repository_reaches_to_the_nearest_git(tmp_path: Path) -> None:
    project = tmp_path / "outer" / "inner" / "project"
    project.mkdir(parents=True)
    (tmp_path / "outer" / ".git").mkdir()
    (tmp_path / "outer" / "inner" / ".git").write_text("gitdir: ../.git/modules/inner\n", "utf-8")

    scope = read_scope_of(project, ["../../shared", "../data"])

    assert (scope.home, scope.folders) == (
        tmp_path / "outer" / "inner", (tmp_path / "outer" / "shared",),
    )  # fmt: skip
    assert scope.refuses(project / "../../shared/a", "a") is None
    assert scope.refuses(project / "../../other/a", "a") is not None


@pytest.mark.parametrize(
    ("path", "refused"),
    [(".git/config", True), (".GIT/config", True), ("a/.git", True), (".git", True),
     (".git/annex/objects/x/y", False), (".github/a", False), (".gitignore", False)],
)  # fmt: skip
def test_what_git_keeps_for_itself_is_refused(path: str, refused: bool, tmp_path: Path) -> None:
    assert (read_scope_of(tmp_path).refuses(tmp_path / path, path) is not None) == refused


def test_a_project_without_sources_elsewhere_loads_nothing_for_them() -> None:
    program = (
        "import sys, ftctl.data.sources; sys.exit(sum(name in sys.modules for name in"
        " ('fsspec', 'aiohttp', 'logging', 'ftctl.data.sources.fetch',"
        " 'ftctl.data.sources.backend')))"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
