"""A spec, and the create request that each kind of service wants for it."""

from __future__ import annotations

from typing import Any

import pytest

from ftctl.catalog.request import asked_of, job_request, plain_key, row_of
from ftctl.catalog.services import SERVICES, Service

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


INNER = {"method": {"supervised": {"hyperparameters": {"n_epochs": 50}}}}
TOP = {"hyperparameters": {"n_epochs": 50}}


@pytest.mark.parametrize(
    ("service", "extra", "read", "others"),
    [
        (METHOD, {}, {"n_epochs": 3}, {}),
        (METHOD, INNER, {"n_epochs": 50}, {}),
        (METHOD, TOP, {"n_epochs": 3}, {"n_epochs": 50}),
        (METHOD, {"method": {"type": "dpo"}}, {}, {}),
        (METHOD, {"method": "dpo"}, {}, {}),
        (METHOD, {"method": {"supervised": {"hyperparameters": None}}}, {}, {}),
        (TOP_LEVEL, {}, {"n_epochs": 3}, {}),
        (TOP_LEVEL, TOP, {"n_epochs": 50}, {}),
        (TOP_LEVEL, INNER, {"n_epochs": 3}, {"n_epochs": 50}),
    ],
)
def test_what_is_asked_is_what_stands_where_the_service_reads_it(
    service: Service, extra: dict[str, Any], read: dict[str, Any], others: dict[str, Any]
) -> None:
    asked = asked_of({"hyperparameters": EPOCHS, "extra": extra}, service)

    assert (asked.hyperparameters, asked.others) == (read, others)
    assert asked.values("n_epochs") == (*read.values(), *others.values())


@pytest.mark.parametrize(
    ("spec", "method"),
    [
        ({}, "supervised"),
        ({"method": "dpo"}, "dpo"),
        ({"method": "dpo", "extra": {"method": {"type": "reinforcement"}}}, "reinforcement"),
        ({"method": "dpo", "extra": {"method": 7}}, "dpo"),
    ],
)
def test_the_method_that_is_asked_for_is_the_one_that_is_sent(
    spec: dict[str, Any], method: str
) -> None:
    assert asked_of(spec, METHOD).method == method


def test_a_service_that_is_not_known_is_asked_like_any_other_with_this_wire() -> None:
    assert row_of("nebius") is SERVICES["nebius"]
    assert row_of("somewhere-new") is SERVICES["compatible"]


@pytest.mark.parametrize("key", ["nEpochs", "n-epochs", "N_EPOCHS", "n epochs", "ｎ_ｅｐｏｃｈｓ"])
def test_a_key_without_case_and_signs_is_the_same_in_every_spelling(key: str) -> None:
    assert plain_key(key) == "nepochs"
