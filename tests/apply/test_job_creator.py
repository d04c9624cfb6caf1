"""Each guard of a purchase, with the order of events that it is for: a fake service, no wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import BY_FILE_NAME, NEVER, TERMS, FakeProvider, KeptJournal, Lost, Says, refused
from scenes import dataset

from ftctl.apply.inspection import NotAsAsked
from ftctl.apply.job_creator import JobCreator, JobLimitReached
from ftctl.apply.terms import Terms
from ftctl.domain.desired import Origin
from ftctl.domain.observed import CheckpointModel, File, Job
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


def creator(
    service: FakeProvider,
    *known: Job,
    commit: str | None = None,
    journal: KeptJournal | None = None,
    terms: Terms = TERMS,
    environment: str | None = None,
    said: list[str] | None = None,
) -> JobCreator:
    ids = frozenset(job.id for job in known)
    heard = said if said is not None else []
    return JobCreator(
        "demo", service, service.clock, frozenset(), ids, commit, journal or KeptJournal(), terms,
        environment, heard.append,
    )  # fmt: skip


def elapsed(service: FakeProvider) -> float:
    return service.clock.now() - FakeProvider().clock.now()


# Creates whose answer is lost.


def test_a_lost_answer_makes_no_second_job(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=True))

    job = creator(service).start(START).job

    assert (job.id, service.bought) == ("ftjob-1", 1)
    assert service.calls == ["start_job tone", "jobs"]
    assert elapsed(service) == 1


def test_a_create_that_was_not_carried_out_is_asked_again_after_the_grace_period(
    service: FakeProvider,
) -> None:
    service.at_next("start_job", Lost(carried_out=False))

    job = creator(service).start(START).job

    assert (job.id, service.bought) == ("ftjob-1", 1)
    looks = ["jobs"] * 3 + ["observe_account"] * 4
    assert service.calls == ["start_job tone", *looks, "start_job tone"]
    assert elapsed(service) == 1 + 2 + 4 + 8 + 15 + 30 + 30


def test_there_is_no_fourth_create_after_three_unknown_outcomes(service: FakeProvider) -> None:
    service.from_then_on("start_job", Lost(carried_out=False))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert fault.value.ambiguous
    assert len(service.called("start_job")) == 3


@pytest.mark.parametrize("lag", [0.5, 3, 14.9, 30, 60, 89])
def test_a_list_may_lag_by_as_much_as_the_grace_period(service: FakeProvider, lag: float) -> None:
    service.lag_seconds = lag
    service.at_next("start_job", Lost(carried_out=True))

    job = creator(service).start(START).job

    assert (job.id, service.bought) == ("ftjob-1", 1)


def test_the_later_looks_do_without_the_services_filter(service: FakeProvider) -> None:
    service.filter_lag_seconds = NEVER
    service.at_next("start_job", Lost(carried_out=True))

    job = creator(service).start(START).job

    assert (job.id, service.bought) == ("ftjob-1", 1)
    assert service.calls[-1] == "observe_account"


def test_where_nothing_can_be_seen_nothing_is_asked_again(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=False)).from_then_on("jobs", refused(503))

    with pytest.raises(ProviderError) as fault:
        creator(service).start(START)

    assert fault.value.ambiguous  # the create's own fault, and not that of the look
    assert len(service.called("start_job")) == 1


def test_two_starts_never_claim_one_job(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=True), Lost(carried_out=False))
    buyer = creator(service)

    jobs = [buyer.start(START).job.id, buyer.start(START).job.id]

    assert jobs == ["ftjob-1", "ftjob-2"]


def test_a_start_does_not_claim_what_another_start_was_answered(service: FakeProvider) -> None:
    service.at_next("start_job", lambda: None, Lost(carried_out=False))
    buyer = creator(service)

    jobs = [buyer.start(START).job.id, buyer.start(START).job.id]

    assert jobs == ["ftjob-1", "ftjob-2"]


def test_a_job_that_was_known_before_is_not_taken_for_the_lost_one(service: FakeProvider) -> None:
    service.has(OLD).at_next("start_job", Lost(carried_out=False))

    job = creator(service, OLD).start(START).job

    assert job.id == "ftjob-2"


@pytest.mark.parametrize(
    "other", [replace(OTHERS, digest="v1:other"), replace(OTHERS, replaces="ftjob-old")]
)
def test_a_job_for_something_else_is_not_taken_for_the_lost_one(
    service: FakeProvider, other: Job
) -> None:
    """Of another digest, or one that stands in for another job (`--replace`)."""
    service.has(other).at_next("start_job", Lost(carried_out=False))

    assert creator(service).start(START).job.id == "ftjob-2"


def test_a_replacement_is_not_taken_for_a_job_that_replaces_nothing(service: FakeProvider) -> None:
    service.has(OTHERS).at_next("start_job", Lost(carried_out=False))

    job = creator(service).start(replace(START, replaces="ftjob-old")).job

    assert (job.id, job.replaces) == ("ftjob-2", "ftjob-old")


def test_a_job_without_our_mark_may_be_the_lost_one_and_stops_the_purchase(
    service: FakeProvider,
) -> None:
    service.metadata_dropped = True
    service.at_next("start_job", Lost(carried_out=True))
    journal = KeptJournal()

    with pytest.raises(NotAsAsked, match="ftjob-1 trains the same on its file without our mark"):
        creator(service, journal=journal).start(START)

    assert service.bought == 1
    assert journal.lines == ["asked tone"]  # it stays open


@pytest.mark.parametrize(
    "strangers",
    [
        replace(OTHERS, digest=None, training_file="file-1", base_model="another"),
        replace(OTHERS, digest=None, training_file="file-1", seed=2),
        replace(OTHERS, digest=None, training_file="file-other"),
    ],
    ids=["another model", "another seed", "another file"],
)
def test_a_strangers_job_is_not_taken_for_the_lost_one(
    service: FakeProvider, strangers: Job
) -> None:
    service.at_next("start_job", Lost(carried_out=False)).has(strangers)

    assert creator(service).start(START).job.id == "ftjob-2"


def test_a_strangers_job_that_was_seen_before_is_not_taken_for_the_lost_one(
    service: FakeProvider,
) -> None:
    known = replace(OTHERS, digest=None, training_file="file-1")
    service.at_next("start_job", Lost(carried_out=False)).has(known)

    assert creator(service, known).start(START).job.id == "ftjob-2"


def test_a_job_that_bears_our_files_name_and_trains_otherwise_is_not_the_lost_one(
    service: FakeProvider,
) -> None:
    strangers = replace(OTHERS, by_file=True, hyperparameters={"n_epochs": 7})
    service.at_next("start_job", Lost(carried_out=False)).has(strangers)
    step = replace(START, spec={"hyperparameters": {"n_epochs": 3}})

    assert creator(service, terms=BY_FILE_NAME).start(step).job.id == "ftjob-2"


ODD = Job("ftjob-odd", "unreadable", 0, None, None)


@pytest.mark.parametrize(
    "odd",
    [ODD, replace(ODD, finetune="tone"), replace(ODD, digest="v1:tone", replaces="ftjob-1")],
    ids=["nothing told", "of its name", "of its digest"],
)
def test_a_new_job_that_cannot_be_read_may_be_the_lost_one_and_stops_the_purchase(
    service: FakeProvider, odd: Job
) -> None:
    service.at_next("start_job", Lost(carried_out=False))
    service.has(odd)

    with pytest.raises(NotAsAsked, match="ftjob-odd is ours and cannot be read"):
        creator(service).start(START)

    assert service.bought == 0
    assert service.calls.count("start_job tone") == 1


@pytest.mark.parametrize(
    ("odd", "known"),
    [(ODD, True), (replace(ODD, finetune="voice"), False), (replace(ODD, digest="v1:x"), False)],
    ids=["seen before", "of another name", "of another digest"],
)
def test_a_job_that_cannot_be_read_and_is_another_stops_no_purchase(
    service: FakeProvider, odd: Job, *, known: bool
) -> None:
    service.at_next("start_job", Lost(carried_out=False))
    service.has(odd)

    creator(service, *([odd] if known else [])).start(START)

    assert service.bought == 1


def test_a_long_search_for_a_lost_answer_is_said(service: FakeProvider) -> None:
    service.at_next("start_job", Lost(carried_out=True))
    service.lag_seconds = 20
    said: list[str] = []

    creator(service, said=said).start(START)

    (sentence,) = said
    assert sentence == (
        "tone: the answer to its purchase was lost; looking for the job before it is asked for"
        " again (up to 90 s)"
    )


# What is written down before money is asked for.


def test_what_is_about_to_be_bought_is_written_down_before(service: FakeProvider) -> None:
    journal = KeptJournal()
    service.at_next("start_job", lambda: journal.lines.append("bought"))

    creator(service, journal=journal).start(START)

    assert journal.lines == ["asked tone", "bought", "answered tone ftjob-1"]


def test_each_ask_is_written_down_anew(service: FakeProvider) -> None:
    journal = KeptJournal()
    service.at_next("start_job", refused(503, retryable=True))

    creator(service, journal=journal).start(START)

    assert journal.lines == ["asked tone", "asked tone", "answered tone ftjob-1"]


@pytest.mark.parametrize(
    "fault", [refused(400), refused(429, "daily_rate_limit", retryable=True)], ids=["400", "limit"]
)
def test_a_refusal_closes_what_was_written(service: FakeProvider, fault: ProviderError) -> None:
    journal = KeptJournal()
    service.at_next("start_job", fault)

    with pytest.raises(FtctlError):
        creator(service, journal=journal).start(START)

    assert journal.lines == ["asked tone", "answered tone None"]


def test_a_lost_answer_that_is_found_closes_what_was_written(service: FakeProvider) -> None:
    journal = KeptJournal()
    service.at_next("start_job", Lost(carried_out=True))

    creator(service, journal=journal).start(START)

    assert journal.lines == ["asked tone", "answered tone ftjob-1"]


@pytest.mark.parametrize("after", [Lost(carried_out=False), refused(400)], ids=["lost", "refused"])
def test_what_may_have_been_bought_stays_open(
    service: FakeProvider, after: Lost | ProviderError
) -> None:
    """A refusal tells nothing of the ask before it, whose answer was lost."""
    journal = KeptJournal()
    service.at_next("start_job", Lost(carried_out=False)).from_then_on("start_job", after)

    with pytest.raises(ProviderError):
        creator(service, journal=journal).start(START)

    assert {*journal.lines} == {"asked tone"}


def test_what_cannot_be_written_down_is_not_bought(service: FakeProvider) -> None:
    with pytest.raises(FtctlError, match="cannot be written down before: no space") as fault:
        creator(service, journal=KeptJournal(full=True)).start(START)

    assert service.bought == 0
    assert fault.value.hint == "make the project's folder writable, then apply again"


# Creates that are refused.


def pending() -> ProviderError:
    return ProviderError("create a job", "not ready", status=400, file_pending=True)


def test_a_file_that_is_not_ready_is_waited_for(service: FakeProvider) -> None:
    journal = KeptJournal()
    service.at_next("start_job", *[pending()] * 4)
    said: list[str] = []

    job = creator(service, journal=journal, said=said).start(START).job

    assert (job.id, service.bought, elapsed(service)) == ("ftjob-1", 1, 15)
    assert said == ["tone: not ready (waiting for up to 300 s)"]
    assert journal.lines == ["asked tone"] * 5 + ["answered tone ftjob-1"]


def test_a_file_that_is_never_ready_is_told_in_five_minutes(service: FakeProvider) -> None:
    journal = KeptJournal()
    service.from_then_on("start_job", pending())

    with pytest.raises(ProviderError, match="not ready"):
        creator(service, journal=journal).start(START)

    assert elapsed(service) == 300
    assert journal.lines[-1] == "answered tone None"


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (403, False), (429, True)])
def test_a_limit_on_jobs_waits_its_turn_however_it_is_told(
    service: FakeProvider, status: int, *, retryable: bool
) -> None:
    limit = ProviderError(
        "create a job", "3 jobs run", status=status, job_limit=True, retryable=retryable
    )
    service.from_then_on("start_job", limit)

    with pytest.raises(JobLimitReached, match="waits its turn: 3 jobs run"):
        creator(service).start(START)

    assert len(service.called("start_job")) == 1


def test_a_refusal_that_lasts_is_asked_once(service: FakeProvider) -> None:
    service.from_then_on("start_job", refused(400))

    with pytest.raises(ProviderError):
        creator(service).start(START)

    assert service.calls == ["start_job tone"]


def test_a_refusal_that_passes_is_asked_again_after_growing_pauses(service: FakeProvider) -> None:
    service.at_next("start_job", *[refused(503, retryable=True)] * 5)

    job = creator(service).start(START).job

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


def processed_in(service: FakeProvider, seconds: float, **then: object) -> None:
    """The service looks at what it is sent for so long."""
    at = service.clock.now() + seconds

    def look() -> None:
        for file in [*service.files.values()]:
            now = service.clock.now()
            facts = {"processing": False, **then} if now >= at else {"processing": True}
            service.files[file.id] = replace(file, **facts)  # type: ignore[arg-type]

    service.from_then_on("file", look)
    answer = File("file-1", UPLOAD.filename, UPLOAD.bytes, 0, processing=True)
    service.files["file-1"] = answer
    service.at_next("upload", Says(answer))


@pytest.mark.parametrize(("seconds", "looks"), [(0.5, 1), (20, 5)])
def test_a_file_is_looked_at_until_it_is_processed(
    service: FakeProvider, seconds: float, looks: int
) -> None:
    processed_in(service, seconds)
    said: list[str] = []

    assert creator(service, said=said).upload(UPLOAD, PATH) == "file-1"
    assert service.calls == ["upload rows.jsonl", *["file file-1"] * looks]
    told = ["waiting until the service has read data/rows.jsonl (up to 60 s)"]
    assert said == (told if seconds > 3 else [])


def test_a_file_that_is_processed_at_once_is_not_looked_at(service: FakeProvider) -> None:
    creator(service).upload(UPLOAD, PATH)

    assert service.calls == ["upload rows.jsonl"]


def test_a_file_that_is_long_in_processing_is_left_to_the_create(service: FakeProvider) -> None:
    processed_in(service, NEVER)

    assert creator(service).upload(UPLOAD, PATH) == "file-1"
    assert elapsed(service) == 60


def test_a_file_that_cannot_be_trained_on_is_told_in_the_services_words(
    service: FakeProvider,
) -> None:
    processed_in(service, 2, refusal="row 3 has no messages", usable=False)

    with pytest.raises(FtctlError) as fault:
        creator(service).upload(UPLOAD, PATH)

    assert str(fault.value) == (
        "the service cannot train on data/rows.jsonl: row 3 has no messages"
    )


@pytest.mark.parametrize(
    ("upload", "command"),
    [
        (UPLOAD, "ftctl dataset check data/rows.jsonl"),
        (replace(UPLOAD, path="data/my rows.jsonl"), "ftctl dataset check 'data/my rows.jsonl'"),
        (replace(UPLOAD, origin=Origin("data/qa.csv", "a" * 64, 12, 12, ())), "ftctl validate"),
    ],
)
def test_a_file_that_cannot_be_trained_on_names_the_command_that_looks_at_its_rows(
    service: FakeProvider, upload: Upload, command: str
) -> None:
    processed_in(service, 2, refusal="row 3 has no messages", usable=False)

    with pytest.raises(FtctlError) as fault:
        creator(service).upload(upload, PATH)

    assert fault.value.hint is not None
    assert fault.value.hint.endswith(f": {command}")


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_where_files_cannot_be_asked_for_the_create_tells(
    service: FakeProvider, status: int
) -> None:
    processed_in(service, NEVER)
    service.from_then_on("file", refused(status))

    assert creator(service).upload(UPLOAD, PATH) == "file-1"
    assert service.called("file") == ["file file-1"]


def test_a_name_that_is_a_mark_and_is_not_kept_buys_nothing(service: FakeProvider) -> None:
    short = File("file-1", "rows.js", UPLOAD.bytes, 0)
    service.from_then_on("file", Says(short))

    with pytest.raises(NotAsAsked, match=r"calls the file file-1 'rows\.js', and not rows\.jsonl"):
        creator(service, terms=BY_FILE_NAME).upload(UPLOAD, PATH)
    assert service.called("delete_file") == ["delete_file file-1"]


def test_a_name_that_is_kept_keeps_its_file(service: FakeProvider) -> None:
    assert creator(service, terms=BY_FILE_NAME).upload(UPLOAD, PATH) == "file-1"
    assert service.calls == ["upload rows.jsonl", "file file-1"]


def test_where_files_cannot_be_asked_for_the_answer_tells_their_name(
    service: FakeProvider,
) -> None:
    service.from_then_on("file", refused(404))
    buyer = creator(service, terms=BY_FILE_NAME)

    assert buyer.upload(UPLOAD, PATH) == "file-1"

    service.at_next("upload", Says(File("file-2", "rows.js", UPLOAD.bytes, 0)))
    with pytest.raises(NotAsAsked):
        buyer.upload(UPLOAD, PATH)


# What a job is created from.


def test_a_file_that_this_apply_uploads_is_used_by_its_id(service: FakeProvider) -> None:
    buyer = creator(service)
    buyer.upload(UPLOAD, PATH)
    new = replace(FILE, id=None)

    job = buyer.start(replace(START, training=new, validation=replace(FILE, id="file-9"))).job

    assert (job.training_file, job.validation_file) == ("file-1", "file-9")


def test_without_its_file_a_job_is_not_asked_for(service: FakeProvider) -> None:
    with pytest.raises(FtctlError, match="the upload of rows that it needs did not succeed"):
        creator(service).start(replace(START, training=replace(FILE, id=None)))

    assert service.calls == []


def test_a_job_carries_whose_it_is_and_what_it_was_bought_for(service: FakeProvider) -> None:
    step = replace(START, replaces="ftjob-old", follows="ftjob-old")

    job = creator(service, commit="c0ffee").start(step).job

    assert (job.base_model, job.training_file, job.validation_file) == ("gpt", "file-1", None)
    assert service.tags[job.id] == {
        "ftctl_project": "demo",
        "ftctl_finetune": "tone",
        "ftctl_digest": "v1:tone",
        "ftctl_commit": "c0ffee",
        "ftctl_spec": '{"seed":1}',
        "ftctl_replaces": "ftjob-old",
    }


def test_a_job_carries_what_it_follows_and_its_environment(service: FakeProvider) -> None:
    step = replace(START, follows="ftjob-old")

    job = creator(service, environment="prod").start(step).job

    assert (job.follows, job.environment, job.replaces) == ("ftjob-old", "prod", None)
    assert service.tags[job.id]["ftctl_run"] == "env=prod follows=ftjob-old"


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

    assert creator(service).start(replace(START, base_model=parent)).job.base_model == model


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
