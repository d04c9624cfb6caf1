"""What was asked and what was answered: the differences, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from ftctl.catalog import load_catalog
from ftctl.catalog.answer import FieldDifference, another_model, differences, same_model
from ftctl.catalog.services import SERVICES
from ftctl.domain.observed import Job

CATALOG = load_catalog()
ASKED = {"n_epochs": 3, "batch_size": 64, "learning_rate_multiplier": 1.8}


def answered(base_model: str | None = None, seed: int | None = None, **hyperparameters: Any) -> Job:
    return Job(
        "ftjob-1", "queued", 1, base_model=base_model, seed=seed, hyperparameters=hyperparameters
    )


def told(spec: dict[str, Any], job: Job, base: str | None = None, service: str = "openai") -> Any:
    return [one.words for one in differences(spec, job, SERVICES[service], CATALOG, base)]


def test_other_numbers_than_were_asked_for_are_told_with_both() -> None:
    job = answered(n_epochs=8, batch_size=1, learning_rate_multiplier=1.8)

    found = differences({"hyperparameters": ASKED}, job, SERVICES["openai"], CATALOG)

    assert found == (FieldDifference("n_epochs", 3, 8), FieldDifference("batch_size", 64, 1))
    assert [one.words for one in found] == ["n_epochs 8, asked was 3", "batch_size 1, asked was 64"]


@pytest.mark.parametrize(
    ("spec", "job"),
    [
        ({"hyperparameters": ASKED}, answered(**ASKED)),
        ({"hyperparameters": ASKED}, answered()),
        ({"hyperparameters": ASKED}, answered(n_epochs="auto", batch_size="8")),
        ({"hyperparameters": ASKED}, answered(learning_rate_multiplier=1.7999999523)),
        ({"hyperparameters": {"n_epochs": 3}}, answered(n_epochs=3.0, batch_size=7)),
        ({"hyperparameters": {"n_epochs": "auto", "reasoning_effort": "low"}},
         answered(n_epochs=25, reasoning_effort="medium")),
        ({}, answered(n_epochs=25, seed=4)),
        ({"seed": 7}, answered()),
        ({"seed": 7}, answered(seed=7)),
        # A null leaves the number to the service, as does a second place that it may read.
        ({"hyperparameters": {"n_epochs": 3},
          "extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": None}}}}},
         answered(n_epochs=8)),
        ({"hyperparameters": {"n_epochs": 3}, "extra": {"hyperparameters": {"n_epochs": 8}}},
         answered(n_epochs=8)),
        ({"extra": {"hyperparameters": {"lora": True}}}, answered(lora=2)),
    ],
)  # fmt: skip
def test_what_was_left_open_or_is_not_repeated_is_no_difference(
    spec: dict[str, Any], job: Job
) -> None:
    assert told(spec, job) == []


@pytest.mark.parametrize(
    ("service", "extra", "words"),
    [
        ("openai", {"method": {"supervised": {"hyperparameters": {"n_epochs": 50}}}},
         ["n_epochs 3, asked was 50"]),
        ("nebius", {"hyperparameters": {"lora_r": 8}},
         []),
        ("nebius", {"hyperparameters": {"n_epochs": 50, "warmup_ratio": 0.1}},
         ["n_epochs 3, asked was 50"]),
        ("openai", {"hyperparameters": {"n_epochs": 9}}, []),  # the manifest's 3 is sent as well
    ],
)  # fmt: skip
def test_asked_is_what_was_sent(service: str, extra: dict[str, Any], words: list[str]) -> None:
    spec = {"hyperparameters": {"n_epochs": 3}, "extra": extra}

    assert told(spec, answered(n_epochs=3), service=service) == words


def test_a_seed_that_was_asked_for_is_compared() -> None:
    assert told({"seed": 0}, answered(seed=42)) == ["seed 42, asked was 0"]


def test_another_base_model_is_told() -> None:
    job = answered(base_model="gpt-4.1-2025-04-14")

    assert told({}, job, "gpt-4.1-mini") == [
        "base_model gpt-4.1-2025-04-14, asked was gpt-4.1-mini"
    ]
    assert told({}, job, "gpt-4.1") == []
    assert told({}, job, None) == []
    assert told({}, answered(), "gpt-4.1-mini") == []


@pytest.mark.parametrize(
    ("asked", "model", "same"),
    [
        ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", True),
        ("gpt-4o", "gpt-4o-2024-11-20", True),  # the alias has moved on
        ("gpt-35-turbo", "gpt-3.5-turbo-0125", True),
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20", False),
        ("gpt-4", "gpt-4.1", False),
        ("gpt-4", "gpt-4-32k", False),
        ("gpt-4.1", "gpt-4.1-mini", False),
        ("mistral-small-latest", "mistral-small-2506", True),
        ("openai/gpt-oss-20b", "openai.gpt-oss-20b", True),
        ("Qwen/Qwen3-8B", "qwen3-8b", True),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-14B", False),
        ("ft:gpt-4.1:acme::a1", "ft:gpt-4.1:acme::a1", True),
        ("ft:gpt-4.1:acme::a1", "ft:gpt-4.1:acme::a2", False),
    ],
)
def test_a_model_is_the_same_under_a_name_of_the_services(
    asked: str, model: str, same: bool
) -> None:
    assert same_model(asked, model, CATALOG) is same
    assert another_model(asked, model, CATALOG) is not same


def test_a_base_that_is_told_of_a_continued_model_is_not_certainly_another_model() -> None:
    asked = "ft:gpt-4.1-2025-04-14:acme::a1"

    assert not another_model(asked, "gpt-4.1-2025-04-14", CATALOG)
    assert another_model(asked, "gpt-4o", CATALOG)
    assert not another_model(asked, None, CATALOG)
    assert told({}, answered(base_model="gpt-4.1"), asked) == [
        f"base_model gpt-4.1, asked was {asked}"
    ]
