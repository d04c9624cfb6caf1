"""The whole run of the tests: every emulator in it is heard, and judged once at its end.

With several workers, each hears its own emulators and hands over what it kept when it ends.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from fidelity.contradictions import EXPECTED_FAILURES, KNOWN_CONTRADICTIONS
from fidelity.exchanges import Recorder
from fidelity.judge import Judge
from fidelity.sdk import sdk_violations
from fidelity.specification import MISSING, OUTSIDE, SPEC, load_specification
from ftctl.emulator import Emulator, Request, Response

_HANDED = "fidelity"


class Hearing:
    """A plugin: hears from the start, and fails the run for what the specification has not."""

    def __init__(self, config: pytest.Config) -> None:
        self.recorder = start_recording() if SPEC.exists() else None
        self.whole = is_whole(config)
        self.faults: list[str] | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[Any]:
        """Judge when every test has run, and every worker has ended."""
        ran = yield
        if not _is_worker(session.config) and self.recorder is not None:
            self.faults = list(faults(self.recorder, whole=self.whole and not session.testsfailed))
            if self.faults:
                session.config.hook.pytest_runtest_logreport(report=_failure(self.faults))
        return ran

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands over what it heard."""
        if _is_worker(session.config) and self.recorder is not None:
            session.config.workeroutput[_HANDED] = pickle.dumps(self.recorder.handed_over())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of several workers has ended; one that broke off has nothing to say."""
        handed = getattr(node, "workeroutput", {}).get(_HANDED)
        if handed is None:
            self.whole = False
        elif self.recorder is not None:
            self.recorder.take(pickle.loads(handed))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The figures that the run ends with."""
        terminalreporter.section("fidelity")
        for line in self._lines():
            terminalreporter.line(line)

    def _lines(self) -> Iterator[str]:
        if self.recorder is None:
            yield f"not judged: {MISSING}"
            return
        operations = {name for name, _ in self.recorder.met} - {OUTSIDE.name}
        known = len(self.recorder.specification.operations)
        yield f"exchanges: {self.recorder.seen}, kinds: {len(self.recorder.kept)}"
        yield f"operations: {len(operations)} of {known}"
        yield f"violations: {'not judged' if self.faults is None else len(self.faults)}"


def start_recording() -> Recorder:
    """From now on every emulator of this process is heard."""
    recorder = Recorder(load_specification())
    handle = Emulator.handle

    @wraps(handle)
    def heard(self: Emulator, request: Request) -> Response:
        return recorder.see(request, handle(self, request))

    Emulator.handle = heard  # type: ignore[method-assign]
    return recorder


def faults(recorder: Recorder, *, whole: bool) -> Iterator[str]:
    """What does not fit the specification or the SDK; of a whole run, also idle excuses."""
    judge = Judge(recorder.specification)
    kept = recorder.exchanges()
    yield from map(str, judge.violations(kept))
    yield from map(str, sdk_violations(kept))
    if recorder.left_out:
        yield f"{recorder.left_out} kinds of exchanges were not kept"
    if whole:
        excuses = {known.name for known in KNOWN_CONTRADICTIONS} | set(EXPECTED_FAILURES)
        for name in sorted(excuses - set(judge.used)):
            yield f"{name}: not met any more, so its excuse can be deleted"


def is_whole(config: pytest.Config) -> bool:
    """Whether nothing was left out on the command line."""
    options = ("keyword", "markexpr", "lf", "deselect", "collectonly")
    chosen = any(config.getoption(name, None) for name in options)
    return [Path(one).name for one in config.args] == ["tests"] and not chosen


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _failure(faults: list[str]) -> pytest.TestReport:
    place = "what was said to the emulator and heard from it"
    return pytest.TestReport(
        nodeid=f"tests/fidelity: {place}", location=("tests/fidelity/run.py", None, place),
        keywords={}, outcome="failed", longrepr="\n".join(faults), when="call",
    )  # fmt: skip
