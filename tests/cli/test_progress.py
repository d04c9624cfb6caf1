"""What is drawn on a terminal instead of printed: it holds no key either."""

from __future__ import annotations

import io
import os
import sys

import pytest

from ftctl.cli.console import Console
from ftctl.cli.job_progress import screen_for
from ftctl.cli.scan_progress import ScanProgress
from ftctl.cli.settings import Settings
from ftctl.domain.observed import Job, Progress
from ftctl.errors import FtctlError, ProviderError, Stale, fault_text

KEY = "0123456789abcdef-of-azure"  # has the form of no key that is known
LOOKS_LIKE_ONE = "sk-abcdef0123456789"


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


def test_progress_that_is_drawn_holds_no_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console = Console(secrets=(KEY,))
    settings = Settings(console=console, environ={"TERM": "xterm"})
    job = Job("ftjob-1", f"{KEY} {LOOKS_LIKE_ONE}", 0)  # a status is the service's own word

    screen_for(settings).show((Progress("tone", job),))

    assert capsys.readouterr().out == "\x1b[2Ktone: [redacted] [redacted]\n"


def test_progress_through_a_file_holds_no_key() -> None:
    out = Terminal()
    times = iter([0.0, 2.0])

    ScanProgress({}, out, lambda: next(times)).of(f"data/{LOOKS_LIKE_ONE}.jsonl")(50, 100)

    assert out.getvalue() == "\r\x1b[KChecking data/[redacted].jsonl: 50 %, 0 MB/s, 2 s left"


@pytest.mark.parametrize(
    ("status", "drawn"),
    [
        ("x" * 100, "tone: " + "x" * 33),
        ("가" * 100, "tone: " + "가" * 16),
        ("e\u0301" * 100, "tone: " + "e\u0301" * 33),
        ("가", "tone: 가"),
    ],
)
def test_a_line_of_progress_takes_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: str, drawn: str
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((40, 24)))
    settings = Settings(console=Console(), environ={"TERM": "xterm"})

    screen_for(settings).show((Progress("tone", Job("ftjob-1", status, 0)),))

    assert capsys.readouterr().out == f"\x1b[2K{drawn}\n"


STEERING = "a\x1b[2Jb\x1b[32mgreen\x1b[0m\r\n  ::error::c\n##[group]d\u202e\x1b[8me"


def test_what_is_printed_passes_a_second_wall(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()

    console.result(STEERING)
    console.note(STEERING)

    printed = capsys.readouterr()
    plain = "a [2Jb [32mgreen [0m \n  : :error::c\n# #[group]d<U+202E>[8me\n"
    assert (printed.out, printed.err) == (plain, plain)


def test_of_a_terminals_signs_only_colours_of_ours_pass(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(color=True)

    console.result(STEERING)

    assert capsys.readouterr().out == (
        "a [2Jb\x1b[32mgreen\x1b[0m \n  : :error::c\n# #[group]d<U+202E>[8me\n"
    )


def test_commands_for_a_runner_reach_it(capsys: pytest.CaptureFixture[str]) -> None:
    Console(secrets=(KEY,)).commands(f"::error file=a.yaml::{KEY}")

    assert capsys.readouterr().out == "::error file=a.yaml::[redacted]\n"


def test_what_moved_is_told_line_by_line_and_nothing_else_is() -> None:
    moved = Stale("it moved\nFORGED", "run\nit", ["a\nb", "c"])

    assert fault_text(moved) == "it moved FORGED\n    a b\n    c\n    hint: run it"
    assert fault_text(FtctlError("a\nFORGED", None)) == "a FORGED"
    assert fault_text(ProviderError("list", "a\nFORGED", request_id="r\nFORGED")) == (
        "list: a FORGED (request r FORGED)"
    )
