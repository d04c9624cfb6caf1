"""Each guard of a purchase, with the order of events that it is for: a fake service, no wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import NEVER, FakeProvider, Lost, refused
from scenes import dataset

from ftctl.apply.job_creator import JobCreator, JobLimitReached
from ftctl.domain.observed import CheckpointModel, Job
from ftctl.domain.plan import FileRef, ParentModel, StartJob, Upload
from ftctl.errors import FtctlError, ProviderError

DATA = dataset("rows")
FILE = FileRef("rows", "rows.jsonl", DATA.sha256, "file-1")
START = StartJob("tone", "v1:tone", {"seed": 1}, "gpt", FILE, None)
UPLOAD = Upload("rows", "data/rows.jsonl", DATA.sha256, 10, "rows.jsonl")
PATH = Path("data/rows.jsonl")

# One that was bought before the plan was made, and others that are bought meanwhile.
OLD = Job("ftjob-old", "failed", 5, "tone", "v1:tone")
OTHERS = replace(OLD, id="ftjob-others", status="queued", created_at=7)


@pytest.fixture
def service() -> FakeProvider:
    return FakeProvider()


def creator(service: FakeProvider, *known: Job, commit: str | None = None) -> JobCreator:
    ids = frozenset(job.id for job in known)
    return JobCreator("demo", service, service.clock, frozenset(), ids, commit)


def elapsed(service: FakeProvider) -> float:
    return service.clock.now() - FakeProvider().clock.now()


# Creates whose answer is lost.


def test_a_lost_answer_makes_no_second_job(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=True))

    job = creator(service).start(START)

    assert (job.id, service.bought) == ("ftjob-1", 1)
    assert service.calls == ["start_job tone", "jobs"]
    assert elapsed(service) == 1


def test_a_create_that_was_not_carried_out_is_asked_again_after_the_grace_period(
    service: FakeProvider,
) -> None:
    service.at_next("start_job", Lost(carried_out=False))

    job = creator(service).start(START)

    assert (job.id, service.bought) == ("ftjob-1", 1)
    assert service.calls == [
        "start_job tone",
        "jobs",
        "jobs",
        "jobs",
        "jobs whole",
        "start_job tone",
    ]
    assert elapsed(service) == 1 + 2 + 4 + 8


def test_there_is_no_fourth_create_after_three_unknown_outcomes(service: FakeProvider) -> None:
    service.from_then_on("start_job", Lost(carried_out=False))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert fault.value.ambiguous
    assert len(service.called("start_job")) == 3


@pytest.mark.parametrize("lag", [0.5, 3, 6.9, 14.9])
def test_a_list_may_lag_by_as_much_as_the_grace_period(service: FakeProvider, lag: float) -> None:
    service.lag_seconds = lag
    service.at_next("start_job", Lost(carried_out=True))

    job = creator(service).start(START)

    assert (job.id, service.bought) == ("ftjob-1", 1)


def test_the_last_look_does_without_the_services_filter(service: FakeProvider) -> None:
    service.filter_lag_seconds = NEVER
    service.at_next("start_job", Lost(carried_out=True))

    job = creator(service).start(START)

    assert (job.id, service.bought) == ("ftjob-1", 1)
    assert service.called("jobs")[-1] == "jobs whole"


def test_where_nothing_can_be_seen_nothing_is_asked_again(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=False)).from_then_on("jobs", refused(503))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert fault.value.ambiguous  # the create's own fault, and not that of the look
    assert len(service.called("start_job")) == 1


def test_two_starts_never_claim_one_job(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=True), Lost(carried_out=False))
    buyer = creator(service)

    jobs = [buyer.start(START).id, buyer.start(START).id]

    assert jobs == ["ftjob-1", "ftjob-2"]


def test_a_start_does_not_claim_what_another_start_was_answered(service: FakeProvider) -> None:
    service.at_next("start_job", lambda: None, Lost(carried_out=False))
    buyer = creator(service)

    jobs = [buyer.start(START).id, buyer.start(START).id]

    assert jobs == ["ftjob-1", "ftjob-2"]


def test_a_job_that_was_known_before_is_not_taken_for_the_lost_one(service: FakeProvider) -> None:
    service.has(OLD).at_next("start_job", Lost(carried_out=False))

    job = creator(service, OLD).start(START)

    assert job.id == "ftjob-2"


@pytest.mark.parametrize(
    "other", [replace(OTHERS, digest="v1:other"), replace(OTHERS, replaces="ftjob-old")]
)
def test_a_job_for_something_else_is_not_taken_for_the_lost_one(
    service: FakeProvider, other: Job
) -> None:
    """Of another digest, or one that stands in for another job (`--replace`)."""
    service.has(other).at_next("start_job", Lost(carried_out=False))

    assert creator(service).start(START).id == "ftjob-2"


def test_a_replacement_is_not_taken_for_a_job_that_replaces_nothing(service: FakeProvider) -> None:
    service.has(OTHERS).at_next("start_job", Lost(carried_out=False))

    job = creator(service).start(replace(START, replaces="ftjob-old"))

    assert (job.id, job.replaces) == ("ftjob-2", "ftjob-old")


# Creates that are refused.


def test_a_refusal_that_lasts_is_asked_once(service: FakeProvider) -> None:
    service.from_then_on("start_job", refused(400))

    with pytest.raises(ProviderError):
        creator(service).start(START)

    assert service.calls == ["start_job tone"]


def test_a_refusal_that_passes_is_asked_again_after_growing_pauses(service: FakeProvider) -> None:
    service.at_next("start_job", *[refused(503, retryable=True)] * 5)

    job = creator(service).start(START)

    assert (job.id, len(service.called("start_job"))) == ("ftjob-1", 6)
    assert 15.5 * 0.75 < elapsed(service) < 15.5 * 1.25


def test_a_refusal_that_does_not_pass_in_six_asks_is_told(service: FakeProvider) -> None:
    service.from_then_on("start_job", refused(503, retryable=True))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert (fault.value.status, len(service.called("start_job"))) == (503, 6)


def test_an_answer_that_is_lost_at_the_last_ask_is_told_as_it_is(service: FakeProvider) -> None:
    slow = refused(429, retryable=True)
    service.at_next("start_job", *[slow] * 5, Lost(carried_out=False))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert (fault.value.ambiguous, len(service.called("start_job"))) == (True, 6)


@pytest.mark.parametrize(
    "limit",
    [
        refused(429, "daily_rate_limit_exceeded", retryable=True),
        refused(429, "too_many_concurrent_jobs", retryable=True),
        refused(429, "active_jobs_limit", retryable=True),
        refused(429, retryable=True, retry_after=61),
    ],
    ids=["daily", "concurrent", "active", "come back in more than a minute"],
)
def test_a_limit_on_jobs_is_asked_once_and_holds_for_the_whole_apply(
    service: FakeProvider, limit: ProviderError
) -> None:
    service.at_next("start_job", limit)
    buyer = creator(service)

    for _ in range(2):
        with pytest.raises(JobLimitReached, match="waits its turn: no"):
            buyer.start(START)

    assert service.calls == ["start_job tone"]


def test_a_service_that_wants_to_be_left_alone_for_long_is_not_waited_for(
    service: FakeProvider,
) -> None:
    service.from_then_on("start_job", refused(503, retryable=True, retry_after=61))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert (fault.value.status, len(service.called("start_job")), elapsed(service)) == (503, 1, 0)


def test_to_be_asked_more_slowly_is_no_limit_until_it_lasts(service: FakeProvider) -> None:
    service.from_then_on("start_job", refused(429, retryable=True, retry_after=60))

    with pytest.raises(JobLimitReached):
        creator(service).start(START)

    assert (len(service.called("start_job")), elapsed(service)) == (6, 300)


def test_a_used_up_quota_is_no_turn_to_wait_for(service: FakeProvider) -> None:
    service.at_next("start_job", refused(429, "insufficient_quota"))

    with pytest.raises(ProviderError):
        creator(service).start(START)


# Duplicates that two applies made at the same time.


def resolve(service: FakeProvider, step: StartJob, own: Job, *known: Job) -> tuple[Job, str | None]:
    return creator(service, *known).resolve_duplicates({"tone": (step, own)})["tone"]


def test_of_duplicates_the_oldest_wins_and_the_others_are_cancelled(service: FakeProvider) -> None:
    second, third = (replace(OTHERS, id=f"ftjob-{n}", created_at=7 + n) for n in (2, 3))
    service.has(third, OTHERS, second)

    winner, sentence = resolve(service, START, second)

    assert winner == OTHERS
    assert sentence == (
        "cancelled ftjob-3: ftjob-others is the same and older;"
        " cancelled ftjob-2: ftjob-others is the same and older"
    )
    assert service.made["ftjob-others"].status == "queued"


def test_of_duplicates_of_the_same_second_the_id_decides(service: FakeProvider) -> None:
    first, second = replace(OTHERS, id="ftjob-a"), replace(OTHERS, id="ftjob-b")
    service.has(first, second)

    assert resolve(service, START, second)[0] == first
    assert service.called("cancel_job") == ["cancel_job ftjob-b"]


def test_a_duplicate_that_has_already_succeeded_wins(service: FakeProvider) -> None:
    done = replace(OTHERS, status="succeeded", model="ft:others")
    own = replace(OTHERS, id="ftjob-own", created_at=8)
    service.has(done, own)

    winner, sentence = resolve(service, START, own)

    assert winner == done
    assert sentence == "cancelled ftjob-own: ftjob-others is the same and older"


def test_a_younger_duplicate_that_has_succeeded_is_left_alone(service: FakeProvider) -> None:
    done = replace(OTHERS, status="succeeded", model="ft:others")
    own = replace(OTHERS, id="ftjob-own", created_at=6)
    service.has(done, own)

    assert resolve(service, START, own) == (own, None)
    assert service.calls == ["jobs"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_duplicate_that_came_to_nothing_wins_nothing(service: FakeProvider, status: str) -> None:
    own = replace(OTHERS, id="ftjob-own", created_at=8)
    service.has(replace(OTHERS, status=status), own)

    assert resolve(service, START, own) == (own, None)


def test_a_job_that_was_known_before_is_no_duplicate(service: FakeProvider) -> None:
    """A model that was deleted is bought again: its old job is the same, and succeeded."""
    known = replace(OTHERS, status="succeeded", model="ft:old")
    own = replace(OTHERS, id="ftjob-own", created_at=8)
    service.has(known, own)

    assert resolve(service, START, own, known) == (own, None)


def test_a_replacement_is_no_duplicate_of_what_replaces_nothing(service: FakeProvider) -> None:
    own = replace(OTHERS, id="ftjob-own", created_at=8, replaces="ftjob-old")
    service.has(OTHERS, own)

    assert resolve(service, replace(START, replaces="ftjob-old"), own) == (own, None)


def test_a_job_of_another_digest_is_no_duplicate(service: FakeProvider) -> None:
    own = replace(OTHERS, id="ftjob-own", created_at=8)
    service.has(replace(OTHERS, digest="v1:other"), own)

    assert resolve(service, START, own) == (own, None)


def test_what_the_list_does_not_show_yet_is_still_ours(service: FakeProvider) -> None:
    assert resolve(service, START, OTHERS) == (OTHERS, None)


def test_a_duplicate_that_cannot_be_stopped_is_left_to_the_next_apply(
    service: FakeProvider,
) -> None:
    second, third = (replace(OTHERS, id=f"ftjob-{n}", created_at=7 + n) for n in (2, 3))
    service.has(OTHERS, second, third).at_next("cancel_job", refused(500))

    winner, sentence = resolve(service, START, OTHERS)

    assert (winner, sentence) == (OTHERS, "cancelled ftjob-2: ftjob-others is the same and older")


def test_without_a_look_there_are_no_duplicates_to_tell_of(service: FakeProvider) -> None:
    service.from_then_on("jobs", refused(503))

    assert creator(service).resolve_duplicates({"tone": (START, OTHERS)}) == {}


def test_where_nothing_was_started_nothing_is_looked_at(service: FakeProvider) -> None:
    assert creator(service).resolve_duplicates({}) == {}
    assert service.calls == []


# Uploads.


def test_an_upload_whose_answer_is_lost_is_taken_for_it(service: FakeProvider) -> None:
    service.lag_seconds = 5
    service.at_next("upload", Lost(carried_out=True))

    assert creator(service).upload(UPLOAD, PATH) == "file-1"
    assert (len(service.files), len(service.called("find_upload"))) == (1, 3)


def test_an_upload_that_is_lost_again_is_looked_for_again(service: FakeProvider) -> None:
    service.at_next("upload", Lost(carried_out=False))
    service.at_next("upload", Lost(carried_out=True))

    assert creator(service).upload(UPLOAD, PATH) == "file-1"
    assert (len(service.files), len(service.called("upload"))) == (1, 2)


def test_an_upload_that_was_not_carried_out_is_sent_again(service: FakeProvider) -> None:
    service.at_next("upload", Lost(carried_out=False))

    assert creator(service).upload(UPLOAD, PATH) == "file-1"
    assert (len(service.called("upload")), elapsed(service)) == (2, 15)


@pytest.mark.parametrize(("fault", "asks"), [(refused(400), 1), (refused(503, retryable=True), 6)])
def test_an_upload_that_is_refused_is_not_looked_for(
    service: FakeProvider, fault: ProviderError, asks: int
) -> None:
    service.from_then_on("upload", fault)

    with pytest.raises(ProviderError):
        creator(service).upload(UPLOAD, PATH)

    assert service.calls == ["upload rows.jsonl"] * asks


# What a job is created from.


def test_a_file_that_this_apply_uploads_is_used_by_its_id(service: FakeProvider) -> None:
    buyer = creator(service)
    buyer.upload(UPLOAD, PATH)
    new = replace(FILE, id=None)

    job = buyer.start(replace(START, training=new, validation=replace(FILE, id="file-9")))

    assert (job.training_file, job.validation_file) == ("file-1", "file-9")


def test_without_its_file_a_job_is_not_asked_for(service: FakeProvider) -> None:
    with pytest.raises(FtctlError, match="the upload of rows that it needs did not succeed"):
        creator(service).start(replace(START, training=replace(FILE, id=None)))

    assert service.calls == []


def test_a_job_carries_whose_it_is_and_what_it_was_bought_for(service: FakeProvider) -> None:
    job = creator(service, commit="c0ffee").start(replace(START, replaces="ftjob-old"))

    assert (job.base_model, job.training_file, job.validation_file) == ("gpt", "file-1", None)
    assert service.tags[job.id] == {
        "ftctl_project": "demo",
        "ftctl_finetune": "tone",
        "ftctl_digest": "v1:tone",
        "ftctl_commit": "c0ffee",
        "ftctl_spec": '{"seed":1}',
        "ftctl_replaces": "ftjob-old",
    }


STEPS = (
    CheckpointModel("ft:2", 2, 0.5),
    CheckpointModel("ft:6", 6, None),
    CheckpointModel("ft:4", 4, 0.25),
    CheckpointModel("ft:8", 8, 0.25),
)


@pytest.mark.parametrize(
    ("checkpoint", "model"), [("last", "ft:parent"), ("best", "ft:8"), (4, "ft:4"), (6, "ft:6")]
)
def test_a_child_starts_from_the_checkpoint_that_it_names(
    service: FakeProvider, checkpoint: object, model: str
) -> None:
    """The best is the one of the least loss; of equals the later one."""
    service.steps["ftjob-parent"] = STEPS
    parent = ParentModel("ftjob-parent", "ft:parent", checkpoint)  # type: ignore[arg-type]

    assert creator(service).start(replace(START, base_model=parent)).base_model == model


@pytest.mark.parametrize(
    ("checkpoint", "kept", "hint"),
    [
        (3, STEPS, "it has them at: 2, 4, 6, 8"),
        (3, (), "it kept none"),
        ("best", STEPS[1:2], "give the parent a validation file, or use 'checkpoint: last'"),
    ],
)
def test_a_checkpoint_that_is_not_there_buys_nothing(
    service: FakeProvider, checkpoint: object, kept: tuple[CheckpointModel, ...], hint: str
) -> None:
    service.steps["ftjob-parent"] = kept
    parent = ParentModel("ftjob-parent", "ft:parent", checkpoint)  # type: ignore[arg-type]

    with pytest.raises(FtctlError) as fault:
        creator(service).start(replace(START, base_model=parent))

    assert fault.value.hint == hint
    assert service.called("start_job") == []
