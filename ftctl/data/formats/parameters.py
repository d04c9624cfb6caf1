"""A function's parameters go in; a rule for a call's arguments, and what is wrong, come out.

Parameters that are no JSON Schema of their draft, that refer to other documents or that could cost
more work than they are worth judge nothing: what is told must be true, and need not be all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ftctl.data.formats.shape import described, keyed, quoted_key

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

Misfit = tuple[str, str]
"""A place below the arguments, as `.city` or `[2]`, and what is wrong there."""

Rule = Callable[[Any], Misfit | None]

_TYPES = {
    "object": "an object", "array": "a list", "string": "a string", "boolean": "a boolean",
    "number": "a number", "integer": "a whole number", "null": "null",
}  # fmt: skip
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS = ("2020-12/", "2019-09/", "draft-07/", "draft-06/", "draft-04/")
_DEEPEST = 60  # levels of a schema; what lies deeper is not looked at
_MOST_PARTS = 10_000  # schemas in a schema; a larger one judges nothing, and is not doubted
# Looks at one part of a value by branches that each refer back double at every level of it.
_MOST_LOOKS = 1_000_000
_MOST_EXPLAINED = 4_000  # branches: each costs a whole error where none fits


def rule_of(schema: Mapping[str, Any]) -> Rule:
    """What is wrong with a value first, or None when it fits."""
    validator = None if _is_huge(schema) else _compiled(schema)
    if validator is None or isinstance(validator, tuple):
        return _anything
    try:
        work = _work(schema)
    except RecursionError:  # references to references to references …
        return _anything

    def judge(value: Any) -> Misfit | None:
        many = work.branches * (1 if work.looks == 1 else work.looks ** _depth(value))
        if many > _MOST_LOOKS:
            return None
        try:
            if validator.is_valid(value):
                return None
            if many > _MOST_EXPLAINED:
                return "", "does not fit the parameters that its function declares"
            return _explained(validator, value)
        except UnicodeEncodeError:  # half a surrogate pair, which is told of elsewhere
            return None

    return judge


def faults_of(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    """Where parameters are no JSON Schema of an object."""
    if schema.get("type", "object") != "object":
        yield ".type", "is not 'object', as every function's parameters are"
    compiled = None if _is_huge(schema) else _compiled(schema)
    if isinstance(compiled, tuple):
        yield compiled


def strict_faults(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    """What `strict: true` asks of a schema and this one does not have."""
    for place, part in _subschemas(schema, "", 0):
        known = part.get("properties")
        if part.get("type") != "object" and not isinstance(known, dict):
            continue
        if part.get("additionalProperties") is not False:
            yield place, "has no 'additionalProperties': false"
        needed: Any = part.get("required") if _texts(part.get("required")) else ()
        if isinstance(known, dict) and set(known) - set(needed):
            yield place, "does not list all of its properties in 'required'"


def _is_huge(schema: Mapping[str, Any]) -> bool:
    """Whether reading it would take long: a chain of references is gone through again and again."""
    return next(islice(_subschemas(schema, "", 0), _MOST_PARTS, None), None) is not None


def _anything(_: Any) -> Misfit | None:
    return None


def _compiled(schema: Mapping[str, Any]) -> Validator | Misfit:
    """What judges by a schema, or why it is none."""
    from jsonschema_rs import ValidationError, validator_for  # noqa: PLC0415 - few rows have tools

    draft = schema.get("$schema")
    known = isinstance(draft, str) and any(name in draft for name in _DRAFTS)
    whole = {**schema, "$schema": draft if known else _DRAFT}
    try:
        return validator_for(_null_allowed(whole) if "nullable" in str(schema) else whole,
                             offline=True)  # fmt: skip
    except ValidationError as fault:
        if fault.kind.name in ("$ref", "referencing"):
            return _lost_reference(schema)
        return _placed(fault.instance_path), _schema_words(fault)
    except (ValueError, RecursionError):  # nested too deep, or half a surrogate pair
        return "", "cannot be read as a JSON Schema"


def _lost_reference(root: Mapping[str, Any]) -> Misfit:
    for place, part in _subschemas(root, "", 0):
        reference = part.get("$ref")
        if isinstance(reference, str) and _target(reference, root) is None:
            if reference.startswith("#"):
                return f"{place}.$ref", "names nothing in these parameters"
            return f"{place}.$ref", "refers to another document"
    return "", "refers to what is not in it"


def _schema_words(fault: ValidationError) -> str:
    path = fault.instance_path
    match fault.kind.name:
        case "anyOf" if path[-1:] == ["type"]:
            return f"is none of {', '.join(_TYPES)}"
        case "format":
            return "is no regular expression"
        case "type" if path and {"boolean", "object"} == set(fault.kind.as_dict()["types"]):
            return f"is {described(fault.instance)}, not a schema"
        case _:
            return _words(fault)


def _explained(validator: Validator, value: Any) -> Misfit | None:
    from jsonschema_rs import ValidationError, ValidationErrorKind  # noqa: PLC0415 - as above

    try:
        validator.validate(value)
    except ValidationError as fault:
        if isinstance(fault.kind, ValidationErrorKind.BacktrackLimitExceeded):
            return None
        return _placed(fault.instance_path), _words(fault)
    return None


def _placed(path: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else keyed("", step) for step in path)


_WORDS = {
    "falseSchema": "is not allowed by its schema",
    "const": "is not the one value allowed",
    "not": "is what its schema rules out",
    "pattern": "does not match its pattern",
    "uniqueItems": "has an entry twice",
    "minimum": "is below its minimum",
    "maximum": "is above its maximum",
    "exclusiveMinimum": "is not above its minimum",
    "exclusiveMaximum": "is not below its maximum",
    "multipleOf": "is no multiple of its step",
}
_UNITS = {"Length": "characters", "Items": "entries", "Properties": "keys"}


def _words(fault: ValidationError) -> str:
    """What is wrong, without a word of the value."""
    name, value = fault.kind.name, fault.instance
    facts: dict[str, Any] = fault.kind.as_dict()
    unit = _UNITS.get(name[3:])
    if unit is not None and isinstance(value, Sized):
        bound = "at least {:,} are asked for" if name[:3] == "min" else "at most {:,} are taken"
        return f"has {len(value):,} {unit}; {bound.format(facts['limit'])}"
    match name:
        case "type":
            wanted = " or ".join(_TYPES[kind] for kind in _TYPES if kind in facts["types"])
            return f"is {described(value)}, not {wanted}"
        case "required":
            return f"has no key {quoted_key(facts['property'])}, which the function requires"
        case "additionalProperties" | "unevaluatedProperties":
            key = quoted_key(facts["unexpected"][0])
            return f"has the key {key}, which the function does not take"
        case "enum":
            return f"is none of the {len(facts['options'])} values allowed"
        case "anyOf":
            return f"fits none of the {len(facts['context'])} forms allowed"
        case "oneOf":
            return f"does not fit exactly one of the {len(facts['context'])} forms allowed"
        case _:
            return _WORDS.get(name) or f"does not fit {quoted_key(name)} of its schema"


# The parts of a schema.

_PLURAL = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_SINGLE = (
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedProperties", "unevaluatedItems", "additionalItems",
)  # fmt: skip
# What judges the very value that its schema judges; the rest judge a part of it.
_BESIDE = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentSchemas")


def _parts(schema: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str, Any]]:
    """Each schema right inside one: by which keyword, where, and itself."""
    for key in _PLURAL:
        inner = schema.get(key)
        for name, part in inner.items() if isinstance(inner, dict) else ():
            yield key, keyed(f"{place}.{key}", name), part
    for key in _LISTED:
        inner = schema.get(key)
        for index, part in enumerate(inner) if isinstance(inner, list) else ():
            yield key, f"{place}.{key}[{index}]", part
    for key in _SINGLE:
        if isinstance(schema.get(key), dict | bool):
            yield key, f"{place}.{key}", schema[key]


def _subschemas(schema: object, place: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema and every schema inside it, each with its place."""
    if depth > _DEEPEST or not isinstance(schema, dict):
        return
    yield place, schema
    for _, at, part in _parts(schema, place):
        yield from _subschemas(part, at, depth + 1)


def _null_allowed(schema: Any) -> Any:
    """The schema with OpenAPI's `nullable`, which JSON Schema does not know, in its own words."""
    if isinstance(schema, list):
        return [_null_allowed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    known = {key: _null_allowed(value) for key, value in schema.items()}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        known["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            known["enum"] = [*schema["enum"], None]
    return known


class _Work(NamedTuple):
    """What one part of a value may cost, at its level alone: the most of any schema."""

    looks: int  # by schemas that look into the parts of the part
    branches: int  # each of which may have an error of its own


def _work(root: Mapping[str, Any]) -> _Work:
    @cache
    def beside(identity: int) -> _Work:
        schema = schemas[identity]
        if identity in open_now:
            return _Work(0, 1)  # it comes back to itself without a step into the value
        open_now.add(identity)
        inner = [part for key, _, part in _parts(schema) if key in _BESIDE]
        if isinstance(schema.get("$ref"), str):
            inner.append(_target(schema["$ref"], root))
        works = [beside(known(part)) for part in inner if isinstance(part, dict)]
        open_now.discard(identity)
        steps = any(key not in (*_BESIDE, "$defs", "definitions") for key, *_ in _parts(schema))
        return _Work(
            min(sum(one.looks for one in works) + steps, _MOST_LOOKS + 1),
            min(sum(one.branches for one in works) + 1, _MOST_LOOKS + 1),
        )

    def known(schema: dict[str, Any]) -> int:
        schemas[id(schema)] = schema
        return id(schema)

    schemas: dict[int, dict[str, Any]] = {}
    open_now: set[int] = set()
    works = [beside(known(part)) for _, part in _subschemas(root, "", 0)]
    return _Work(*(max(1, *most) for most in zip(*works, strict=True)))


def _depth(value: Any) -> int:
    """Levels of objects and lists, 1 for what is neither."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    """What a reference within the schema names, or None."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    target: Any = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict) and key in target:
            target = target[key]
        elif isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        else:
            return None
    return target


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
