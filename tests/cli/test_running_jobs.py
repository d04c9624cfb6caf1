"""`cancel`, `pause`, `resume` and `wait` at a terminal: who is asked, what is said, how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, Shell, small_project
from plain_server import World

Write = Callable[[Mapping[str, str]], Path]


class Terminal:
    """Answers a prompt as a person at a terminal would."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        return f"{self.answer}\n"


def posts(world: World) -> list[str]:
    return [line for line in world.requests if line.startswith(("POST", "DELETE"))]


def finish_during_the_wait(world: World) -> None:
    """The job is over only after the first look, which finds what there is to wait for."""
    looks: list[str] = []

    def look(_method: str, path: str) -> None:
        looks.append(path)
        world.finishes = looks.count("/fine_tuning/jobs") > 1

    world.before = look


@pytest.fixture
def bought(remote: Shell, world: World) -> Shell:
    """A job that waits in the queue of a service that knows no pause."""
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    world.requests.clear()
    return remote


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1), ("y", 1)])
def test_a_person_is_asked_before_a_job_is_cancelled(
    bought: Shell, world: World, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    result = bought("cancel", "tone")

    assert result.status == status
    assert "Cancel 1 job? It cannot be undone. Only 'yes' is taken as one." in result.err
    asked = posts(world)
    assert asked == (["POST /fine_tuning/jobs/ftjob-1/cancel"] if answer == "yes" else [])


def test_without_a_terminal_nothing_is_cancelled_unless_it_is_approved(
    bought: Shell, world: World
) -> None:
    refused = bought("cancel", "tone")
    assert refused.status == 64
    assert "hint: use --auto-approve" in refused.err
    assert posts(world) == []

    result = bought.ok("cancel", "tone", "--auto-approve")

    assert "tone: cancelled ftjob-1; its cost so far: none yet, as it does not train" in result.out
    assert posts(world) == ["POST /fine_tuning/jobs/ftjob-1/cancel"]


def test_a_service_that_knows_no_pause_is_told_and_the_job_runs_on(
    bought: Shell, world: World
) -> None:
    result = bought("pause", "tone")

    assert result.status == 1
    assert "error: tone: pause a job: the service does not pause ftjob-1: no " in result.err
    assert "'ftctl cancel NAME'" in result.err
    assert world.jobs[0]["status"] == "queued"


def test_one_job_of_two_that_was_not_stopped_is_a_part(
    bought: Shell, world: World, write_project: Write
) -> None:
    write_project({"finetunes/warm.yaml": f"{FINETUNE}seed: 7\n".replace("tone", "warm")})
    bought.ok("apply", "--auto-approve")
    world.before = lambda _method, path: (
        (403, {"error": {"message": "not you"}}) if path.endswith("ftjob-1/cancel") else None
    )

    result = bought("cancel", "*", "--auto-approve")

    assert result.status == 4
    assert "error: tone: cancel a job: not you" in result.err
    assert "warm: cancelled ftjob-2" in result.out
    assert "'ftctl apply --retry-failed --select warm' buys it again" in result.out


def test_a_wait_ends_as_the_wait_of_an_apply_does(bought: Shell, world: World) -> None:
    late = bought("wait", "tone", "--timeout", "5s")
    finish_during_the_wait(world)
    done = bought.ok("wait", "tone")
    again = bought.ok("wait", "tone")
    world.jobs[0].update(status="failed", fine_tuned_model=None)
    failed = bought("wait", "tone")

    assert late.status == 6
    assert "'ftctl wait tone' waits for them again" in late.err
    assert "tone: succeeded as ft:" in done.out
    assert done.out.endswith("All there: 'ftctl output' prints the models' names.\n")
    assert again.out == "All there: 'ftctl output' prints the models' names.\n"
    assert failed.status == 1
    assert posts(world) == []  # nothing was begun, and nothing bought again


@pytest.mark.parametrize("during", [True, False])
def test_a_wait_writes_the_record(bought: Shell, world: World, *, during: bool) -> None:
    """Also where the job was over before anybody waited: applications ask the record."""
    if during:
        finish_during_the_wait(world)
    else:
        world.finishes = True

    bought.ok("wait")

    assert "ft:gpt-4.1-mini-2025-04-14:plain::1" in (bought.folder / "ftctl.lock").read_text(
        "utf-8"
    )


def test_a_fine_tune_without_a_job_cannot_be_waited_for(remote: Shell, world: World) -> None:
    named = remote("wait", "tone")
    whatever_runs = remote.ok("wait")

    assert named.status == 1
    assert "error: tone: there is no job to wait for\n    hint: 'ftctl apply --wait'" in named.err
    assert whatever_runs.out == "No job runs: there is nothing to wait for.\n"
    assert posts(world) == []


def test_a_child_is_named_and_not_begun(bought: Shell, world: World, write_project: Write) -> None:
    child = FINETUNE.replace("name: tone", "name: warm")
    write_project(
        {"finetunes/warm.yaml": child.replace("gpt-4.1-mini-2025-04-14", "{finetune: tone}")}
    )
    finish_during_the_wait(world)

    waited = bought.ok("wait")

    assert posts(world) == []
    assert "tone: succeeded as ft:" in waited.out
    assert "warm is still to come, waits for tone" in waited.err


def test_the_key_of_a_wait_expires_and_the_way_on_is_told(bought: Shell, world: World) -> None:
    looks = iter(range(1000))
    world.before = lambda _method, path: (
        (401, {"error": {"message": "expired"}})
        if path == "/fine_tuning/jobs" and next(looks) > 2
        else None
    )

    result = bought("wait")

    assert result.status == 1
    assert "expired" in result.err
    assert "'ftctl wait tone' waits for them again" in result.err


def test_stopping_an_apply_names_what_stops_the_job_and_nothing_that_deletes(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project())

    result = shell("apply", "--auto-approve", "--timeout", "0s")

    assert result.status == 6
    assert "'ftctl cancel tone' cancels them and touches nothing else" in result.err
    assert "destroy" not in result.err
