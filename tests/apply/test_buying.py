"""Buying once, over a wire: limits that make a change wait, duplicates that another run bought."""

from __future__ import annotations

from collections.abc import Callable

from conftest import FINETUNE, Shell
from plain_server import CREATE, DAILY, World, times

SLOW_DOWN = (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}})


def test_a_service_that_is_asked_too_fast_is_asked_again_more_slowly(
    remote: Shell, world: World
) -> None:
    world.before = times(3, SLOW_DOWN)
    began = remote.clock.now()

    remote.ok("apply", "--auto-approve")

    assert len(world.jobs) == 1
    assert 2 < remote.clock.now() - began < 6  # 0.5, 1 and 2 seconds, not in step with others


def test_a_limit_on_jobs_makes_a_change_wait_its_turn(remote: Shell, world: World) -> None:
    second = FINETUNE.replace("name: tone", "name: voice") + "seed: 1\n"
    (remote.folder / "finetunes" / "voice.yaml").write_text(second, "utf-8")
    world.before = times(1, DAILY)

    result = remote.ok("apply", "--auto-approve")

    assert "Still to come: tone waits its turn: 12 jobs a day." in result.out
    assert "Still to come: voice waits its turn: 12 jobs a day." in result.out
    assert world.jobs == []
    assert "tone: started ftjob-1" in remote.ok("apply", "--auto-approve").out


def test_a_wait_starts_what_waits_its_turn_when_it_has_come(remote: Shell, world: World) -> None:
    world.before = times(2, DAILY)

    result = remote.ok("apply", "--auto-approve", "--wait")

    assert "tone: succeeded as ft:" in result.out
    assert len(world.jobs) == 1


def test_a_replacement_and_a_second_try_keep_their_turn(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.before = times(2, DAILY)

    replaced = remote.ok("apply", "--replace", "tone", "--auto-approve", "--timeout", "1h")

    assert "tone: succeeded as ft:" in replaced.out
    assert len(world.jobs) == 2
    for job in world.jobs:
        job["status"] = "failed"
        job["fine_tuned_model"] = None
    world.before = times(2, DAILY)
    remote.ok("apply", "--retry-failed", "--auto-approve", "--timeout", "1h")
    assert len(world.jobs) == 3


def test_a_wait_for_a_turn_ends_when_time_is_up(remote: Shell, world: World) -> None:
    world.before = times(1000, DAILY)

    result = remote("apply", "--auto-approve", "--timeout", "1h")

    assert result.status == 6
    assert "time is up, and not begun: tone" in result.err


def _duplicate(world: World, created_at: int) -> Callable[[str, str], None]:
    """Another run buys the same just after the first create."""
    done: list[str] = []

    def after(method: str, path: str) -> None:
        if (method, path) == CREATE and not done:
            done.append("ftjob-twin")
            world.jobs.append({**world.jobs[0], "id": "ftjob-twin", "created_at": created_at})

    return after


def test_of_duplicates_the_older_one_wins_and_is_followed(remote: Shell, world: World) -> None:
    world.finishes = False
    world.after = _duplicate(world, created_at=1)  # type: ignore[assignment]

    result = remote.ok("apply", "--auto-approve")

    assert "tone: cancelled ftjob-1: ftjob-twin is the same and older" in result.out
    assert {job["id"]: job["status"] for job in world.jobs} == {
        "ftjob-1": "cancelled",
        "ftjob-twin": "queued",
    }
    world.finishes = True
    assert "twin" in remote.ok("output", "tone").out


def test_a_younger_duplicate_is_cancelled_by_whoever_sees_it(remote: Shell, world: World) -> None:
    world.finishes = False
    world.after = _duplicate(world, created_at=2_000_000_000)  # type: ignore[assignment]

    result = remote.ok("apply", "--auto-approve")

    assert "tone: cancelled ftjob-twin: ftjob-1 is the same and older" in result.out
    assert "no-op, running as ftjob-1" in remote.ok("plan").out


def test_what_another_project_trained_is_reused_where_that_is_asked_for(
    remote: Shell, world: World
) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    settings = remote.folder / "ftctl.yaml"
    other = settings.read_text("utf-8").replace("project: demo", "project: other")
    settings.write_text(other, "utf-8")
    assert "! tone: attention, ftjob-1 has it under the project demo" in remote.ok("plan").out
    (remote.folder / "ftctl.lock").unlink()
    assert "+ tone: create, not found (ftjob-1 has it under the project demo" in (
        remote.ok("plan").out
    )

    settings.write_text(other + "reuse: account\n", "utf-8")

    assert "(trained by project demo)" in remote.ok("plan").out
    assert remote.ok("output", "tone").out.startswith("ft:")
    assert "Nothing to do" in remote.ok("destroy").out
