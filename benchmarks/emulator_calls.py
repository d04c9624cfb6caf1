"""What a call of the embedded API costs, in process and over a socket.

    python benchmarks/emulator_calls.py --jobs 100 --runs 5

Every figure is the best of the runs, so that a busy machine adds little. RSS is of the whole
process, clients of the benchmark included; the cold start is a process of its own.
"""
# ruff: noqa: T201, S603 - a script that prints, and starts ftctl with the running interpreter

from __future__ import annotations

import argparse
import json
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from ftctl.emulator.app import Emulator, open_emulator
from ftctl.emulator.http.wire import Request
from ftctl.emulator.server import Server, serve
from ftctl.emulator.settings import Settings

KEY = {"authorization": "Bearer any"}
TARGETS = ("/v1/models", "/v1/models/gpt-4o", "/v1/fine_tuning/jobs", "/_ftctl/state")
FAULT = {"request": {"path": "/v1/never/*"}, "answer": {"status": 500}}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="emulator-calls-") as folder:
        quiet = Settings(training=False, validating_seconds=3600)
        with open_emulator(Path(folder), settings=quiet) as emulator:
            _fill(emulator, options.jobs)
            print(f"{options.jobs} jobs in the store\n")
            _in_process(emulator, options)
            with serve(emulator).start() as server:
                _over_the_socket(server, options)
    _cold(options.runs)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak RSS of this process':<44}{rss:>10.0f} MiB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=20, help="jobs in the store")
    parser.add_argument("--calls", type=int, default=300, help="calls in a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=4)
    return parser.parse_args()


def _fill(emulator: Emulator, jobs: int) -> None:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}
    form = (
        b'--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        + (json.dumps(row).encode() + b"\n") * 10
        + b"\r\n--edge--\r\n"
    )
    kind = ("content-type", "multipart/form-data; boundary=edge")
    file = _value(emulator, "POST", "/v1/files", form, kind)["id"]
    wanted = json.dumps({"model": "gpt-4o", "training_file": file}).encode()
    for _ in range(jobs):
        _value(emulator, "POST", "/v1/fine_tuning/jobs", wanted)


def _value(
    emulator: Emulator, method: str, target: str, body: bytes = b"", *headers: tuple[str, str]
) -> dict[str, str]:
    response = emulator.handle(Request.to(method, target, (*KEY.items(), *headers), body))
    if response.status != 200:
        raise SystemExit(f"{method} {target}: {response.status} {response.body!r}")
    value: dict[str, str] = json.loads(response.body)
    return value


def _in_process(emulator: Emulator, options: argparse.Namespace) -> None:
    for target in TARGETS:
        seconds = _best(lambda target=target: _value_less(emulator, target), options)
        print(f"{'in process, ' + target:<44}{seconds * 1e6:>10.1f} µs")
    faults = json.dumps({"faults": [FAULT]}).encode()
    _value(emulator, "PUT", "/_ftctl/faults", faults)
    seconds = _best(lambda: _value_less(emulator, TARGETS[1]), options)
    print(f"{'the same with a fault for other paths':<44}{seconds * 1e6:>10.1f} µs")
    _value(emulator, "DELETE", "/_ftctl/faults")


def _value_less(emulator: Emulator, target: str) -> None:
    response = emulator.handle(Request.to("GET", target, KEY.items()))
    assert response.status == 200


def _over_the_socket(server: Server, options: argparse.Namespace) -> None:
    with _connection(server) as connection:
        for target in TARGETS:
            seconds = _best(lambda target=target: _get(connection, target), options)
            print(f"{'kept alive, ' + target:<44}{seconds * 1e3:>10.3f} ms")
    rates = [_rate(server, options) for _ in range(options.runs)]
    name = f"{options.threads} threads, {TARGETS[1]}"
    print(f"{name:<44}{max(rates):>10.0f} calls/s")


def _rate(server: Server, options: argparse.Namespace) -> float:
    def work() -> None:
        with _connection(server) as connection:
            for _ in range(options.calls):
                _get(connection, TARGETS[1])

    threads = [threading.Thread(target=work) for _ in range(options.threads)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return options.threads * options.calls / (time.perf_counter() - started)


@contextmanager
def _connection(server: Server) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(server.url).netloc)
    try:
        yield connection
    finally:
        connection.close()


def _get(connection: HTTPConnection, target: str) -> None:
    connection.request("GET", target, headers=KEY)
    response = connection.getresponse()
    response.read()
    assert response.status == 200


def _best(call: Callable[[], None], options: argparse.Namespace) -> float:
    """Seconds for one call, in the best run."""
    runs = []
    for _ in range(options.runs):
        started = time.perf_counter()
        for _ in range(options.calls):
            call()
        runs.append((time.perf_counter() - started) / options.calls)
    return min(runs)


def _cold(runs: int) -> None:
    seconds, mebibytes = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="emulator-cold-") as folder:
            first, rss = _first_answer(Path(folder))
        seconds.append(first)
        mebibytes.append(rss)
    print(f"{'ftctl emulator --port 0, to its first answer':<44}{min(seconds) * 1e3:>10.0f} ms")
    if all(mebibytes):
        print(f"{'its RSS then':<44}{min(mebibytes):>10.0f} MiB")


def _first_answer(folder: Path) -> tuple[float, float]:
    """Seconds from the start of the process, and its memory in MiB (0 where there is no /proc)."""
    command = [sys.executable, "-u", "-m", "ftctl", "emulator", "--port", "0"]
    started = time.perf_counter()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, text=True, **pipes) as process:
        assert process.stdout is not None
        found = None
        while not found:
            found = re.search(r"OPENAI_BASE_URL=http://(\S+)/v1", process.stdout.readline())
        connection = HTTPConnection(found[1])
        _get(connection, TARGETS[0])
        seconds = time.perf_counter() - started
        connection.close()
        status = Path(f"/proc/{process.pid}/status")
        lines = status.read_text("utf-8") if status.exists() else ""
        rss = re.search(r"VmRSS:\s+(\d+) kB", lines)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    return seconds, int(rss[1]) / 1024 if rss else 0.0


if __name__ == "__main__":
    main()
