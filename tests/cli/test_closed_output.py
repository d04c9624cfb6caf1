"""Readers that go away, streams that are closed, disks that are full: real processes, as a shell
starts them. What is bought is carried to its end and recorded; only the words are lost.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Shell, small_project
from plain_server import World

from ftctl.emulator import Request, open_emulator

Write = Callable[[Mapping[str, str]], Path]

FTCTL = f"{sys.executable} -m ftctl"
GONE = ["| true", "| head -1 >/dev/null", ">&-", "2>&-", ">&- 2>&- <&-", "2>&1 | true"]


def bash(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    script = f"set -o pipefail; {line}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def folder(write_project: Write) -> Path:
    """A project whose jobs are over at the first look: no process here waits for time to pass."""
    folder = write_project(small_project())
    with open_emulator(folder / ".ftctl") as emulator:
        pace = json.dumps({"kind": "immediate"}).encode()
        assert emulator.handle(Request.to("PUT", "/_ftctl/clock", (), pace)).status == 200
    return folder


@pytest.mark.parametrize("how", GONE)
def test_an_apply_that_nobody_reads_ends_as_one_that_is_read(
    folder: Path, shell: Shell, how: str
) -> None:
    done = bash(folder, f"{FTCTL} apply --auto-approve --wait {how}")

    assert done.returncode == 0, done
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "succeeded" in shell.ok("status").out
    assert "ft:gpt-4.1-mini" in (folder / "ftctl.lock").read_text("utf-8")


@pytest.mark.parametrize("how", ["| true", ">&-"])
def test_a_plan_that_nobody_reads_keeps_its_exit_status(folder: Path, how: str) -> None:
    done = bash(folder, f"{FTCTL} plan --out plan.json --detailed-exitcode {how}")

    assert (done.returncode, done.stderr) == (2, "")
    assert (folder / "plan.json").stat().st_size > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_told_after_the_work_is_done(folder: Path, shell: Shell) -> None:
    done = bash(folder, f"{FTCTL} apply --auto-approve --wait >/dev/full")

    assert done.returncode == 1
    assert done.stderr == ("error: standard output cannot be written: No space left on device\n")
    assert "succeeded" in shell.ok("status").out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_help_that_cannot_be_written_is_no_bug(folder: Path) -> None:
    done = bash(folder, f"{FTCTL} --help >/dev/full")

    assert done.returncode == 1
    assert done.stderr.startswith("error: No space left on device\n")


def test_who_prints_for_ever_ends_with_its_reader(remote: Shell, world: World) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    names = ("OPENAI_BASE_URL", "OPENAI_API_KEY")
    environ = " ".join(f"{name}={remote.environ[name]}" for name in names)

    done = bash(remote.folder, f"{environ} timeout 60 {FTCTL} status --watch | true")

    assert (done.returncode, done.stderr) == (0, "")


def test_the_follower_of_events_ends_with_its_reader(folder: Path) -> None:
    bash(folder, f"{FTCTL} apply --auto-approve")

    done = bash(folder, f"timeout 60 {FTCTL} events --follow tone | true")

    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_standard_input_nobody_is_asked(folder: Path) -> None:
    done = bash(folder, f"{FTCTL} apply <&-")

    assert done.returncode == 64
    assert "there is no terminal to ask for approval" in done.stderr


def test_the_version_is_told_to_nobody_without_a_traceback(folder: Path) -> None:
    done = bash(folder, f"{FTCTL} --version >&-")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
