"""What apply does when the world moves under it, and which model a child starts from."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import FINETUNE, HandClock, Shell, chat_rows, small_project
from plain_server import PlainServer, World

from ftctl.cli.main import run
from ftctl.cli.settings import Settings

Write = Callable[[Mapping[str, str]], Path]


@dataclass
class BusyTerminal:
    """A person who says yes, after something else has happened."""

    happens: Callable[[], object]

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        self.happens()
        return "yes\n"


def test_what_was_bought_elsewhere_while_it_was_read_is_not_bought_again(
    shell: Shell, write_project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_project(small_project())

    def elsewhere() -> None:
        settings = Settings(clock=HandClock(), environ={}, folder=folder)
        assert run(["apply", "--auto-approve"], settings) == 0

    monkeypatch.setattr(sys, "stdin", BusyTerminal(elsewhere))

    result = shell("apply")

    assert result.status == 0
    assert "Of the approved plan, nothing is left to do for: tone." in result.out
    assert (result.out + result.err).count("started ftjob-") == 1  # by the other one


def test_a_model_that_went_while_the_plan_was_read_is_not_bought(
    shell: Shell, write_project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model of one fine-tune is deleted while the plan for another one is read."""
    folder = write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    write_project({"finetunes/warm.yaml": FINETUNE.replace("name: tone", "name: warm\nseed: 8")})

    def elsewhere() -> None:
        settings = Settings(clock=HandClock(), environ={}, folder=folder)
        assert run(["destroy", "--select", "tone", "--auto-approve"], settings) == 0

    monkeypatch.setattr(sys, "stdin", BusyTerminal(elsewhere))

    result = shell("apply")

    assert result.status == 0
    assert result.out.count("started ftjob-") == 1
    assert "tone: started" not in result.out


@pytest.mark.parametrize("options", [(), ("--wait",), ("--select", "tone")])
def test_a_job_that_came_to_nothing_fails_every_run_until_it_is_answered(
    options: tuple[str, ...], shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve")
    shell.ok("cancel", "tone", "--auto-approve")

    runs = [shell("apply", "--auto-approve", *options) for _ in range(2)]
    waits = [shell("wait"), shell("wait", "tone")]
    outputs = [shell("output", *rest) for rest in ([], ["tone"], ["--format", "json"])]
    drift = shell("plan", "--detailed-exitcode")

    for again in runs:
        assert again.status == 1
        assert "All there" not in again.out
        assert re.fullmatch(
            r"error: tone: ftjob-\w+ was cancelled; --retry-failed buys it again\n", again.err
        )
        assert again.out.splitlines()[-1].startswith(
            "1 needing attention: tone. Nothing was bought"
        )
    assert [one.status for one in waits] == [1, 1]
    assert [one.status for one in outputs] == [1, 1, 1]
    assert (drift.status, "! tone: attention" in drift.out) == (2, True)

    shell.ok("apply", "--auto-approve", "--wait", "--retry-failed")
    assert shell.ok("apply", "--auto-approve").out.count("up to date as ft:") == 1
    assert shell.ok("output", "tone").out.startswith("ft:")


def test_a_job_that_came_to_nothing_is_not_hidden_by_others_that_succeed(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve")
    shell.ok("cancel", "tone", "--auto-approve")
    manifest = small_project()["finetunes/tone.yaml"].replace("name: tone", "name: warm")
    write_project({"finetunes/warm.yaml": manifest + "seed: 5\n"})

    result = shell("apply", "--auto-approve", "--wait")

    assert "warm: succeeded as ft:" in result.out
    assert (result.status, result.err.startswith("error: tone: ftjob-")) == (4, True)
    outputs = shell("output")
    assert (outputs.status, outputs.out.startswith("warm\tft:")) == (1, True)


def test_what_a_child_stops_when_its_turn_comes_is_what_the_plan_showed(
    shell: Shell, write_project: Write
) -> None:
    child = FINETUNE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    write_project(small_project() | {"finetunes/child.yaml": child})
    shell.ok("apply", "--auto-approve", "--wait", "--select", "tone")
    shell.ok("apply", "--auto-approve")
    shell.clock.sleep(1)
    shell.ok("pause", "child")
    write_project(
        {"finetunes/tone.yaml": f"{FINETUNE}seed: 8\n", "finetunes/child.yaml": f"{child}seed: 8\n"}
    )
    plan = shell.ok("plan", "--out", "plan.json")

    done = shell.ok("apply", "plan.json", "--wait")

    assert "cancel" not in plan.out
    assert "child: succeeded as ft:" in done.out
    assert "child: cancelled" not in done.out
    assert "(superseded) is left as it is" in done.err
    assert "child: cancel, back to ft:" in shell.ok("plan").out


@pytest.mark.parametrize("options", [("--wait",), ("--timeout", "1h")])
def test_a_wait_that_would_buy_is_approved_by_somebody(
    options: tuple[str, ...], shell: Shell, write_project: Write
) -> None:
    child = FINETUNE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    write_project(small_project() | {"finetunes/child.yaml": child})
    shell.ok("apply", "--auto-approve", "--select", "tone")

    unasked = shell("apply", *options)
    starts_nothing = shell.ok("apply")
    digest = shell.ok("plan", "--format", "json").json["digest"]
    approved = shell.ok("apply", *options, "--approve", digest)

    assert unasked.status == 64
    assert "there is no terminal to ask for approval" in unasked.err
    assert "started" not in unasked.out + starts_nothing.out
    assert "child: succeeded as ft:" in approved.out


@pytest.fixture
def child_cancelled(shell: Shell, write_project: Write) -> Shell:
    """A parent with its model, and its child's job, which was cancelled."""
    child = FINETUNE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    write_project(small_project() | {"finetunes/child.yaml": child})
    shell.ok("apply", "--auto-approve", "--wait", "--select", "tone")
    shell.ok("apply", "--auto-approve")
    shell.ok("cancel", "child", "--auto-approve")
    return shell


def test_a_child_that_is_tried_again_later_is_tried_again(child_cancelled: Shell) -> None:
    shell = child_cancelled
    plan = shell.ok("plan", "--replace", "tone", "--retry-failed", "--out", "plan.json")

    done = shell("apply", "plan.json", "--wait")
    again = shell("apply", "plan.json", "--wait")

    assert "> child: defer, waits for tone" in plan.out
    assert (done.status, "child: succeeded as ft:" in done.out) == (0, True)
    assert (again.status, "started" in again.out) == (0, False)


def test_a_child_that_came_to_nothing_fails_the_wait_for_its_parent(
    child_cancelled: Shell,
) -> None:
    done = child_cancelled("apply", "--auto-approve", "--replace", "tone", "--wait")

    assert "tone: succeeded as ft:" in done.out
    assert "child: started" not in done.out
    assert done.status == 4
    assert "All there" not in done.out


def test_a_failed_replacement_of_a_model_that_serves_fails_no_run(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    shell.ok("apply", "--auto-approve", "--replace", "tone")
    shell.ok("cancel", "tone", "--auto-approve")

    assert "its replacement ftjob-" in shell.ok("apply", "--auto-approve").out
    assert shell.ok("output", "tone").out.startswith("ft:")


def test_a_file_that_changed_after_the_plan_is_not_uploaded(
    shell: Shell, write_project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_project(small_project())

    def edit() -> None:
        (folder / "data" / "train.jsonl").write_text(chat_rows(13), "utf-8")

    monkeypatch.setattr(sys, "stdin", BusyTerminal(edit))

    result = shell("apply")

    assert result.status == 1
    assert "tone: data/train.jsonl has changed since the plan was made" in result.err
    assert "started" not in result.out


def test_a_service_that_refuses_everybody_is_asked_once(shell: Shell, write_project: Write) -> None:
    second = FINETUNE.replace("name: tone", "name: voice") + "seed: 1\n"
    write_project(
        small_project(
            **{
                "ftctl.yaml": "project: demo\nprovider: {type: openai}\n",
                "finetunes/voice.yaml": second,
            }
        )
    )
    world = World()
    refusal = {"error": {"message": "no more jobs", "code": "insufficient_quota"}}
    world.before = lambda method, path: (
        (429, refusal) if (method, path) == ("POST", "/fine_tuning/jobs") else None
    )

    with PlainServer(world) as server:
        shell.environ.update(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="sk-test")
        result = shell("apply", "--auto-approve")

    assert result.status == 4
    assert "error: tone: create a job: no more jobs (HTTP 429, insufficient_quota)" in result.err
    assert "error: voice: not begun: the service refuses (insufficient_quota)" in result.err
    assert world.requests.count("POST /fine_tuning/jobs") == 1


def test_one_dataset_of_two_fine_tunes_is_uploaded_once(shell: Shell, write_project: Write) -> None:
    second = FINETUNE.replace("name: tone", "name: voice") + "seed: 1\n"
    write_project(small_project(**{"finetunes/voice.yaml": second}))

    requests = shell.requests("apply", "--auto-approve")

    assert requests.count("POST /v1/files") == 1
    assert requests.count("POST /v1/fine_tuning/jobs") == 2


CHILD = """\
apiVersion: ftctl/v1
kind: FineTune
name: child
base_model: {{finetune: tone, checkpoint: {checkpoint}}}
training: {{source: ../data/train.jsonl}}
"""


def _with_child(checkpoint: str) -> dict[str, str]:
    parent = FINETUNE + "hyperparameters: {n_epochs: 2, batch_size: 6}\n"
    child = CHILD.format(checkpoint=checkpoint)
    return small_project(parent, **{"finetunes/child.yaml": child})


def test_a_child_starts_from_the_checkpoint_that_it_names(
    shell: Shell, write_project: Write
) -> None:
    write_project(_with_child("2"))
    shell.ok("apply", "--auto-approve", "--wait", "--select", "tone")

    result = shell.ok("plan", "--format", "json")
    shell.ok("apply", "--auto-approve", "--wait")

    child = result.json["changes"][1]
    assert child["steps"][0]["base_model"]["checkpoint"] == 2
    assert shell.ok("output", "child").out.startswith("ft:gpt-4.1-mini-2025-04-14:")


@pytest.mark.parametrize(
    ("checkpoint", "told"),
    [
        ("3", "has no checkpoint at step 3\n    hint: it has them at: 2, 4"),
        ("best", "has a full validation loss to be best by"),
    ],
)
def test_a_checkpoint_that_cannot_be_had_buys_nothing(
    shell: Shell, write_project: Write, checkpoint: str, told: str
) -> None:
    write_project(_with_child(checkpoint))
    shell.ok("apply", "--auto-approve", "--wait", "--select", "tone")

    result = shell("apply", "--auto-approve")

    assert result.status == 1
    assert told in result.err
    assert "started" not in result.out
