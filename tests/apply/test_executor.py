"""The phases of an apply: their order, what a failure ends, and what is never deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any, get_args

import pytest
from fakes import BY_FILE_NAME, NEVER, TERMS, FakeProvider, KeptJournal, Lost, Says, refused
from scenes import SERVICE

from ftctl.apply.executor import apply_plan
from ftctl.apply.inspection import NotAsAsked
from ftctl.apply.phases import PHASES
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    FileRef,
    Plan,
    Report,
    StartJob,
    Step,
    Upload,
)

ROWS = b'{"messages": []}\n'
SHA256 = hashlib.sha256(ROWS).hexdigest()
UPLOAD = Upload("rows", "rows.jsonl", SHA256, len(ROWS), "rows.jsonl")
FILE = FileRef("rows", "rows.jsonl", SHA256, "file-1")
CANCEL = CancelJob("ftjob-old", "superseded")
DELETE_MODEL = DeleteModel("ft:old")
DELETE_FILE = DeleteFile("file-old", "old.jsonl")
OLD = Job("ftjob-old", "running", 5, "tone", "v1:old")


def start(name: str) -> StartJob:
    return StartJob(name, f"v1:{name}", {}, "gpt", FILE, None)


def change(name: str, *steps: Step) -> Change:
    return Change(name, Action.CREATE, "not found", steps)


@pytest.fixture
def service() -> FakeProvider:
    return FakeProvider().has(OLD)


@pytest.fixture
def carry_out(service: FakeProvider, tmp_path: Path) -> Callable[..., Report]:
    (tmp_path / "rows.jsonl").write_bytes(ROWS)

    usual = {"terms": TERMS, "observed": Observed(jobs=(OLD,)), "journal": KeptJournal()}

    def apply(*changes: Change, **options: Any) -> Report:
        return apply_plan(
            Plan("demo", SERVICE, changes), service, clock=service.clock, cosmetic=frozenset(),
            place_of=lambda path, _sha256: tmp_path / path, **{**usual, **options},
        )  # fmt: skip

    return apply


Apply = Callable[..., Report]


def test_every_kind_of_step_has_one_phase() -> None:
    assert {phase.kind for phase in PHASES} == set(get_args(Step))
    assert len(PHASES) == len(get_args(Step))


def test_uploads_come_first_and_deletes_last_whatever_the_plan_lists(
    service: FakeProvider, carry_out: Apply
) -> None:
    backwards = (DELETE_FILE, DELETE_MODEL, CANCEL, start("tone"), UPLOAD)

    report = carry_out(change("tone", *backwards), change("calm", start("calm")))

    assert report.ok
    assert service.calls == [
        "upload rows.jsonl",
        "start_job tone",
        "job ftjob-2",
        "jobs",
        "start_job calm",
        "jobs",
        "cancel_job ftjob-old",
        "delete_model ft:old",
        "delete_file file-old",
    ]
    assert report.outcomes[0].done == (
        f"uploaded rows.jsonl as file-1 ({len(ROWS)} bytes)",
        "started ftjob-2 (validating_files)",
        "cancelled ftjob-old (superseded)",
        "deleted model ft:old",
        "deleted file file-old (old.jsonl)",
    )
    assert report.outcomes[0].job == service.made["ftjob-2"]


@pytest.mark.parametrize("parallelism", [1, 4])
def test_a_step_that_fails_ends_its_own_change_alone(
    service: FakeProvider, carry_out: Apply, parallelism: int
) -> None:
    service.at_next("start_job", refused(400, "bad_base"))

    report = carry_out(
        change("tone", start("tone"), CANCEL),
        change("calm", start("calm"), DELETE_MODEL),
        parallelism=parallelism,
    )

    tone, calm = report.outcomes
    assert (tone.job, str(tone.error)) == (None, "ask: no (HTTP 400, bad_base)")
    assert (calm.ok, len(calm.done)) == (True, 2)
    assert service.called("cancel_job") == []


@pytest.mark.parametrize(
    "fault",
    [refused(401), refused(403, "training_not_available"), refused(429, "insufficient_quota")],
)
def test_a_service_that_refuses_everybody_is_asked_once(
    service: FakeProvider, carry_out: Apply, fault: Any
) -> None:
    service.from_then_on("start_job", fault)

    report = carry_out(change("tone", start("tone")), change("calm", start("calm"), DELETE_MODEL))

    assert [outcome.error for outcome in report.outcomes] == [fault, None]
    assert report.outcomes[1].skipped == f"not begun: the service refuses ({fault.code})"
    assert service.calls == ["start_job tone"]


def test_what_waits_its_turn_has_not_failed_and_goes_no_further(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.at_next("start_job", refused(429, "daily_rate_limit", retryable=True))

    report = carry_out(change("tone", start("tone"), CANCEL), change("calm", start("calm")))

    assert report.ok
    assert [outcome.waits for outcome in report.outcomes] == ["waits its turn: no"] * 2
    assert service.calls == ["start_job tone"]


def test_once_told_to_stop_nothing_more_is_begun(service: FakeProvider, carry_out: Apply) -> None:
    told = iter([False, True, True])

    report = carry_out(
        change("tone", start("tone"), CANCEL), change("calm", start("calm")),
        stopping=lambda: next(told),
    )  # fmt: skip

    assert report.outcomes[0].done == ("started ftjob-2 (validating_files)",)
    assert [outcome.skipped for outcome in report.outcomes] == ["not begun: interrupted"] * 2
    assert service.called("start_job") == ["start_job tone"]
    assert report.partial


def test_what_was_skipped_goes_no_further(service: FakeProvider, carry_out: Apply) -> None:
    told = iter([True, False, False])

    report = carry_out(
        change("tone", start("tone"), CANCEL), change("files", DELETE_FILE),
        stopping=lambda: next(told),
    )  # fmt: skip

    assert report.outcomes[0].skipped == "not begun: interrupted"
    assert report.outcomes[1].skipped is not None
    assert service.calls == []


# Files that a job may be using.


@pytest.mark.parametrize(
    "fault", [refused(500), refused(401), Lost(carried_out=False)], ids=["500", "401", "lost"]
)
def test_no_file_is_deleted_where_a_cancel_failed(
    service: FakeProvider, carry_out: Apply, fault: Any
) -> None:
    service.at_next("cancel_job", fault)

    report = carry_out(change("tone", CANCEL), change("files", DELETE_FILE))

    assert service.called("delete_file") == []
    assert report.outcomes[1].skipped is not None
    assert report.outcomes[1].skipped.startswith("not begun: ")


def test_no_file_is_deleted_where_a_cancel_was_never_begun(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.at_next("start_job", refused(400))

    report = carry_out(change("tone", start("tone"), CANCEL), change("files", DELETE_FILE))

    assert service.calls == ["start_job tone"]
    skipped = "not begun: a job that may use its files was not stopped"
    assert report.outcomes[1].skipped == skipped


def test_a_change_that_fails_and_stops_no_job_keeps_no_file(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.at_next("start_job", refused(400))

    carry_out(change("tone", start("tone")), change("calm", CANCEL), change("files", DELETE_FILE))

    assert service.called("delete_file") == ["delete_file file-old"]


def test_the_files_of_a_job_that_is_long_in_stopping_stay(
    service: FakeProvider, carry_out: Apply
) -> None:
    stopping = replace(OLD, status="cancelling", training_file="file-old")
    service.at_next("cancel_job", Says(stopping))

    report = carry_out(change("tone", CANCEL), change("files", DELETE_FILE))

    assert report.outcomes[0].done == (
        "asked ftjob-old to stop (superseded); it is still cancelling",
    )
    assert report.outcomes[1].skipped == ("not begun: ftjob-old is not over yet, and trains on it")
    assert service.called("delete_file") == []


def test_a_job_that_was_over_is_told_as_it_is(service: FakeProvider, carry_out: Apply) -> None:
    service.becomes("ftjob-old", status="succeeded", model="ft:old")

    report = carry_out(change("tone", CANCEL))

    assert report.outcomes[0].done == (
        "ftjob-old was over before it could be cancelled (succeeded)",
    )


# Starts, and the look after them.


def test_the_first_job_goes_alone_and_a_look_follows_each_twenty(
    service: FakeProvider, carry_out: Apply
) -> None:
    names = [f"tone-{number}" for number in range(42)]

    carry_out(*[change(name, start(name)) for name in names])

    looks = [number for number, call in enumerate(service.calls) if call == "jobs"]
    assert looks == [2, 23, 44, 46]
    assert service.called("job") == ["job ftjob-2"]


def test_an_older_duplicate_is_followed_and_told(service: FakeProvider, carry_out: Apply) -> None:
    others = Job("ftjob-others", "queued", 7, "tone", "v1:tone")
    service.at_next("start_job", lambda: service.has(others))
    heard: list[tuple[str, str, object]] = []

    report = carry_out(change("tone", start("tone")), say=lambda *said: heard.append(said))

    assert report.outcomes[0].job == others
    assert heard == [
        ("tone", "started ftjob-3 (validating_files)", start("tone")),
        ("tone", "cancelled ftjob-3: ftjob-others is the same and older", None),
    ]
    assert service.made["ftjob-3"].status == "cancelled"


def test_as_many_steps_run_at_once_as_are_asked_for(
    service: FakeProvider, carry_out: Apply
) -> None:
    both = Barrier(2, timeout=20)  # of which one alone would wait in vain
    service.at_next("upload", both.wait, both.wait)
    others = replace(UPLOAD, filename="others.jsonl")

    report = carry_out(change("tone", UPLOAD), change("calm", others), parallelism=2)

    assert report.ok
    assert len(service.called("upload")) == 2


def test_steps_are_told_in_the_plans_order_however_many_run_at_once(
    service: FakeProvider, carry_out: Apply
) -> None:
    names = [f"tone-{number}" for number in range(12)]
    heard: list[str] = []

    carry_out(
        *[change(name, start(name)) for name in names],
        say=lambda name, _sentence, _step: heard.append(name), parallelism=8,
    )  # fmt: skip

    assert heard == names


# Files that are sent.


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_file_that_is_another_now_is_not_sent(
    service: FakeProvider, carry_out: Apply, tmp_path: Path, damage: str
) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b"{}\n")
    if damage == "gone":
        (tmp_path / "rows.jsonl").unlink()

    report = carry_out(change("tone", UPLOAD, start("tone")))

    assert str(report.outcomes[0].error) == "rows.jsonl has changed since the plan was made"
    assert service.calls == []


def test_a_file_that_goes_while_it_is_sent_is_told(service: FakeProvider, carry_out: Apply) -> None:
    def goes() -> None:
        raise FileNotFoundError(2, "No such file or directory")

    service.at_next("upload", goes)

    report = carry_out(change("tone", UPLOAD, start("tone")))

    told = "rows.jsonl cannot be read: No such file or directory"
    assert str(report.outcomes[0].error) == told
    assert service.called("start_job") == []


def test_one_at_a_time_nothing_of_a_change_is_sent_after_a_failure(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.at_next("upload", refused(400))

    carry_out(change("tone", UPLOAD, replace(UPLOAD, filename="validation.jsonl")))

    assert service.calls == ["upload rows.jsonl"]


def test_a_job_whose_upload_failed_elsewhere_is_not_asked_for(
    service: FakeProvider, carry_out: Apply
) -> None:
    """Equal content is uploaded once, by the change that comes first."""
    service.at_next("upload", refused(400))
    new = replace(FILE, id=None)

    report = carry_out(
        change("tone", UPLOAD, replace(start("tone"), training=new)),
        change("calm", replace(start("calm"), training=new)),
    )

    assert str(report.outcomes[1].error) == "the upload of rows that it needs did not succeed"
    assert service.calls == ["upload rows.jsonl"]


# A service that does not sell what is asked for.


def test_a_service_that_keeps_no_marks_sells_one_job_and_that_is_cancelled(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.metadata_dropped = True

    report = carry_out(
        change("tone", start("tone"), CANCEL), change("calm", start("calm"), DELETE_MODEL)
    )

    tone, calm = report.outcomes
    assert [service.made[job].status for job in service.tags] == ["cancelled"]
    assert tone.done == (
        "started ftjob-2 (validating_files)",
        "cancelled ftjob-2: not as it was asked for",
    )
    assert isinstance(tone.error, NotAsAsked)
    assert calm.skipped == "not begun: the service does not sell what is asked for"
    assert report.partial
    assert not {"cancel_job ftjob-old", "delete_model ft:old"} & {*service.calls}


def test_a_job_that_cannot_be_cancelled_is_the_only_one(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.metadata_dropped = service.cancel_refused = True

    report = carry_out(change("tone", start("tone")), change("calm", start("calm")))

    assert service.bought == 1
    assert "cancel ftjob-2 at the service: it is billed" in (report.outcomes[0].error.hint or "")  # type: ignore[union-attr]


def test_a_service_that_changes_what_it_trains_sells_one_job(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.hyperparameters_changed = {"n_epochs": 8}
    steps = [
        replace(start(name), spec={"hyperparameters": {"n_epochs": 3}}) for name in ("tone", "calm")
    ]

    report = carry_out(*[change(step.finetune, step) for step in steps])

    assert [service.made[job].status for job in service.tags] == ["cancelled"]
    assert "trains with n_epochs 8, asked was 3" in str(report.outcomes[0].error)


def test_a_job_that_no_list_shows_is_the_only_one(service: FakeProvider, carry_out: Apply) -> None:
    service.lag_seconds = NEVER

    report = carry_out(change("tone", start("tone")), change("calm", start("calm")))

    assert [service.made[job].status for job in service.tags] == ["validating_files"]
    assert report.outcomes[0].job == service.made["ftjob-2"]
    assert report.outcomes[1].skipped is not None
    assert report.partial


def test_where_the_filter_finds_nothing_all_is_bought_once(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.filter_finds_nothing = True

    report = carry_out(change("tone", start("tone")), change("calm", start("calm")))

    assert report.ok
    assert service.bought == 2
    assert service.called("jobs") == ["jobs", "jobs whole", "jobs whole"]


def test_what_cannot_be_written_down_is_not_bought_and_the_rest_goes_on(
    service: FakeProvider, carry_out: Apply
) -> None:
    report = carry_out(
        change("tone", start("tone")), change("calm", CANCEL), journal=KeptJournal(full=True)
    )

    assert service.bought == 0
    assert report.outcomes[0].error is not None
    assert report.outcomes[1].ok


# What others do with a file whose name is a mark.


MARKED = f"ftctl.demo.tone.{'0' * 64}.v1-{'a' * 64}.jsonl"
BY_FILE = replace(
    OLD, training_file="file-old", by_file=True, base_model="gpt-4.1-mini",
    hyperparameters={"n_epochs": "auto"},
)  # fmt: skip
STRANGERS = replace(BY_FILE, id="ftjob-strangers", created_at=6, hyperparameters={"n_epochs": 7})
GONE = replace(BY_FILE, status="succeeded", model="ft:old")


def seen(*jobs: Job) -> Observed:
    return Observed(jobs=jobs)


@pytest.mark.parametrize("step", [CancelJob("ftjob-strangers", "removed"), DELETE_MODEL])
@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"hyperparameters": {}, "validation_file": "file-9"},
        {"hyperparameters": {}, "base_model": "gpt-4.1-nano"},
    ],
    ids=["other epochs", "with a validation file", "another model"],
)
def test_of_jobs_on_a_marked_file_that_differ_those_on_record_alone_are_ours(
    service: FakeProvider, carry_out: Apply, step: Step, facts: dict[str, Any]
) -> None:
    strangers = replace(STRANGERS, **facts)
    if isinstance(step, DeleteModel):
        strangers = replace(strangers, status="succeeded", model="ft:old")
    service.has(strangers)
    observed = seen(strangers, BY_FILE)

    report = carry_out(
        change("tone", step), change("files", DeleteFile("file-old", MARKED)),
        observed=observed, terms=BY_FILE_NAME,
    )  # fmt: skip

    assert service.calls == []
    (said,) = report.outcomes[0].done
    assert said.startswith("left alone: ftjob-strangers is known by its file file-old alone")
    assert report.outcomes[1].skipped == (
        "not begun: ftjob-strangers was left alone, and trains on it"
    )

    both = frozenset({"ftjob-strangers", "ftjob-old"})
    carry_out(change("tone", step), observed=observed, recorded=both, terms=BY_FILE_NAME)
    assert service.calls == []  # a record was edited: which one, nobody can tell

    recorded = frozenset({"ftjob-strangers"})
    carry_out(change("tone", step), observed=observed, recorded=recorded, terms=BY_FILE_NAME)
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    "observed",
    [
        seen(BY_FILE),
        seen(replace(STRANGERS, training_file="file-2"), BY_FILE),
        seen(OLD, STRANGERS),
    ],
    ids=["alone on its file", "others on other files", "marked by metadata"],
)
def test_a_job_that_our_create_alone_can_have_made_is_stopped(
    service: FakeProvider, carry_out: Apply, observed: Observed
) -> None:
    report = carry_out(change("tone", CANCEL), observed=observed, terms=BY_FILE_NAME)

    assert report.ok
    assert service.called("cancel_job") == ["cancel_job ftjob-old"]


@pytest.mark.parametrize("model", ["ft:old", "ft:old:ckpt-step-4"])
def test_a_file_that_is_a_mark_stays_where_its_model_was_not_deleted(
    service: FakeProvider, carry_out: Apply, model: str
) -> None:
    service.has(GONE).at_next("delete_model", refused(403))

    report = carry_out(
        change("tone", DeleteModel(model)), change("files", DeleteFile("file-old", MARKED)),
        observed=seen(GONE),
    )  # fmt: skip

    assert service.called("delete_file") == []
    assert report.outcomes[1].skipped == (
        f"not begun: {model} is still there, and known by this file alone"
    )


def test_a_file_that_is_a_mark_stays_until_its_model_is_gone(
    service: FakeProvider, carry_out: Apply
) -> None:
    service.has(GONE).at_next("delete_model", Says(None))
    changes = [change("tone", DELETE_MODEL), change("files", DeleteFile("file-old", MARKED))]

    carry_out(*changes, observed=seen(GONE))
    assert service.called("delete_file") == []

    carry_out(*changes, observed=seen(GONE))
    assert service.called("delete_file") == ["delete_file file-old"]


@pytest.mark.parametrize(
    ("file", "name"), [("file-old", "old.jsonl"), ("file-other", MARKED)], ids=["no mark", "other"]
)
def test_other_files_do_not_wait_for_a_model(
    service: FakeProvider, carry_out: Apply, file: str, name: str
) -> None:
    service.has(GONE).at_next("delete_model", refused(403))

    carry_out(
        change("tone", DELETE_MODEL), change("files", DeleteFile(file, name)), observed=seen(GONE)
    )

    assert service.called("delete_file") == [f"delete_file {file}"]
