"""What users are told of money, over a wire: what is sent, what is answered, what was spent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from conftest import FINETUNE, Shell, small_project
from plain_server import Answer, World

THREE = FINETUNE + "hyperparameters: {n_epochs: 3, batch_size: 64}\nseed: 7\n"


def _trains(world: World, shell: Shell, **hyperparameters: object) -> None:
    """A job for the project's fine-tune that the service carries out in its own way."""
    (shell.folder / "finetunes" / "tone.yaml").write_text(THREE, "utf-8")
    world.finishes = False
    shell.ok("apply", "--auto-approve")
    world.jobs[0] |= {"hyperparameters": hyperparameters, "seed": 7}


def test_what_the_plan_shows_is_what_the_service_is_asked_for(remote: Shell, world: World) -> None:
    extra = "extra: {method: {supervised: {hyperparameters: {n_epochs: 50}}}}\n"
    (remote.folder / "finetunes" / "tone.yaml").write_text(THREE + extra, "utf-8")

    plan = remote.ok("plan").out
    remote.ok("apply", "--auto-approve")

    assert "supervised, batch_size 64, n_epochs 50, seed 7\n" in plan
    assert " × 50 epochs " in plan
    assert world.bodies[0]["method"]["supervised"]["hyperparameters"]["n_epochs"] == 50


def test_what_the_service_trains_otherwise_is_told_by_plan_and_status(
    remote: Shell, world: World
) -> None:
    _trains(world, remote, n_epochs=8, batch_size=1)
    words = "batch_size 1, asked was 64; n_epochs 8, asked was 3"

    plan = remote.ok("plan", "--detailed-exitcode")
    status = remote.ok("status")
    document = remote.ok("status", "--format", "json").json["tone"]

    assert f"Warning: ftjob-1 of tone trains with {words}." in plan.out
    assert f"{words}; estimated < $0.01" in status.out
    assert document["differences"] == [
        {"field": "batch_size", "asked": 64, "answered": 1},
        {"field": "n_epochs", "asked": 3, "answered": 8},
    ]


def test_an_answer_as_it_was_asked_for_is_told_by_nobody(remote: Shell, world: World) -> None:
    _trains(world, remote, n_epochs=3, batch_size=64, learning_rate_multiplier=1.8)

    assert "Warning: ftjob" not in remote.ok("plan").out
    assert remote.ok("status", "--format", "json").json["tone"]["differences"] == []


def _four(shell: Shell) -> list[str]:
    names = ["tone", "calm", "warm", "dry"]
    for number, name in enumerate(names):
        text = FINETUNE.replace("name: tone", f"name: {name}") + f"seed: {number}\n"
        (shell.folder / "finetunes" / f"{name}.yaml").write_text(text, "utf-8")
    return names


def test_many_are_bought_again_in_one_plan_only_where_that_is_allowed(
    remote: Shell, world: World
) -> None:
    names = _four(remote)
    remote.ok("apply", "--auto-approve", "--wait")
    assert len(world.jobs) == 4
    world.models.clear()
    every = [f"--replace={name}" for name in names]

    plan = remote("plan", *every)
    refused = remote("apply", *every, "--auto-approve")
    one = remote("plan", "--replace=tone", "--select=tone")
    allowed = remote("apply", *every, "--auto-approve", "--allow", "max_share_bought_again")

    words = "the plan buys 4 of 4 fine-tunes again that were trained before (100 %: "
    assert (plan.status, refused.status, one.status, allowed.status) == (3, 3, 0, 0)
    assert words in plan.err
    assert words in refused.err
    assert len(world.jobs) == 8


def test_what_the_service_forgot_is_still_counted_by_the_record(
    remote: Shell, world: World
) -> None:
    world.project = "proj_1"
    names = _four(remote)
    remote.ok("apply", "--auto-approve", "--wait")
    world.jobs.clear()
    world.models.clear()
    gone: Answer = (404, {"error": {"message": "no such job"}})
    world.before = lambda _method, path: gone if "/jobs/" in path else None

    plan = remote("plan", *(f"--replace={name}" for name in names))

    assert plan.status == 3
    assert "the plan buys 4 of 4 fine-tunes again that were trained before" in plan.err


def test_a_store_of_the_embedded_api_that_was_thrown_away_needs_no_flag(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Path]
) -> None:
    write_project(small_project())
    _four(shell)
    shell.ok("apply", "--auto-approve", "--wait")
    shutil.rmtree(shell.folder / ".ftctl")

    assert "4 to create" in shell.ok("plan").out


def test_the_record_keeps_what_was_asked_beside_what_was_trained(
    remote: Shell, world: World
) -> None:
    _trains(world, remote, n_epochs=8, batch_size=64)
    world.finishes = True

    remote.ok("apply", "--auto-approve", "--wait")

    lock = json.loads((remote.folder / "ftctl.lock").read_text("utf-8"))
    release = lock["environments"]["default"]["finetunes"]["tone"]
    assert release["hyperparameters"] == {"n_epochs": 8, "batch_size": 64}
    assert release["asked"] == {"n_epochs": 3}
    assert "Warning: ftjob-1 of tone was trained with n_epochs 8" in remote.ok("plan").out


DAY = 86_400
PRICED = """\
project: demo
provider: {type: openai}
policy: {max_cost_per_month: LIMIT, min_days_to_shutdown: 0}
catalog: {openai: {gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 1000}}}
"""


def _limited(shell: Shell, limit: str) -> None:
    (shell.folder / "ftctl.yaml").write_text(PRICED.replace("LIMIT", limit), "utf-8")


def _second(shell: Shell) -> None:
    text = FINETUNE.replace("name: tone", "name: voice") + "seed: 1\n"
    (shell.folder / "finetunes" / "voice.yaml").write_text(text, "utf-8")


def test_a_job_that_runs_counts_with_its_estimate_and_stops_no_other(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    _second(remote)
    _limited(remote, "100")
    assert "max_cost_per_month" not in remote.ok("plan").err

    _limited(remote, "2")  # one is enough for that
    refused = remote("plan")

    assert refused.status == 3
    assert "the project's jobs of 2026-09 cost $" in refused.err


def test_a_job_of_an_earlier_spec_that_is_stopped_stops_no_purchase(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    (remote.folder / "finetunes" / "tone.yaml").write_text(FINETUNE + "seed: 1\n", "utf-8")
    _limited(remote, "100")

    remote.ok("apply", "--auto-approve")
    _second(remote)

    assert [job["status"] for job in world.jobs] == ["cancelled", "queued"]
    remote.ok("plan")


def test_no_clock_of_ours_lowers_what_counts_as_spent(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    ended = world.jobs[0]["created_at"] + 600
    world.jobs[0] |= {"finished_at": ended, "trained_tokens": 1_000_000}
    _second(remote)
    _limited(remote, "1000")

    for now in (ended - 3_600, ended - 40 * DAY, ended + 40 * DAY):
        remote.clock.time = now
        refused = remote("plan")

        assert refused.status == 3
        assert "the project's jobs of 2026-09 cost $1,000.00" in refused.err


def test_a_month_ends_when_the_service_says_so(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    first = world.jobs[0]
    first |= {"finished_at": first["created_at"] + 600, "trained_tokens": 1_000_000}
    _second(remote)
    _limited(remote, "1000")
    assert remote("plan").status == 3

    world.date = "Sun, 01 Nov 2026 00:00:05 GMT"

    remote.ok("plan")
