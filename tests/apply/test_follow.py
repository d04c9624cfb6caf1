"""Waiting for jobs, with a service that plays a script and a clock that is moved by hand."""

from __future__ import annotations

import pytest
from conftest import HandClock
from fakes import FakeProvider, Says

from ftctl.apply.follow import follow, progress_of
from ftctl.domain.observed import Event, Job, Progress
from ftctl.errors import ProviderError, WaitTimeout
from ftctl.providers import Reader

FAULT = ProviderError("list jobs", "no answer")


def script(*looks: tuple[Job, ...] | ProviderError) -> FakeProvider:
    """A service whose list of jobs is scripted: the last look goes on for good."""
    acts = [look if isinstance(look, ProviderError) else Says(look) for look in looks]
    return FakeProvider().at_next("jobs", *acts[:-1]).from_then_on("jobs", acts[-1])


def job(status: str, name: str = "ftjob-1", model: str | None = None) -> Job:
    return Job(name, status, 0, model=model)


DONE = job("succeeded", model="ft:m")


def step(number: int, at: int, total: int | None = 10, **metrics: float) -> Event:
    numbers = {"step": number, **({"total_steps": total} if total else {}), **metrics}
    return Event(f"ftevent-{number}", at, "info", f"Step {number}", numbers)


def wait(
    provider: Reader, clock: HandClock, timeout: float | None = None, **jobs: str
) -> list[tuple[Progress, ...]]:
    looks = follow(
        provider, "demo", jobs or {"tone": "ftjob-1"}, clock, every_seconds=10,
        timeout_seconds=timeout,
    )  # fmt: skip
    return list(looks)


def test_a_wait_looks_until_every_job_is_over(clock: HandClock) -> None:
    other = job("failed", "ftjob-2")
    looks = [(job("queued"), other), (job("running"), other), (DONE, other)]
    started = clock.now()

    seen = wait(script(*looks), clock, tone="ftjob-1", calm="ftjob-2")

    assert [[one.job.status for one in look] for look in seen] == [
        ["queued", "failed"],
        ["running", "failed"],
        ["succeeded", "failed"],
    ]
    assert clock.now() - started == 0.5 + 0.75


def test_jobs_that_are_over_are_looked_at_once(clock: HandClock) -> None:
    started = clock.now()

    seen = wait(script((DONE,)), clock)

    assert seen == [(Progress("tone", DONE),)]
    assert clock.now() == started


def test_a_job_is_not_over_before_its_model_has_a_name(clock: HandClock) -> None:
    seen = wait(script((job("succeeded"),), (DONE,)), clock)

    assert [look[0].job.model for look in seen] == [None, "ft:m"]


def test_waiting_for_nothing_ends_at_once(clock: HandClock) -> None:
    seen = list(follow(script(()), "demo", {}, clock, every_seconds=10))

    assert seen == [()]


def test_only_events_of_running_jobs_are_asked_for(clock: HandClock) -> None:
    service = script((job("queued"),), (job("running"),), (DONE,))

    wait(service, clock)

    assert service.called("events") == ["events ftjob-1 50"]


def test_a_wait_ends_on_time_although_the_job_runs_on(clock: HandClock) -> None:
    looks = [(DONE, job("running", "ftjob-2"))]
    started = clock.now()

    with pytest.raises(WaitTimeout) as fault:
        wait(script(*looks), clock, 25, tone="ftjob-1", calm="ftjob-2")

    assert clock.now() - started == 25
    assert str(fault.value) == "time is up, and not over yet: calm (ftjob-2)"
    assert "run on and are billed" in (fault.value.hint or "")


def test_a_job_that_ends_at_the_last_look_is_no_timeout(clock: HandClock) -> None:
    seen = wait(script((job("running"),), (DONE,)), clock, 10)

    assert len(seen) == 2


def test_without_time_there_is_still_one_look(clock: HandClock) -> None:
    service = script((job("running"),))

    with pytest.raises(WaitTimeout):
        wait(service, clock, 0)

    assert service.called("events") == ["events ftjob-1 50"]


def test_time_runs_out_while_the_service_is_away(clock: HandClock) -> None:
    with pytest.raises(WaitTimeout):
        wait(script(FAULT), clock, 15)


def test_looks_may_fail_for_a_while(clock: HandClock) -> None:
    failing = [FAULT] * 5

    seen = wait(script(*failing, (job("running"),), *failing, (DONE,)), clock)

    assert [look[0].job.status for look in seen] == ["running", "succeeded"]


def test_a_minute_without_a_good_look_ends_the_wait(clock: HandClock) -> None:
    started = clock.now()

    with pytest.raises(ProviderError) as fault:
        wait(script(FAULT), clock)

    assert fault.value is FAULT
    assert 60 <= clock.now() - started < 70


def test_the_minute_without_a_good_look_is_no_longer_than_that(clock: HandClock) -> None:
    started = clock.now()

    with pytest.raises(ProviderError):
        list(follow(script(FAULT), "demo", {"tone": "ftjob-1"}, clock, every_seconds=0.5))

    assert clock.now() - started == 60


def test_looks_without_a_pause_never_run_out_of_time(clock: HandClock) -> None:
    service = script((job("running"),), (DONE,))

    looks = list(follow(service, "demo", {"tone": "ftjob-1"}, clock, every_seconds=0))

    assert [look[0].job.status for look in looks] == ["running", "succeeded"]


def test_a_list_may_lag_behind_but_not_for_good(clock: HandClock) -> None:
    seen = wait(script((), (), (DONE,)), clock)
    with pytest.raises(ProviderError) as fault:
        wait(script(()), clock)

    assert seen == [(Progress("tone", DONE),)]
    assert str(fault.value) == (
        "list jobs: the service does not list ftjob-1, and does not know it by its id (HTTP 404)"
    )


def test_time_left_follows_the_pace_of_the_steps_that_were_seen() -> None:
    running = job("running")
    events = (step(2, 100, train_loss=2.0), step(4, 110, train_loss=1.5))

    progress = progress_of("tone", running, events, now=112)

    # 5 s a step, 6 steps to go, 2 s since the last one.
    assert progress == Progress("tone", running, 4, 10, 1.5, None, 28.0)


def test_time_left_is_never_below_nothing() -> None:
    events = (step(1, 100), step(9, 108))

    assert progress_of("tone", job("running"), events, now=999).seconds_left == 0.0


@pytest.mark.parametrize(
    "events",
    [
        (),
        (step(1, 100),),
        (step(3, 100), step(3, 110)),
        (step(1, 100), step(2, 100)),
        (step(1, 100, total=None), step(2, 110, total=None)),
        (Event("e", 1, "info", "started"), Event("f", 2, "info", "m", {"step": "2"})),
    ],
    ids=["none", "one", "no progress", "no time", "no total", "no numbers"],
)
def test_without_a_pace_no_time_is_promised(events: tuple[Event, ...]) -> None:
    assert progress_of("tone", job("running"), events, now=200).seconds_left is None


def test_a_loss_over_the_whole_validation_file_comes_first_even_if_it_is_zero() -> None:
    running = job("running")
    measured = (step(1, 1, valid_loss=0.9, full_valid_loss=0.0), step(2, 2, valid_loss=0.7))
    sampled = (step(1, 1, valid_loss=0.9), step(2, 2, train_loss=0.1))

    assert progress_of("tone", running, measured, now=3).valid_loss == 0.0
    assert progress_of("tone", running, sampled, now=3).valid_loss == 0.9


def test_other_events_among_the_steps_do_no_harm() -> None:
    running = job("running")
    events = (step(1, 10), Event("c", 11, "info", "Checkpoint created"), step(2, 12, total=4))

    progress = progress_of("tone", running, events, now=12)

    assert progress == Progress("tone", running, 2, 4, None, None, 4.0)
