"""A document and a JSON Schema in, every problem with its place and a cure out.

The files in `schemas/` are the only list of allowed fields; their descriptions double as hints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ftctl.errors import Diagnostic, redact

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

    from ftctl.manifest import Document, Where

SCHEMAS = ("project", "dataset", "finetune", "manifest", "plan")

JsonSchema = Mapping[str, Any]


def schema_path(name: str) -> Path:
    """The file of a schema: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "schemas" / f"{name}.json"
    return installed if installed.is_file() else package.parent / "schemas" / f"{name}.json"


@cache
def load_schema(name: str) -> JsonSchema:
    """One of `SCHEMAS`, parsed."""
    return cast(JsonSchema, json.loads(schema_path(name).read_text("utf-8")))


@cache
def cosmetic_fields() -> frozenset[str]:
    """The fields of a FineTune that buy no new training when they change."""
    properties = load_schema("finetune")["properties"]
    return frozenset(name for name, rule in properties.items() if rule.get("x-cosmetic"))


def check_document(document: Document, name: str) -> tuple[Diagnostic, ...]:
    """Every way in which a document departs from a schema; traps are passed over."""
    problems = [
        problem
        for fault in _validator(name).iter_errors(document.value)
        for problem in _problems(document, fault, load_schema(name))
    ]
    return tuple(dict.fromkeys(problems))


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 45 ms that `--version` need not pay
    from referencing import Registry, Resource  # noqa: PLC0415

    registry: Registry[Any] = Registry().with_resources(
        (f"{other}.json", Resource.from_contents(load_schema(other)))
        for other in ("dataset", "finetune")
    )
    # The schema's own references are local, so that it needs a name to be found under.
    root = {**load_schema(name), "$id": f"{name}.json"}
    return Draft202012Validator(root, registry=registry)


def _problems(document: Document, fault: ValidationError, root: JsonSchema) -> Iterator[Diagnostic]:
    where: Where = tuple(fault.absolute_path)
    if where in document.trapped:
        return
    if "propertyNames" in fault.schema_path:
        yield _bad_key(document, where, fault)
        return
    match fault.validator:
        case "additionalProperties":
            yield from _unknown_keys(document, where, fault, root)
        case "required":
            yield from _missing_keys(document, where, fault, root)
        case "anyOf" if branch := _branch(fault):
            for inner in branch:
                yield from _problems(document, inner, root)
        case "not":
            yield Diagnostic(
                "misplaced-key",
                f"'{where[-1]}' has no meaning here",
                document.key_place(where),
                cast(JsonSchema, fault.schema).get("description"),
            )
        case _:
            yield _wrong_value(document, where, fault, root)


def _branch(fault: ValidationError) -> list[ValidationError]:
    """The faults of the alternative that was meant: of the one for mappings, at a mapping."""
    if not isinstance(fault.instance, dict):
        return []
    inner = list(fault.context or ())
    by_branch: dict[Any, list[ValidationError]] = {}
    for other in inner:
        by_branch.setdefault(other.schema_path[0], []).append(other)
    for faults in by_branch.values():
        if not any(other.validator == "type" and not other.path for other in faults):
            return faults
    return []


def _unknown_keys(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Iterator[Diagnostic]:
    rule = cast(JsonSchema, fault.schema)
    present = cast("dict[str, Any]", fault.instance)
    allowed = list(rule.get("properties", ()))
    for key in present:
        if key not in allowed:
            yield Diagnostic(
                "unknown-key",
                f"unknown key '{_short(key)}'",
                document.key_place((*where, key)),
                _nearest_key(key, [name for name in allowed if name not in present], allowed)
                or _home_of(key, root)
                or f"known here: {', '.join(sorted(allowed))}",
            )


def _nearest_key(key: str, free: list[str], allowed: list[str]) -> str | None:
    for candidates in (free, allowed):
        if near := get_close_matches(key.lower().replace("-", "_"), candidates, 1, 0.7):
            return f"did you mean '{near[0]}'?"
    return None


def _home_of(key: str, root: JsonSchema) -> str | None:
    """Where else in the schema a key is at home."""
    for rule in (root, *root.get("$defs", {}).values()):
        if key in rule.get("properties", {}) and "title" in rule:
            title = "the top level of the document" if rule is root else rule["title"]
            return f"'{key}' belongs to {title}"
    return None


def _missing_keys(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Iterator[Diagnostic]:
    rule = cast(JsonSchema, fault.schema)
    for key in rule["required"]:
        if f"'{key}' is a required" in fault.message:
            properties = rule.get("properties", {})
            known = _resolve(properties.get(key) or root.get("properties", {}).get(key, {}), root)
            yield Diagnostic(
                "missing-key",
                f"'{key}' is missing",
                document.place(where),
                known.get("description"),
            )


def _bad_key(document: Document, where: Where, fault: ValidationError) -> Diagnostic:
    key = str(fault.instance)
    return Diagnostic(
        "bad-key",
        f"'{_short(key)}' cannot be a key here",
        document.key_place((*where, key)),
        cast(JsonSchema, fault.schema).get("description"),
    )


def _wrong_value(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Diagnostic:
    rule = _resolve(cast(JsonSchema, fault.schema), root)
    subject = f"'{_field(where)}' is " if where else "the document is "
    shown = "not a variable's name" if rule.get("x-secret") else show_value(fault.instance)
    expected = describe(rule, root)
    return Diagnostic(
        "wrong-value",
        f"{subject}{shown}; expected {expected}",
        document.place(where),
        _nearest_value(fault.instance, rule) or _description(rule, expected),
    )


def _description(rule: JsonSchema, expected: str) -> str | None:
    text = cast("str | None", rule.get("description"))
    return text if text and text.rstrip(".").lower() != expected.lower() else None


def _nearest_value(value: Any, rule: JsonSchema) -> str | None:
    choices = [str(choice) for choice in rule.get("enum", [rule.get("const", "")]) if choice]
    if isinstance(value, str) and (near := get_close_matches(value.lower(), choices, 1, 0.5)):
        return f"did you mean '{near[0]}'?"
    return None


def _field(where: Where) -> str:
    """The last named step of the way, with the indexes behind it: `tags[2]`."""
    names = [index for index, step in enumerate(where) if isinstance(step, str)]
    if not names:
        return "".join(f"[{step}]" for step in where)
    return str(where[names[-1]]) + "".join(f"[{step}]" for step in where[names[-1] + 1 :])


def _resolve(rule: JsonSchema, root: JsonSchema) -> JsonSchema:
    """A rule with its reference followed; what stands beside the reference wins."""
    while isinstance(reference := rule.get("$ref"), str):
        file, _, pointer = reference.partition("#")
        base = load_schema(file.removesuffix(".json")) if file else root
        target: Any = base
        for step in pointer.strip("/").split("/"):
            target = target.get(step, {})
        rule = {**target, **{key: value for key, value in rule.items() if key != "$ref"}}
    return rule


def describe(rule: JsonSchema, root: JsonSchema) -> str:
    """What a rule allows, in words that complete 'expected …'."""
    rule = _resolve(rule, root)
    if "const" in rule:
        return f"'{rule['const']}'"
    if "enum" in rule:
        return _one_of([f"'{choice}'" for choice in rule["enum"]])
    if "anyOf" in rule:
        return _one_of([describe(option, root) for option in rule["anyOf"]])
    match rule.get("type"):
        case "integer":
            return f"a whole number{_bounds(rule)}"
        case "number":
            return f"a number{_bounds(rule)}"
        case "boolean":
            return "true or false"
        case "array":
            return "a list" + _sized(rule, "minItems", "maxItems", "entries")
        case "object":
            return "a mapping" + _sized(rule, "minProperties", "maxProperties", "keys")
        case "string" if "pattern" in rule and "description" in rule:
            text = str(rule["description"]).rstrip(".")
            return text[0].lower() + text[1:]
        case "string":
            return "text" + _sized(rule, "minLength", "maxLength", "characters")
    return str(rule.get("title", "another value"))


def _one_of(options: list[str]) -> str:
    options = list(dict.fromkeys(options))
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"


def _bounds(rule: JsonSchema) -> str:
    low, high = rule.get("minimum"), rule.get("maximum")
    above = rule.get("exclusiveMinimum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if above is not None:
        return f" above {above}" + (f", at most {high}" if high is not None else "")
    return f" from {low}" if low is not None else ""


def _sized(rule: JsonSchema, low_key: str, high_key: str, unit: str) -> str:
    low, high = rule.get(low_key), rule.get(high_key)
    if high is not None:
        return f" of {low} to {high} {unit}" if low else f" of at most {high} {unit}"
    if low == 1:
        return " that is not empty"
    return f" of at least {low} {unit}" if low else ""


def show_value(value: Any) -> str:
    """A value as a message may show it: short, and without anything that looks like a key."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _short(str(value))
        case str():
            return f"'{_short(value)}'"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _short(text: str, longest: int = 60) -> str:
    text = (
        redact(text).encode("unicode_escape").decode("ascii")
        if not text.isprintable()
        else redact(text)
    )
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
