"""Services that are not as OpenAI is, over real HTTP: Nebius' nameless models, Azure's refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, KEY, Shell, small_project
from nebius_server import nebius_world
from plain_server import PlainServer, World

from ftctl.lockfile import read_lock_file

Write = Callable[[Mapping[str, str]], Path]
RATED = f"{FINETUNE}hyperparameters: {{n_epochs: 3, learning_rate_multiplier: 0.00002}}\n"


@pytest.fixture
def nebius() -> World:
    return nebius_world()


@pytest.fixture
def shell_there(nebius: World, shell: Shell, write_project: Write) -> Iterator[Shell]:
    """ftctl in a small project at the stand-in for Nebius."""
    with PlainServer(nebius) as server:
        settings = f"project: demo\nprovider: {{type: nebius, base_url: '{server.url}'}}\n"
        write_project(small_project(RATED, **{"ftctl.yaml": settings}))
        shell.environ["NEBIUS_API_KEY"] = KEY
        yield shell


def test_a_rate_goes_by_the_name_that_the_service_has_for_it(
    shell_there: Shell, nebius: World
) -> None:
    result = shell_there.ok("apply", "--auto-approve", "--wait")

    assert nebius.bodies[0]["hyperparameters"] == {"n_epochs": 3, "learning_rate": 0.00002}
    assert "asked was" not in result.out + result.err


def test_a_rate_that_comes_back_as_another_is_told(shell_there: Shell, nebius: World) -> None:
    nebius.tells = lambda _body: {"hyperparameters": {"learning_rate": 0.00001, "n_epochs": 3}}

    shell_there.ok("apply", "--auto-approve", "--wait")
    result = shell_there.ok("plan")

    assert "learning_rate 1e-05, asked was 2e-05" in result.out


def test_a_job_without_a_models_name_is_waited_for_and_not_bought_again(
    shell_there: Shell, nebius: World
) -> None:
    first = shell_there.ok("apply", "--auto-approve", "--wait")
    second = shell_there.ok("apply", "--auto-approve", "--wait")
    (shell_there.folder / "ftctl.lock").unlink()
    third = shell_there.ok("apply", "--auto-approve", "--wait")

    assert "tone: succeeded as ftjob-1" in first.out
    assert "no-op, up to date as ftjob-1" in second.out
    assert "no-op, up to date as ftjob-1" in third.out
    assert "GET /models" not in nebius.requests
    assert len(nebius.jobs) == 1


def test_output_says_how_a_model_without_a_name_is_served(shell_there: Shell) -> None:
    shell_there.ok("apply", "--auto-approve", "--wait")

    alone, listed = shell_there("output", "tone"), shell_there.ok("output")
    document = shell_there.ok("output", "--format", "json").json

    said = (
        "tone has no name to be asked by at nebius: POST /v0/models at nebius with"
        ' {"name": …, "base_model": …, "source": "ftjob-1:CHECKPOINT"} serves it'
    )
    assert (alone.status, alone.out) == (1, "")
    assert said in alone.err
    assert (listed.out, said in listed.err) == ("", True)
    assert (document["tone"]["model"], document["tone"]["job"]) == (None, "ftjob-1")


def test_a_promoted_job_without_a_models_name_is_there(shell_there: Shell) -> None:
    shell_there.ok("apply", "--auto-approve", "--wait")
    shell_there.ok("promote", "tone")

    result = shell_there("output", "tone")

    assert "source" in result.err
    assert "does not exist" not in result.err


def test_what_is_destroyed_is_never_said_to_be_a_model_that_has_no_name(
    shell_there: Shell, nebius: World
) -> None:
    shell_there.ok("apply", "--auto-approve", "--wait")

    result = shell_there.ok("destroy", "--auto-approve")

    assert "deleted model" not in result.out
    assert not [one for one in nebius.requests if one.startswith("DELETE /models")]


def test_the_lock_names_the_job(shell_there: Shell) -> None:
    shell_there.ok("apply", "--auto-approve", "--wait")

    release = read_lock_file(shell_there.folder).entries("default")["tone"].release

    assert release is not None
    assert (release.job, release.model) == ("ftjob-1", "ftjob-1")


def test_azures_refusal_of_a_model_names_the_kind_of_training(
    shell: Shell, write_project: Write, world: World
) -> None:
    message = "The specified base model does not support fine-tuning."
    refused = (400, {"error": {"message": message, "code": "invalidPayload"}})
    world.before = lambda method, path: (
        refused if (method, path) == ("POST", "/fine_tuning/jobs") else None
    )
    with PlainServer(world) as server:
        settings = f"project: demo\nprovider: {{type: azure, base_url: '{server.url}'}}\n"
        write_project(small_project(**{"ftctl.yaml": settings}))
        shell.environ["AZURE_OPENAI_API_KEY"] = KEY

        result = shell("apply", "--auto-approve")

    assert f"{message} (HTTP 400, invalidPayload" in result.err
    assert "add 'extra: {trainingType: GlobalStandard}'" in result.err.partition(message)[2]
