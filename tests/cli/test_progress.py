"""What is drawn on a terminal instead of printed: it holds no key either."""

from __future__ import annotations

import io
import sys

import pytest

from ftctl.cli.console import Console
from ftctl.cli.job_progress import screen_for
from ftctl.cli.scan_progress import ScanProgress
from ftctl.cli.settings import Settings
from ftctl.domain.observed import Job, Progress

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
