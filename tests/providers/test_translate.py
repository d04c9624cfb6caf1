"""What services send, and what is made of it: they leave fields out and add others."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx2
import pytest

from ftctl.domain.digest import file_name
from ftctl.domain.observed import CheckpointModel, Event, File, Job, JobError
from ftctl.providers.openai.translate import (
    read_answer,
    read_checkpoint,
    read_day,
    read_event,
    read_file,
    read_job,
    read_job_of_project,
    read_moderation,
    read_uploaded,
)
from ftctl.providers.protocol import Answer

SHA256 = "a" * 64
DIGEST = f"v1:{'d' * 64}"
LEAST = {"id": "ftjob-1", "status": "queued"}


def test_the_least_that_a_job_has_is_enough() -> None:
    assert read_job(LEAST) == Job("ftjob-1", "queued", 0)


@pytest.mark.parametrize("missing", ["id", "status"])
def test_a_job_without_its_id_or_status_is_none(missing: str) -> None:
    with pytest.raises(KeyError):
        read_job({key: value for key, value in LEAST.items() if key != missing})


def test_a_whole_job_is_read_as_it_stands() -> None:
    metadata = {
        "ftctl_project": "demo", "ftctl_finetune": "tone", "ftctl_digest": DIGEST,
        "ftctl_spec": '{"seed":7}', "ftctl_replaces": "ftjob-0", "ftctl_commit": "c0ffee",
        "owner": "cx",
    }  # fmt: skip
    raw = {
        **LEAST, "created_at": 7, "finished_at": 9, "fine_tuned_model": "ft:1", "model": "gpt",
        "training_file": "file-1", "validation_file": "file-2", "result_files": ["file-3"],
        "trained_tokens": 11, "seed": 7, "metadata": metadata,
        "error": {"code": "bad", "message": "words", "param": "training_file"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    }  # fmt: skip

    assert read_job(raw) == Job(
        "ftjob-1", "queued", 7, "tone", DIGEST, spec={"seed": 7}, replaces="ftjob-0",
        follows="ftjob-0",
        model="ft:1", base_model="gpt", error=JobError("bad", "words", "training_file"),
        training_file="file-1", validation_file="file-2", result_files=("file-3",),
        metadata={"owner": "cx"}, trained_tokens=11, finished_at=9,
        hyperparameters={"n_epochs": 3}, seed=7, commit="c0ffee",
    )  # fmt: skip
    assert read_job_of_project(raw).project == "demo"
    assert read_job_of_project(LEAST).project is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, None), ({}, None), ({"code": None, "message": None}, None), ("text", None),
        ({"code": "bad", "message": None}, JobError("bad", "bad")),
        ({"message": "words"}, JobError("unknown", "words")),
        ({"code": "bad", "message": "sk-0123456789abcdef"}, JobError("bad", "[redacted]")),
    ],
)  # fmt: skip
def test_an_empty_error_is_none(error: Any, told: JobError | None) -> None:
    assert read_job({**LEAST, "error": error}).error == told


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
    [("processed", True), ("uploaded", True), (None, True), ("error", False), ("deleted", False)],
)
def test_a_file_that_the_service_gave_up_is_of_no_use(status: str | None, usable: bool) -> None:
    assert read_uploaded(raw_file(OURS, status=status)).usable is usable


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


@pytest.mark.parametrize(
    ("metrics", "loss"), [({"full_valid_loss": 0.5}, 0.5), ({"step": 1}, None), (None, None)]
)
def test_a_checkpoint_has_a_loss_where_it_was_measured(metrics: Any, loss: float | None) -> None:
    raw = {"fine_tuned_model_checkpoint": "ft:2", "step_number": 2, "metrics": metrics}

    assert read_checkpoint(raw) == CheckpointModel("ft:2", 2, loss)


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
