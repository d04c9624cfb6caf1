"""Several applies at once that share nothing but the service: exactly one goes on at a time.

Each apply stops before each of its requests until the schedule lets it go on, so a schedule is a
list of choices, and the same choices make the same run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx2

from simulation.wires import Inner
from simulation.world import Ended, World

_STUCK_SECONDS = 60.0  # of real time: a deadlock of the scheduler fails, it does not hang

Choose = Callable[[tuple[int, ...], int | None], int]  # (who is ready, who went last) → who goes


@dataclass
class _Runner:
    """One apply in its thread."""

    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: Ended | None = None
    fault: BaseException | None = None
    over: bool = False


class _Gated(httpx2.BaseTransport):
    def __init__(self, inner: Inner, stop: Callable[[], None]) -> None:
        self.inner = inner
        self.stop = stop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.stop()
        return self.inner.handle_request(request)


def race(
    world: World, commands: Sequence[tuple[str, ...]], choose: Choose, *, seconds: float = 0.0
) -> list[Ended]:
    """Run the commands at once. `seconds` is how long each request takes."""
    runners = [_Runner() for _ in commands]
    arrived = threading.Semaphore(0)

    def play(runner: _Runner, command: tuple[str, ...]) -> None:
        def stop() -> None:
            arrived.release()
            runner.gate.acquire()

        stop()
        try:
            runner.ended = world.run(*command, wire=lambda inner: _Gated(inner, stop))
        except BaseException as fault:  # noqa: BLE001 - told to the thread that started it
            runner.fault = fault
        runner.over = True
        arrived.release()

    threads = [
        threading.Thread(target=play, args=(runner, command), daemon=True)
        for runner, command in zip(runners, commands, strict=True)
    ]
    for thread in threads:
        thread.start()
        assert arrived.acquire(timeout=_STUCK_SECONDS)
    last: int | None = None
    while ready := tuple(number for number, one in enumerate(runners) if not one.over):
        last = choose(ready, last)
        world.clock.time += seconds
        runners[last].gate.release()
        assert arrived.acquire(timeout=_STUCK_SECONDS), "an apply waits for another one"
    for thread in threads:
        thread.join(_STUCK_SECONDS)
    for runner in runners:
        if runner.fault is not None:
            raise runner.fault
    return [runner.ended for runner in runners if runner.ended is not None]


@dataclass
class Schedule:
    """Choices that begin as given and then let whoever went last go on; remembers all of them."""

    given: tuple[int, ...] = ()
    made: list[tuple[int, tuple[int, ...], int | None]] = field(default_factory=list)

    def __call__(self, ready: tuple[int, ...], last: int | None) -> int:
        number = len(self.made)
        if number < len(self.given):
            choice = self.given[number]
        else:
            choice = last if last in ready and last is not None else ready[0]
        self.made.append((choice, ready, last))
        return choice

    @property
    def choices(self) -> tuple[int, ...]:
        return tuple(choice for choice, _ready, _last in self.made)


def switches(made: Sequence[tuple[int, tuple[int, ...], int | None]]) -> int:
    """How often one that could have gone on had to wait for another."""
    return sum(1 for choice, ready, last in made if last in ready and choice != last)


def every_schedule(play: Callable[[Schedule], None], most_switches: int | None) -> Iterator[int]:
    """Play every schedule with at most that many switches, each once; yields their count."""
    waiting: list[tuple[int, ...]] = [()]
    count = 0
    while waiting:
        schedule = Schedule(waiting.pop())
        play(schedule)
        count += 1
        yield count
        for number in range(len(schedule.given), len(schedule.made)):
            choice, ready, last = schedule.made[number]
            for other in ready:
                if other == choice:
                    continue
                made = [*schedule.made[:number], (other, ready, last)]
                if most_switches is None or switches(made) <= most_switches:
                    waiting.append(tuple(one for one, _ready, _last in made))
