"""A spec, and the create request that each kind of service wants for it."""

from __future__ import annotations

from typing import Any

import pytest

from ftctl.catalog.request import job_request
from ftctl.catalog.services import SERVICES

METHOD, TOP_LEVEL = SERVICES["openai"], SERVICES["nebius"]
EPOCHS = {"n_epochs": 3}


@pytest.mark.parametrize(
    ("spec", "body"),
    [
        ({}, {"method": {"type": "supervised"}}),
        ({"hyperparameters": EPOCHS},
         {"method": {"type": "supervised", "supervised": {"hyperparameters": EPOCHS}}}),
        ({"method": "reinforcement", "grader": {"type": "x"}},
         {"method": {"type": "reinforcement", "reinforcement": {"grader": {"type": "x"}}}}),
        ({"method": "reinforcement", "grader": {"type": "x"}, "hyperparameters": EPOCHS},
         {"method": {"type": "reinforcement",
                     "reinforcement": {"grader": {"type": "x"}, "hyperparameters": EPOCHS}}}),
        ({"seed": 7, "suffix": "s", "metadata": {"a": "b"}},
         {"seed": 7, "suffix": "s", "metadata": {"a": "b"}, "method": {"type": "supervised"}}),
        ({"integrations": {"wandb": {"project": "p"}}},
         {"integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
          "method": {"type": "supervised"}}),
        ({"training": "x", "base_model": "y"}, {"method": {"type": "supervised"}}),
    ],
)  # fmt: skip
def test_settings_stand_below_the_method(spec: dict[str, Any], body: dict[str, Any]) -> None:
    assert job_request(spec, METHOD) == body


@pytest.mark.parametrize(
    ("spec", "body"),
    [({}, {}), ({"hyperparameters": EPOCHS, "seed": 7}, {"hyperparameters": EPOCHS, "seed": 7})],
)
def test_where_they_stand_at_the_top_there_is_no_method(
    spec: dict[str, Any], body: dict[str, Any]
) -> None:
    assert job_request(spec, TOP_LEVEL) == body


def test_what_only_the_service_knows_is_merged_key_by_key() -> None:
    spec = {
        "hyperparameters": EPOCHS,
        "seed": 7,
        "extra": {
            "trainingType": "x",
            "seed": None,
            "method": {"supervised": {"hyperparameters": {"lora_rank": 8, "n_epochs": 4}}},
        },
    }

    assert job_request(spec, METHOD) == {
        "method": {
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 4, "lora_rank": 8}},
        },
        "seed": None,
        "trainingType": "x",
    }


@pytest.mark.parametrize("extra", [{"method": 7}, {"seed": {"a": 1}}])
def test_where_only_one_side_is_a_mapping_the_users_word_stands(extra: dict[str, Any]) -> None:
    merged = job_request({"seed": 7, "extra": extra}, METHOD)

    assert merged[next(iter(extra))] == next(iter(extra.values()))
