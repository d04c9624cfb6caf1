"""What a manifest asks for and its service does not take, or takes for something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, Shell, small_project

Write = Callable[[Mapping[str, str]], Path]

NEBIUS = "project: demo\nprovider: {type: nebius}\n"
LLAMA = FINETUNE.replace("gpt-4.1-mini-2025-04-14", "meta-llama/Llama-3.3-70B-Instruct")
AZURE = "project: demo\nprovider: {type: azure, base_url: 'https://res.example/openai/v1'}\n"


@pytest.mark.parametrize(
    ("lines", "place", "shown"),
    [
        ("hyperparameters: {learning_rate_multiplier: 1.8}", "6:45", "1.8"),
        ("hyperparameters: {learning_rate_multiplier: 2}", "6:45", "2"),
        ("hyperparameters: {learning_rate_multiplier: 0.02}", "6:45", "0.02"),
        ("extra: {hyperparameters: {learning_rate: 1.8}}", "6:42", "1.8"),
        ("extra: {hyperparameters: {learning_rate_multiplier: 1.8}}", "6:53", "1.8"),
    ],
)
def test_a_factor_where_the_rate_itself_is_meant_is_an_error(
    shell: Shell, write_project: Write, lines: str, place: str, shown: str
) -> None:
    write_project(small_project(f"{LLAMA}{lines}\n", **{"ftctl.yaml": NEBIUS}))

    result = shell("validate")

    assert result.status == 1
    assert result.out == (
        f"finetunes/tone.yaml:{place}: error[not-served]: nebius takes the learning rate itself and"
        f" no factor: {shown} ruins a model\n    hint: write the rate, such as 0.00002, or take the"
        " line out\n"
    )


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (NEBIUS, "hyperparameters: {learning_rate_multiplier: 0.00002}"),
        (NEBIUS, "hyperparameters: {learning_rate_multiplier: 0.01}"),
        (NEBIUS, "hyperparameters: {learning_rate_multiplier: auto}"),
        (NEBIUS, "integrations: {wandb: {project: p}}"),
        ("project: demo\nprovider: {type: openai}\n",
         "hyperparameters: {learning_rate_multiplier: 1.8}"),
    ],
)  # fmt: skip
def test_a_rate_that_the_service_means_so_is_let_by(
    shell: Shell, write_project: Write, settings: str, lines: str
) -> None:
    finetune = LLAMA if settings == NEBIUS else FINETUNE
    write_project(small_project(f"{finetune}{lines}\n", **{"ftctl.yaml": settings}))

    assert shell.ok("validate").out.startswith("Valid")


def test_a_model_without_a_name_cannot_be_gone_on_from(shell: Shell, write_project: Write) -> None:
    child = FINETUNE.replace("name: tone", "name: child")
    child = child.replace("gpt-4.1-mini-2025-04-14", "{finetune: tone}")
    write_project(small_project(**{"ftctl.yaml": NEBIUS, "finetunes/child.yaml": child}))

    result = shell("validate")

    assert result.out.startswith(
        "finetunes/child.yaml:4:13: error[not-served]: nebius gives models no name that a training"
        " could go on from\n"
    )


@pytest.mark.parametrize(
    ("lines", "place"), [("", "1:1"), ("extra: {promptLoss: 1}\n", "6:8")], ids=["none", "other"]
)
def test_azure_without_a_kind_of_training_is_warned_of(
    shell: Shell, write_project: Write, lines: str, place: str
) -> None:
    write_project(small_project(f"{FINETUNE}{lines}", **{"ftctl.yaml": AZURE}))

    result = shell.ok("validate")

    assert (
        f"finetunes/tone.yaml:{place}: warning[not-given]: 'extra.trainingType' is missing; azure"
        " may refuse to train without it\n    hint: add 'extra: {trainingType: GlobalStandard}',"
        " here or below 'defaults' in ftctl.yaml\n"
    ) in result.out + result.err


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (AZURE, "extra: {trainingType: Standard}\n"),
        (AZURE, "adopt: ftjob-1\n"),
        (f"{AZURE}defaults: {{extra: {{trainingType: Standard}}}}\n", ""),
        ("project: demo\nprovider: {type: openai}\n", ""),
    ],
    ids=["given", "adopted", "by default", "elsewhere"],
)
def test_nothing_is_missing_where_it_is_given_or_not_wanted(
    shell: Shell, write_project: Write, settings: str, lines: str
) -> None:
    write_project(small_project(f"{FINETUNE}{lines}", **{"ftctl.yaml": settings}))

    result = shell.ok("validate")

    assert "trainingType" not in result.out + result.err
