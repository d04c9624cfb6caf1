"""From apply to application: the record that apply writes, promotion, the way back, and output."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, HandClock, Shell, chat_rows, small_project
from jsonschema import Draft202012Validator
from plain_server import World
from records import SCHEMA

from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.emulator import Request, open_emulator

Write = Callable[[Mapping[str, str]], Path]

SECOND = FINETUNE.replace("name: tone", "name: other").replace("train.jsonl", "more.jsonl")
VALIDATED = FINETUNE + "validation: {source: ../data/more.jsonl}\nkeep: 3\n"
RIDDLES = chat_rows(15).replace("Question", "Riddle")


def lock_of(shell: Shell) -> Any:
    """The record, which always fits its schema."""
    document = json.loads((shell.folder / "ftctl.lock").read_text("ascii"))
    Draft202012Validator(SCHEMA).validate(document)
    return document


def tone_of(shell: Shell) -> Any:
    return lock_of(shell)["environments"]["default"]["finetunes"]["tone"]


def models_of(shell: Shell) -> dict[str, Any]:
    found: dict[str, Any] = shell.ok("output", "--format", "json").json
    return found


@pytest.fixture(scope="module")
def three_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HandClock]:
    """A project with three models of one fine-tune, all kept, and what time it is there."""
    folder, clock = tmp_path_factory.mktemp("trained"), HandClock()
    files = {"ftctl.yaml": "project: demo\n", "data/more.jsonl": RIDDLES}
    for name, text in small_project(VALIDATED, **files).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    for epochs in (1, 2, 3):
        (folder / "finetunes" / "tone.yaml").write_text(_of(epochs), "utf-8")
        settings = Settings(clock=clock, environ={}, folder=folder)
        assert run(["apply", "--auto-approve", "--wait"], settings) == 0
        clock.sleep(60)
    return folder, clock


@pytest.fixture
def trained(shell: Shell, three_models: tuple[Path, HandClock]) -> Shell:
    """ftctl in a copy of the project with three models."""
    folder, clock = three_models
    shutil.copytree(folder, shell.folder, dirs_exist_ok=True)
    shell.clock.time = clock.time
    return shell


def _of(epochs: int) -> str:
    return f"{VALIDATED}hyperparameters: {{n_epochs: {epochs}}}\n"


def ask(folder: Path, method: str, path: str) -> Any:
    """Ask the embedded API itself."""
    with open_emulator(folder / ".ftctl", clock=HandClock().now) as emulator:
        headers = (("authorization", "Bearer x"),)
        answer = emulator.handle(Request.to(method, path, headers))
        return json.loads(answer.body)


# The record.


def test_apply_writes_what_the_service_tells_of_each_job(
    shell: Shell, write_project: Write
) -> None:
    suffixed = f"{VALIDATED}suffix: calm\nmetadata: {{owner: cx}}\n"
    write_project({**small_project(suffixed), "data/more.jsonl": RIDDLES})
    shell.ok("apply", "--auto-approve", "--wait")

    found = tone_of(shell)

    job = ask(shell.folder, "GET", f"/v1/fine_tuning/jobs/{found['job']}")
    checkpoints = ask(shell.folder, "GET", f"/v1/fine_tuning/jobs/{found['job']}/checkpoints")
    told = {key: job[key] for key in ("seed", "trained_tokens", "finished_at", "created_at")}
    assert {key: found[key] for key in told} == told
    assert found["model"] == job["fine_tuned_model"]
    assert found["base_model"] == job["model"]
    assert found["hyperparameters"] == job["method"]["supervised"]["hyperparameters"]
    assert set(found["hyperparameters"].values()).isdisjoint({"auto"})
    assert found["suffix"] == job["user_provided_suffix"] == "calm"
    assert found["metadata"] == {"owner": "cx"}
    assert found["checkpoints"] == {
        str(one["step_number"]): one["fine_tuned_model_checkpoint"] for one in checkpoints["data"]
    }
    assert len(found["checkpoints"]) == 3
    assert found["data"]["training"]["rows"] == 12
    assert found["data"]["validation"]["path"] == "data/more.jsonl"
    assert found["service"]["type"] == "emulator"


def test_applying_again_writes_no_byte(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    before = (shell.folder / "ftctl.lock").read_bytes()

    shell.clock.sleep(5_000)
    shell.ok("apply", "--auto-approve")

    assert (shell.folder / "ftctl.lock").read_bytes() == before


def test_deleting_the_record_changes_no_plan_and_apply_writes_the_same_again(
    trained: Shell,
) -> None:
    lock = trained.folder / "ftctl.lock"
    before, plan = lock.read_bytes(), trained.ok("plan", "--format", "json").out

    lock.unlink()

    assert trained.ok("plan", "--format", "json").out == plan
    assert trained("plan", "--detailed-exitcode").status == 0
    trained.ok("apply", "--auto-approve")
    assert lock.read_bytes() == before


def test_the_commit_of_a_release_is_that_of_the_purchase(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    git = ["git", "-C", str(shell.folder), *who]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "one"], check=True)
    bought = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    shell.ok("apply", "--auto-approve", "--wait")

    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "two"], check=True)
    shell.ok("apply", "--auto-approve")

    assert tone_of(shell)["commit"] == bought.stdout.strip()


def test_a_record_that_cannot_be_written_fails_no_apply(
    shell: Shell, write_project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve")
    shell.clock.sleep(60)
    monkeypatch.setattr("ftctl.lockfile.file._PATIENCE_SECONDS", 0)
    folder = os.open(shell.folder, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # as one does that writes the record meanwhile

    result = shell("apply", "--auto-approve")
    os.close(folder)

    assert result.status == 0
    assert "warning: ftctl.lock is not up to date: " in result.err
    assert not (shell.folder / "ftctl.lock").exists()


def test_environments_have_sections_of_their_own(shell: Shell, write_project: Write) -> None:
    environments = (
        "project: demo\nenvironments: {dev: {project: demo-dev}, eu: {project: demo-eu}}\n"
    )
    write_project(small_project(**{"ftctl.yaml": environments}))
    for name in ("dev", "eu"):
        shell.ok("apply", "--env", name, "--auto-approve", "--wait")

    shell.ok("promote", "tone", "--env", "dev")

    found = lock_of(shell)["environments"]
    assert set(found) == {"dev", "eu"}
    assert "promoted" in found["dev"]["finetunes"]["tone"]
    assert "promoted" not in found["eu"]["finetunes"]["tone"]
    assert shell("output", "tone", "--as", "prod", "--env", "eu").status == 1


def test_destroy_leaves_nothing_on_record_but_what_it_retired(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    release = tone_of(shell)

    shell.ok("destroy", "--auto-approve")

    (retired,) = tone_of(shell)["retired"]
    assert list(tone_of(shell)) == ["retired"]
    assert {key: retired[key] for key in ("job", "model", "digest")} == {
        key: release[key] for key in ("job", "model", "digest")
    }
    assert lock_of(shell)["lock_version"] == "1.1"


# Promotion.


def test_promote_moves_the_alias_and_rollback_moves_it_back(trained: Shell) -> None:
    jobs = [job["id"] for job in ask(trained.folder, "GET", "/v1/fine_tuning/jobs")["data"]]
    newest, middle = jobs[0], jobs[1]
    models = {
        job["id"]: job["fine_tuned_model"]
        for job in ask(trained.folder, "GET", "/v1/fine_tuning/jobs")["data"]
    }
    bare = (trained.folder / "ftctl.lock").read_bytes()

    first = trained.ok("promote", "tone", "--job", middle)
    once = (trained.folder / "ftctl.lock").read_bytes()
    again = trained.ok("promote", "tone", "--job", middle)
    assert (trained.folder / "ftctl.lock").read_bytes() == once
    second = trained.ok("promote", "tone")
    back = trained.ok("rollback", "tone")

    old, new = f"{models[middle]} ({middle})", f"{models[newest]} ({newest})"
    assert first.out == f"tone: prod is now {old}; it was not promoted before.\n"
    assert again.out == f"tone: prod is {old} already.\n"
    assert second.out == f"tone: prod moves from {old} to {new}.\n"
    assert back.out == f"tone: prod moves back from {new} to {old}.\n"
    assert (trained.folder / "ftctl.lock").read_bytes() == once != bare
    none = trained("rollback", "tone")
    assert none.status == 1
    assert none.err == (
        "error: tone was nothing before as prod: there is no model to go back to\n"
        "    hint: 'ftctl promote tone --as prod --job ID' chooses one\n"
    )


def test_a_checkpoint_is_promoted_by_step_by_name_as_the_best_and_as_the_last(
    trained: Shell,
) -> None:
    found = tone_of(trained)
    step, model = next(iter(found["checkpoints"].items()))

    trained.ok("promote", "tone", "--as", "step", "--checkpoint", step)
    trained.ok("promote", "tone", "--as", "name", "--checkpoint", model)
    trained.ok("promote", "tone", "--as", "best", "--checkpoint", "best")
    trained.ok("promote", "tone", "--as", "last", "--checkpoint", "last")

    promoted = tone_of(trained)["promoted"]
    assert promoted["step"] == promoted["name"]
    assert (promoted["step"]["model"], promoted["step"]["checkpoint"]) == (model, int(step))
    assert promoted["step"]["at"] == promoted["last"]["at"]
    assert promoted["last"]["model"] == found["model"]
    assert "checkpoint" not in promoted["last"]
    losses = {
        one["fine_tuned_model_checkpoint"]: one["metrics"]["full_valid_loss"]
        for one in ask(trained.folder, "GET", f"/v1/fine_tuning/jobs/{found['job']}/checkpoints")[
            "data"
        ]
    }
    assert promoted["best"]["model"] == min(losses, key=lambda name: losses[name])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["promote", "tune"], 64, "there is no fine-tune 'tune'\n    hint: did you mean 'tone'?"),
        (["promote", "tone", "--as", "Prod"], 64, "--as: 'Prod' is no alias"),
        (["promote", "tone", "--job", "ftjob-x"], 1, "tone has no job ftjob-x\n    hint: these"),
        (["promote", "tone", "--checkpoint", "7777"], 1, "has no checkpoint '7777'"),
        (["rollback", "tone"], 1, "tone is not promoted as prod\n    hint: 'ftctl promote tone"),
        (["rollback", "tune"], 1, "no fine-tune 'tune'\n    hint: did you mean 'tone'?"),
        (["rollback", "tone", "--as", ".."], 64, "--as: '..' is no alias"),
        (["output", "tone", "--as", "canary"], 1, "tone is not promoted as canary"),
        (["output", "--as", "canary"], 1, "nothing is promoted as canary"),
        (["output", "tune", "--offline"], 64, "there is no fine-tune 'tune'"),
    ],
)
def test_what_cannot_be_is_said(trained: Shell, words: list[str], status: int, said: str) -> None:
    before = (trained.folder / "ftctl.lock").read_bytes()

    result = trained(*words)

    assert result.status == status, result
    assert said in result.err
    assert (trained.folder / "ftctl.lock").read_bytes() == before


def test_a_fine_tune_without_a_model_is_not_promoted(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    absent = shell("promote", "tone")
    shell.ok("apply", "--auto-approve")
    running = shell("promote", "tone")
    job = ask(shell.folder, "GET", "/v1/fine_tuning/jobs")["data"][0]["id"]
    named = shell("promote", "tone", "--job", job)

    assert (absent.status, running.status, named.status) == (1, 1, 1)
    assert "tone has no model of its spec: not found" in absent.err
    assert "no job of it has left a model" in running.err
    assert f"error: {job} is " in named.err
    assert "only a job that succeeded has a model" in named.err


def test_while_a_new_spec_trains_an_earlier_job_must_be_named(
    trained: Shell, write_project: Write
) -> None:
    old = tone_of(trained)["job"]
    write_project({"finetunes/tone.yaml": VALIDATED + "seed: 9\n"})
    trained.ok("apply", "--auto-approve")

    refused = trained("promote", "tone")

    assert refused.status == 1
    assert f"these have models: {old}" in refused.err
    assert tone_of(trained)["job"] == old
    trained.ok("promote", "tone", "--job", old)


def test_a_model_that_is_gone_is_neither_promoted_nor_gone_back_to(trained: Shell) -> None:
    jobs = ask(trained.folder, "GET", "/v1/fine_tuning/jobs")["data"]
    newest, middle = jobs[0], jobs[1]
    trained.ok("promote", "tone", "--job", middle["id"])
    trained.ok("promote", "tone")
    ask(trained.folder, "DELETE", f"/v1/models/{middle['fine_tuned_model']}")

    back = trained("rollback", "tone")
    again = trained("promote", "tone", "--job", middle["id"])

    assert (back.status, again.status) == (1, 1)
    assert f"error: {middle['fine_tuned_model']}, which tone was prod before, does not" in back.err
    assert "does not exist at the service any more" in again.err
    assert trained.ok("output", "tone").out.strip() == newest["fine_tuned_model"]


# What applications get.


def test_output_gives_the_promoted_model_else_the_newest(trained: Shell) -> None:
    newest = tone_of(trained)["model"]
    middle = ask(trained.folder, "GET", "/v1/fine_tuning/jobs")["data"][1]
    assert trained.ok("output", "tone").out.strip() == newest

    trained.ok("promote", "tone", "--job", middle["id"])
    trained.ok("promote", "tone", "--as", "canary")

    model = middle["fine_tuned_model"]
    for offline in ([], ["--offline"]):
        assert trained.ok("output", "tone", *offline).out == f"{model}\n"
        assert trained.ok("output", *offline).out == f"tone\t{model}\n"
        assert trained.ok("output", "tone", "--as", "canary", *offline).out == f"{newest}\n"
        dotenv = trained.ok("output", "--format", "dotenv", *offline)
        assert dotenv.out == f"TONE_MODEL={model}\n"
        assert dotenv.err == "tone: prod is not the model of the spec\n"
        found = trained.ok("output", "--format", "json", *offline).json
        digest = tone_of(trained)["promoted"]["prod"]["digest"]
        assert found == {
            "tone": {
                "model": model, "job": middle["id"], "digest": digest, "status": "succeeded",
                "current": False, "promoted": {"canary": newest, "prod": model}, "why": None,
            }
        }  # fmt: skip


def test_output_offline_needs_neither_manifests_nor_a_service(trained: Shell) -> None:
    model = tone_of(trained)["model"]
    lock = (trained.folder / "ftctl.lock").read_bytes()
    alone = trained.folder / "alone"
    alone.mkdir()
    (alone / "ftctl.lock").write_bytes(lock)

    result = trained.ok("-C", "alone", "output", "tone", "--offline")

    assert result.out == f"{model}\n"
    assert list(alone.iterdir()) == [alone / "ftctl.lock"]
    assert trained.requests("output", "--offline") == []
    assert trained.ok("-C", "data", "output", "--offline").out == ""


def test_a_promoted_model_that_is_gone_is_no_output(trained: Shell) -> None:
    trained.ok("promote", "tone")
    model = tone_of(trained)["promoted"]["prod"]["model"]
    ask(trained.folder, "DELETE", f"/v1/models/{model}")

    result = trained("output", "tone")

    assert result.status == 1
    assert f"tone is promoted as prod, but {model} is not visible to this key" in result.err
    assert trained("output").out == ""


# What is promoted stays.


def test_retention_keeps_a_promoted_model(trained: Shell, write_project: Write) -> None:
    oldest = ask(trained.folder, "GET", "/v1/fine_tuning/jobs")["data"][2]
    model = oldest["fine_tuned_model"]
    trained.ok("promote", "tone", "--job", oldest["id"])

    write_project({"finetunes/tone.yaml": _of(4)})
    trained.ok("apply", "--auto-approve", "--wait")
    kept = trained.ok("apply", "--auto-approve")

    assert f"keeps {model} (promoted as prod)" in kept.out
    assert trained.ok("output", "tone").out.strip() == model
    (trained.folder / "ftctl.lock").unlink()
    assert model in trained.ok("plan").out


def test_prune_and_destroy_keep_a_promoted_model_unless_forced(
    trained: Shell, write_project: Write
) -> None:
    model = tone_of(trained)["model"]
    trained.ok("promote", "tone")
    (trained.folder / "finetunes" / "tone.yaml").unlink()
    write_project({"finetunes/other.yaml": SECOND})
    trained.ok("apply", "--auto-approve", "--wait")

    pruned = trained.ok("apply", "--prune", "--auto-approve")
    destroyed = trained.ok("destroy", "--auto-approve")

    assert f"keeps {model} (promoted as prod)" in pruned.out
    assert f"keeps {model} (promoted as prod)" in destroyed.out
    listed = {one["id"] for one in ask(trained.folder, "GET", "/v1/models")["data"]}
    assert {one for one in listed if one.startswith("ft:") and "ckpt" not in one} == {model}
    assert tone_of(trained)["promoted"]["prod"]["model"] == model
    trained.ok("destroy", "--auto-approve", "--force-destroy")
    left = {one["id"] for one in ask(trained.folder, "GET", "/v1/models")["data"]}
    assert not any(one.startswith("ft:") for one in left)


def test_a_damaged_record_stops_what_could_delete(trained: Shell) -> None:
    (trained.folder / "ftctl.lock").write_text("{", "utf-8")

    for words in (["plan"], ["destroy", "--auto-approve"], ["output"], ["promote", "tone"]):
        result = trained(*words)
        assert result.status == 1
        assert "ftctl.lock is damaged: line 1, column 2 is not JSON" in result.err
        assert "promotions are lost, git has them" in result.err


def test_a_service_without_checkpoints_is_asked_for_them_once(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    first = [one for one in world.requests if "checkpoints" in one]
    world.requests.clear()

    remote.ok("apply", "--auto-approve")

    assert len(first) == 1
    assert [one for one in world.requests if "checkpoints" in one] == []
    assert tone_of(remote)["checkpoints"] == {}


def test_a_promotion_ends_with_its_model(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    shell.ok("promote", "tone")

    shell.ok("destroy", "--auto-approve", "--force-destroy")

    assert "promoted" not in (shell.folder / "ftctl.lock").read_text("utf-8")
    shell.ok("apply", "--auto-approve", "--wait", "--replace", "tone")
    assert shell.ok("output", "tone").out.startswith("ft:")
