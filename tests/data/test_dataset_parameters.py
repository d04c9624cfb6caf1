"""What rule_of says of arguments, held against a whole implementation of JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ftctl.data.formats.parameters import faults_of, rule_of, strict_faults

NAMES = ("a", "b", "c d")
names = st.sampled_from(NAMES)
numbers = st.sampled_from([-1, 0, 1, 1.0, 1.5, 2, 3, 7])
sizes = st.integers(0, 3)
scalars = st.none() | st.booleans() | numbers | st.sampled_from(["", "a", "ab", "abc", "é", "b\n"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | st.lists(kinds, min_size=1, max_size=3, unique=True),
            "enum": st.lists(values, min_size=1, max_size=3),
            "const": values,
            "properties": st.dictionaries(names, inner, max_size=3),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": inner,
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two", "#"]),
            "uniqueItems": st.booleans(),
            "pattern": st.sampled_from(["^a", "b$", "[a-c]{2}", "é"]),
            **dict.fromkeys(["minLength", "minItems", "minProperties"], sizes),
            **dict.fromkeys(["maxLength", "maxItems", "maxProperties"], sizes),
            **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum"], numbers),
            "exclusiveMaximum": numbers,
            "multipleOf": st.integers(1, 3),
        },
    )


schemas = st.recursive(st.booleans() | keywords(st.booleans()), keywords, max_leaves=4)
roots = st.builds(
    lambda schema, one, two: {
        **(schema if isinstance(schema, dict) else {}),
        "$defs": {"one": one, "two": two},
    },
    schemas,
    schemas,
    schemas,
)


@given(schema=roots, value=values)
def test_what_is_told_to_be_unfit_is_unfit(schema: dict[str, Any], value: Any) -> None:
    misfit = rule_of(schema)(value)

    try:
        fits = Draft202012Validator(schema).is_valid(value)
    except BaseException as fault:
        # A reference to itself: no verdict. The part of jsonschema in Rust panics there.
        if type(fault).__name__ in ("RecursionError", "PanicException"):
            return
        raise
    # A circle of references lets its value by, so that only without one do both sides agree.
    if misfit is not None and "not" not in str(schema) and "oneOf" not in str(schema):
        assert not fits
    if "$ref" not in str(schema):
        assert (misfit is None) == fits


PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "odd key!": {"type": ["integer", "null"]},
        "stops": {"type": "array", "items": {"$ref": "#/$defs/stop"}, "maxItems": 2},
    },
    "$defs": {
        "stop": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/stop"}, "name": {"enum": ["x", "y"]}},
            "required": ["name"],
        }
    },
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "misfit"),
    [
        ({"city": "Ulm", "odd key!": None, "stops": [{"name": "x", "next": {"name": "y"}}]}, None),
        ({}, ("", "has no key 'city', which the function requires")),
        ({"city": 1}, (".city", "is a number, not a string")),
        ({"city": "U"}, (".city", "has 1 characters; at least 2 are asked for")),
        ({"city": "Ulm", "town": 1}, ("", "has the key 'town', which the function does not take")),
        (
            {"city": "Ulm", "odd key!": "1"},
            ("['odd key!']", "is a string, not a whole number or null"),
        ),
        (
            {"city": "Ulm", "stops": [{"name": "x", "next": {"name": "z"}}]},
            (".stops[0].next.name", "is none of the 2 values allowed"),
        ),
        (
            {"city": "Ulm", "stops": [{}] * 3},
            (".stops[0]", "has no key 'name', which the function requires"),
        ),
    ],
)
def test_a_misfit_has_its_place(value: Any, misfit: tuple[str, str] | None) -> None:
    assert rule_of(PARAMETERS)(value) == misfit


def test_a_value_as_deep_as_its_schema_is_round_is_judged_or_let_by() -> None:
    value: dict[str, Any] = {"name": "x"}
    for _ in range(50):
        value = {"name": "x", "next": value}
    wrong = {"name": "x", "next": {"name": 1}}

    assert rule_of(PARAMETERS)({"city": "Ulm", "stops": [value]}) is None
    assert rule_of(PARAMETERS)({"city": "Ulm", "stops": [wrong]}) is not None
    assert rule_of({"$ref": "#"})({}) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {"^x": {}}, "additionalProperties": False},
        {"properties": {"a": {"pattern": "(a+)+$"}}},
        {"properties": {"a": {"pattern": "\\p{L}"}}},
        {"properties": {"a": {"format": "date"}}},
        {"properties": {"a": {"$ref": "https://a.b/c.json"}}},
        {"properties": {"a": {"type": "date", "minimum": "1", "required": True, "enum": "a"}}},
        {"properties": {"a": {"type": "integer", "nullable": True}}, "required": []},
        {"properties": [], "required": "a", "allOf": {}, "prefixItems": {}},
    ],
)
def test_what_is_not_known_is_let_by(schema: dict[str, Any]) -> None:
    value = None if "nullable" in str(schema) else "!" * 5_000

    assert rule_of(schema)({"a": value, "x1": 2}) is None


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({}, None),
        (PARAMETERS, None),
        ({"type": "string"}, ".type"),
        ({"type": None}, ".type"),
        ({"properties": {"n": {"type": "int"}}}, ".properties.n.type"),
        ({"properties": {"n": {"type": []}}}, ".properties.n.type"),
        ({"properties": {"n": {"maximum": "3"}}}, ".properties.n.maximum"),
        ({"properties": {"n": {"required": False}}}, ".properties.n.required"),
        ({"properties": {"n": {"anyOf": [{"enum": "a"}]}}}, ".properties.n.anyOf[0].enum"),
        ({"properties": {"n": {"additionalProperties": []}}}, ".properties.n.additionalProperties"),
        ({"properties": {"n": {"type": "array", "items": "text"}}}, ".properties.n.items"),
        ({"properties": {"n": "text"}}, ".properties.n"),
        ({"properties": {"n": {"items": {"$ref": "#/x"}}}}, ".properties.n.items.$ref"),
    ],
)
def test_parameters_that_are_no_schema_are_told(schema: dict[str, Any], fault: str | None) -> None:
    assert next((place for place, _ in faults_of(schema)), None) == fault


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "object", "additionalProperties": False}, None),
        ({"type": "object"}, ""),
        (PARAMETERS, ""),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"type": "object"}}},
                "required": ["a"],
                "additionalProperties": False,
            },
            ".properties.a.items",
        ),
    ],
)
def test_what_strict_asks_for_is_told(schema: dict[str, Any], fault: str | None) -> None:
    assert next((place for place, _ in strict_faults(schema)), None) == fault
