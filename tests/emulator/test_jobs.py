"""The emulator's jobs: what may be asked for, how a job lives by the clock, how lists page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.lab import JOBS, Lab, chats

AUTO = {"batch_size": "auto", "learning_rate_multiplier": "auto", "n_epochs": "auto"}
GRADER = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    with lab.emulator:
        yield lab


def lines(example: Any, count: int = 12) -> bytes:
    return (json.dumps(example).encode() + b"\n") * count


def act(lab: Lab, job_id: str, verb: str) -> Any:
    status, job = lab.call("POST", f"{JOBS}/{job_id}/{verb}")
    assert status == 200, job
    return job


def test_a_new_job_echoes_what_was_asked_and_invents_the_rest(lab: Lab) -> None:
    training, validation = lab.upload(), lab.upload()

    job = lab.create(
        training_file=training,
        validation_file=validation,
        suffix="tone",
        metadata={"a": "1"},
        integrations=[{"type": "wandb", "wandb": {"project": "p", "name": None, "tags": ["t"]}}],
        model="gpt-4o-mini",
    )

    assert job == {
        "object": "fine_tuning.job",
        "id": job["id"],
        "model": "gpt-4o-mini-2024-07-18",
        "created_at": 1_800_000_000,
        "finished_at": None,
        "fine_tuned_model": None,
        "organization_id": "ftctl-emulator",
        "result_files": [],
        "status": "validating_files",
        "validation_file": validation,
        "training_file": training,
        "hyperparameters": AUTO,
        "trained_tokens": None,
        "error": None,
        "user_provided_suffix": "tone",
        "seed": job["seed"],
        "estimated_finish": None,
        "integrations": [{"type": "wandb", "wandb": {"project": "p", "name": None, "tags": ["t"]}}],
        "metadata": {"a": "1"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": AUTO}},
    }
    assert 0 <= job["seed"] < 2**31
    assert lab.job(job["id"]) == job


def test_a_job_goes_through_its_stages_by_the_clock(lab: Lab) -> None:
    job_id = lab.create()["id"]

    stages = []
    for moment in (0.0, 0.9, 1.0, 1.9, 2.0, 11.9, 12.0, 500.0):
        lab.now = 1_800_000_000.25 + moment
        job = lab.job(job_id)
        stages.append((moment, job["status"], job["estimated_finish"], job["finished_at"]))

    assert stages == [
        (0.0, "validating_files", None, None),
        (0.9, "validating_files", None, None),
        (1.0, "queued", None, None),
        (1.9, "queued", None, None),
        (2.0, "running", 1_800_000_012, None),
        (11.9, "running", 1_800_000_012, None),
        (12.0, "succeeded", None, 1_800_000_012),
        (500.0, "succeeded", None, 1_800_000_012),
    ]


def test_a_job_that_nobody_looked_at_has_the_same_history(lab: Lab) -> None:
    watched = lab.create(seed=1)["id"]
    start = lab.now
    for step in range(1, 121):
        lab.now = start + step / 10
        lab.job(watched)
    lab.now = start + 0.0
    unwatched = lab.create(seed=1)["id"]
    lab.now = start + 100

    histories = []
    for job_id in (watched, unwatched):
        events = lab.get(f"{JOBS}/{job_id}/events?limit=1000")["data"]
        told = [(e["created_at"], e["level"], e["type"], e["data"]) for e in events]
        histories.append((told, lab.job(job_id)["finished_at"]))
    assert histories[0] == histories[1]


def test_events_tell_the_whole_story_in_order(lab: Lab) -> None:
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    job = lab.create(method={**method}, training_file=lab.upload(chats(10)))
    lab.now += 50
    model = lab.job(job["id"])["fine_tuned_model"]

    assert lab.messages(job["id"]) == [
        f"Created fine-tuning job: {job['id']}",
        f"Validating training file: {job['training_file']}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        *[f"Step {step}/20" for step in range(1, 21)],
        f"New fine-tuned model created: {model}",
        "The job has successfully completed",
    ]


def test_nothing_is_measured_because_nothing_is_trained(lab: Lab) -> None:
    job_id = lab.create()["id"]
    lab.now += 50

    events = lab.get(f"{JOBS}/{job_id}/events?limit=1000")["data"]
    metrics = [event["data"] for event in events if event["type"] == "metrics"]
    checkpoints = lab.get(f"{JOBS}/{job_id}/checkpoints")["data"]

    assert metrics
    assert all(set(data) == {"step", "total_steps"} for data in metrics)
    assert all(set(checkpoint["metrics"]) == {"step"} for checkpoint in checkpoints)
    assert lab.job(job_id)["trained_tokens"] is None
    assert lab.job(job_id)["result_files"] == []


@pytest.mark.parametrize(
    ("count", "asked", "resolved"),
    [
        (10, {}, {"n_epochs": 10, "batch_size": 1, "learning_rate_multiplier": 1.0}),
        (34, {}, {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.0}),
        (1000, {}, {"n_epochs": 3, "batch_size": 2, "learning_rate_multiplier": 1.0}),
        (12_000, {}, {"n_epochs": 2, "batch_size": 24, "learning_rate_multiplier": 1.0}),
        (10, {"n_epochs": 4}, {"n_epochs": 4, "batch_size": 1, "learning_rate_multiplier": 1.0}),
        (
            *(10, {"n_epochs": 2.0, "batch_size": 256, "learning_rate_multiplier": 1e-5}),
            {"n_epochs": 2, "batch_size": 256, "learning_rate_multiplier": 1e-5},
        ),
    ],
)
def test_auto_is_echoed_at_first_and_a_number_once_validated(
    lab: Lab, count: int, asked: dict[str, Any], resolved: dict[str, Any]
) -> None:
    method = {"type": "supervised", "supervised": {"hyperparameters": asked}}
    job = lab.create(method=method, training_file=lab.upload(chats(count)))
    lab.now += 1

    later = lab.job(job["id"])

    assert job["hyperparameters"] == {**AUTO, **asked}
    assert later["hyperparameters"] == resolved
    assert later["method"]["supervised"]["hyperparameters"] == resolved


def test_the_old_place_for_hyperparameters_still_works(lab: Lab) -> None:
    job = lab.create(hyperparameters={"n_epochs": 7})

    assert job["hyperparameters"] == {**AUTO, "n_epochs": 7}
    assert job["method"]["supervised"]["hyperparameters"] == {**AUTO, "n_epochs": 7}


def test_a_preference_job_keeps_its_numbers_under_its_method(lab: Lab) -> None:
    example = {
        "input": {"messages": [{"role": "user", "content": "Hi"}]},
        "preferred_output": [{"role": "assistant", "content": "Hello"}],
        "non_preferred_output": [{"role": "assistant", "content": "What"}],
    }
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2}}}
    job = lab.create(method=method, training_file=lab.upload(lines(example)))
    lab.now += 50

    done = lab.job(job["id"])

    assert job["hyperparameters"] == {}
    assert job["method"] == {"type": "dpo", "dpo": {"hyperparameters": {**AUTO, "beta": 2}}}
    assert done["status"] == "succeeded"
    assert done["method"]["dpo"]["hyperparameters"] == {
        "beta": 2,
        "batch_size": 1,
        "learning_rate_multiplier": 1.0,
        "n_epochs": 8,
    }


def test_a_reinforcement_job_keeps_its_grader(lab: Lab) -> None:
    example = {"messages": [{"role": "user", "content": "2+2"}], "answer": "4"}
    method = {"type": "reinforcement", "reinforcement": {"grader": GRADER}}
    job = lab.create(model="o4-mini", method=method, training_file=lab.upload(lines(example)))
    lab.now += 50

    done = lab.job(job["id"])

    assert done["status"] == "succeeded"
    assert done["method"]["reinforcement"]["grader"] == GRADER
    assert done["method"]["reinforcement"]["hyperparameters"] == {
        "batch_size": 1,
        "learning_rate_multiplier": 1.0,
        "n_epochs": 8,
        "reasoning_effort": "default",
        "compute_multiplier": 1.0,
        "eval_interval": 12,
        "eval_samples": 1,
    }


def supervised(**values: Any) -> dict[str, Any]:
    return {"method": {"type": "supervised", "supervised": {"hyperparameters": values}}}


def reinforced(grader: Any = GRADER, **values: Any) -> dict[str, Any]:
    block: dict[str, Any] = {"hyperparameters": values, "grader": grader}
    return {"model": "o4-mini", "method": {"type": "reinforcement", "reinforcement": block}}


_SFT = "method.supervised.hyperparameters"
_DPO = "method.dpo.hyperparameters"
_RFT = "method.reinforcement.hyperparameters"
_GRADER = "method.reinforcement.grader"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 4}, "model"),
        ({"model": "meta-llama/Llama-3.1-8B"}, "model"),
        ({"model": "ft:gpt-4o-2024-08-06:org::abc"}, "model"),
        ({"training_file": None}, "training_file"),
        ({"training_file": "file-none"}, "training_file"),
        ({"validation_file": "file-none"}, "validation_file"),
        ({"validation_file": 1}, "validation_file"),
        ({"method": None}, "method.type"),
        ({"method": {}}, "method.type"),
        ({"method": {"type": "rlhf"}}, "method.type"),
        ({"method": {"type": ["dpo"]}}, "method.type"),
        ({"method": {"type": "supervised", "supervised": None}}, "method.supervised"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": []}}}, _DPO),
        ({"method": {"type": "reinforcement"}}, _GRADER),
        (supervised(n_epochs=0), f"{_SFT}.n_epochs"),
        (supervised(n_epochs=51), f"{_SFT}.n_epochs"),
        (supervised(n_epochs=1.5), f"{_SFT}.n_epochs"),
        (supervised(n_epochs="3"), f"{_SFT}.n_epochs"),
        (supervised(n_epochs=True), f"{_SFT}.n_epochs"),
        (supervised(n_epochs=None), f"{_SFT}.n_epochs"),
        (supervised(batch_size=257), f"{_SFT}.batch_size"),
        (supervised(batch_size=0), f"{_SFT}.batch_size"),
        (supervised(learning_rate_multiplier=0), f"{_SFT}.learning_rate_multiplier"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0}}}}, f"{_DPO}.beta"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2.1}}}}, f"{_DPO}.beta"),
        (reinforced(compute_multiplier=1e-5), f"{_RFT}.compute_multiplier"),
        (reinforced(compute_multiplier=10.5), f"{_RFT}.compute_multiplier"),
        (reinforced(eval_interval=0), f"{_RFT}.eval_interval"),
        (reinforced(eval_samples=0), f"{_RFT}.eval_samples"),
        (reinforced(reasoning_effort="auto"), f"{_RFT}.reasoning_effort"),
        (reinforced(grader=None), _GRADER),
        (reinforced(grader={"type": "label_model"}), _GRADER),
        (reinforced(grader={**GRADER, "operation": "neq"}), f"{_GRADER}.operation"),
        (reinforced(grader={**GRADER, "input": 3}), f"{_GRADER}.input"),
        (
            reinforced({"type": "python", "name": "p", "source": "x" * 262_145}),
            f"{_GRADER}.source",
        ),
        (
            reinforced({"type": "multi", "name": "m", "graders": {}, "calculate_output": "a"}),
            f"{_GRADER}.graders",
        ),
        (
            reinforced(
                {
                    "type": "multi",
                    "name": "m",
                    "calculate_output": "a",
                    "graders": {"a": {"type": "multi"}},
                }
            ),
            f"{_GRADER}.graders.a",
        ),
        ({"hyperparameters": {"n_epochs": 99}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": None}, "hyperparameters"),
        ({"suffix": ""}, "suffix"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": False}, "seed"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: ""}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
        ({"metadata": {"k": 1}}, "metadata.k"),
        ({"integrations": {}}, "integrations"),
        ({"integrations": [{"type": "mlflow"}]}, "integrations.0.type"),
        ({"integrations": [{"type": "wandb"}]}, "integrations.0.wandb"),
        ({"integrations": [{"type": "wandb", "wandb": {}}]}, "integrations.0.wandb.project"),
        (
            {"integrations": [{"type": "wandb", "wandb": {"project": "p", "tags": [1]}}]},
            "integrations.0.wandb.tags",
        ),
    ],
)
def test_a_request_that_breaks_a_rule_is_a_400_that_names_the_field(
    lab: Lab, change: dict[str, Any], param: str
) -> None:
    body = {"model": "gpt-4.1", "training_file": lab.upload(), **change}

    error = lab.refused("POST", JOBS, body)

    assert (error["status"], error["param"]) == (400, param)
    assert lab.get(JOBS)["data"] == []


def test_every_limit_itself_is_still_allowed(lab: Lab) -> None:
    job = lab.create(
        suffix="x" * 64,
        seed=2**31 - 1,
        metadata={f"{n:064}": "v" * 512 for n in range(16)},
        integrations=[],
        **supervised(n_epochs=50, batch_size=256, learning_rate_multiplier=1e-9),
    )

    assert (job["seed"], len(job["metadata"]), job["integrations"]) == (2**31 - 1, 16, [])


@pytest.mark.parametrize(
    "grader",
    [
        {
            "type": "text_similarity",
            "name": "t",
            "input": "a",
            "reference": "b",
            "evaluation_metric": "rouge_l",
        },
        {"type": "python", "name": "p", "source": "def grade(s, i): return 1.0"},
        {"type": "score_model", "name": "s", "model": "gpt-4.1", "input": []},
        {"type": "multi", "name": "m", "graders": {"a": GRADER}, "calculate_output": "a"},
        {"type": "multi", "name": "m", "graders": GRADER, "calculate_output": "same"},
    ],
)
def test_every_kind_of_grader_is_taken(lab: Lab, grader: dict[str, Any]) -> None:
    job = lab.create(**reinforced(grader))

    assert job["method"]["reinforcement"]["grader"] == grader


@pytest.mark.parametrize(
    ("model", "kind"),
    [("o4-mini", "supervised"), ("gpt-4.1", "reinforcement"), ("gpt-3.5-turbo", "dpo")],
)
def test_a_model_is_tuned_only_by_its_own_methods(lab: Lab, model: str, kind: str) -> None:
    method = {"type": kind, "reinforcement": {"grader": GRADER}}
    body = {"model": model, "training_file": lab.upload(), "method": method}

    error = lab.refused("POST", JOBS, body)

    assert (error["status"], error["code"]) == (400, "unsupported_method")


def test_a_file_of_another_purpose_cannot_be_trained_on(lab: Lab) -> None:
    body = {"model": "gpt-4.1", "training_file": lab.upload(purpose="user_data")}

    error = lab.refused("POST", JOBS, body)

    assert (error["param"], error["code"]) == ("training_file", "invalid_file_purpose")


_PROMPT = {"prompt": "a", "completion": "b"}
_USER = {"role": "user", "content": "Hi"}
_TOKEN = "It is <|fim_suffix|> then."


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (chats(9), "invalid_n_examples", "has 9 example(s), but must have at least 10"),
        (chats(11) + b"{", "invalid_training_file", "Line 12 is not valid JSON"),
        (chats(11) + b"[]", "invalid_training_file", "Line 12 is not a JSON object"),
        (lines(_PROMPT), "invalid_training_file", "Line 1 is a completion example; the base model"),
        (lines({"messages": [_USER]}), "invalid_training_file", "no message from the assistant"),
        (lines({"messages": []}), "invalid_training_file", "Line 1: 'messages' must be"),
        (lines({"messages": [{"role": "bot"}]}), "invalid_training_file", "known role"),
        (lines({"messages": ["hi"]}), "invalid_training_file", "known role"),
        (b"\xff\n" * 12, "invalid_training_file", "Line 1 is not valid JSON"),
        (b"[" * 300_000, "invalid_training_file", "nested too deeply"),
        (
            chats(11) + lines({"messages": [_USER, {"role": "assistant", "content": _TOKEN}]}),
            "invalid_file_format",
            (
                "The job failed due to a file format error in the training file. Invalid file"
                " format. Example 12 message contains an invalid token: <|fim_suffix|>."
            ),
        ),
        (
            chats(9) + b'{"messages": [{"role": "user", "content": "\\u003c|fim_suffix|\\u003e"},'
            b' {"role": "assistant", "content": "a"}]}',
            "invalid_file_format",
            "Example 10 message contains an invalid token: <|fim_suffix|>.",
        ),
    ],
)
def test_bad_data_fails_the_job_after_the_create_succeeded(
    lab: Lab, content: bytes, code: str, words: str
) -> None:
    job = lab.create(training_file=lab.upload(content))
    lab.now += 50

    failed = lab.job(job["id"])
    event = lab.get(f"{JOBS}/{job['id']}/events")["data"][0]

    assert job["status"] == "validating_files"
    assert (failed["status"], failed["finished_at"]) == ("failed", job["created_at"] + 1)
    assert (failed["error"]["code"], failed["error"]["param"]) == (code, "training_file")
    assert words in failed["error"]["message"]
    assert (event["level"], event["message"]) == ("error", failed["error"]["message"])
    assert failed["fine_tuned_model"] is None


@pytest.mark.parametrize("content", [b" \n", lines(_PROMPT)])
def test_bad_validation_data_fails_the_job_by_its_own_code(lab: Lab, content: bytes) -> None:
    job = lab.create(validation_file=lab.upload(content))
    lab.now += 1

    error = lab.job(job["id"])["error"]

    assert (error["code"], error["param"]) == ("invalid_validation_file", "validation_file")


def test_blank_lines_and_a_byte_order_mark_are_no_examples(lab: Lab) -> None:
    job = lab.create(training_file=lab.upload(b"\xef\xbb\xbf" + chats(10) + b"\r\n\n"))
    lab.now += 1

    assert lab.job(job["id"])["hyperparameters"]["n_epochs"] == 10


def test_old_base_models_take_prompts_and_completions(lab: Lab) -> None:
    good = lab.create(model="babbage-002", training_file=lab.upload(lines(_PROMPT)))
    bad = lab.create(model="davinci-002", training_file=lab.upload(chats(12)))
    lab.now += 50

    assert lab.job(good["id"])["fine_tuned_model"].startswith("ft:babbage-002:")
    assert lab.job(bad["id"])["error"] == {
        "code": "invalid_training_file",
        "param": "training_file",
        "message": f"The file {bad['training_file']} is unusable. Line 1 is a chat example; the"
        " base model and method of this job take completion examples.",
    }


def test_a_file_deleted_before_the_job_validates_fails_the_job(lab: Lab) -> None:
    job = lab.create()
    lab.call("DELETE", f"/v1/files/{job['training_file']}")
    lab.now += 1

    failed = lab.job(job["id"])

    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "invalid_training_file"
    assert failed["training_file"] == job["training_file"]


def test_a_file_deleted_after_the_job_validated_is_not_missed(lab: Lab) -> None:
    job = lab.create()
    lab.now += 1
    lab.call("DELETE", f"/v1/files/{job['training_file']}")
    lab.now += 50

    assert lab.job(job["id"])["status"] == "succeeded"


def test_a_finished_model_is_named_after_base_organization_and_suffix(tmp_path: Path) -> None:
    lab = Lab(tmp_path, organization="acme")
    with lab.emulator:
        jobs = [lab.create(suffix="tone"), lab.create()]
        lab.now += 50
        names = [lab.job(job["id"])["fine_tuned_model"].split(":") for job in jobs]

    assert names[0][:4] == ["ft", "gpt-4.1-mini-2025-04-14", "acme", "tone"]
    assert names[1][:4] == ["ft", "gpt-4.1-mini-2025-04-14", "acme", ""]
    assert [len(name[4]) for name in names] == [8, 8]


@pytest.mark.parametrize("start", ["result", "checkpoint"])
def test_training_goes_on_from_a_tuned_model_and_keeps_the_root_name(lab: Lab, start: str) -> None:
    first = lab.create()
    lab.now += 50
    checkpoint = lab.get(f"{JOBS}/{first['id']}/checkpoints")["data"][1]
    names = {
        "result": lab.job(first["id"])["fine_tuned_model"],
        "checkpoint": checkpoint["fine_tuned_model_checkpoint"],
    }

    second = lab.create(model=names[start], suffix="more")
    lab.now += 50

    done = lab.job(second["id"])
    assert second["model"] == names[start]
    assert done["fine_tuned_model"].startswith("ft:gpt-4.1-mini-2025-04-14:ftctl-emulator:more:")


def test_a_deleted_model_cannot_be_tuned_further(lab: Lab) -> None:
    job = lab.create()
    lab.now += 50
    model = lab.job(job["id"])["fine_tuned_model"]
    lab.call("DELETE", f"/v1/models/{model}")

    error = lab.refused("POST", JOBS, {"model": model, "training_file": lab.upload()})

    assert (error["param"], error["code"]) == ("model", "model_not_found")


def test_a_job_keeps_the_checkpoints_of_its_last_three_epochs(lab: Lab) -> None:
    job = lab.create(training_file=lab.upload(chats(10)), **supervised(n_epochs=5))
    lab.now += 2 + 4.5
    halfway = lab.get(f"{JOBS}/{job['id']}/checkpoints")
    lab.now += 50

    listed = lab.get(f"{JOBS}/{job['id']}/checkpoints")

    model = lab.job(job["id"])["fine_tuned_model"]
    names = [f"{model}:ckpt-step-{step}" for step in (50, 40, 30)]
    assert [checkpoint["step_number"] for checkpoint in halfway["data"]] == [20, 10]
    assert [c["fine_tuned_model_checkpoint"] for c in listed["data"]] == names
    assert (listed["first_id"], listed["last_id"]) == (
        listed["data"][0]["id"],
        listed["data"][2]["id"],
    )
    models = [m["id"] for m in lab.get("/v1/models")["data"] if m["id"].startswith("ft:")]
    assert sorted(models) == sorted([*names, model])
    assert lab.call("DELETE", f"/v1/models/{names[0]}")[0] == 200
    assert lab.refused("GET", f"/v1/models/{names[0]}")["status"] == 404


def test_checkpoints_page_by_cursor(lab: Lab) -> None:
    job = lab.create()
    lab.now += 50
    whole = lab.get(f"{JOBS}/{job['id']}/checkpoints")["data"]

    first = lab.get(f"{JOBS}/{job['id']}/checkpoints?limit=2")
    rest = lab.get(f"{JOBS}/{job['id']}/checkpoints?limit=2&after={first['last_id']}")

    assert first["data"] + rest["data"] == whole
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_a_long_job_tells_of_few_steps_and_ends_at_once(lab: Lab) -> None:
    content = chats(10_000)
    job = lab.create(training_file=lab.upload(content), **supervised(n_epochs=50, batch_size=1))
    lab.now += 50

    done = lab.job(job["id"])
    steps = [text for text in lab.messages(job["id"]) if text.startswith("Step ")]

    assert done["status"] == "succeeded"
    assert len(steps) == 50
    assert steps[-1] == "Step 500000/500000"


def test_a_cancelled_job_stays_cancelled(lab: Lab) -> None:
    job = lab.create(training_file=lab.upload(chats(10)))
    lab.now += 7

    cancelled = act(lab, job["id"], "cancel")
    lab.now += 50

    assert (cancelled["status"], cancelled["finished_at"]) == ("cancelled", job["created_at"] + 7)
    assert lab.job(job["id"]) == cancelled
    assert lab.messages(job["id"])[-1] == "Fine-tuning job cancelled"
    assert cancelled["fine_tuned_model"] is None


def test_a_paused_job_goes_on_from_its_step_when_resumed(lab: Lab) -> None:
    job = lab.create(training_file=lab.upload(chats(10)), **supervised(n_epochs=1))
    lab.now += 2 + 4.5
    paused = act(lab, job["id"], "pause")
    lab.now += 1000
    still = lab.job(job["id"])

    resumed = act(lab, job["id"], "resume")
    lab.now += 1
    running = lab.job(job["id"])
    lab.now += 5.4
    before = lab.job(job["id"])
    lab.now += 0.1
    done = lab.job(job["id"])

    statuses = [j["status"] for j in (paused, still, resumed, running, before, done)]
    assert statuses == ["paused", "paused", "queued", "running", "running", "succeeded"]
    assert running["estimated_finish"] == int(lab.now)
    assert lab.messages(job["id"])[4:-2] == [
        *[f"Step {step}/10" for step in (1, 2, 3, 4)],
        "Fine-tuning job paused after step 4/10",
        "Fine-tuning job queued again after step 4/10",
        "Fine-tuning job resumed",
        *[f"Step {step}/10" for step in (5, 6, 7, 8, 9, 10)],
    ]


def test_a_job_paused_again_and_again_takes_no_longer(lab: Lab) -> None:
    job = lab.create()
    lab.now += 2
    for _ in range(9):
        lab.now += 1
        act(lab, job["id"], "pause")
        lab.now += 33
        act(lab, job["id"], "resume")
        lab.now += 1
    lab.now += 0.99
    before = lab.job(job["id"])["status"]
    lab.now += 0.02

    assert (before, lab.job(job["id"])["status"]) == ("running", "succeeded")


def test_a_paused_job_can_be_cancelled(lab: Lab) -> None:
    job = lab.create()
    lab.now += 5
    act(lab, job["id"], "pause")

    assert act(lab, job["id"], "cancel")["status"] == "cancelled"


@pytest.mark.parametrize(
    ("wait", "verb", "before"),
    [
        (0.0, "pause", None),
        (0.0, "resume", None),
        (1.5, "pause", None),
        (5.0, "resume", None),
        (5.0, "pause", "pause"),
        (5.0, "cancel", "cancel"),
        (5.0, "resume", "cancel"),
        (50.0, "cancel", None),
        (50.0, "pause", None),
        (50.0, "resume", None),
    ],
)
def test_a_verb_at_the_wrong_time_is_a_400_and_changes_nothing(
    lab: Lab, wait: float, verb: str, before: str | None
) -> None:
    job_id = lab.create()["id"]
    lab.now += wait
    if before is not None:
        act(lab, job_id, before)
    then = lab.job(job_id)

    error = lab.refused("POST", f"{JOBS}/{job_id}/{verb}")

    assert error["status"] == 400
    assert then["status"] in error["message"]
    assert lab.job(job_id) == then


@pytest.mark.parametrize("rest", ["", "/events", "/checkpoints"])
def test_an_unknown_job_is_a_404(lab: Lab, rest: str) -> None:
    error = lab.refused("GET", f"{JOBS}/ftjob-none{rest}")

    assert (error["status"], error["code"]) == (404, "fine_tune_not_found")


def test_jobs_of_one_second_are_listed_in_the_order_of_their_making(lab: Lab) -> None:
    file = lab.upload()
    made = [lab.create(training_file=file)["id"] for _ in range(5)]

    listed = lab.get(JOBS)

    assert [job["id"] for job in listed["data"]] == made[::-1]


def test_a_cursor_walks_over_every_job_once(lab: Lab) -> None:
    file = lab.upload()
    made = [lab.create(training_file=file)["id"] for _ in range(230)]

    seen: list[str] = []
    sizes = []
    more, after = True, ""
    while more:
        page = lab.get(f"{JOBS}?limit=1000&after={after}")
        seen += [job["id"] for job in page["data"]]
        sizes.append(len(page["data"]))
        more, after = page["has_more"], seen[-1]

    assert seen == made[::-1]
    assert sizes == [100, 100, 30]
    assert len(lab.get(JOBS)["data"]) == 20


def test_jobs_are_found_by_every_pair_of_their_metadata(lab: Lab) -> None:
    file = lab.upload()
    wanted = {
        "both": {"ftctl.project": "a b", "x": "1"},
        "one": {"ftctl.project": "a b", "x": "2"},
        "none": None,
        "empty": {},
        "odd": {"k[]'\"": "", "é": "&="},
    }
    names = {
        lab.create(training_file=file, metadata=metadata)["id"]: name
        for name, metadata in wanted.items()
    }

    def found(query: str) -> list[str]:
        return [names[job["id"]] for job in lab.get(f"{JOBS}?{query}")["data"]]

    assert found("metadata%5Bftctl.project%5D=a+b") == ["one", "both"]
    assert found("metadata[ftctl.project]=a%20b&metadata[x]=1") == ["both"]
    assert found("metadata[x]=1&metadata[x]=2") == []
    assert found("metadata[x]=") == []
    assert found("metadata[k%5B%5D%27%22]=&metadata[%C3%A9]=%26%3D") == ["odd"]
    assert found("metadata=null") == ["empty", "none"]
    assert found("metadata[ftctl.project]=a+b&limit=1") == ["one"]


@pytest.mark.parametrize(
    "query",
    [
        "metadata=none",
        "&".join(f"metadata[{n}]=v" for n in range(17)),
        "limit=0",
        "limit=x",
    ],
)
def test_a_filter_or_a_page_that_cannot_be_is_a_400(lab: Lab, query: str) -> None:
    assert lab.refused("GET", f"{JOBS}?{query}")["status"] == 400


def test_events_page_by_cursor(lab: Lab) -> None:
    job_id = lab.create()["id"]
    lab.now += 50
    whole = lab.get(f"{JOBS}/{job_id}/events?limit=1000")["data"]

    seen: list[Any] = []
    more, after = True, ""
    while more:
        page = lab.get(f"{JOBS}/{job_id}/events?after={after}")
        seen += page["data"]
        more, after = page["has_more"], seen[-1]["id"]

    assert seen == whole
    assert len(whole) > 40


def test_a_job_without_durations_is_done_at_the_next_look(tmp_path: Path) -> None:
    lab = Lab(tmp_path, validating_seconds=0, queued_seconds=0, running_seconds=0)
    with lab.emulator:
        created = lab.create()
        done = lab.job(created["id"])

    assert (created["status"], done["status"]) == ("validating_files", "succeeded")


def test_a_clock_that_goes_back_takes_nothing_back(lab: Lab) -> None:
    job_id = lab.create()["id"]
    lab.now += 50
    done = lab.job(job_id)
    lab.now -= 49

    assert lab.job(job_id) == done
