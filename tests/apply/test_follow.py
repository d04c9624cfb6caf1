"""Waiting for jobs, with a service that plays a script and a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import HandClock
from fakes import FakeProvider, Says, refused

from ftctl.apply.follow import follow, progress_of
from ftctl.domain.observed import Event, Job, JobError, Progress
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


# What lists do not show.


def test_a_job_that_left_the_list_is_asked_for_by_its_id(clock: HandClock) -> None:
    service = script(()).has(DONE)

    assert wait(service, clock) == [(Progress("tone", DONE),)]
    assert service.calls == ["jobs", "jobs whole", "job ftjob-1"]


def test_a_job_that_the_filter_does_not_show_is_looked_for_without_it(clock: HandClock) -> None:
    service = FakeProvider(clock, filter_finds_nothing=True).has(job("queued"))
    service.at_next("job", lambda: None)
    looks = follow(service, "demo", {"tone": "ftjob-1"}, clock, every_seconds=10)

    next(looks)
    service.has(DONE)
    next(looks)

    assert service.calls == ["jobs", "jobs whole", "jobs whole"]


def test_a_look_at_what_the_list_shows_costs_one_request(clock: HandClock) -> None:
    service = script((job("queued"),), (DONE,))

    wait(service, clock)

    assert service.calls == ["jobs", "jobs"]


def test_where_a_job_cannot_be_looked_up_the_fault_is_told(clock: HandClock) -> None:
    service = script(()).from_then_on("job", refused(403))

    with pytest.raises(ProviderError) as fault:
        wait(service, clock)

    assert fault.value.status == 403


# What may never end.


def heard(
    service: FakeProvider, clock: HandClock, timeout: float | None = None
) -> tuple[list[tuple[Progress, ...]], list[str], str]:
    """The looks, what was said meanwhile, and how it ended."""
    said: list[str] = []
    looks = follow(
        service, "demo", {"tone": "ftjob-1"}, clock, every_seconds=10,
        timeout_seconds=timeout, note=said.append,
    )  # fmt: skip
    seen: list[tuple[Progress, ...]] = []
    try:
        seen.extend(looks)
    except WaitTimeout as fault:
        return seen, said, str(fault)
    return seen, said, "over"


def test_a_model_without_a_name_is_not_waited_for_without_end(clock: HandClock) -> None:
    began = clock.now()

    seen, said, _ = heard(script((job("running"),), (job("succeeded"),)), clock)

    assert seen[-1] == (Progress("tone", job("succeeded"), given_up=True),)
    assert seen[-1][0].over
    assert 600 <= clock.now() - began < 620
    (sentence,) = said
    assert sentence == (
        "tone: ftjob-1 succeeded, and the service has not told its model's name for 10 min: it is"
        " not waited for any longer; 'ftctl status' shows when that changes"
    )


def test_where_a_name_alone_is_missing_the_end_of_the_time_is_no_failure_of_the_wait(
    clock: HandClock,
) -> None:
    seen, said, end = heard(script((job("succeeded"),)), clock, 60)

    assert (seen[-1][0].given_up, end) == (True, "over")
    assert "has not told its model's name for 60 s: it is not waited for any longer" in said[0]


def test_where_another_job_runs_the_end_of_the_time_is_one(clock: HandClock) -> None:
    looks = script((job("succeeded"), job("running", "ftjob-2")))

    with pytest.raises(WaitTimeout):
        wait(looks, clock, 60, tone="ftjob-1", calm="ftjob-2")


def test_a_name_that_comes_late_is_waited_for(clock: HandClock) -> None:
    looks = [(job("succeeded"),)] * 50

    seen, said, _ = heard(script(*looks, (DONE,)), clock)

    assert (seen[-1], said) == ((Progress("tone", DONE),), [])


def test_a_status_that_nobody_knows_ends_with_the_time_and_is_told(clock: HandClock) -> None:
    _, said, end = heard(script((job("in_review"),)), clock, 3000)

    assert end == "time is up, and not over yet: tone (ftjob-1, status 'in_review')"
    assert said[0] == (
        "tone: ftjob-1 has the status 'in_review', which ftctl does not know: it is waited for"
        " until that changes, or --timeout"
    )
    assert len(said) == 2  # no news for half an hour


def test_a_status_that_nobody_knows_is_given_up_after_a_day(clock: HandClock) -> None:
    began = clock.now()

    seen, said, end = heard(script((job("in_review"),)), clock)

    assert end == "over"
    assert seen[-1][0].given_up
    assert 86_400 <= clock.now() - began < 86_700
    assert len(seen) < 400
    assert said[-1] == (
        "tone: ftjob-1 is 'in_review', which ftctl does not know, without any change for 24.0 h: it"
        " is not waited for any longer; 'ftctl status' shows when that changes"
    )


def test_a_job_that_cannot_be_read_is_given_ten_minutes(clock: HandClock) -> None:
    began = clock.now()
    odd = replace(job("unreadable"), error=JobError("unreadable", "its model is no name"))

    seen, said, end = heard(script((odd,)), clock)

    assert end == "over"
    assert seen[-1][0].given_up
    assert 600 <= clock.now() - began < 900
    first, last = said
    assert first == (
        "tone: ftjob-1 cannot be read: it is waited for until that changes, or --timeout"
    )
    assert last == (
        "tone: ftjob-1 cannot be read (its model is no name) for 10 min: it is not waited for any"
        " longer; 'ftctl status' shows when that changes"
    )


def test_a_status_that_nobody_knows_may_change(clock: HandClock) -> None:
    looks = [(job("in_review"),)] * 20

    seen, _, end = heard(script(*looks, (DONE,)), clock)

    assert (seen[-1], end) == ((Progress("tone", DONE),), "over")


def test_a_wait_without_news_says_so_and_goes_on(clock: HandClock) -> None:
    _, said, _ = heard(script((job("queued"),)), clock, 5 * 3600)

    assert [sentence.partition(";")[0] for sentence in said] == [
        "no news of tone (ftjob-1, queued) for 30 min",
        "no news of tone (ftjob-1, queued) for 60 min",
        "no news of tone (ftjob-1, queued) for 2.0 h",
        "no news of tone (ftjob-1, queued) for 4.0 h",
    ]


def test_news_begin_the_silence_anew(clock: HandClock) -> None:
    queued = [(job("queued"),)] * 150  # 25 minutes

    _, said, _ = heard(script(*queued, *[(job("validating_files"),)] * 150, (DONE,)), clock)

    assert said == []


# Another job than the one that was followed.


def test_another_job_can_be_followed_from_some_look_on(clock: HandClock) -> None:
    own, older = job("queued"), job("running", "ftjob-0")
    service = script((own, older), (own, replace(DONE, id="ftjob-0")))

    looks = follow(
        service, "demo", {"tone": "ftjob-1"}, clock, every_seconds=10,
        settle=lambda _job, listed: listed["ftjob-0"],
    )  # fmt: skip

    assert [one.job.id for look in looks for one in look] == ["ftjob-0", "ftjob-0"]
