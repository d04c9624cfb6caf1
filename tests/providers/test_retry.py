"""How often, and after what pause, a request is made again."""

from __future__ import annotations

import random

import pytest
from conftest import HandClock

from ftctl.errors import ProviderError
from ftctl.providers import retry
from ftctl.providers.retry import (
    BACKOFF_SECONDS,
    Patience,
    asks_too_long,
    pause_after,
    with_backoff,
)

WHOLE = sum(BACKOFF_SECONDS)


def fault(retry_after: float | None = None, *, retryable: bool = True) -> ProviderError:
    return ProviderError("list jobs", "busy", retryable=retryable, retry_after=retry_after)


class Asked:
    """Raises faults, one for each ask, and answers once there are none left."""

    def __init__(self, *faults: ProviderError) -> None:
        self.faults = list(faults)
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        if self.faults:
            raise self.faults.pop(0)
        return "answer"


def test_an_answer_is_given_at_once(clock: HandClock) -> None:
    began = clock.now()
    asked = Asked()

    assert with_backoff(asked, clock) == "answer"
    assert (asked.times, clock.now()) == (1, began)


def test_after_five_pauses_the_last_ask_decides(clock: HandClock) -> None:
    last = fault()
    began = clock.now()
    good, bad = Asked(*[fault()] * 5), Asked(*[fault()] * 5, last)

    assert with_backoff(good, clock) == "answer"
    assert (good.times, WHOLE * 0.75 <= clock.now() - began <= WHOLE * 1.25) == (6, True)
    with pytest.raises(ProviderError) as raised:
        with_backoff(bad, clock)
    assert (raised.value, bad.times) == (last, 6)


@pytest.mark.parametrize("stays", [fault(retryable=False), fault(61)])
def test_what_stays_or_asks_for_too_long_is_not_asked_again(
    clock: HandClock, stays: ProviderError
) -> None:
    asked = Asked(stays)

    with pytest.raises(ProviderError):
        with_backoff(asked, clock)

    assert asked.times == 1


class Slow(Asked):
    """Takes so many seconds each time, by the clock that never jumps."""

    def __init__(self, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(*[fault()] * 9)
        self.seconds = seconds
        self.time = 0.0
        monkeypatch.setattr(retry.time, "monotonic", lambda: self.time)

    def __call__(self) -> str:
        self.time += self.seconds
        return super().__call__()


@pytest.mark.parametrize(
    ("seconds", "times"), [(0.0, 6), (3.0, 6), (14.0, 4), (20.0, 3), (59.0, 2), (61.0, 1)]
)
def test_what_asking_takes_is_part_of_the_time_that_there_is(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch, seconds: float, times: int
) -> None:
    slow, patience = Slow(seconds, monkeypatch), Patience(60.0)

    with pytest.raises(ProviderError):
        with_backoff(slow, clock, patience)

    assert slow.times == times


def test_a_pause_that_would_use_up_all_the_time_is_not_made(clock: HandClock) -> None:
    began, asked = clock.now(), Asked(fault(25.0), fault(25.0), fault(25.0))

    with pytest.raises(ProviderError):
        with_backoff(asked, clock, Patience(60.0))

    assert (asked.times, clock.now() - began) == (3, 50.0)


def test_any_other_fault_is_none_of_its_business(clock: HandClock) -> None:
    def ask() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        with_backoff(ask, clock)


@pytest.mark.parametrize(
    ("retry_after", "too_long"), [(None, False), (0.0, False), (60.0, False), (60.1, True)]
)
def test_a_minute_is_as_long_as_a_command_waits(retry_after: float | None, too_long: bool) -> None:
    assert asks_too_long(fault(retry_after)) is too_long


def test_a_pause_is_what_the_service_asks_for_or_about_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = [pause_after(fault(), 4.0) for _ in range(200)]

    assert all(3.0 <= pause <= 5.0 for pause in pauses)
    assert len(set(pauses)) > 100  # not in step with others
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    assert pause_after(fault(2.0), 4.0) == 5.0
    assert pause_after(fault(7.0), 4.0) == 7.0
