"""How often, and after what pause, a request is made again."""

from __future__ import annotations

import random

import pytest
from conftest import HandClock

from ftctl.errors import ProviderError
from ftctl.providers.retry import BACKOFF_SECONDS, asks_too_long, pause_after, with_backoff

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
