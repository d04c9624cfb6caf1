"""What rule_of says of arguments, held against another implementation of JSON Schema."""

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
            (".stops", "has 3 entries; at most 2 are taken"),
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
    ("schema", "words"),
    [
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, "has the key 'a'"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, "does not match its pattern"),
        ({"properties": {"a": {"pattern": "\\p{L}"}}}, "does not match its pattern"),
        ({"properties": {"a": {"const": 1}}}, "is not the one value allowed"),
        ({"properties": {"a": {"minLength": 9_000}}}, "has 5,000 characters; at least 9,000"),
        ({"properties": {"a": False}}, "is not allowed by its schema"),
        ({"properties": {"a": {"anyOf": [{"type": "null"}, False]}}}, "fits none of the 2 forms"),
        ({"properties": {"a": {"oneOf": [{}, {}]}}}, "exactly one of the 2 forms"),
        ({"properties": {"a": {"not": {}}}}, "is what its schema rules out"),
        ({"properties": {"x1": {"maximum": 1}}}, "is above its maximum"),
        ({"properties": {"x1": {"minimum": 3}}}, "is below its minimum"),
        ({"properties": {"x1": {"exclusiveMaximum": 2}}}, "is not below its maximum"),
        ({"properties": {"x1": {"exclusiveMinimum": 2}}}, "is not above its minimum"),
        ({"properties": {"x1": {"multipleOf": 3}}}, "is no multiple of its step"),
        ({"properties": {"l": {"uniqueItems": True}}}, "has an entry twice"),
        ({"dependentRequired": {"a": ["b"]}}, "has no key 'b'"),
        ({"properties": {"l": {"contains": {"const": 2}}}}, "does not fit 'contains'"),
        ({"unevaluatedProperties": False, "properties": {"a": {}}}, "has the key"),
        (
            {
                "$schema": "http://json-schema.org/draft-04/schema#",
                "properties": {"x1": {"minimum": 2, "exclusiveMinimum": True}},
            },
            "is not above its minimum",
        ),
    ],
)
def test_every_keyword_has_its_words(schema: dict[str, Any], words: str) -> None:
    misfit = rule_of(schema)({"a": "!" * 5_000, "x1": 2, "l": [1, 1]})

    assert misfit is not None
    assert words in misfit[1]
    assert "!" not in misfit[1]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"pattern": "(a+a+)+\\1y"}}},  # would try for years
        {"properties": {"a": {"format": "date"}}},
        {"properties": {"a": {"$ref": "https://a.b/c.json"}}},
        {"properties": {"a": {"type": "date", "minimum": "1", "required": True, "enum": "a"}}},
        {"properties": [], "required": "a", "allOf": {}, "prefixItems": {}},
        {"$schema": "https://a.b/own", "properties": {"a": {"type": "string"}}},
        {"enum": ["\ud800"]},
    ],
)
def test_what_cannot_be_judged_is_let_by(schema: dict[str, Any]) -> None:
    assert rule_of(schema)({"a": "a" * 5_000 + "!"}) is None


def test_a_value_that_utf_8_cannot_carry_is_let_by() -> None:
    assert (
        rule_of({"properties": {"a": {"type": "string", "maxLength": 0}}})({"a": "\ud800"}) is None
    )


@pytest.mark.parametrize(("value", "fits"), [(None, True), (3, True), ("x", False), (4, False)])
def test_nullable_of_openapi_allows_null(value: Any, *, fits: bool) -> None:
    schema = {"properties": {"a": {"type": "integer", "enum": [3], "nullable": True}}}
    named = {"properties": {"nullable": {"type": "string"}}, "required": ["nullable"]}

    assert (rule_of(schema)({"a": value}) is None) is fits
    assert rule_of(named)({"nullable": 1}) == (".nullable", "is a number, not a string")


def _branching(levels: int, leaf: dict[str, Any]) -> dict[str, Any]:
    names = [f"#/$defs/d{level}" for level in range(levels + 1)]
    twice = [{"anyOf": [{"$ref": name}, {"$ref": name}]} for name in names[1:]]
    return {
        "$ref": names[0],
        "$defs": {f"d{level}": part for level, part in enumerate([*twice, leaf])},
    }


def test_a_schema_that_doubles_its_work_at_every_level_judges_nothing() -> None:
    bomb = _branching(40, {"properties": {"a": {"$ref": "#/$defs/d0"}}})
    value: Any = 1
    for _ in range(12):
        value = {"a": value}

    assert rule_of(bomb)(value) is None


@pytest.mark.parametrize(
    ("levels", "words"),
    [(4, "fits none of the 2 forms"), (16, "does not fit the parameters"), (30, None)],
)
def test_branches_that_step_nowhere_are_counted_before_they_are_gone_through(
    levels: int, words: str | None
) -> None:
    rule = rule_of(_branching(levels, {"type": "string"}))

    told = rule(1)

    assert rule("x") is None
    assert told is None if words is None else told is not None and told[1].startswith(words)


def test_a_chain_of_a_thousand_references_judges_nothing() -> None:
    assert rule_of(_branching(1_000, {"type": "string"}))(1) is None


def test_a_schema_of_ten_thousand_parts_is_let_by() -> None:
    chain = {f"d{level}": {"$ref": f"#/$defs/d{level + 1}"} for level in range(100_000)}
    schema = {"type": "object", "$ref": "#/$defs/d0", "$defs": chain}  # its end is missing

    assert rule_of(schema)(1) is None
    assert not [*faults_of(schema)]


def test_what_would_take_long_to_explain_is_told_without_its_place() -> None:
    schema = _branching(1, {"properties": {"a": {"$ref": "#/$defs/d0"}}, "required": ["a"]})
    value: Any = {}
    for _ in range(12):
        value = {"a": value}

    assert rule_of(schema)(value) == ("", "does not fit the parameters that its function declares")
    assert rule_of(schema)({}) == ("", "fits none of the 2 forms allowed")


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
        ({"properties": {"n": {"$ref": "https://a.b/c"}}}, ".properties.n.$ref"),
        ({"properties": {"n": {"$ref": "#one"}}, "$defs": {"o": {"$anchor": "one"}}}, None),
        ({"properties": {"n": {"pattern": "("}}}, ".properties.n.pattern"),
        ({"enum": ["\ud800"]}, ""),
        ({"$schema": 3}, None),
    ],
)
def test_parameters_that_are_no_schema_are_told(schema: dict[str, Any], fault: str | None) -> None:
    assert next((place for place, _ in faults_of(schema)), None) == fault


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "date"}, "is none of object, array, string, boolean, number, integer, null"),
        ({"pattern": "("}, "is no regular expression"),
        ({"items": "text"}, "is a string, not a schema"),
        ({"maximum": "3"}, "is a string, not a number"),
        ({"anyOf": []}, "has 0 entries; at least 1 are asked for"),
        ({"$ref": "#/x"}, "names nothing in these parameters"),
        ({"$ref": "https://a.b/c"}, "refers to another document"),
    ],
)
def test_a_fault_of_parameters_is_told_in_words(part: dict[str, Any], words: str) -> None:
    assert [told for _, told in faults_of({"properties": {"n": part}})] == [words]


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
