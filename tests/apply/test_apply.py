"""What apply does when the world moves under it, and which model a child starts from."""

from __future__ import annotations

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


def test_what_has_no_model_is_not_said_to_be_all_there(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve")
    shell.ok("cancel", "tone", "--auto-approve")

    result = shell.ok("apply", "--auto-approve", "--wait")

    assert "All there" not in result.out
    assert result.out.splitlines()[-1] == (
        "Without a model: tone. 'ftctl plan' says why, and what to do."
    )


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
