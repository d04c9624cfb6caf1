"""The whole run of the tests: every emulator in it is heard, and judged at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TypeVar

import pytest

from fidelity.exchanges import Recorder
from fidelity.judge import Violation
from fidelity.specification import MISSING, OUTSIDE, SPEC, load_specification
from ftctl.emulator import Emulator, Request, Response

F = TypeVar("F", bound=Callable[..., object])


@dataclass
class Run:
    """What one run of the tests met; `whole` when every test was asked for."""

    recorder: Recorder | None = None
    whole: bool = False
    found: list[Violation] | None = None

    def lines(self) -> Iterator[str]:
        """The figures that the run ends with."""
        if self.recorder is None:
            yield f"not judged: {MISSING}"
            return
        operations = {name for name, _ in self.recorder.met} - {OUTSIDE.name}
        known = len(self.recorder.specification.operations)
        yield f"exchanges: {self.recorder.seen}, kinds: {len(self.recorder.kept)}"
        yield f"operations: {len(operations)} of {known}"
        yield f"violations: {'not judged' if self.found is None else len(self.found)}"


RUN = Run()


def start_recording(run: Run) -> None:
    """From now on every emulator of this process is heard; nothing without the specification."""
    if not SPEC.exists() or run.recorder is not None:
        return
    recorder = run.recorder = Recorder(load_specification())
    handle = Emulator.handle

    @wraps(handle)
    def heard(self: Emulator, request: Request) -> Response:
        return recorder.see(request, handle(self, request))

    Emulator.handle = heard  # type: ignore[method-assign]


def after_all_others(test: F) -> F:
    """Have this test run when every other one has, for it judges them all."""
    test.__dict__["runs_last"] = True
    return test


def put_last(items: list[pytest.Item]) -> None:
    """Move the tests that judge the run to its end."""
    items.sort(key=lambda item: "runs_last" in getattr(item, "function", put_last).__dict__)


def is_whole(config: pytest.Config) -> bool:
    """Whether nothing was left out on the command line."""
    chosen = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf", "deselect"))
    return [Path(one).name for one in config.args] == ["tests"] and not chosen
