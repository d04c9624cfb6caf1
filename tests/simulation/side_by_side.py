"""Applies of several checkouts at once, each in its own time: who has the earliest moment goes on.

Where a race tries every order of requests, this one follows the clock: a request takes so long, a
pause as long as it lasts, and lists that lag do so by the same clock. Nothing of a checkout is
shared with another but the service.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx2
from conftest import HandClock

from simulation.wires import Break, Inner, Killed
from simulation.world import Ended, World

_STUCK_SECONDS = 120.0  # of real time: a deadlock of the scheduler fails, it does not hang


class Base:
    """The one time of all that run side by side."""

    def __init__(self, start: float) -> None:
        self.time = start


class Paced(HandClock):
    """A clock of one checkout: it shows the common time; a pause lets the others go on."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.pause: Callable[[float], None] | None = None

    @property  # type: ignore[override]
    def time(self) -> float:
        return self.base.time

    @time.setter
    def time(self, moment: float) -> None:
        self.base.time = moment

    def sleep(self, seconds: float) -> None:
        if self.pause is None:
            self.base.time += seconds
        else:
            self.pause(seconds)


@dataclass
class Runner:
    """A command of a checkout, and when it starts, in seconds from the beginning."""

    world: World
    command: tuple[str, ...]
    start: float = 0.0
    plan: Break = field(default_factory=Break)
    at: float = 0.0
    ended: Ended | None = None  # stays None for one that was killed
    fault: BaseException | None = None
    over: bool = False
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class _Timed(httpx2.BaseTransport):
    def __init__(self, inner: Inner, pause: Callable[[float], None], seconds: float) -> None:
        self.inner = inner
        self.pause = pause
        self.seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.pause(self.seconds)
        return self.inner.handle_request(request)


def side_by_side(base: Base, runners: Sequence[Runner], *, seconds: float) -> None:
    """Run them all to their ends. `seconds` is how long each request takes."""
    arrived = threading.Semaphore(0)
    begin = base.time

    def play(runner: Runner) -> None:
        def pause(length: float) -> None:
            runner.at = base.time + length
            arrived.release()
            runner.gate.acquire()

        clock = runner.world.clock
        assert isinstance(clock, Paced)
        pause(begin + runner.start - base.time)
        clock.pause = pause
        try:
            runner.ended = runner.world.run(
                *runner.command,
                wire=lambda inner: runner.plan(_Timed(inner, pause, seconds)),
            )
        except Killed:
            assert runner.plan.dead
        except BaseException as fault:  # noqa: BLE001 - told to the thread that started it
            runner.fault = fault
        clock.pause = None
        runner.over = True
        arrived.release()

    threads = [threading.Thread(target=play, args=(one,), daemon=True) for one in runners]
    for thread in threads:
        thread.start()
        assert arrived.acquire(timeout=_STUCK_SECONDS)
    while waiting := [one for one in runners if not one.over]:
        first = min(waiting, key=lambda one: one.at)
        base.time = max(base.time, first.at)
        first.gate.release()
        assert arrived.acquire(timeout=_STUCK_SECONDS), "an apply waits for another one"
    for thread in threads:
        thread.join(_STUCK_SECONDS)
    for runner in runners:
        if runner.fault is not None:
            raise runner.fault
