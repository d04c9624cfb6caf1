"""Of jobs that two runs bought at the same time one stays: both runs come to the same one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import TERMS, FakeProvider, refused

from ftctl.apply.duplicates import Duplicates
from ftctl.domain.observed import Job

OTHERS = Job("ftjob-others", "queued", 7, "tone", "v1:tone")
OWN = replace(OTHERS, id="ftjob-own", created_at=8)
DONE = replace(OTHERS, status="succeeded", model="ft:others", finished_at=20)


@pytest.fixture
def service() -> FakeProvider:
    return FakeProvider()


def settle(
    service: FakeProvider, own: Job, *known: Job, said: list[str] | None = None
) -> tuple[Job, tuple[str, ...]]:
    heard = said if said is not None else []
    duplicates = Duplicates(service, heard.append, TERMS.is_alike)
    return duplicates.settle(own, service.made.values(), frozenset(job.id for job in known))


def test_the_oldest_wins_and_the_others_are_cancelled(service: FakeProvider) -> None:
    second, third = (replace(OTHERS, id=f"ftjob-{n}", created_at=7 + n) for n in (2, 3))
    service.has(third, OTHERS, second)

    winner, sentences = settle(service, second)

    assert winner == OTHERS
    assert sentences == (
        "cancelled ftjob-3: ftjob-others is the same and older",
        "cancelled ftjob-2: ftjob-others is the same and older",
    )
    assert service.made["ftjob-others"].status == "queued"


def test_one_that_cannot_be_read_wins_nothing_and_is_left_alone(service: FakeProvider) -> None:
    """It is told without its time, and would be the oldest."""
    odd = replace(OTHERS, id="ftjob-odd", status="unreadable", created_at=0)
    service.has(odd, OWN)

    assert settle(service, OWN) == (OWN, ())
    assert service.made["ftjob-odd"].status == "unreadable"


def test_of_the_same_second_the_id_decides(service: FakeProvider) -> None:
    first, second = replace(OTHERS, id="ftjob-a"), replace(OTHERS, id="ftjob-b")
    service.has(first, second)

    assert settle(service, second)[0] == first
    assert service.called("cancel_job") == ["cancel_job ftjob-b"]


@pytest.mark.parametrize("created_at", [6, 8])
def test_one_that_has_its_model_wins_however_young(service: FakeProvider, created_at: int) -> None:
    own = replace(OWN, created_at=created_at)
    service.has(DONE, own)

    winner, sentences = settle(service, own)

    assert winner == DONE
    assert sentences == ("cancelled ftjob-own: ftjob-others is the same and done",)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
@pytest.mark.parametrize("own", [OWN, replace(OWN, status="cancelled")], ids=["runs", "cancelled"])
@pytest.mark.parametrize("model", [None, "ft:half"])
def test_one_that_came_to_nothing_wins_nothing(
    service: FakeProvider, status: str, own: Job, model: str | None
) -> None:
    service.has(replace(OTHERS, status=status, model=model), own)

    assert settle(service, own) == (own, ())


def test_ours_that_another_run_has_cancelled_gives_way(service: FakeProvider) -> None:
    own = replace(OWN, status="cancelled")
    service.has(OTHERS, own)

    told = "another run cancelled ftjob-own: ftjob-others is the same and older"
    assert settle(service, own) == (OTHERS, (told,))
    assert service.calls == []


def test_ours_that_was_cancelled_gives_way_to_a_younger_one(service: FakeProvider) -> None:
    own = replace(OWN, created_at=6, status="cancelled")
    service.has(OTHERS, own)

    told = "another run cancelled ftjob-own: ftjob-others is the same and goes on"
    assert settle(service, own) == (OTHERS, (told,))


def test_ours_that_was_cancelled_alone_stays(service: FakeProvider) -> None:
    own = replace(OWN, status="cancelled")
    service.has(own)

    assert settle(service, own) == (own, ())


def test_one_that_was_known_before_is_no_duplicate(service: FakeProvider) -> None:
    service.has(DONE, OWN)

    assert settle(service, OWN, DONE) == (OWN, ())


def test_one_that_was_over_before_ours_was_made_is_no_duplicate(service: FakeProvider) -> None:
    """A model that was deleted is bought again: its old job is the same, and succeeded."""
    service.has(replace(DONE, finished_at=7), OWN)

    assert settle(service, OWN) == (OWN, ())


def test_one_without_a_model_yet_is_not_cancelled(service: FakeProvider) -> None:
    named_late = replace(OWN, id="ftjob-late", status="succeeded", created_at=9)
    service.has(OWN, named_late)

    assert settle(service, OWN) == (OWN, ())
    assert service.calls == []


def test_a_replacement_is_no_duplicate_of_what_it_replaces(service: FakeProvider) -> None:
    own = replace(OWN, replaces="ftjob-others", follows="ftjob-others")
    service.has(OTHERS, own)

    assert settle(service, own) == (own, ())
    assert settle(service, OTHERS) == (OTHERS, ())


def test_two_replacements_of_one_job_are_duplicates(service: FakeProvider) -> None:
    first, second = (replace(job, replaces="ftjob-1") for job in (OTHERS, OWN))
    service.has(first, second)

    assert settle(service, second)[0] == first


@pytest.mark.parametrize("digest", ["v1:other", None])
def test_a_job_of_another_digest_is_no_duplicate(service: FakeProvider, digest: str | None) -> None:
    service.has(replace(OTHERS, digest=digest), OWN)

    assert settle(service, OWN) == (OWN, ())


def test_jobs_without_a_digest_are_no_duplicates(service: FakeProvider) -> None:
    own = replace(OWN, digest=None)
    service.has(replace(OTHERS, digest=None), own)

    assert settle(service, own) == (own, ())


def test_what_no_list_shows_is_still_ours(service: FakeProvider) -> None:
    assert settle(service, OWN) == (OWN, ())


def test_one_that_cannot_be_stopped_is_told_once_with_what_to_do(service: FakeProvider) -> None:
    service.has(OTHERS, OWN).from_then_on("cancel_job", refused(403))
    said: list[str] = []
    duplicates = Duplicates(service, said.append, TERMS.is_alike)

    for _ in range(3):
        assert duplicates.settle(OWN, service.made.values()) == (OTHERS, ())

    (sentence,) = said
    assert sentence == (
        "warning: ftjob-own is the same as ftjob-others, and could not be cancelled: ask: no"
        " (HTTP 403)\n    hint: it is billed; 'ftctl apply' tries again, or cancel it at the"
        " service"
    )
    assert service.called("cancel_job") == ["cancel_job ftjob-own"]


# Where the name of a file is the mark, whoever trains on that file bears it.


BY_FILE = replace(OTHERS, by_file=True, base_model="gpt-4.1-mini-2025-04-14")
OWN_BY_FILE = replace(OWN, by_file=True, base_model="gpt-4.1-mini", hyperparameters={"n_epochs": 3})


@pytest.mark.parametrize(
    "strangers",
    [
        replace(BY_FILE, base_model="gpt-4.1-nano"),
        replace(BY_FILE, hyperparameters={"n_epochs": 7}),
        replace(BY_FILE, validation_file="file-9"),
    ],
    ids=["another model", "other epochs", "with a validation file"],
)
def test_a_strangers_job_on_our_file_neither_wins_nor_is_cancelled(
    service: FakeProvider, strangers: Job
) -> None:
    younger = replace(strangers, id="ftjob-young", created_at=9)
    service.has(strangers, OWN_BY_FILE, younger)

    assert settle(service, OWN_BY_FILE) == (OWN_BY_FILE, ())
    assert service.calls == []


@pytest.mark.parametrize(
    ("status", "number"), [("queued", "auto"), ("running", 3), ("running", "auto")]
)
def test_what_auto_becomes_in_time_does_not_tell_duplicates_apart(
    service: FakeProvider, status: str, number: object
) -> None:
    own = replace(OWN_BY_FILE, status="queued", hyperparameters={"n_epochs": "auto"})
    duplicate = replace(BY_FILE, status=status, hyperparameters={"n_epochs": number})
    service.has(own, duplicate)

    assert settle(service, own)[0] == duplicate


def test_auto_here_and_a_number_there_from_the_beginning_is_a_stranger(
    service: FakeProvider,
) -> None:
    own = replace(OWN_BY_FILE, hyperparameters={"n_epochs": "auto"})
    service.has(own, replace(BY_FILE, hyperparameters={"n_epochs": 7}))

    assert settle(service, own) == (own, ())


def test_metadata_says_itself_what_was_asked_for(service: FakeProvider) -> None:
    duplicate = replace(BY_FILE, by_file=False, hyperparameters={"n_epochs": 7})
    service.has(duplicate, OWN_BY_FILE)

    assert settle(service, OWN_BY_FILE)[0] == duplicate
