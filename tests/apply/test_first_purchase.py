"""What a service is asked for when money is spent, and what it may do with that: over a wire."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import FINETUNE, Shell
from plain_server import CREATE, World, times

PENDING = (
    400,
    {
        "error": {
            "message": "File 'file-1' is still being processed and is not ready to be used.",
            "code": "file_not_ready",
            "param": "training_file",
        }
    },
)


def two(remote: Shell, more: str = "") -> None:
    """Two fine-tunes that are to be bought."""
    folder = remote.folder / "finetunes"
    (folder / "tone.yaml").write_text(FINETUNE + more, "utf-8")
    second = FINETUNE.replace("name: tone", "name: voice") + "seed: 1\n" + more
    (folder / "voice.yaml").write_text(second, "utf-8")


def bought(world: World) -> list[str]:
    return [f"{job['id']} {job['status']}" for job in world.jobs]


# What an honest service is asked.


def test_a_plan_of_what_is_there_asks_for_three_lists(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.requests.clear()

    remote.ok("plan")

    assert sorted(world.requests) == ["GET /files", "GET /fine_tuning/jobs", "GET /models"]


def test_a_plan_that_would_buy_asks_for_the_whole_list_besides(remote: Shell, world: World) -> None:
    remote.ok("plan")

    assert sorted(world.requests) == [
        "GET /files",
        "GET /fine_tuning/jobs",
        "GET /fine_tuning/jobs",
        "GET /models",
    ]


def test_a_purchase_costs_one_question_for_the_job_and_one_for_the_list(
    remote: Shell, world: World
) -> None:
    two(remote)
    world.finishes = False

    remote.ok("apply", "--auto-approve", "--parallelism", "1")

    first = world.requests.index("POST /files")
    last = len(world.requests) - world.requests[::-1].index("POST /fine_tuning/jobs")
    assert world.requests[first : last + 1] == [
        "POST /files",
        "POST /fine_tuning/jobs",
        "GET /fine_tuning/jobs/ftjob-1",
        "GET /fine_tuning/jobs",
        "POST /fine_tuning/jobs",
        "GET /fine_tuning/jobs",
    ]


# A service that keeps no metadata.


def test_a_service_that_keeps_no_metadata_sells_one_job_which_is_cancelled(
    remote: Shell, world: World
) -> None:
    two(remote)
    world.keeps_metadata = world.finishes = False

    result = remote("apply", "--auto-approve", "--wait")

    assert result.status == 4
    assert bought(world) == ["ftjob-1 cancelled"]
    assert "error: tone: ftjob-1 has no mark to find it by again" in result.err
    assert "write 'mark: file-name' below 'provider' in ftctl.yaml, then" in result.err
    assert "error: voice: not begun: the service does not sell what is asked for" in result.err


@pytest.mark.parametrize("keeps_state", [True, False], ids=["state kept", "state deleted"])
def test_a_service_that_keeps_no_metadata_trains_nothing_however_often_it_is_asked(
    remote: Shell, world: World, keeps_state: bool
) -> None:
    two(remote)
    world.keeps_metadata = world.finishes = False

    for _ in range(5):
        remote("apply", "--auto-approve")
        if not keeps_state:
            shutil.rmtree(remote.folder / ".ftctl", ignore_errors=True)
            (remote.folder / "ftctl.lock").unlink(missing_ok=True)

    assert {job["status"] for job in world.jobs} == {"cancelled"}
    assert len(world.jobs) <= 2  # one for each fine-tune at most
    assert "--retry-failed" in remote("plan").out


def test_the_cure_that_is_told_is_one(remote: Shell, world: World) -> None:
    world.keeps_metadata = world.finishes = False
    remote("apply", "--auto-approve")
    settings = "project: demo\nprovider: {type: openai, mark: file-name}\n"
    (remote.folder / "ftctl.yaml").write_text(settings, "utf-8")

    remote.ok("apply", "--auto-approve", "--retry-failed")
    world.finishes = True
    remote.ok("wait")

    assert [line.split()[1] for line in bought(world)] == ["cancelled", "succeeded"]
    assert "no-op, up to date" in remote.ok("plan").out


def test_a_name_of_a_file_that_is_not_kept_buys_nothing(remote: Shell, world: World) -> None:
    settings = "project: demo\nprovider: {type: openai, mark: file-name}\n"
    (remote.folder / "ftctl.yaml").write_text(settings, "utf-8")

    def shorten(method: str, path: str) -> None:
        for file in world.files:
            file["filename"] = file["filename"][:40]

    world.after = shorten  # type: ignore[assignment]

    result = remote("apply", "--auto-approve")

    assert result.status == 1
    assert world.jobs == []
    assert "a job could not be found by that, and none is bought" in result.err


# A service that trains something else.


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"hyperparameters": {"n_epochs": 8}}, "n_epochs 8, asked was 3"),
        ({"model": "gpt-4.1-nano-2025-04-14"}, "base_model gpt-4.1-nano-2025-04-14, asked was"),
    ],
)
def test_what_costs_more_or_is_another_model_is_cancelled_at_once(
    remote: Shell, world: World, told: dict[str, object], words: str
) -> None:
    two(remote, "hyperparameters: {n_epochs: 3}\n")
    world.finishes = False
    world.tells = lambda _body: told

    result = remote("apply", "--auto-approve")

    assert result.status == 4
    assert bought(world) == ["ftjob-1 cancelled"]
    assert f"ftjob-1 trains with {words}" in result.err


def test_another_batch_size_is_told_and_kept(remote: Shell, world: World) -> None:
    two(remote, "hyperparameters: {batch_size: 64}\n")
    world.tells = lambda _body: {"hyperparameters": {"batch_size": 1}}

    result = remote.ok("apply", "--auto-approve")

    assert "warning: tone: ftjob-1 trains with batch_size 1, asked was 64" in result.err
    assert "warning: voice: ftjob-2 trains with batch_size 1, asked was 64" in result.err


def test_the_policy_may_want_exactly_what_was_asked(remote: Shell, world: World) -> None:
    two(remote, "hyperparameters: {batch_size: 64}\n")
    settings = "project: demo\nprovider: {type: openai}\npolicy: {exact_hyperparameters: true}\n"
    (remote.folder / "ftctl.yaml").write_text(settings, "utf-8")
    world.finishes = False
    world.tells = lambda _body: {"hyperparameters": {"batch_size": 1}}

    result = remote("apply", "--auto-approve")

    assert bought(world) == ["ftjob-1 cancelled"]
    assert "leave 'exact_hyperparameters' out of 'policy'" in result.err


# What is waited for.


def test_a_file_that_is_still_processed_is_waited_for(remote: Shell, world: World) -> None:
    world.before = times(3, PENDING)

    remote.ok("apply", "--auto-approve")

    assert len(world.jobs) == 1


def test_a_file_is_looked_at_until_it_is_processed(remote: Shell, world: World) -> None:
    looks: list[str] = []

    def processing(method: str, path: str) -> None:
        looks.append(path)
        for file in world.files:
            file["status"] = "processed" if looks.count("/files/file-1") > 2 else "pending"

    world.after = processing  # type: ignore[assignment]

    remote.ok("apply", "--auto-approve")

    assert looks.count("/files/file-1") == 3
    assert len(world.jobs) == 1


def test_a_file_that_cannot_be_used_is_told_in_the_services_words(
    remote: Shell, world: World
) -> None:
    def refuse(method: str, path: str) -> None:
        for file in world.files:
            file.update(status="error", status_details="row 3 has no messages")

    world.after = refuse  # type: ignore[assignment]

    result = remote("apply", "--auto-approve")

    assert result.status == 1
    assert "cannot train on data/train.jsonl: row 3 has no messages" in result.err
    assert world.jobs == []


def test_a_limit_on_active_jobs_that_is_told_with_400_waits_its_turn(
    remote: Shell, world: World
) -> None:
    message = "You have reached the maximum number of active fine-tuning jobs (1)."
    limit = (400, {"error": {"message": message, "code": "active_jobs_limit_exceeded"}})
    world.before = times(2, limit)

    result = remote.ok("apply", "--auto-approve", "--wait")

    assert "tone: succeeded as ft:" in result.out
    assert len(world.jobs) == 1


def test_a_key_that_expires_in_the_middle_of_a_wait_is_told_with_the_way_on(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    expired = (401, {"error": {"message": "expired", "code": "token_expired"}})

    def before(method: str, path: str) -> tuple[int, object] | None:
        return expired if world.requests.count("GET /fine_tuning/jobs") > 8 else None

    world.before = before

    result = remote("apply", "--auto-approve", "--wait")

    assert result.status == 1
    assert "the jobs run on and are billed: 'ftctl wait tone' waits for them again" in result.err
    world.before = lambda _method, _path: None
    world.finishes = True
    remote.ok("wait", "tone")


# What is written down.


def test_what_cannot_be_written_down_is_not_bought(remote: Shell, world: World) -> None:
    (remote.folder / ".ftctl").mkdir(exist_ok=True)
    (remote.folder / ".ftctl" / "intents").write_text("in the way", "utf-8")

    result = remote("apply", "--auto-approve")

    assert result.status in (1, 4)
    assert world.jobs == []
    assert "not bought, since what is about to be bought cannot be written down" in result.err


def test_what_is_bought_is_written_down_before(remote: Shell, world: World) -> None:
    written: list[dict[str, object]] = []

    def before(method: str, path: str) -> None:
        if (method, path) == CREATE:
            folder = remote.folder / ".ftctl" / "intents"
            written.extend(json.loads(one.read_text("utf-8")) for one in folder.iterdir())

    world.before = before  # type: ignore[assignment]

    remote.ok("apply", "--auto-approve")

    assert [(one["finetune"], one.get("job")) for one in written] == [("tone", None)]


# Duplicates.


def duplicate(world: World, **facts: object) -> None:
    """Another run buys the same, and its job shows at the next look but one."""
    made = {**world.jobs[0], "id": "ftjob-other", **facts}
    if all(job["id"] != made["id"] for job in world.jobs):
        world.jobs.append(made)


def test_a_duplicate_that_shows_during_the_wait_is_settled_there(
    remote: Shell, world: World
) -> None:
    world.finishes = False

    def after(method: str, path: str) -> None:
        lists = world.requests.count("GET /fine_tuning/jobs")
        if world.jobs and lists == 6:
            duplicate(world, created_at=1)
        world.finishes = lists > 8

    world.after = after  # type: ignore[assignment]

    result = remote.ok("apply", "--auto-approve", "--wait")

    assert "tone: cancelled ftjob-1: ftjob-other is the same and older" in result.out
    assert bought(world) == ["ftjob-1 cancelled", "ftjob-other succeeded"]
    assert "::other" in remote.ok("output", "tone").out


def test_a_younger_duplicate_is_stopped_by_a_wait_that_began_nothing(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    world.requests.clear()

    def after(method: str, path: str) -> None:
        lists = world.requests.count("GET /fine_tuning/jobs")
        if lists == 3:
            duplicate(world, created_at=2_000_000_000)
        world.finishes = lists > 5

    world.after = after  # type: ignore[assignment]

    result = remote.ok("wait", "tone")

    assert "tone: cancelled ftjob-other: ftjob-1 is the same and older" in result.out
    assert bought(world) == ["ftjob-1 succeeded", "ftjob-other cancelled"]


# What others do with our files.


def test_what_a_stranger_trained_on_a_file_that_is_a_mark_is_neither_ours_nor_deleted(
    remote: Shell, world: World
) -> None:
    settings = "project: demo\nprovider: {type: openai, mark: file-name}\n"
    (remote.folder / "ftctl.yaml").write_text(settings, "utf-8")
    world.tells = lambda _body: {"hyperparameters": {"n_epochs": "auto"}}
    remote.ok("apply", "--auto-approve", "--wait")
    (ours,) = world.jobs
    strangers = {
        **ours, "id": "ftjob-strangers", "fine_tuned_model": "ft:strangers",
        "hyperparameters": {"n_epochs": 7}, "created_at": ours["created_at"] - 1,
    }  # fmt: skip
    world.jobs.append(strangers)
    world.models.append("ft:strangers")

    result = remote("destroy", "--auto-approve")

    assert result.status == 4
    assert world.models == ["ft:strangers"]
    assert "left alone: ftjob-strangers is known by its file file-1 alone" in result.out
    assert "not begun: ftjob-strangers was left alone, and trains on it" in result.err
    assert [file["id"] for file in world.files] == ["file-1"]
