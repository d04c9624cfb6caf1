"""Jobs that really train: their figures, their models, and that nothing loses them."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, ROOT

from emulator.lab import JOBS, Lab
from ftctl.emulator.app import DATABASE
from ftctl.emulator.jobs.virtual_clock import Pace

Figures = list[tuple[int, dict[str, Any]]]


class School(Lab):
    """A lab whose jobs learn; no request leaves training undone."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        super().__init__(folder, **{"training": True, "look_seconds": 600, **changes})

    def finished(self, **fields: Any) -> Any:
        """A job at its end; it must have succeeded."""
        job = self.create(**{"training_file": self.upload(rows()), "seed": 3, **fields})
        self.now += 60
        done = self.job(job["id"])
        assert done["status"] == "succeeded", done["error"]
        return done

    def curve(self, job_id: str) -> Figures:
        """What every step measured, from the store."""
        database = sqlite3.connect(self.folder / DATABASE)
        found = database.execute(
            "SELECT steps.step, metrics FROM steps JOIN jobs ON jobs.seq = steps.job"
            " WHERE jobs.id = ? ORDER BY steps.step",
            (job_id,),
        ).fetchall()
        database.close()
        return [(step, json.loads(metrics)) for step, metrics in found]

    def losses(self, job_id: str) -> list[float]:
        return losses_of(self.curve(job_id))

    def metrics(self, job_id: str) -> list[dict[str, Any]]:
        """The data of the job's metrics events, oldest first."""
        events = self.get(f"{JOBS}/{job_id}/events?limit=1000")["data"]
        return [event["data"] for event in reversed(events) if event["type"] == "metrics"]

    def faulty(self, *rules: dict[str, Any]) -> None:
        """Have these things go wrong."""
        body = json.dumps({"faults": list(rules)}).encode()
        response = self.send("PUT", "/_ftctl/faults", body, ("host", "localhost"))
        assert response.status == 200, response.body

    def share_right(self, model: str, chats: list[list[dict[str, str]]]) -> float:
        """How many of the chats end as the model would end them, word by word."""
        right = 0
        for messages in chats:
            asked = {"model": model, "messages": messages[:-1], "temperature": 0}
            status, said = self.call("POST", "/v1/chat/completions", asked)
            assert status == 200, said
            right += said["choices"][0]["message"]["content"] == messages[-1]["content"]
        return right / len(chats)

    def weights(self) -> int:
        """How many sets of weights the store keeps."""
        database = sqlite3.connect(self.folder / DATABASE)
        count: int = database.execute("SELECT count(*) FROM weights").fetchone()[0]
        database.close()
        return count


def losses_of(curve: Figures) -> list[float]:
    """The training loss of each step."""
    return [figures["train_loss"] for _, figures in curve]


def rows(count: int = 12, answers: tuple[str, ...] = ("red", "green", "blue")) -> bytes:
    """Small chats: a question with a number in words, answered by one of a few words."""
    lines = []
    for number in range(count):
        place = number % len(answers)
        question = f"{('apple', 'sky', 'leaf')[place]} number {number}"
        turns = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answers[place]},
        ]
        lines.append(json.dumps({"messages": turns}).encode() + b"\n")
    return b"".join(lines)


def pairs(count: int = 12) -> bytes:
    """The same question with a wanted and an unwanted answer."""
    row = {
        "preferred_output": [{"role": "assistant", "content": "Certainly."}],
        "non_preferred_output": [{"role": "assistant", "content": "No way."}],
    }
    lines = [
        {"input": {"messages": [{"role": "user", "content": f"Favour {number}?"}]}, **row}
        for number in range(count)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    lab = School(tmp_path / "state")
    with lab.emulator:
        yield lab


def test_a_job_tells_what_its_training_measured(school: School) -> None:
    validation = school.upload(rows(6))

    job = school.finished(validation_file=validation, hyperparameters={"n_epochs": 3})

    told = school.metrics(job["id"])
    last = told[-1]
    assert [one["step"] for one in told] == list(range(1, 37))
    assert last["full_valid_loss"] < told[0]["train_loss"]
    assert set(last) == {
        *("step", "total_steps", "train_loss", "train_mean_token_accuracy"),
        *("valid_loss", "valid_mean_token_accuracy"),
        *("full_valid_loss", "full_valid_mean_token_accuracy"),
    }
    message = school.messages(job["id"])[-3]
    assert message == (
        f"Step 36/36: training loss={last['train_loss']:.2f},"
        f" validation loss={last['valid_loss']:.2f},"
        f" full validation loss={last['full_valid_loss']:.2f}"
    )


def test_each_kept_checkpoint_has_the_figures_of_its_epoch(school: School) -> None:
    job = school.finished(
        validation_file=school.upload(rows(6)), hyperparameters={"n_epochs": 5, "batch_size": 4}
    )

    kept = school.get(f"{JOBS}/{job['id']}/checkpoints")["data"]

    assert [one["step_number"] for one in kept] == [15, 12, 9]
    by_step = {one["step"]: one for one in school.metrics(job["id"])}
    for one in kept:
        told = dict(by_step[one["step_number"]])
        told.pop("total_steps")
        assert one["metrics"] == told


def test_the_result_file_has_a_line_for_every_step(school: School) -> None:
    job = school.finished(
        validation_file=school.upload(rows(6)), hyperparameters={"n_epochs": 2, "batch_size": 5}
    )

    (file_id,) = job["result_files"]
    content = school.send("GET", f"/v1/files/{file_id}/content").body.decode()
    shown = school.get(f"/v1/files/{file_id}")
    table = list(csv.DictReader(io.StringIO(content)))

    assert (shown["purpose"], shown["bytes"]) == ("fine-tune-results", len(content))
    assert list(table[0]) == [
        *("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
    ]
    assert [line["step"] for line in table] == ["1", "2", "3", "4", "5", "6"]
    assert [float(line["train_loss"]) for line in table] == school.losses(job["id"])


def test_the_tokens_of_the_file_times_the_epochs_are_billed_at_the_end(school: School) -> None:
    file = school.upload(rows(12))
    job = school.create(training_file=file, hyperparameters={"n_epochs": 2})
    twice = school.create(training_file=file, hyperparameters={"n_epochs": 4})
    school.now += 5
    under_way = school.job(job["id"])["trained_tokens"]
    school.now += 50

    billed = [school.job(one["id"])["trained_tokens"] for one in (job, twice)]

    assert under_way is None
    assert billed[1] == 2 * billed[0] > 0


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others(school: School) -> None:
    first, again, other = (school.finished(seed=seed)["id"] for seed in (5, 5, 6))

    assert school.curve(first) == school.curve(again)
    assert school.losses(first) != school.losses(other)


@pytest.mark.parametrize("change", [{"learning_rate_multiplier": 0.2}, {"batch_size": 4}])
def test_another_hyperparameter_changes_the_curve(school: School, change: dict[str, Any]) -> None:
    plain = school.finished(hyperparameters={"n_epochs": 4})
    changed = school.finished(hyperparameters={"n_epochs": 4, **change})

    assert school.losses(plain["id"])[-1] != school.losses(changed["id"])[-1]


def test_a_slower_rate_has_learnt_less_by_the_end(school: School) -> None:
    ends = []
    for multiplier in (0.05, 1):
        hyperparameters = {"n_epochs": 4, "learning_rate_multiplier": multiplier}
        job = school.finished(
            validation_file=school.upload(rows(9)), hyperparameters=hyperparameters
        )
        ends.append(school.metrics(job["id"])[-1]["full_valid_loss"])

    assert ends[0] > ends[1]


def test_going_on_from_a_model_starts_from_what_it_has_learnt(school: School) -> None:
    first = school.finished(hyperparameters={"n_epochs": 8})
    second = school.finished(model=first["fine_tuned_model"], hyperparameters={"n_epochs": 1})

    fresh, continued = school.losses(first["id"]), school.losses(second["id"])
    assert continued[0] < fresh[0] / 2


def test_preferences_are_learnt(school: School) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 6, "beta": 0.3}}}

    job = school.finished(training_file=school.upload(pairs()), method=method)

    told = school.metrics(job["id"])
    assert told[-1]["train_loss"] < told[0]["train_loss"]
    assert told[-1]["train_reward_margin"] > 0


def test_looking_often_and_looking_once_give_the_same_job(tmp_path: Path) -> None:
    curves = []
    for name, moments in (("often", [0.1] * 300), ("once", [30.0])):
        with School(tmp_path / name).emulator as _:
            pass
        school = School(tmp_path / name)
        with school.emulator:
            job = school.create(training_file=school.upload(rows()), seed=1)
            for seconds in moments:
                school.now += seconds
                school.job(job["id"])
            events = school.get(f"{JOBS}/{job['id']}/events?limit=1000")["data"]
            curves.append((school.curve(job["id"]), events, school.job(job["id"])))

    assert curves[0] == curves[1]


def test_a_request_that_may_not_wait_finds_the_job_lagging_but_never_stuck(tmp_path: Path) -> None:
    school = School(tmp_path / "state", look_seconds=0)
    with school.emulator:
        job = school.create(training_file=school.upload(rows()), seed=1)
        school.now += 60
        seen: list[str] = []
        while len(seen) < 1_000 and seen[-1:] != ["succeeded"]:
            seen.append(school.job(job["id"])["status"])
        hasty = school.curve(job["id"])
    patient = School(tmp_path / "patient")
    with patient.emulator:
        expected = patient.curve(patient.finished(seed=1)["id"])

    assert "running" in seen
    assert seen[-1] == "succeeded"
    assert hasty == expected


def test_two_processes_that_train_one_job_write_it_once(tmp_path: Path) -> None:
    one, other = School(tmp_path / "state"), School(tmp_path / "state")
    with one.emulator, other.emulator:
        job = one.create(training_file=one.upload(rows()), seed=1)
        for _ in range(25):
            one.now = other.now = one.now + 0.6
            one.job(job["id"])
            other.job(job["id"])
        done = other.job(job["id"])
        shared = one.curve(job["id"])
    alone = School(tmp_path / "alone")
    with alone.emulator:
        expected = alone.curve(alone.finished(seed=1)["id"])

    assert done["status"] == "succeeded"
    assert shared == expected


_KILLED = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from emulator.test_training import School, rows
school = School(Path(sys.argv[1]))
job = school.create(training_file=school.upload(rows(200)), seed=1)
while True:
    school.now += 0.05
    school.job(job["id"])
    print(job["id"], len(school.curve(job["id"])), flush=True)
    time.sleep(0.01)
"""


def test_a_job_goes_on_where_a_killed_process_left_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "state"), str(ROOT / "tests")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            job_id, _, steps = line.partition(" ")
            if int(steps) >= 100:
                process.send_signal(signal.SIGKILL)
                break
    after = School(tmp_path / "state")
    with after.emulator:
        left = after.curve(job_id)
        after.now += 60
        done = after.job(job_id)
        whole = after.curve(job_id)
    undisturbed = School(tmp_path / "undisturbed")
    with undisturbed.emulator:
        reference = undisturbed.finished(training_file=undisturbed.upload(rows(200)), seed=1)
        expected = undisturbed.curve(reference["id"])

    assert 100 <= len(left) < len(whole)
    assert done["status"] == "succeeded"
    assert [step for step, _ in whole] == [step for step, _ in expected]
    # Not to the last digit: numpy may add in another order in a process that loaded it otherwise.
    assert losses_of(whole) == pytest.approx(losses_of(expected), abs=1e-3)


def test_deleting_the_file_takes_nothing_from_a_job_that_has_read_it(school: School) -> None:
    file = school.upload(rows())
    job = school.create(training_file=file)
    school.now += 4
    assert school.job(job["id"])["status"] == "running"
    school.call("DELETE", f"/v1/files/{file}")
    gone = school.call("GET", f"/v1/files/{file}/content")[0]
    school.now += 60

    done = school.job(job["id"])

    assert (gone, done["status"]) == (404, "succeeded")
    assert len(school.curve(job["id"])) == 12 * done["hyperparameters"]["n_epochs"]


def test_a_parent_that_is_deleted_after_the_create_is_still_gone_on_from(school: School) -> None:
    parent = school.finished(hyperparameters={"n_epochs": 8})
    child = school.create(
        model=parent["fine_tuned_model"], training_file=school.upload(rows()), seed=3
    )
    for model in school.get("/v1/models")["data"]:
        if model["id"].startswith("ft:"):
            school.call("DELETE", f"/v1/models/{model['id']}")
    school.now += 60

    done = school.job(child["id"])

    assert done["status"] == "succeeded"
    assert school.losses(child["id"])[0] < school.losses(parent["id"])[0] / 2


def test_weights_go_with_the_last_model_that_has_them(school: School) -> None:
    school.finished(hyperparameters={"n_epochs": 2})
    before = school.weights()
    for model in school.get("/v1/models")["data"]:
        if model["id"].startswith("ft:"):
            school.call("DELETE", f"/v1/models/{model['id']}")

    # The last checkpoint is the result: two sets for three models.
    assert (before, school.weights()) == (2, 0)


def test_pausing_leaves_a_model_of_what_was_learnt(school: School) -> None:
    job = school.create(training_file=school.upload(rows()), hyperparameters={"n_epochs": 1})
    school.now += 7.2
    status, paused = school.call("POST", f"{JOBS}/{job['id']}/pause")
    (kept,) = school.get(f"{JOBS}/{job['id']}/checkpoints")["data"]
    model = school.get(f"/v1/models/{kept['fine_tuned_model_checkpoint']}")
    school.call("POST", f"{JOBS}/{job['id']}/resume")
    school.now += 60

    assert (status, paused["status"]) == (200, "paused")
    assert model["id"].endswith(f":ckpt-step-{kept['step_number']}")
    assert 1 <= kept["step_number"] < 12
    assert school.job(job["id"])["status"] == "succeeded"
    assert len(school.curve(job["id"])) == 12


def test_bytes_that_are_no_examples_fail_the_job_as_ever(school: School) -> None:
    job = school.create(training_file=school.upload(b"not json\n" * 20))
    school.now += 60

    failed = school.job(job["id"])

    assert (failed["status"], failed["error"]["code"]) == ("failed", "invalid_training_file")
    assert (failed["trained_tokens"], failed["result_files"]) == (None, [])


def test_a_file_whose_every_answer_has_weight_0_trains_nothing_and_still_ends(
    school: School,
) -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello", "weight": 0},
    ]
    content = (json.dumps({"messages": turns}).encode() + b"\n") * 12

    job = school.finished(training_file=school.upload(content))

    assert job["fine_tuned_model"]


EMOTION = DATA / "emotion"


@pytest.mark.skipif(not EMOTION.exists(), reason=f"the emotion data is not at {EMOTION}")
def test_a_tuned_model_reads_emotions_and_its_base_does_not(school: School) -> None:
    training = (EMOTION / "train.jsonl").read_bytes()
    content = (EMOTION / "validation.jsonl").read_bytes()
    chats = [json.loads(line)["messages"] for line in content.splitlines()]
    tuned = school.finished(
        training_file=school.upload(training),
        validation_file=school.upload(content),
        hyperparameters={"n_epochs": 3, "learning_rate_multiplier": 1.8},
    )

    accuracy = {
        name: school.share_right(model, chats)
        for name, model in (("tuned", tuned["fine_tuned_model"]), ("base", tuned["model"]))
    }

    labels = [messages[-1]["content"] for messages in chats]
    most_common = max(labels.count(label) for label in labels) / len(labels)
    assert accuracy["tuned"] > most_common + 0.25
    assert accuracy["base"] <= most_common


# How time passes.


def paced(school: School, **pace: Any) -> None:
    """Choose how time passes in the school."""
    from ftctl.emulator.jobs.virtual_clock import keep_pace
    from ftctl.emulator.storage.database import Session, open_store

    store = open_store(school.folder / DATABASE)
    with store.transaction("IMMEDIATE") as connection:
        keep_pace(Session(connection, school.now), Pace(**pace))
    store.close()


def test_at_once_the_first_look_finds_the_job_ended(school: School) -> None:
    paced(school, kind="immediate")

    job = school.create(training_file=school.upload(rows()))

    assert job["status"] == "validating_files"
    assert school.job(job["id"])["status"] == "succeeded"


def test_turned_to_at_once_a_running_job_ends_at_the_next_look(school: School) -> None:
    paced(school, kind="hand", now=1_800_000_000)
    job = school.create(training_file=school.upload(rows()))
    paced(school, kind="hand", now=1_800_000_005)
    assert school.job(job["id"])["status"] == "running"

    paced(school, kind="immediate")

    assert school.job(job["id"])["status"] == "succeeded"


FAULTS = [
    ("validation", {}, "failed", "invalid_training_file"),
    ("unsafe_file", {}, "failed", "unsafe_file"),
    ("step", {"step": 5}, "failed", "server_error"),
    ("screening", {}, "failed", "unsafe_model"),
]


@pytest.mark.parametrize(("fails", "more", "status", "code"), FAULTS)
def test_a_job_that_was_told_to_fail_fails_there(
    school: School, fails: str, more: dict[str, Any], status: str, code: str
) -> None:
    school.faulty({"job": {"suffix": "bad"}, "fails": fails, **more})
    bad = school.create(training_file=school.upload(rows()), suffix="bad")
    good = school.create(training_file=school.upload(rows()), suffix="good")
    school.now += 60

    ended = school.job(bad["id"])

    assert (ended["status"], ended["error"]["code"]) == (status, code)
    assert (ended["fine_tuned_model"], ended["trained_tokens"]) == (None, None)
    assert len(school.curve(bad["id"])) == {"step": 5, "screening": 96}.get(fails, 0)
    assert school.job(good["id"])["status"] == "succeeded"


def test_a_job_that_was_told_to_stay_in_the_queue_stays_there(school: School) -> None:
    school.faulty({"job": {"number": 1}, "stays": "queued"})
    stuck = school.create(training_file=school.upload(rows()))
    other = school.create(training_file=school.upload(rows()))
    school.now += 1_000_000

    assert school.job(stuck["id"])["status"] == "queued"
    assert school.job(other["id"])["status"] == "succeeded"
    assert school.call("POST", f"{JOBS}/{stuck['id']}/cancel")[1]["status"] == "cancelled"


def test_without_access_to_training_the_create_is_refused(school: School) -> None:
    school.faulty({"job": {}, "fails": "access"})
    file = school.upload(rows())

    error = school.refused("POST", JOBS, {"model": "gpt-4.1-mini", "training_file": file})

    assert (error["status"], error["code"]) == (403, "training_not_available")
    assert school.get(JOBS)["data"] == []


def test_at_double_speed_everything_takes_half_as_long(school: School) -> None:
    paced(school, kind="real", speed=2.0)
    job = school.create(training_file=school.upload(rows()))

    seen = []
    for _ in range(7):
        school.now += 1
        seen.append(school.job(job["id"])["status"])

    assert seen == ["running"] * 5 + ["succeeded"] * 2


def test_every_third_read_brings_a_job_one_status_further(school: School) -> None:
    paced(school, kind="reads", reads=3)
    job = school.create(training_file=school.upload(rows()))
    school.now += 1_000

    seen = [school.job(job["id"])["status"] for _ in range(10)]

    assert seen == [
        *["validating_files"] * 2,
        *["queued"] * 3,
        *["running"] * 3,
        *["succeeded"] * 2,
    ]


def test_by_hand_nothing_moves_until_the_clock_is_moved(school: School) -> None:
    paced(school, kind="hand", now=1_800_000_000)
    job = school.create(training_file=school.upload(rows()))
    school.now += 1_000
    before = school.job(job["id"])
    paced(school, kind="hand", now=1_800_000_020)

    after = school.job(job["id"])

    assert (before["status"], before["created_at"]) == ("validating_files", 1_800_000_000)
    assert (after["status"], after["finished_at"]) == ("succeeded", 1_800_000_012)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"kind": "real", "speed": 0.001}, {"kind": "immediate"}),
        ({"kind": "reads"}, {"kind": "immediate"}),
        ({"kind": "reads"}, {"kind": "real"}),
        ({"kind": "real"}, {"kind": "reads"}),
        ({"kind": "hand", "now": 1_800_000_000}, {"kind": "immediate"}),
    ],
)
def test_a_change_of_pace_leaves_no_job_behind(
    school: School, first: dict[str, Any], then: dict[str, Any]
) -> None:
    paced(school, **first)
    job = school.create(training_file=school.upload(rows()))
    paced(school, **then)
    for _ in range(5):
        school.now += 60
        status = school.job(job["id"])["status"]

    assert status == "succeeded"
