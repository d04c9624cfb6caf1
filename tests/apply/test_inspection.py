"""What was just bought is looked at: as asked, with its mark, and alone; else it is cancelled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import BY_FILE_NAME, NEVER, TERMS, FakeProvider, refused

from ftctl.apply.duplicates import Duplicates
from ftctl.apply.inspection import Inspector, Purchase, Verdict
from ftctl.apply.sight import Sight
from ftctl.apply.terms import Terms
from ftctl.domain.observed import Job
from ftctl.domain.plan import FileRef, StartJob

SPEC = {"hyperparameters": {"n_epochs": 3, "batch_size": 64}, "seed": 1}
FILE = FileRef("rows", "rows.jsonl", "0" * 64, "file-1")
STEP = StartJob("tone", "v1:tone", SPEC, "gpt-4.1-mini", FILE, None)
JOB = Job(
    "ftjob-1", "validating_files", 8, "tone", "v1:tone",
    base_model="gpt-4.1-mini-2025-04-14", training_file="file-1",
    hyperparameters={"n_epochs": 3, "batch_size": "auto"},
)  # fmt: skip
FIRST = Purchase(STEP, JOB, "gpt-4.1-mini", "file-1")
SECOND = FIRST._replace(job=replace(JOB, id="ftjob-2", created_at=9))


@pytest.fixture
def service() -> FakeProvider:
    service = FakeProvider().has(JOB)
    service.shown_at[JOB.id] = service.clock.now()
    return service


def inspector(
    service: FakeProvider, terms: Terms = TERMS, said: list[str] | None = None, *known: Job
) -> Inspector:
    note = (said if said is not None else []).append
    sight = Sight(service, "demo", service.clock, note)
    duplicates = Duplicates(service, note, terms.is_alike)
    return Inspector(service, terms, sight, duplicates, frozenset(job.id for job in known), note)


def look(service: FakeProvider, terms: Terms = TERMS, said: list[str] | None = None) -> Verdict:
    return inspector(service, terms, said).inspect({"tone": FIRST})["tone"]


def test_the_first_purchase_costs_a_look_by_its_id_and_one_at_the_list(
    service: FakeProvider,
) -> None:
    assert look(service) == Verdict(JOB)
    assert service.calls == ["job ftjob-1", "jobs"]


def test_later_purchases_cost_a_look_at_the_list(service: FakeProvider) -> None:
    eyes = inspector(service)
    eyes.inspect({"tone": FIRST})
    service.has(SECOND.job)

    step = replace(STEP, finetune="calm", digest="v1:calm")
    calm = Purchase(step, replace(SECOND.job, digest="v1:calm"), "gpt-4.1-mini", "file-1")
    service.has(calm.job)
    assert eyes.inspect({"calm": calm}) == {"calm": Verdict(calm.job)}
    assert service.calls[2:] == ["jobs"]


def test_where_nothing_was_bought_nothing_is_looked_at(service: FakeProvider) -> None:
    assert inspector(service).inspect({}) == {}
    assert service.calls == []


# Marks.


def test_a_job_that_has_lost_its_mark_is_cancelled_and_the_cure_is_told(
    service: FakeProvider,
) -> None:
    service.becomes("ftjob-1", digest=None)

    verdict = look(service)

    assert service.made["ftjob-1"].status == "cancelled"
    assert verdict.sentence == "cancelled ftjob-1: not as it was asked for"
    assert str(verdict.error) == (
        "ftjob-1 has no mark to find it by again: the service keeps no metadata: it was"
        " cancelled, and nothing more is bought"
    )
    assert verdict.error is not None
    assert verdict.error.hint == (
        "write 'mark: file-name' below 'provider' in ftctl.yaml, then 'ftctl apply --retry-failed'"
    )


def test_a_job_without_its_mark_that_no_list_shows_as_ours_has_lost_it(
    service: FakeProvider,
) -> None:
    service.metadata_dropped = True

    verdict = look(service)

    assert service.calls == ["job ftjob-1", "jobs", "jobs whole", "cancel_job ftjob-1"]
    assert "has no mark to find it by again" in str(verdict.error)


def test_without_a_list_to_tell_otherwise_a_mark_that_is_not_there_is_lost(
    service: FakeProvider,
) -> None:
    service.becomes("ftjob-1", digest=None).from_then_on("jobs", refused(500))

    assert "has no mark to find it by again" in str(look(service).error)


def test_a_job_that_is_wrong_in_two_ways_is_cancelled_once(service: FakeProvider) -> None:
    service.becomes("ftjob-1", digest=None, hyperparameters={"n_epochs": 8})

    assert "trains with n_epochs 8" in str(look(service).error)
    assert service.calls == ["job ftjob-1", "cancel_job ftjob-1"]


def test_a_mark_that_was_changed_is_lost(service: FakeProvider) -> None:
    service.becomes("ftjob-1", digest="v1:to")

    verdict = look(service)

    assert "has another mark than it was given" in str(verdict.error)
    assert service.made["ftjob-1"].status == "cancelled"


def test_a_mark_that_the_list_alone_shows_is_one(service: FakeProvider) -> None:
    """Some services repeat metadata in lists, and not where a job is asked for by its id."""
    service.at_next("job", lambda: service.becomes("ftjob-1", digest=None))
    service.at_next("jobs", lambda: service.has(JOB))

    assert look(service) == Verdict(JOB)


def test_a_mark_that_the_list_alone_lacks_is_lost(service: FakeProvider) -> None:
    service.at_next("jobs", lambda: service.becomes("ftjob-1", digest="v1:to"))

    assert "has another mark" in str(look(service).error)


def test_where_jobs_cannot_be_asked_for_by_id_the_list_decides(service: FakeProvider) -> None:
    service.from_then_on("job", refused(405))

    assert look(service) == Verdict(JOB)
    service.becomes("ftjob-1", digest=None, status="queued")
    assert look(service).error is not None


def test_a_job_that_cannot_be_cancelled_is_told_with_its_id(service: FakeProvider) -> None:
    service.becomes("ftjob-1", digest=None).at_next("cancel_job", refused(403))

    error = look(service).error

    assert error is not None
    assert "it could not be cancelled (ask: no (HTTP 403)), and nothing more is bought" in str(
        error
    )
    assert (error.hint or "").startswith("cancel ftjob-1 at the service: it is billed; write")


def test_a_job_that_is_over_before_it_is_cancelled_is_told_as_it_is(service: FakeProvider) -> None:
    service.becomes("ftjob-1", digest=None, status="succeeded", model="ft:1")

    verdict = look(service)

    assert "it was over before it could be cancelled (succeeded)" in str(verdict.error)
    assert verdict.job.model == "ft:1"


def test_where_a_file_is_the_mark_a_job_on_another_file_has_lost_it(service: FakeProvider) -> None:
    service.becomes("ftjob-1", training_file="file-copy")

    verdict = look(service, BY_FILE_NAME)

    assert "trains on file-copy, and not on file-1, whose name is its mark" in str(verdict.error)
    assert service.made["ftjob-1"].status == "cancelled"


@pytest.mark.parametrize("file", [None, "file-1"])
def test_where_a_file_is_the_mark_no_metadata_is_asked_for(
    service: FakeProvider, file: str | None
) -> None:
    service.becomes("ftjob-1", training_file=file, digest=None)

    assert look(service, BY_FILE_NAME).error is None


# Lists.


@pytest.mark.parametrize("lag", [0.4, 3, 22, 60])
def test_a_list_that_lags_is_waited_for(service: FakeProvider, lag: float) -> None:
    service.lag_seconds = lag

    assert look(service) == Verdict(JOB)


def test_where_the_filter_finds_nothing_the_whole_list_is_used_from_then_on(
    service: FakeProvider,
) -> None:
    service.filter_lag_seconds = NEVER
    eyes = inspector(service)

    assert eyes.inspect({"tone": FIRST}) == {"tone": Verdict(JOB)}
    assert service.calls == ["job ftjob-1", "jobs", "jobs whole"]
    service.has(SECOND.job)
    eyes.inspect({"tone": SECOND})
    assert service.calls[3] == "jobs whole"


def test_a_job_that_no_list_shows_stays_and_what_to_do_is_told(service: FakeProvider) -> None:
    service.lag_seconds = NEVER
    began = service.clock.now()

    verdict = look(service)

    assert service.clock.now() - began == 65
    assert (verdict.job, service.called("cancel_job")) == (JOB, [])
    assert str(verdict.error) == (
        "ftjob-1 was bought, and the service does not list it after 65 s; nothing more is bought"
    )
    assert verdict.error is not None
    assert "cancel ftjob-1 at the service" in (verdict.error.hint or "")


def test_a_list_that_cannot_be_read_is_told(service: FakeProvider) -> None:
    service.from_then_on("jobs", refused(500))

    assert "does not list it after 65 s (ask: no (HTTP 500))" in str(look(service).error)


def test_a_later_purchase_that_no_list_shows_stops_the_others_too(service: FakeProvider) -> None:
    eyes = inspector(service)
    eyes.inspect({"tone": FIRST})
    service.lag_seconds = NEVER
    began = service.clock.now()

    verdict = eyes.inspect({"tone": SECOND})["tone"]

    assert verdict.error is not None
    assert service.clock.now() - began == 90


# What it trains.


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"base_model": "gpt-4.1-nano"}, "base_model gpt-4.1-nano, asked was gpt-4.1-mini"),
        ({"hyperparameters": {"n_epochs": 8}}, "n_epochs 8, asked was 3"),
    ],
    ids=["another model", "more than was approved"],
)
@pytest.mark.parametrize("told_by", ["answer", "id", "list"])
def test_what_is_dearer_or_another_model_is_cancelled(
    service: FakeProvider, facts: dict[str, object], words: str, told_by: str
) -> None:
    odd = replace(JOB, **facts)  # type: ignore[arg-type]
    purchase = FIRST._replace(job=odd) if told_by == "answer" else FIRST
    if told_by != "answer":
        service.at_next({"id": "job", "list": "jobs"}[told_by], lambda: service.has(odd))

    verdict = inspector(service).inspect({"tone": purchase})["tone"]

    assert service.made["ftjob-1"].status == "cancelled"
    assert str(verdict.error) == (
        f"ftjob-1 trains with {words}: it was cancelled, and nothing more is bought"
    )
    assert verdict.error is not None
    assert (verdict.error.hint or "").endswith(", then 'ftctl apply --retry-failed'")


def test_what_later_purchases_train_is_compared_as_well(service: FakeProvider) -> None:
    eyes = inspector(service)
    eyes.inspect({"tone": FIRST})
    odd = replace(SECOND.job, hyperparameters={"n_epochs": 8})
    service.has(odd)

    verdict = eyes.inspect({"tone": SECOND._replace(job=odd)})["tone"]

    assert verdict.error is not None
    assert service.made["ftjob-2"].status == "cancelled"


def test_any_other_difference_is_told_once_and_kept(service: FakeProvider) -> None:
    odd = replace(JOB, hyperparameters={"n_epochs": 2, "batch_size": 1}, seed=5)
    service.has(odd)
    said: list[str] = []

    verdict = inspector(service, said=said).inspect({"tone": FIRST._replace(job=odd)})["tone"]

    assert (verdict.job, verdict.error) == (odd, None)
    told = "n_epochs 2, asked was 3; batch_size 1, asked was 64; seed 5, asked was 1"
    assert said == [f"warning: tone: ftjob-1 trains with {told}"]


def test_any_difference_is_cancelled_where_the_policy_says_so(service: FakeProvider) -> None:
    service.becomes("ftjob-1", hyperparameters={"batch_size": 1})

    verdict = look(service, replace(TERMS, exact=True))

    assert service.made["ftjob-1"].status == "cancelled"
    assert verdict.error is not None
    assert (verdict.error.hint or "").startswith("leave 'exact_hyperparameters' out of 'policy'")


@pytest.mark.parametrize(
    "facts",
    [
        {"base_model": None},
        {"base_model": "gpt-4.1-mini-2025-04-14"},
        {"hyperparameters": {}},
        {"hyperparameters": {"n_epochs": "auto", "learning_rate_multiplier": 0.1}},
    ],
)
def test_what_is_not_repeated_or_was_left_to_the_service_is_no_difference(
    service: FakeProvider, facts: dict[str, object]
) -> None:
    service.becomes("ftjob-1", **facts)
    said: list[str] = []

    assert look(service, replace(TERMS, exact=True), said) == Verdict(JOB)
    assert said == []


def test_a_child_is_compared_with_the_model_that_was_sent(service: FakeProvider) -> None:
    """Some services tell of a job that continues from a fine-tuned model the base of that."""
    sent = "ft:gpt-4.1-mini-2025-04-14:org::abc:ckpt-step-4"
    for told in (sent, "gpt-4.1-mini-2025-04-14"):
        service.becomes("ftjob-1", base_model=told)
        verdict = inspector(service).inspect({"tone": FIRST._replace(base_model=sent)})["tone"]
        assert verdict.error is None


# Duplicates.


def test_of_duplicates_the_winner_is_followed(service: FakeProvider) -> None:
    older = replace(JOB, id="ftjob-0", created_at=7)
    service.has(older)

    verdict = look(service)

    assert verdict == Verdict(older, "cancelled ftjob-1: ftjob-0 is the same and older")


def test_a_duplicate_that_shows_no_earlier_than_ours_is_found(service: FakeProvider) -> None:
    """Both lists lag: a look that does not show ours says nothing of the other."""
    older = replace(JOB, id="ftjob-0", created_at=7)
    service.has(older).lag_seconds = 0.4
    service.shown_at["ftjob-0"] = service.shown_at["ftjob-1"]

    assert look(service).job == older


def test_a_job_that_was_known_before_is_no_duplicate(service: FakeProvider) -> None:
    older = replace(JOB, id="ftjob-0", created_at=7)
    service.has(older)

    verdict = inspector(service, TERMS, None, older).inspect({"tone": FIRST})["tone"]

    assert verdict == Verdict(JOB)
