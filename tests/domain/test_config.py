"""What the schema lets through is a typed value; neither knows a key that the other does not."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from conftest import ROOT

from ftctl.domain.config import (
    BaseModelOverride,
    Config,
    PolicySettings,
    ProviderSettings,
    SourceSettings,
    catalog_overrides,
)
from ftctl.domain.observed import AccountId
from ftctl.domain.variables import Variable

SCHEMA = json.loads((ROOT / "schemas" / "project.json").read_text("utf-8"))
RULES = SCHEMA["$defs"]


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (PolicySettings, RULES["policy"]),
        (SourceSettings, RULES["sources"]),
        (BaseModelOverride, RULES["base-model"]),
        (ProviderSettings, RULES["provider"]),
        (AccountId, RULES["provider"]["properties"]["expect"]),
        (Config, SCHEMA),
    ],
)
def test_each_field_is_a_key_of_the_schema_and_each_key_a_field(settings: Any, rule: Any) -> None:
    kept_elsewhere = {"environments", "defaults"} if settings is Config else set()

    assert {one.name for one in fields(settings)} == {*rule["properties"]} - kept_elsewhere


_SETTINGS = (("text", "text"), ("secret", Variable("TEXT")))


def _of_type(rule: Any) -> Any:
    """A value that the rule allows, written as JSON and YAML have it."""
    match rule:
        case {"enum": [first, *_]}:
            return first
        case {"type": "array", "items": items}:
            return [_of_type(items), _of_type(items)]
        case {"type": "boolean"}:
            return True
        case {"type": "integer"}:
            return 3.0
        case {"type": "number"}:
            return 0.1
        case {"$ref": way}:
            rule = SCHEMA
            for step in way.removeprefix("#/").split("/"):
                rule = rule[step]
            return _of_type(rule)
        case {"type": "object", "additionalProperties": {"$ref": _}}:
            return {"text": "text", "secret": {"env": "TEXT"}}
        case {"type": "object", "properties": properties}:
            return {key: _of_type(inner) for key, inner in properties.items()}
        case _:
            return "text"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (PolicySettings, RULES["policy"]),
        (SourceSettings, RULES["sources"]),
        (BaseModelOverride, RULES["base-model"]),
        (ProviderSettings, RULES["provider"]),
    ],
)
def test_every_value_that_the_schema_allows_is_frozen_and_exact(settings: Any, rule: Any) -> None:
    document = {key: _of_type(inner) for key, inner in rule["properties"].items()}

    typed = settings.from_config(document)

    hash(typed)  # no list and no mapping is left in it
    for key, inner in rule["properties"].items():
        value = getattr(typed, key)
        match inner.get("type"):
            case "integer":
                assert (type(value), value) == (int, 3)
            case "number":
                assert value == Decimal("0.1")
            case "object":
                assert value in (_SETTINGS, AccountId("text", "text"))
            case "array":
                assert len(value) in (1, 2)  # a list, or a set of its entries
            case _:
                assert value == document[key]


@pytest.mark.parametrize("number", [0, 10**50, 1.0e300, 5e-324, 0.30000000000000004])
def test_a_number_is_kept_as_it_was_written(number: float) -> None:
    settings = PolicySettings.from_config({"max_cost_per_job": number})

    assert settings.max_cost_per_job == Decimal(str(number))


def test_what_is_not_said_stays_unsaid() -> None:
    assert PolicySettings.from_config({}) == PolicySettings()
    assert SourceSettings.from_config({}) == SourceSettings()
    assert BaseModelOverride.from_config({}) == BaseModelOverride()
    assert ProviderSettings.from_config({}) == ProviderSettings()
    assert catalog_overrides({"openai": {"x": {}}}) == {"openai": {"x": BaseModelOverride()}}
