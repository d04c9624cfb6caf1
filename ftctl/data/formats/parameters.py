"""A function's parameters go in; a rule for a call's arguments, and what is wrong, come out.

A JSON Schema becomes one closure, made once for each list of tools, since a row of calls is checked
a hundred times faster so than by walking the schema anew. What is not known here (`format`,
`if`, `contains`, references to other documents, patterns that only other languages know) is let by:
what is told must be true, and need not be all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ftctl.data.formats.shape import described, keyed, quoted_key

Misfit = tuple[str, str]
"""A place below the arguments, as `.city` or `[2]`, and what is wrong there."""

Rule = Callable[[Any], Misfit | None]

_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "object": (lambda value: type(value) is dict, "an object"),
    "array": (lambda value: type(value) is list, "a list"),
    "string": (lambda value: type(value) is str, "a string"),
    "boolean": (lambda value: type(value) is bool, "a boolean"),
    "null": (lambda value: value is None, "null"),
    "number": (lambda value: type(value) in (int, float), "a number"),
    "integer": (
        lambda value: type(value) is int or (type(value) is float and value.is_integer()),
        "a whole number",
    ),
}
# What follows a group may take exponential time on a text that does not match.
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_MOST_TEXT = 10_000  # characters that a pattern is tried on
_MOST_ITEMS = 10_000  # entries of a list whose sameness is looked at
_DEEPEST = 60  # levels of a schema; what lies deeper is let by


def rule_of(schema: Mapping[str, Any]) -> Rule:
    """What is wrong with a value first, or None when it fits."""
    return _Compiler(schema).rule(schema, 0) or _anything


def faults_of(schema: Mapping[str, Any]) -> Iterator[Misfit]:
    """Where parameters are no JSON Schema of an object."""
    if schema.get("type", "object") != "object":
        yield ".type", "is not 'object', as every function's parameters are"
    yield from _schema_faults(schema)


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


class _Compiler:
    """Turns the parts of one schema into rules."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.referred: dict[str, _Circle] = {}

    def rule(self, schema: object, depth: int) -> Rule | None:
        """None for a schema that anything fits."""
        if schema is False:
            return _nothing
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return None
        rules = [*self._rules(schema, depth + 1)]
        rule = rules[0] if len(rules) == 1 else _all_of(rules) if rules else None
        if rule is not None and schema.get("nullable") is True:  # as OpenAPI 3.0 writes it
            return _nullable(rule)
        return rule

    def _rules(self, schema: Mapping[str, Any], depth: int) -> Iterator[Rule]:
        yield from _type_rules(schema)
        if isinstance(schema.get("$ref"), str):
            yield self._reference(schema["$ref"], depth)
        yield from _value_rules(schema)
        yield from _text_rules(schema)
        yield from _number_rules(schema)
        yield from self._object_rules(schema, depth)
        yield from self._list_rules(schema, depth)
        yield from self._joined_rules(schema, depth)

    def _reference(self, reference: str, depth: int) -> Rule:
        if reference not in self.referred:
            circle = self.referred[reference] = _Circle()
            circle.inner = self.rule(_target(reference, self.root), depth) or _anything
        return self.referred[reference]

    def _object_rules(self, schema: Mapping[str, Any], depth: int) -> Iterator[Rule]:
        known = schema.get("properties")
        known = known if isinstance(known, dict) else {}
        parts = {key: self.rule(part, depth) for key, part in known.items()}
        judged = {key: rule for key, rule in parts.items() if rule is not None}
        if judged:
            yield _properties(judged)
        if _texts(schema.get("required")):
            yield _required(schema["required"])
        # Patterns of keys are rare, and without them nobody knows which keys are left over.
        if "additionalProperties" in schema and "patternProperties" not in schema:
            other = self.rule(schema["additionalProperties"], depth)
            if other is not None:
                yield _others(frozenset(known), other)
        yield from _sized(schema, "minProperties", "maxProperties", dict, "keys")

    def _list_rules(self, schema: Mapping[str, Any], depth: int) -> Iterator[Rule]:
        first = schema.get("prefixItems")
        heads = [self.rule(part, depth) for part in first] if isinstance(first, list) else []
        items = self.rule(schema.get("items"), depth)
        if items is not None or any(heads):
            yield _items(heads, items)
        yield from _sized(schema, "minItems", "maxItems", list, "entries")
        if schema.get("uniqueItems") is True:
            yield _unique

    def _joined_rules(self, schema: Mapping[str, Any], depth: int) -> Iterator[Rule]:
        for key, join in (("anyOf", _any_of), ("oneOf", _one_of), ("allOf", _all_of)):
            parts = schema.get(key)
            if isinstance(parts, list) and parts:
                yield join([self.rule(part, depth) or _anything for part in parts])
        inner = self.rule(schema["not"], depth) if "not" in schema else _nothing
        if inner is not _nothing:
            yield _none_of(inner or _anything)


class _Circle:
    """A rule that may meet itself: it lets by a value that it is just judging."""

    def __init__(self) -> None:
        self.inner: Rule = _anything
        self._active: set[int] = set()

    def __call__(self, value: Any) -> Misfit | None:
        if id(value) in self._active:
            return None
        self._active.add(id(value))
        try:
            return self.inner(value)
        finally:
            self._active.discard(id(value))


def _anything(_: Any) -> Misfit | None:
    return None


def _nothing(_: Any) -> Misfit | None:
    return "", "is not allowed by its schema"


def _nullable(rule: Rule) -> Rule:
    return lambda value: None if value is None else rule(value)


def _type_rules(schema: Mapping[str, Any]) -> Iterator[Rule]:
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds
    if not _texts(names) or not names or not all(name in _TYPES for name in names):
        return
    words = " or ".join(_TYPES[name][1] for name in names)

    def judge_one(value: Any) -> Misfit | None:
        return None if is_it(value) else ("", f"is {described(value)}, not {words}")

    def judge(value: Any) -> Misfit | None:
        if any(test(value) for test in tests):
            return None
        return "", f"is {described(value)}, not {words}"

    tests = [_TYPES[name][0] for name in names]
    is_it = tests[0]
    yield judge_one if len(tests) == 1 else judge


def _value_rules(schema: Mapping[str, Any]) -> Iterator[Rule]:
    if "const" in schema:
        only = _frozen(schema["const"])
        yield lambda value: None if _frozen(value) == only else ("", "is not the one value allowed")
    choices = schema.get("enum")
    if isinstance(choices, list):
        allowed = {_frozen(choice) for choice in choices}
        words = f"is none of the {len(choices)} values allowed"
        yield lambda value: None if _frozen(value) in allowed else ("", words)


def _text_rules(schema: Mapping[str, Any]) -> Iterator[Rule]:
    yield from _sized(schema, "minLength", "maxLength", str, "characters")
    pattern = _compiled(schema.get("pattern"))
    if pattern is not None:
        search = pattern.search

        def judge(value: Any) -> Misfit | None:
            if type(value) is not str or len(value) > _MOST_TEXT or search(value):
                return None
            return "", "does not match its pattern"

        yield judge


def _compiled(pattern: object) -> re.Pattern[str] | None:
    if not isinstance(pattern, str) or _REPEATED_GROUP.search(pattern):
        return None
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _number_rules(schema: Mapping[str, Any]) -> Iterator[Rule]:
    tests: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
        ("minimum", lambda value, bound: value >= bound, "is below its minimum"),
        ("maximum", lambda value, bound: value <= bound, "is above its maximum"),
        ("exclusiveMinimum", lambda value, bound: value > bound, "is not above its minimum"),
        ("exclusiveMaximum", lambda value, bound: value < bound, "is not below its maximum"),
        ("multipleOf", _is_multiple, "is no multiple of its step"),
    )
    for key, test, words in tests:
        bound = schema.get(key)
        if type(bound) in (int, float):
            yield _bounded(test, bound, words)


def _bounded(test: Callable[[float, float], bool], bound: Any, words: str) -> Rule:
    def judge(value: Any) -> Misfit | None:
        return ("", words) if type(value) in (int, float) and not test(value, bound) else None

    return judge


def _is_multiple(value: float, step: float) -> bool:
    if step <= 0:
        return True
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    try:
        share = value / step
    except OverflowError:
        return True
    return not math.isfinite(share) or abs(share - round(share)) < 1e-9 * max(1.0, abs(share))


def _sized(
    schema: Mapping[str, Any],
    low_key: str,
    high_key: str,
    kind: type[dict[Any, Any] | list[Any] | str],
    unit: str,
) -> Iterator[Rule]:
    low, high = schema.get(low_key), schema.get(high_key)
    least = low if type(low) is int else 0
    most = high if type(high) is int else None
    if least <= 0 and most is None:
        return

    def judge(value: Any) -> Misfit | None:
        if not isinstance(value, kind):
            return None
        if len(value) < least:
            return "", f"has {len(value):,} {unit}; at least {least:,} are asked for"
        if most is not None and len(value) > most:
            return "", f"has {len(value):,} {unit}; at most {most:,} are allowed"
        return None

    yield judge


def _properties(judged: Mapping[str, Rule]) -> Rule:
    def judge(value: Any) -> Misfit | None:
        if type(value) is dict:
            for key, item in value.items():
                rule = judged.get(key)
                if rule is not None and (misfit := rule(item)) is not None:
                    return keyed("", key) + misfit[0], misfit[1]
        return None

    return judge


def _required(keys: list[str]) -> Rule:
    def judge(value: Any) -> Misfit | None:
        if type(value) is dict:
            for key in keys:
                if key not in value:
                    return "", f"has no key {quoted_key(key)}, which the function requires"
        return None

    return judge


def _others(known: frozenset[str], rule: Rule) -> Rule:
    def judge(value: Any) -> Misfit | None:
        if type(value) is dict:
            for key, item in value.items():
                if key not in known and (misfit := rule(item)) is not None:
                    if rule is _nothing:
                        return (
                            "",
                            f"has the key {quoted_key(key)}, which the function does not take",
                        )
                    return keyed("", key) + misfit[0], misfit[1]
        return None

    return judge


def _items(heads: list[Rule | None], rest: Rule | None) -> Rule:
    def judge(value: Any) -> Misfit | None:
        if type(value) is list:
            for index, item in enumerate(value):
                rule = heads[index] if index < len(heads) else rest
                if rule is not None and (misfit := rule(item)) is not None:
                    return f"[{index}]{misfit[0]}", misfit[1]
        return None

    return judge


def _unique(value: Any) -> Misfit | None:
    if type(value) is not list or len(value) > _MOST_ITEMS:
        return None
    if len({_frozen(item) for item in value}) == len(value):
        return None
    return "", "has an entry twice"


def _all_of(rules: list[Rule]) -> Rule:
    def judge(value: Any) -> Misfit | None:
        for rule in rules:
            if (misfit := rule(value)) is not None:
                return misfit
        return None

    return judge


def _any_of(rules: list[Rule]) -> Rule:
    def judge(value: Any) -> Misfit | None:
        for rule in rules:
            if rule(value) is None:
                return None
        return "", f"fits none of the {len(rules)} forms allowed"

    return judge


def _one_of(rules: list[Rule]) -> Rule:
    def judge(value: Any) -> Misfit | None:
        fitting = sum(1 for rule in rules if rule(value) is None)
        if fitting == 1:
            return None
        return "", f"fits {fitting or 'none'} of the {len(rules)} forms, of which one must fit"

    return judge


def _none_of(rule: Rule) -> Rule:
    return lambda value: ("", "is what its schema rules out") if rule(value) is None else None


def _frozen(value: Any) -> Any:
    """Equal for equal JSON values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("list", tuple(_frozen(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((key, _frozen(item)) for key, item in value.items()))
    return value


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


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


_PLURAL = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_NUMBERS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
)
_FORMS: tuple[tuple[str, Any, str], ...] = (
    *((key, dict, "an object") for key in ("properties", "$defs", "definitions")),
    *((key, list, "a list") for key in ("enum", "anyOf", "oneOf", "allOf")),
    *((key, (dict, bool), "a schema") for key in ("items", "additionalProperties", "not")),
)
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "if", "then", "else", "contains")


def _subschemas(
    schema: Mapping[str, Any], place: str, depth: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema and every schema inside it, each with its place."""
    if depth > _DEEPEST or not isinstance(schema, dict):
        return
    yield place, schema
    inner: list[tuple[str, Any]] = []
    for key in _PLURAL:
        if isinstance(schema.get(key), dict):
            inner += [(keyed(f"{place}.{key}", name), part) for name, part in schema[key].items()]
    for key in _LISTED:
        if isinstance(schema.get(key), list):
            inner += [(f"{place}.{key}[{at}]", part) for at, part in enumerate(schema[key])]
    inner += [(f"{place}.{key}", schema[key]) for key in _SINGLE if key in schema]
    for at, part in inner:
        yield from _subschemas(part, at, depth + 1)


def _schema_faults(root: Mapping[str, Any]) -> Iterator[Misfit]:
    for at, part in _subschemas(root, "", 0):
        kinds = part.get("type", "object")
        names = [kinds] if isinstance(kinds, str) else kinds
        if not _texts(names) or not names or not all(name in _TYPES for name in names):
            yield f"{at}.type", f"is none of {', '.join(_TYPES)}"
        for key, wanted, words in _FORMS:
            if key in part and not isinstance(part[key], wanted):
                yield f"{at}.{key}", f"is {described(part[key])}, not {words}"
        for key in _NUMBERS:
            if type(part.get(key, 0)) not in (int, float):
                yield f"{at}.{key}", f"is {described(part[key])}, not a number"
        known = part.get("properties")
        for key, inner in known.items() if isinstance(known, dict) else ():
            if not isinstance(inner, dict | bool):
                yield keyed(f"{at}.properties", key), f"is {described(inner)}, not a schema"
        if not _texts(part.get("required", [])):
            yield f"{at}.required", "is not a list of keys"
        reference = part.get("$ref")
        if isinstance(reference, str) and _target(reference, root) is None:
            yield f"{at}.$ref", "names nothing in these parameters"
