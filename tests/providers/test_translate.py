"""What services send, and what is made of it: they leave fields out and add others."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import httpx2
import pytest

from ftctl.catalog.services import SERVICES
from ftctl.domain.digest import file_name
from ftctl.domain.observed import CheckpointModel, Event, File, Job, JobError
from ftctl.providers.openai.translate import (
    read_answer,
    read_checkpoint,
    read_day,
    read_event,
    read_file,
    read_job,
    read_job_of_ours,
    read_job_of_project,
    read_moderation,
    read_organization,
    read_uploaded,
)
from ftctl.providers.openai.values import OddValue
from ftctl.providers.protocol import Answer

SHA256 = "a" * 64
DIGEST = f"v1:{'d' * 64}"
LEAST = {"id": "ftjob-1", "status": "queued"}


def test_the_least_that_a_job_has_is_enough() -> None:
    assert read_job(LEAST) == Job("ftjob-1", "queued", 0)


@pytest.mark.parametrize("missing", ["id", "status"])
def test_a_job_without_its_id_or_status_is_none(missing: str) -> None:
    with pytest.raises(OddValue, match=f"without an? {missing}"):
        read_job({key: value for key, value in LEAST.items() if key != missing})


def test_a_whole_job_is_read_as_it_stands() -> None:
    metadata = {
        "ftctl_project": "demo", "ftctl_finetune": "tone", "ftctl_digest": DIGEST,
        "ftctl_spec": '{"seed":7}', "ftctl_replaces": "ftjob-0", "ftctl_commit": "c0ffee",
        "owner": "cx",
    }  # fmt: skip
    raw = {
        **LEAST, "status": "succeeded", "created_at": 7, "finished_at": 9,
        "fine_tuned_model": "ft:1", "model": "gpt",
        "training_file": "file-1", "validation_file": "file-2", "result_files": ["file-3"],
        "trained_tokens": 11, "seed": 7, "metadata": metadata,
        "error": {"code": "bad", "message": "words", "param": "training_file"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    }  # fmt: skip

    assert read_job(raw) == Job(
        "ftjob-1", "succeeded", 7, "tone", DIGEST, spec={"seed": 7}, replaces="ftjob-0",
        follows="ftjob-0", model="ft:1",
        base_model="gpt", error=JobError("bad", "words", "training_file"),
        training_file="file-1", validation_file="file-2", result_files=("file-3",),
        metadata={"owner": "cx"}, trained_tokens=11, finished_at=9,
        hyperparameters={"n_epochs": 3}, seed=7, commit="c0ffee",
    )  # fmt: skip
    assert read_job_of_project(raw).project == "demo"
    assert read_job_of_project(LEAST).project is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, None), ({}, None), ({"code": None, "message": None}, None),
        ("", None), ([], None), ([None, {}], None), (False, None), (0, None),
        ({"code": 0, "message": ""}, None),
        ({"code": "bad", "message": None}, JobError("bad", "bad")),
        ({"message": "words"}, JobError("unknown", "words")),
        ({"code": "bad", "message": "sk-0123456789abcdef"}, JobError("bad", "[redacted]")),
    ],
)  # fmt: skip
def test_an_empty_error_is_none(error: Any, told: JobError | None) -> None:
    assert read_job({**LEAST, "error": error}).error == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("words", JobError("unknown", "words")),
        (["first", None, {"message": "second"}], JobError("unknown", "first; second")),
        ({"error": {"code": "bad", "message": "words"}}, JobError("bad", "words")),
        ({"error": "words", "code": 7}, JobError("7", "words")),
        ({"detail": [{"loc": ["body"], "msg": "one"}, {"msg": "two"}]},
         JobError("unknown", "one; two")),
        ({"type": "bad", "why": {"inner": "words"}}, JobError("bad", "words")),
        ({"message": {"text": "words"}, "param": None}, JobError("unknown", "words")),
    ],
)  # fmt: skip
def test_why_a_job_failed_is_kept_whatever_its_shape(error: Any, told: JobError) -> None:
    assert read_job({**LEAST, "error": error}).error == told


def test_a_reason_is_no_longer_than_anybody_reads_and_shows_no_key() -> None:
    key = "sk-0123456789abcdef"
    deep: Any = "words"
    for _ in range(500):
        deep = {"message": deep}

    long = read_job({**LEAST, "error": "x" * 1990 + key + "x" * 10**6}).error
    nested = read_job({**LEAST, "error": deep}).error
    many = read_job({**LEAST, "error": ["x"] * 10**5}).error

    assert long is not None
    assert len(long.message) == 2000
    assert key[:10] not in long.message
    assert nested is None
    assert many == JobError("unknown", "; ".join("x" * 20))


# How a job stands.


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("completed", "succeeded"), ("SUCCEEDED", "succeeded"), ("Success", "succeeded"),
        ("JOB_STATE_SUCCEEDED", "succeeded"), ("canceled", "cancelled"), ("Stopped", "cancelled"),
        ("error", "failed"), ("expired", "failed"), ("FAILED_VALIDATION", "failed"),
        ("timed-out", "failed"), ("JOB_STATE_PENDING", "queued"), ("notRunning", "queued"),
        ("RUNNING", "running"), ("In Progress", "running"), ("Paused", "paused"),
        ("validating_files", "validating_files"),
        ("cancellation_requested", "cancellation_requested"), ("Glowing", "Glowing"),
    ],
)  # fmt: skip
def test_the_words_of_services_for_a_state_are_read_and_others_are_kept(
    word: str, ours: str
) -> None:
    job = read_job({**LEAST, "status": word})

    assert job.status == ours
    assert job.in_progress is (ours not in ("failed", "cancelled"))


def test_the_words_are_a_matter_of_the_services_row() -> None:
    row = replace(SERVICES["compatible"], statuses={"baked": "succeeded"})

    assert read_job({**LEAST, "status": "Baked"}, row.status_of).status == "succeeded"
    assert read_job({**LEAST, "status": "completed"}, row.status_of).status == "completed"


ENDED = {**LEAST, "status": "Glowing", "finished_at": 9}
WHY = {"code": "bad", "message": "words"}


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({"fine_tuned_model": "ft:1"}, "succeeded", None),
        ({"fine_tuned_model": "ft:1", "status": "running"}, "succeeded", None),
        ({"fine_tuned_model": "ft:1", "status": None}, "succeeded", None),
        ({"error": WHY}, "failed", JobError("bad", "words")),
        ({}, "failed", JobError("unknown", "it ended as 'Glowing'")),
        # Words that are clear stay: one that succeeded may get its model's name late.
        ({"status": "completed"}, "succeeded", None),
        ({"status": "cancelled", "fine_tuned_model": "ft:1"}, "cancelled", None),
        ({"status": "failed", "fine_tuned_model": "ft:1"}, "failed", None),
        ({"status": "paused", "fine_tuned_model": "ft:1"}, "paused", None),
        # What is no end is none.
        ({"finished_at": None}, "Glowing", None), ({"finished_at": 0}, "Glowing", None),
        ({"finished_at": "0001-01-01T00:00:00Z"}, "Glowing", None),
        ({"finished_at": "soon", "error": WHY}, "Glowing", JobError("bad", "words")),
    ],
)  # fmt: skip
def test_a_job_with_an_end_is_over_whatever_its_word_is(
    more: dict[str, Any], status: str, error: JobError | None
) -> None:
    job = read_job({**ENDED, **more})

    assert (job.status, job.error) == (status, error)


def test_a_word_is_no_longer_than_a_word() -> None:
    assert len(read_job({**LEAST, "status": "x" * 10**6}).status) == 64


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (7, 7), (7.9, 7), ("7", 7), ("2026-11-21T10:00:00Z", 1795255200),
        ("2026-11-21T12:00:00+02:00", 1795255200), ("2026-11-21 10:00:00", 1795255200),
        (1795255200123, 1795255200), (None, 0), ("", 0), (0, 0), (-5, 0),
    ],
)  # fmt: skip
def test_a_time_is_read_where_it_is_clear(value: Any, seconds: int) -> None:
    assert read_job({**LEAST, "created_at": value}).created_at == seconds


@pytest.mark.parametrize(
    "odd",
    [
        {"created_at": "soon"}, {"created_at": True}, {"created_at": [7]},
        {"created_at": float("nan")}, {"created_at": float("inf")}, {"created_at": 10**30},
        {"status": 7}, {"status": ["queued"]}, {"status": None}, {"id": None}, {"id": ""},
        {"id": True}, {"id": ["ftjob-1"]}, {"id": "a b"}, {"id": "a\n"}, {"id": "\ud800"},
        {"id": ".."}, {"id": "x" * 513}, {"model": 3}, {"fine_tuned_model": {}},
        {"training_file": 3}, {"validation_file": ["file-1"]},
    ],
)  # fmt: skip
def test_what_decides_and_is_odd_makes_a_job_that_cannot_be_read(odd: dict[str, Any]) -> None:
    with pytest.raises(OddValue):
        read_job({**LEAST, **odd})


@pytest.mark.parametrize(
    "odd",
    [
        {"result_files": 3}, {"result_files": [3, None]}, {"trained_tokens": "many"},
        {"trained_tokens": -1}, {"trained_tokens": float("nan")}, {"trained_tokens": 10**400},
        {"metadata": 3}, {"metadata": []}, {"method": 3}, {"finished_at": [3]},
    ],
)  # fmt: skip
def test_what_only_informs_and_is_odd_is_left_out(odd: dict[str, Any]) -> None:
    assert read_job({**LEAST, **odd}) == Job("ftjob-1", "queued", 0)


def test_an_id_may_be_a_number_and_result_files_may_be_told_whole() -> None:
    job = read_job({**LEAST, "id": 17, "result_files": [{"id": "file-1"}, "file-2"]})

    assert (job.id, job.result_files) == ("17", ("file-1", "file-2"))
    assert read_job({**LEAST, "trained_tokens": "7"}).trained_tokens == 7


def test_a_job_of_ours_that_cannot_be_read_is_there_in_an_unknown_state() -> None:
    run = "env=prod follows=ftjob-0 replaces=ftjob-0"
    tags = {
        "ftctl_project": "demo", "ftctl_finetune": "tone", "ftctl_digest": DIGEST,
        "ftctl_run": run, "ftctl_commit": "c0ffee",
    }  # fmt: skip
    odd = {
        **LEAST, "created_at": "soon", "metadata": tags, "training_file": "file-1",
        "validation_file": 3, "result_files": ["file-3"],
    }  # fmt: skip

    job = read_job_of_ours(odd)

    assert job == Job(
        "ftjob-1", "unreadable", 0, "tone", DIGEST, training_file="file-1",
        result_files=("file-3",), follows="ftjob-0", replaces="ftjob-0", environment="prod",
        commit="c0ffee", error=JobError("unreadable", "its created_at is no time"),
    )  # fmt: skip
    assert job.in_progress
    nameless = [read_job_of_ours({"metadata": {**tags, "n": n}, "status": n}).id for n in "112"]
    assert all(re.fullmatch(r"\(a job without an id, [0-9a-f]{8}\)", one) for one in nameless)
    assert nameless[0] == nameless[1] != nameless[2]  # a list that is read again adds none
    assert read_job_of_ours(LEAST) == read_job(LEAST)


# Names and words of a service: of what kind and length they may be.


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"id": "ftjob 1"}, "its id is none"),
        ({"id": "-1"}, "its id is none"),
        ({"id": "x" * 513}, "its id is none"),
        ({"fine_tuned_model": "ft:$(x)"}, "its fine_tuned_model is no name"),
        ({"model": "gpt\nx"}, "its model is no name"),
        ({"model": "x" * 513}, "its model is no name"),
        ({"training_file": "file\x1b"}, "its training_file is no name"),
        ({"validation_file": "file\u2028"}, "its validation_file is no name"),
        ({"metadata": {"ftctl_finetune": "Tone"}}, "the finetune in its mark is none"),
        ({"metadata": {"ftctl_digest": "v1:\n"}}, "the digest in its mark is none"),
        ({"metadata": {"ftctl_replaces": "a b"}}, "the replaces in its mark is none"),
        ({"metadata": {"ftctl_run": "follows=a%20b"}}, "the follows in its mark is none"),
        ({"metadata": {"ftctl_run": "env=A"}}, "the environment in its mark is none"),
    ],
)
def test_a_name_that_nothing_can_have_makes_a_job_odd(odd: dict[str, Any], why: str) -> None:
    with pytest.raises(OddValue) as fault:
        read_job({**LEAST, **odd})

    assert str(fault.value) == why


@pytest.mark.parametrize(
    "usual",
    [
        {"model": "A model (of 7 B)"}, {"model": "x" * 512}, {"training_file": "s3://a b/c?d"},
        {"fine_tuned_model": "ft:a:org::b:ckpt-step-1"}, {"id": "arn:aws:x/1"},
        {"metadata": {"ftctl_finetune": "t-1", "ftctl_run": "env=prod follows=unseen"}},
    ],
)  # fmt: skip
def test_a_name_that_something_may_have_makes_no_job_odd(usual: dict[str, Any]) -> None:
    assert read_job({**LEAST, **usual}).id


def test_the_project_of_a_stranger_is_a_name() -> None:
    with pytest.raises(OddValue, match="the project in its mark is none"):
        read_job_of_project({**LEAST, "metadata": {"ftctl_project": "a\nb"}})


def test_an_odd_mark_leaves_what_can_be_read_of_it() -> None:
    tags = {
        "ftctl_finetune": "a b", "ftctl_digest": DIGEST, "ftctl_commit": "a b",
        "ftctl_run": "env=A follows=ftjob-0 replaces=%0A",
    }  # fmt: skip

    job = read_job_of_ours({**LEAST, "metadata": tags, "training_file": "a b"})

    assert job == Job(
        "ftjob-1", "unreadable", 0, None, DIGEST, follows="ftjob-0",
        error=JobError("unreadable", "the finetune in its mark is none"),
    )  # fmt: skip
    assert job.is_unreadable
    assert not read_job(LEAST).is_unreadable


def test_what_a_job_is_called_and_trained_with_is_bounded() -> None:
    pairs = {"long": "x" * 513, "x" * 513: "long", "kept": "x" * 512}
    many = {f"k{number}": "v" for number in range(100)}
    numbers = {
        "n": 3, "w": "auto", "inf": float("inf"), "big": 2**63, "a b": 1, "x" * 65: 1, "y" * 64: 1,
        "two": "a\nb", "flag": True, "none": None, "list": [1],
    }  # fmt: skip

    job = read_job({**LEAST, "metadata": pairs, "hyperparameters": numbers, "seed": 2**63})
    crowd = read_job({**LEAST, "metadata": many, "hyperparameters": dict.fromkeys(many, 1)})

    assert job.metadata == {"kept": "x" * 512}
    assert job.hyperparameters == {"n": 3, "w": "auto", "y" * 64: 1}
    assert job.seed is None
    assert len(crowd.metadata) == len(crowd.hyperparameters) == 64


def test_results_of_a_job_are_files_that_can_be_named() -> None:
    files = ["file-1", "a b", {"id": "../x"}, {"id": "file-2"}, "", 3]

    assert read_job({**LEAST, "result_files": files}).result_files == ("file-1", "file-2")


@pytest.mark.parametrize(
    ("raw", "status", "why"),
    [
        ({"status": "a\nb"}, "a b", None),
        ({"status": "x" * 100}, "x" * 63 + "…", None),
        ({"status": "\0"}, "unknown", None),
        ({"status": "a\x1bb", "finished_at": 7}, "failed", "it ended as 'a b'"),
    ],
)
def test_a_state_that_nobody_knows_is_a_short_word(
    raw: dict[str, Any], status: str, why: str | None
) -> None:
    job = read_job({**LEAST, **raw})

    assert job.status == status
    assert (job.error and job.error.message) == why


def test_an_event_is_short_and_its_level_a_word() -> None:
    data = {
        "n" * 100: 1, "deep": {"a": {"b": [1, float("nan"), "x" * 600]}}, "nan": float("nan"),
        **{f"k{number}": number for number in range(100)},
    }  # fmt: skip

    event = read_event({
        "id": "a b", "level": "in\nfo" + "x" * 100, "message": "x" * 20_000, "data": data,
    })  # fmt: skip
    bare = read_event({"level": "\0", "message": 3, "data": {"flag": True, "none": None}})

    assert event.id == ""
    assert event.level == "in fo" + "x" * 58 + "…"
    assert event.message == "x" * 9_999 + "…"
    assert event.metrics["n" * 63 + "…"] == 1
    assert event.metrics["deep"] == {"a": {"b": [1, None, "x" * 511 + "…"]}}
    assert "nan" not in event.metrics
    assert len(event.metrics) == 63
    assert (bare.level, bare.message, bare.metrics) == ("info", "", {"flag": True})


def test_numbers_that_are_nested_without_end_are_cut() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]

    assert str(read_event({"data": {"deep": deep}}).metrics["deep"]).count("[") < 10
    assert read_event({"data": {"many": [1] * 1_000}}).metrics["many"] == [1] * 64


@pytest.mark.parametrize(
    ("organizations", "told"),
    [(["org-1", "org-1"], "org-1"), (["a\nb"], None), (["org-1", "a b"], "org-1"), ([3], None)],
)
def test_an_organization_is_a_name(organizations: list[Any], told: str | None) -> None:
    assert read_organization({"organization_id": one} for one in organizations) == told


@pytest.mark.parametrize("model", ["ft:$(x)", "a b", "-x", "ft:\u202e"])
def test_a_checkpoint_has_a_name_that_a_model_can_have(model: str) -> None:
    with pytest.raises(OddValue, match="its fine_tuned_model_checkpoint is no name"):
        read_checkpoint({"fine_tuned_model_checkpoint": model, "step_number": 1})


@pytest.mark.parametrize("name", ["a\nb", "x" * 513, "\x9b"])
def test_a_file_of_a_name_on_two_lines_cannot_be_read(name: str) -> None:
    with pytest.raises(OddValue, match="its filename is no name"):
        read_uploaded({"id": "file-1", "filename": name})


def test_a_file_may_have_a_name_in_any_script() -> None:
    assert read_uploaded({"id": "file-1", "filename": "훈련 데이터 (최종).jsonl"}).name


# What is left of a job.


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ({"hyperparameters": {"n_epochs": 3}}, {"n_epochs": 3}),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
          "hyperparameters": {"n_epochs": 3}}, {"beta": 0.1}),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {}}},
          "hyperparameters": {"n_epochs": 3}}, {"n_epochs": 3}),
        ({"method": {"type": "dpo"}, "hyperparameters": {"n_epochs": "auto"}},
         {"n_epochs": "auto"}),
        ({"method": {"type": 7}, "hyperparameters": None}, {}),
        ({"method": "dpo", "hyperparameters": [3]}, {}),
        ({"method": {"type": ["dpo"]}, "hyperparameters": {"n_epochs": 3}}, {"n_epochs": 3}),
        ({"method": {"type": "dpo", "dpo": 7}}, {}),
        ({"hyperparameters": {"a": True, "b": None, "c": [1], "d": 1.5}}, {"d": 1.5}),
    ],
)  # fmt: skip
def test_hyperparameters_are_those_of_the_method_or_those_at_the_top(
    raw: dict[str, Any], read: dict[str, Any]
) -> None:
    assert read_job({**LEAST, **raw}).hyperparameters == read


@pytest.mark.parametrize(
    ("seed", "read"), [(7, 7), (0, 0), (True, None), ("7", None), (None, None)]
)
def test_a_seed_is_a_whole_number(seed: Any, read: int | None) -> None:
    assert read_job({**LEAST, "seed": seed}).seed == read


@pytest.mark.parametrize("model", ["", None])
def test_a_model_without_a_name_is_none(model: str | None) -> None:
    assert read_job({**LEAST, "fine_tuned_model": model}).model is None


OURS = file_name("demo", "rows", SHA256)
TAGGED = file_name("demo", "tone", SHA256, DIGEST)


def raw_file(name: str, **more: Any) -> dict[str, Any]:
    return {"id": "file-1", "filename": name, "bytes": 10, "created_at": 7, **more}


def test_a_file_is_known_by_its_name() -> None:
    assert read_uploaded(raw_file(OURS)) == File("file-1", OURS, 10, 7, SHA256)
    assert read_uploaded(raw_file(TAGGED)) == File("file-1", TAGGED, 10, 7, SHA256, DIGEST)
    assert read_uploaded({"id": "file-1"}) == File("file-1", "", 0, 0, usable=False)


@pytest.mark.parametrize(
    ("status", "usable"),
    [
        ("processed", True), ("uploaded", True), (None, True), ("baked", True),
        ("error", False), ("deleted", False), ("FAILED", False), ("expired", False),
    ],
)  # fmt: skip
def test_a_file_that_the_service_gave_up_is_of_no_use(status: str | None, usable: bool) -> None:
    file = read_uploaded(raw_file(OURS, status=status))

    assert file.usable is usable
    assert file.refusal == (None if usable else f"its status is '{str(status).lower()}'")
    assert not file.processing or usable


@pytest.mark.parametrize(
    ("status", "processing"),
    [
        ("uploaded", False), ("pending", True), ("Running", True), ("notRunning", True),
        ("processed", False), (None, False), ("error", False), ("baked", False),
    ],
)  # fmt: skip
def test_a_file_that_is_still_looked_at_says_so(status: str | None, processing: bool) -> None:
    assert read_uploaded(raw_file(OURS, status=status)).processing is processing


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"status_details": "row 7 is odd"}, "row 7 is odd"),
        ({"status_details": {"message": "row 7"}}, "row 7"),
        ({"status_details": None, "error": {"message": "row 8"}}, "row 8"),
        ({"status_details": "sk-0123456789abcdef"}, "[redacted]"),
    ],
)
def test_why_a_file_was_refused_is_kept(more: dict[str, Any], refusal: str) -> None:
    assert read_uploaded(raw_file(OURS, status="error", **more)).refusal == refusal


@pytest.mark.parametrize("odd", [{"id": None}, {"created_at": "soon"}, {"filename": 3}])
def test_a_file_that_is_odd_cannot_be_read(odd: dict[str, Any]) -> None:
    with pytest.raises(OddValue):
        read_uploaded({**raw_file(OURS), **odd})


@pytest.mark.parametrize(
    ("name", "is_result", "ours"),
    [
        (OURS, False, True), (TAGGED, False, True), ("x.csv", True, True),
        ("x.csv", False, False), (file_name("other", "rows", SHA256), False, False),
        (file_name("other", "rows", SHA256), True, True),
    ],
)  # fmt: skip
def test_a_file_is_ours_by_its_name_or_as_a_result(name: str, is_result: bool, ours: bool) -> None:
    assert (read_file(raw_file(name), "demo", is_result=is_result) is not None) is ours


def test_an_event_has_its_numbers_and_no_key() -> None:
    raw = {"id": "e-1", "created_at": 7, "level": "warn", "message": "sk-0123456789abcdef"}

    assert read_event({**raw, "data": {"step": 1}}) == Event(
        "e-1", 7, "warn", "[redacted]", {"step": 1}
    )
    assert read_event({"id": "e-2", "data": "x"}) == Event("e-2", 0, "info", "")
    assert read_event({"message": {}, "level": 3}) == Event("", 0, "info", "")


def test_numbers_that_no_calculation_survives_are_no_metrics() -> None:
    data = {"step": 10**400, "loss": float("nan"), "best": float("inf"), "good": 0.5, "word": "x"}

    assert read_event({"id": "e", "data": data}).metrics == {"good": 0.5, "word": "x"}


@pytest.mark.parametrize(
    ("metrics", "loss"),
    [
        ({"full_valid_loss": 0.5}, 0.5), ({"step": 1}, None), (None, None),
        ({"full_valid_loss": "low"}, None), ({"full_valid_loss": float("nan")}, None),
        ({"full_valid_loss": 10**400}, None),
    ],
)  # fmt: skip
def test_a_checkpoint_has_a_loss_where_it_was_measured(metrics: Any, loss: float | None) -> None:
    raw = {"fine_tuned_model_checkpoint": "ft:2", "step_number": 2, "metrics": metrics}

    assert read_checkpoint(raw) == CheckpointModel("ft:2", 2, loss)


@pytest.mark.parametrize("odd", [{"step_number": "two"}, {"fine_tuned_model_checkpoint": 3}])
def test_a_checkpoint_without_its_name_or_step_is_none(odd: dict[str, Any]) -> None:
    raw = {"fine_tuned_model_checkpoint": "ft:2", "step_number": 2}

    with pytest.raises(OddValue, match=r"without a model or a step|is no text"):
        read_checkpoint({**raw, **odd})


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ({"flagged": False, "categories": {"hate": True}}, ()),
        ({"flagged": True, "categories": {"hate": True, "a/b": True, "c": False}}, ("a/b", "hate")),
        ({"flagged": True, "categories": {"the text: itself": True, "hate": 1}},
         ("a reason without a name",)),
        ({"flagged": True, "categories": {}}, ("a reason without a name",)),
    ],
)  # fmt: skip
def test_a_verdict_names_categories_and_nothing_else(
    raw: dict[str, Any], read: tuple[str, ...]
) -> None:
    assert read_moderation(raw) == read


@pytest.mark.parametrize("raw", [{}, {"flagged": 1}, {"flagged": True}, {"flagged": None}])
def test_what_is_neither_yes_nor_no_is_no_verdict(raw: dict[str, Any]) -> None:
    with pytest.raises((TypeError, KeyError, AttributeError)):
        read_moderation(raw)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2027-01-14", date(2027, 1, 14)), ("2027-01-14T00:00:00Z", date(2027, 1, 14)),
        ("soon", None), ("", None), (None, None), (7, None),
    ],
)  # fmt: skip
def test_a_day_is_read_where_it_is_one(value: Any, day: date | None) -> None:
    assert read_day(value) == day


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": "bad", "type": "kind", "message": "words"}, "bad", "words"),
        ({"code": None, "type": "kind", "message": ""}, "kind", None),
        ({"message": "sk-0123456789abcdef"}, None, "[redacted]"),
        ({}, None, None), ("text", None, None), (None, None, None),
    ],
)  # fmt: skip
def test_an_answer_has_the_words_of_its_error(
    error: Any, code: str | None, message: str | None
) -> None:
    response = httpx2.Response(400, json={"error": error}, headers={"date": "today"})

    assert read_answer(response, 0.5, ()) == Answer(
        400, 0.5, {"error": error}, code, message, "today"
    )


@pytest.mark.parametrize("content", [b"<html>", b"", b"[" * 100_000])
def test_an_answer_that_is_no_json_has_no_body(content: bytes) -> None:
    assert read_answer(httpx2.Response(200, content=content), 0.5, ()) == Answer(200, 0.5)
