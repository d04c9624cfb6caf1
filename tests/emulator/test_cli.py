"""`ftctl emulator` as a process of its own: what it prints, what its options do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import Shell, chat_rows

from emulator.lab import Lab

KEY = {"authorization": "Bearer any"}


class Running:
    """A process that serves, and what it has printed until it did."""

    def __init__(self, folder: Path, *options: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ftctl", "emulator", "--port", "0", *options],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        lines: list[str] = []
        while not (lines and lines[-1].startswith("Ctrl-C")):
            line = self.process.stdout.readline()
            if not line:
                break
            lines.append(line)
        self.printed = "".join(lines)
        found = re.search(r"OPENAI_BASE_URL=(\S+)/v1", self.printed)
        assert found, (self.printed, self.process.communicate(timeout=30))
        self.root = found[1].replace("0.0.0.0", "127.0.0.1")

    def call(self, method: str, path: str, value: Any = None, **headers: str) -> Any:
        response = httpx2.request(
            method, f"{self.root}{path}", json=value, headers=headers or KEY, timeout=30
        )
        assert response.status_code == 200, response.text
        return response.json()

    def create(self) -> Any:
        file = httpx2.post(
            f"{self.root}/v1/files",
            headers=KEY,
            data={"purpose": "fine-tune"},
            files={"file": ("a.jsonl", chat_rows(12).encode())},
        ).json()["id"]
        wanted = {"model": "gpt-4o-mini", "training_file": file}
        return self.call("POST", "/v1/fine_tuning/jobs", wanted)

    def end(self) -> tuple[int, str]:
        """Exit status and what stood on standard error, after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def begin(*options: str, **environ: str) -> Running:
        running.append(Running(tmp_path, *options, **environ))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_it_says_where_it_listens_and_ends_with_ctrl_c(start: Start) -> None:
    running = start()

    page = httpx2.get(running.root, follow_redirects=True)

    assert running.printed == (
        f"The embedded API listens at {running.root}/v1, its state is in .ftctl.\n"
        "In another terminal:\n\n"
        f"    export OPENAI_BASE_URL={running.root}/v1\n"
        "    export OPENAI_API_KEY=embedded\n\n"
        f"Watch it at {running.root}/\n"
        "Ctrl-C ends it; the state stays.\n"
    )
    assert page.headers["content-type"].startswith("text/html")
    assert running.end() == (0, "Ended.\n")


def test_the_state_stays_until_a_reset(start: Start) -> None:
    first = start("--id-seed", "3", "--no-training")
    made = first.create()["id"]
    first.end()

    second = start("--id-seed", "3", "--no-training")
    kept = second.call("GET", "/_ftctl/state")["counts"]["jobs"]
    second.end()
    third = start("--id-seed", "3", "--no-training", "--reset")

    assert kept == 1
    assert third.call("GET", "/_ftctl/state")["counts"]["jobs"] == 0
    assert third.create()["id"] == made


@pytest.mark.parametrize(
    ("options", "line", "clock"),
    [
        (("--speed", "50"), "Jobs run 50 times as fast.\n", {"kind": "real", "speed": 50.0}),
        (("--immediate",), "Jobs end as soon as somebody looks.\n", {"kind": "immediate"}),
        (
            ("--reads", "2"),
            "Jobs go on with every 2 times that they are retrieved.\n",
            {"kind": "reads", "reads": 2},
        ),
        (("--by-hand",), "Time stands until it is moved, on the page.\n", {"kind": "hand"}),
    ],
)
def test_time_passes_as_asked(
    start: Start, options: tuple[str, ...], line: str, clock: dict[str, Any]
) -> None:
    running = start(*options)

    set_to = running.call("GET", "/_ftctl/clock")

    assert {name: set_to[name] for name in clock} == clock
    assert line in running.printed


def test_with_a_key_it_lets_others_in_and_never_prints_it(start: Start) -> None:
    running = start("--host", "0.0.0.0", "--api-key-env", "MY_KEY", MY_KEY="own-secret-key")

    refused = httpx2.get(f"{running.root}/v1/models", headers=KEY)
    models = running.call("GET", "/v1/models", authorization="Bearer own-secret-key")
    status, errors = running.end()

    assert refused.status_code == 401
    assert models["data"]
    assert 'export OPENAI_API_KEY="$MY_KEY"' in running.printed
    assert "own-secret-key" not in running.printed + errors
    assert status == 0


def test_faults_come_from_a_file(start: Start, tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(
        "faults:\n"
        "  - request: {method: GET, path: /v1/models, call: 2}\n"
        "    answer: {status: 503, retry_after: 0.5}\n",
        "utf-8",
    )
    running = start("--faults", "faults.yaml")

    statuses = [httpx2.get(f"{running.root}/v1/models", headers=KEY).status_code for _ in range(3)]

    assert statuses == [200, 503, 200]
    assert "It has 1 fault to make.\n" in running.printed


HEAD = "faults:\n  - request: {}\n"

WRONG_FILES = {
    HEAD + "    cut: after\n  - request:\n      call: often\n    cut: after\n": (
        "faults.yaml:5:13: error[wrong-value]: faults[1].request.call must be a whole number"
        " from 1 to 1000000000\n1 problem found.\n"
    ),
    HEAD + "    answer:\n      stat: 500\n": (
        "faults.yaml:4:13: error[wrong-value]: faults[0].answer.stat: there is no field 'stat'"
        " here, but status, code, type, message, param, retry_after, headers, body\n"
        "1 problem found.\n"
    ),
    HEAD + "    answer: {code: x}\n": (
        "faults.yaml:3:13: error[wrong-value]: faults[0].answer.status must be an HTTP status"
        " from 200 to 599 that has a body\n1 problem found.\n"
    ),
    "- 1\n": (
        "faults.yaml: error[wrong-value]: the file must hold one document, with a list of"
        " 'faults' or of 'temperaments'\n1 problem found.\n"
    ),
    HEAD + "    request: {}\n": (
        "faults.yaml:3:5: error[repeated-key]: the key 'request' stands twice in one mapping\n"
        "    hint: it already stands in line 2; keep one\n1 problem found.\n"
    ),
}


@pytest.mark.parametrize("text", WRONG_FILES)
def test_a_wrong_file_of_faults_is_told_by_line_and_costs_no_state(shell: Shell, text: str) -> None:
    (shell.folder / "faults.yaml").write_text(text, "utf-8")
    lab = Lab(shell.folder / ".ftctl")
    file = lab.upload()
    lab.emulator.close()

    result = shell("emulator", "--port", "0", "--reset", "--faults", "faults.yaml")

    assert (result.status, result.out, result.err) == (1, "", WRONG_FILES[text])
    again = Lab(lab.folder)
    with again.emulator:
        assert [one["id"] for one in again.get("/v1/files")["data"]] == [file]


IMPOSSIBLE = {
    ("--speed", "2", "--immediate"): (
        64,
        (
            "error: --speed and --immediate say different things about time\n"
            "    hint: give one of them\n"
        ),
    ),
    ("--host", "0.0.0.0"): (
        64,
        (
            "error: --host 0.0.0.0 would let others in with any key\n"
            "    hint: name the one key that is taken with --api-key-env NAME\n"
        ),
    ),
    ("--api-key-env", "NO_KEY"): (
        1,
        (
            "error: the environment variable NO_KEY is not set; it is to hold the emulator's key\n"
            "    hint: export NO_KEY=…\n"
        ),
    ),
    ("--faults", "none.yaml"): (
        1,
        "none.yaml: error[unreadable-file]: the file does not exist\n1 problem found.\n",
    ),
}


@pytest.mark.parametrize("options", IMPOSSIBLE)
def test_what_cannot_be_is_said_before_anything_is_served(
    shell: Shell, options: tuple[str, ...]
) -> None:
    status, err = IMPOSSIBLE[options]

    result = shell("emulator", "--port", "0", *options)

    assert (result.status, result.out, result.err) == (status, "", err)


def test_a_temperament_holds_for_the_run_and_one_of_the_faults_file_stays(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "faults.yaml").write_text("temperaments: [models-hidden]\n")
    running = start("--temperament", "odd-jobs", "--faults", "faults.yaml", "--no-training")
    listed = running.call("GET", "/v1/fine_tuning/jobs")["data"]
    running.end()

    again = start("--no-training")

    assert "It behaves as: odd-jobs, models-hidden.\n" in running.printed
    assert None in listed
    assert "It behaves as: models-hidden.\n" in again.printed
    assert again.call("GET", "/v1/fine_tuning/jobs")["data"] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "laging-list=30",
            "there is no temperament 'laging-list'\n    hint: did you mean 'lagging-list'?\n",
        ),
        (
            "model-late=soon",
            (
                "'soon' is no value for 'model-late'\n"
                "    hint: write seconds above 0, up to 2,592,000, as in 'model-late=60'\n"
            ),
        ),
    ],
)
def test_what_is_no_temperament_is_told_before_anything_is_made(
    shell: Shell, given: str, message: str
) -> None:
    result = shell("emulator", "--temperament", given)

    assert (result.status, result.out, result.err) == (64, "", f"error: --temperament: {message}")
    assert not (shell.folder / ".ftctl").exists()


def test_a_faults_file_with_a_wrong_temperament_is_told_by_its_place(shell: Shell) -> None:
    (shell.folder / "faults.yaml").write_text("temperaments:\n  - odd-jobs\n  - slow-byte\n")

    result = shell("emulator", "--faults", "faults.yaml")

    assert result.status == 1
    assert result.err == (
        "faults.yaml:3:5: error[wrong-value]: temperaments[1]: there is no temperament"
        " 'slow-byte'; did you mean 'slow-bytes'?\n1 problem found.\n"
    )
