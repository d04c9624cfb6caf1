"""A look counts once it shows what we know to be there; and what such looks cost."""

from __future__ import annotations

import pytest
from fakes import NEVER, FakeProvider, refused

from ftctl.apply.sight import Sight
from ftctl.domain.observed import Job

OWN = Job("ftjob-own", "queued", 8, "tone", "v1:tone")
OTHER = Job("ftjob-other", "queued", 7, "tone", "v1:tone")


@pytest.fixture
def service() -> FakeProvider:
    service = FakeProvider().has(OWN, OTHER)
    service.shown_at = dict.fromkeys(service.made, service.clock.now())
    return service


def sight(service: FakeProvider, said: list[str] | None = None) -> Sight:
    return Sight(service, "demo", service.clock, (said if said is not None else []).append)


def test_a_list_that_shows_it_is_read_once(service: FakeProvider) -> None:
    seen = sight(service).until_listed({OWN.id}, 90)

    assert (seen.jobs.keys(), seen.unseen) == ({OWN.id, OTHER.id}, frozenset())
    assert service.calls == ["jobs"]


@pytest.mark.parametrize("lag", [0.4, 3, 22, 60, 89])
def test_a_list_that_lags_is_read_until_it_shows_it(service: FakeProvider, lag: float) -> None:
    began = service.clock.now()
    service.lag_seconds = lag

    seen = sight(service).until_listed({OWN.id}, 90)

    assert (seen.jobs.keys(), seen.unseen) == ({OWN.id, OTHER.id}, frozenset())
    assert service.clock.now() - began < lag + 10


def test_a_job_that_is_never_listed_is_looked_for_until_time_is_up(service: FakeProvider) -> None:
    began = service.clock.now()
    service.lag_seconds = NEVER

    seen = sight(service).until_listed({OWN.id}, 90)

    assert seen == ({}, frozenset({OWN.id}), None)
    assert service.clock.now() - began == 90


def test_all_of_several_must_show(service: FakeProvider) -> None:
    service.shown_at[OTHER.id] += 5

    seen = sight(service).until_listed({OWN.id, OTHER.id}, 90)

    assert seen.unseen == frozenset()


def test_a_long_wait_is_said_once(service: FakeProvider) -> None:
    service.lag_seconds = 22
    said: list[str] = []

    sight(service, said).until_listed({OWN.id}, 90)

    assert said == ["waiting until the service lists ftjob-own (up to 90 s)"]


def test_a_short_wait_is_not_worth_a_word(service: FakeProvider) -> None:
    service.lag_seconds = 1.2
    said: list[str] = []

    sight(service, said).until_listed({OWN.id}, 90)

    assert said == []


def test_a_filter_that_finds_nothing_is_not_used_again(service: FakeProvider) -> None:
    service.filter_lag_seconds = NEVER
    eyes = sight(service)

    assert eyes.until_listed({OWN.id}, 90).unseen == frozenset()
    assert service.calls == ["jobs", "jobs whole"]

    eyes.until_listed({OWN.id}, 90)
    assert service.calls[2:] == ["jobs whole"]


def test_a_list_that_shows_nothing_else_is_read_once(service: FakeProvider) -> None:
    assert sight(service).once({OWN.id, OTHER.id}).unseen == frozenset()
    assert service.calls == ["jobs"]


def test_a_filter_that_shows_one_and_lags_with_another_is_used_again(
    service: FakeProvider,
) -> None:
    service.shown_at[OTHER.id] += 5
    eyes = sight(service)

    eyes.until_listed({OWN.id, OTHER.id}, 90)

    assert not eyes.whole
    assert service.calls[-1] == "jobs"


def test_where_the_filter_is_not_used_a_look_that_shows_nothing_is_one_request(
    service: FakeProvider,
) -> None:
    service.filter_finds_nothing = True
    eyes = sight(service)
    eyes.once({OWN.id})
    service.lag_seconds = NEVER
    service.calls.clear()

    assert eyes.once({OWN.id}).unseen == {OWN.id}
    assert service.calls == ["jobs whole"]


def test_a_look_that_fails_is_made_again(service: FakeProvider) -> None:
    service.at_next("jobs", refused(500))

    assert sight(service).until_listed({OWN.id}, 90).unseen == frozenset()


def test_a_list_that_cannot_be_read_is_told_as_it_is(service: FakeProvider) -> None:
    fault = refused(500)
    service.from_then_on("jobs", fault)

    assert sight(service).until_listed({OWN.id}, 90) == ({}, frozenset({OWN.id}), fault)
