"""The schemas themselves, and what documents are told that depart from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ftctl.domain.digest import canonical
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document
from ftctl.manifest.schema import (
    SCHEMAS,
    check_document,
    cosmetic_fields,
    describe,
    load_schema,
    schema_path,
    show_value,
)

KINDS = ("project", "dataset", "finetune")


def rules_of(rule: Any, way: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping of a schema with the way to it."""
    if isinstance(rule, dict):
        yield way, rule
        for key, inner in rule.items():
            yield from rules_of(inner, f"{way}/{key}")
    elif isinstance(rule, list):
        for index, inner in enumerate(rule):
            yield from rules_of(inner, f"{way}/{index}")


def followed(rule: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in rule:
        file, _, pointer = rule["$ref"].partition("#")
        base = load_schema(file.removesuffix(".json")) if file else root
        target: Any = base
        for step in pointer.strip("/").split("/") if pointer else ():
            target = target[step]
        rule = {**target, **{key: value for key, value in rule.items() if key != "$ref"}}
        root = base
    return rule


def document(value: Any) -> Document:
    return Document("m.yaml", value, {(): Span("m.yaml", 1, 1)}, {})


def finetune(**fields: Any) -> Document:
    value = {
        "apiVersion": "ftctl/v1",
        "kind": "FineTune",
        "name": "tone",
        "base_model": "gpt-4.1-mini-2025-04-14",
        "training": {"source": "train.jsonl"},
        **fields,
    }
    return document(value)


def told(subject: Document, name: str = "finetune") -> list[tuple[str, str, str | None]]:
    return [(one.code, one.message, one.hint) for one in check_document(subject, name)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(load_schema(name))

    assert load_schema(name)["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema_path(name).name == f"{name}.json"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_reference_leads_somewhere(name: str) -> None:
    root = load_schema(name)

    found = [
        followed(rule, root) for _, rule in rules_of(root) if isinstance(rule.get("$ref"), str)
    ]

    assert all(found)


@pytest.mark.parametrize("name", KINDS)
def test_every_property_says_what_it_is_for(name: str) -> None:
    root = load_schema(name)
    # The conditional parts of a FineTune narrow properties that are described elsewhere.
    described = {key for key, rule in root["properties"].items() if "description" in rule}

    silent = [
        f"{way}/properties/{key}"
        for way, rule in rules_of(root)
        for key, property_ in rule.get("properties", {}).items()
        if not ("/if" in way or ("/allOf/" in way and key in described))
        and "description" not in followed(property_, root)
    ]

    assert silent == []


@pytest.mark.parametrize("name", KINDS)
def test_every_mapping_says_which_keys_it_takes(name: str) -> None:
    root = load_schema(name)
    # `extra` takes whatever the service knows; single graders are narrowed by their type.
    free = {"/properties/extra", "/properties/hyperparameters", "/properties/grader",
            "/$defs/grader", "/$defs/single-grader",
            "/$defs/multi-grader/properties/graders/additionalProperties"}  # fmt: skip

    open_ = [
        way
        for way, rule in rules_of(root)
        if rule.get("type") == "object" and "additionalProperties" not in rule
    ]

    assert set(open_) <= free


@pytest.mark.parametrize("name", KINDS)
def test_every_default_fits_its_own_rule(name: str) -> None:
    root = load_schema(name)
    defaults = {way: rule for way, rule in rules_of(root) if "default" in rule}

    unfit = [
        way
        for way, rule in defaults.items()
        if not Draft202012Validator({**rule, "$defs": root.get("$defs", {})}).is_valid(
            rule["default"]
        )
    ]

    assert len(defaults) >= (0 if name == "dataset" else 1)
    assert unfit == []


def test_a_field_has_one_default_wherever_it_stands() -> None:
    root = load_schema("finetune")
    defaults: dict[str, set[str]] = {}
    for _, rule in rules_of(root):
        for key, property_ in rule.get("properties", {}).items():
            if isinstance(property_, dict) and "default" in (full := followed(property_, root)):
                defaults.setdefault(key, set()).add(json.dumps(full["default"]))

    assert {key: values for key, values in defaults.items() if len(values) > 1} == {}
    assert set(defaults) == {
        "method", "keep", "checkpoint", "batch_size", "beta", "compute_multiplier",
        "eval_interval", "eval_samples", "learning_rate_multiplier", "n_epochs", "range",
        "reasoning_effort",
    }  # fmt: skip


def test_the_fields_that_buy_no_training_are_these() -> None:
    assert cosmetic_fields() == {
        "apiVersion", "kind", "name", "description", "validation", "suffix", "integrations",
        "metadata", "adopt", "keep",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"const": "auto"}, "'auto'"),
        ({"enum": ["a", "b", "c"]}, "'a', 'b' or 'c'"),
        ({"anyOf": [{"enum": ["last", "best"]}, {"type": "integer", "minimum": 1}]},
         "'last', 'best' or a whole number from 1"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "a whole number from 1 to 9"),
        ({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
        ({"type": "number", "exclusiveMinimum": 0.00001, "maximum": 10},
         "a number above 0.00001, at most 10"),
        ({"type": "number"}, "a number"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 1}, "text that is not empty"),
        ({"type": "string", "maxLength": 5}, "text of at most 5 characters"),
        ({"type": "string", "pattern": "^a", "description": "A word with a."}, "a word with a"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, "a list of 2 entries"),
        ({"type": "array", "minItems": 2}, "a list of at least 2 entries"),
        ({"type": "object", "minProperties": 1}, "a mapping that is not empty"),
        ({"type": ["string", "array"]}, "text or a list"),
        ({"type": "object", "x-expected": "a mapping such as {a: b}"}, "a mapping such as {a: b}"),
        ({"$ref": "#/$defs/n_epochs"}, "'auto' or a whole number from 1 to 50"),
        ({"$ref": "dataset.json#/properties/sha256"},
         "the SHA-256 of the file's bytes: 64 hexadecimal digits (sha256sum FILE prints it)"),
        ({}, "another value"),
    ],
)  # fmt: skip
def test_a_rule_is_described_in_words(rule: dict[str, Any], words: str) -> None:
    assert describe(rule, load_schema("finetune")) == words


def test_a_rule_that_another_schema_borrows_is_described_as_at_home() -> None:
    rule = {"anyOf": [{"$ref": "#/$defs/n_epochs"}]}

    assert describe(rule, load_schema("project")) == "'auto' or a whole number from 1 to 50"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "empty"),
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        ("a", "'a'"),
        ([1], "a list"),
        ({"a": 1}, "a mapping"),
        ("x" * 61, f"'{'x' * 59}…' (61 characters)"),
        ("a\x1b[31m\n", r"'a\x1b[31m\n'"),
        ("\ud800", r"'\ud800'"),
        ("sk-proj-0123456789abcdef", "'[redacted]'"),
    ],
)
def test_a_value_is_shown_short_printable_and_without_keys(value: Any, shown: str) -> None:
    assert show_value(value) == shown


def test_a_document_that_fits_is_told_nothing() -> None:
    fit = finetune(
        hyperparameters={"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 0.5},
        seed=7,
        metadata={"owner": "cx"},
        integrations={"wandb": {"project": "tone", "tags": ["ci"]}},
        extra={"trainingType": "GlobalStandard"},
    )

    assert check_document(fit, "finetune") == ()


@pytest.mark.parametrize("number", [3.0, 3])
def test_a_whole_number_may_be_written_with_a_point(number: float) -> None:
    assert told(finetune(hyperparameters={"n_epochs": number})) == []


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ({"hyperparameters": {"n_epochs": "3"}},
         "'n_epochs' is '3'; expected 'auto' or a whole number from 1 to 50",
         "write 3 without quotes"),
        ({"suffix": 3},
         ("'suffix' is 3; expected a part of the model's name: 1 to 64 letters, digits, '-' or '_',"
          " the first a letter or digit"),
         'write "3" in quotes'),
        ({"training": "data/a.jsonl"},
         "'training' is 'data/a.jsonl'; expected the name of a Dataset or {source: PATH}",
         "write {source: data/a.jsonl} for a file"),
        ({"seed": None},
         "'seed' is empty; expected a whole number from 0 to 2147483647",
         "give it a value, or take the line out"),
        ({"base_model": None},
         "'base_model' is empty; expected a model's name or {finetune: NAME}",
         "give it a value"),
        ({"method": "dop"},
         "'method' is 'dop'; expected 'supervised', 'dpo' or 'reinforcement'",
         "did you mean 'dpo'?"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_cure(
    fields: dict[str, Any], message: str, hint: str
) -> None:
    assert told(finetune(**fields)) == [("wrong-value", message, hint)]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("hyperparameter", "did you mean 'hyperparameters'?"),
        ("Base-Model", "did you mean 'base_model'?"),
        ("model", "did you mean 'base_model'?"),
        ("training_file", "did you mean 'training'?"),
        ("n_epochs", "'n_epochs' belongs to hyperparameters"),
        ("wandb", "'wandb' belongs to integrations"),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(key: str, hint: str) -> None:
    subject = finetune()
    for taken in ("base_model", "training"):
        if taken in hint:
            del subject.value[taken]

    found = told(Document("m.yaml", {**subject.value, key: "x"}, subject.places, {}))

    assert found == [("unknown-key", f"unknown key '{key}'", hint)]


def test_one_fault_that_two_rules_find_is_told_once() -> None:
    assert told(finetune(hyperparameters=[])) == [
        (
            "wrong-value",
            "'hyperparameters' is a list; expected a mapping",
            "The method's settings; each is optional, and auto leaves it to the service.",
        )
    ]


def test_a_trap_is_not_told_a_second_time() -> None:
    value = finetune(seed="3:30").value
    trapped = Document("m.yaml", value, {}, {}, frozenset({("seed",)}))

    assert check_document(trapped, "finetune") == ()


def test_a_problem_stands_where_the_value_stands() -> None:
    place = Span("m.yaml", 9, 7)
    subject = Document("m.yaml", finetune(keep=0).value, {("keep",): place}, {})

    assert check_document(subject, "finetune") == (
        Diagnostic(
            "wrong-value",
            "'keep' is 0; expected a whole number from 1",
            place,
            "How many succeeded models to keep for this fine-tune, newest first; at least 1.",
        ),
    )


@pytest.mark.parametrize("place", ["name", "suffix", "seed", "sk-abcdefghij0123456789", "adopt"])
def test_no_message_shows_a_key(place: str) -> None:
    secret = "sk-abcdefghij0123456789 "

    found = repr(told(finetune(**{place: secret})))

    assert secret.strip() not in found.lower()
    assert found != "[]"


KEYS = st.sampled_from(
    sorted({key for _, rule in rules_of(load_schema("finetune"))
            for key in rule.get("properties", {})} | {"provider", "environments", "manifests"})
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["auto", "dpo", "reinforcement", "multi", "lambda", "python", "a/b.jsonl"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=8) | VALUES, st.sampled_from(KINDS))
@settings(max_examples=200)
def test_any_document_is_told_its_problems(value: Any, name: str) -> None:
    validator = Draft202012Validator(load_schema(name))
    problems = check_document(document(value), name)

    assert all(problem.message and problem.span.line == 1 for problem in problems)
    assert len({(one.code, one.message, one.span) for one in problems}) == len(problems)
    if name == "finetune":  # the others need a registry for their references
        assert (problems == ()) == validator.is_valid(value)


FIT = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["supervised", "dpo"]),
        "seed": st.integers(0, 2**31 - 1),
        "keep": st.integers(1, 5),
        "extra": st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=3),
        "hyperparameters": st.fixed_dictionaries(
            {},
            optional={
                "n_epochs": st.just("auto") | st.integers(1, 50) | st.just(3.0),
                "batch_size": st.just("auto") | st.integers(1, 256),
                "learning_rate_multiplier": st.just("auto") | st.floats(0.001, 10, allow_nan=False),
            },
        ),
    },
)


@given(FIT)
def test_a_canonical_spec_fits_and_is_its_own_canonical_form(fields: dict[str, Any]) -> None:
    schema = load_schema("finetune")
    value = finetune(**fields).value

    once = canonical(value, schema, schema)

    assert told(document(value)) == told(document(once)) == []
    assert repr(canonical(once, schema, schema)) == repr(once)
