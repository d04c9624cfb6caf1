"""A rule or a value in, the words that a message has for it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.manifest.decoding import LONGEST_SHOWN, shorten
from ftctl.manifest.scalars import plainly
from ftctl.manifest.schema.schema_files import JsonSchema, follow
from ftctl.text.credentials import looks_taken_out
from ftctl.text.format import joined

_LOOKED_AT = 2_000  # characters of a value


def describe(rule: JsonSchema, root: JsonSchema) -> str:
    """What a rule allows, in words that complete 'expected …'."""
    return _one_of(list(_options(rule, root)))


def _options(rule: JsonSchema, root: JsonSchema) -> Iterator[str]:
    rule = follow(rule, root)
    if "x-expected" in rule:
        yield str(rule["x-expected"])
    elif "anyOf" in rule:
        for option in rule["anyOf"]:
            yield from _options(option, root)
    elif "const" in rule or "enum" in rule:
        yield from (f"'{choice}'" for choice in rule.get("enum", [rule.get("const")]))
    else:
        yield _typed(rule)


def _typed(rule: JsonSchema) -> str:
    match rule.get("type"):
        case list(types):
            return _one_of([_typed({**rule, "type": one}) for one in types])
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
    return joined(list(dict.fromkeys(options)), "or")


def _bounds(rule: JsonSchema) -> str:
    low, high, above = (
        plainly(bound) if isinstance(bound := rule.get(key), float) else bound
        for key in ("minimum", "maximum", "exclusiveMinimum")
    )
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if above is not None:
        return f" above {above}" + (f", at most {high}" if high is not None else "")
    return f" from {low}" if low is not None else ""


def _sized(rule: JsonSchema, low_key: str, high_key: str, unit: str) -> str:
    low, high = rule.get(low_key), rule.get(high_key)
    if high is not None and low == high:
        return f" of {low} {unit}"
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
            return shorten(str(value))
        case str():
            length = f" ({len(value):,} characters)" if len(value) > LONGEST_SHOWN else ""
            # Only its beginning is shown, and a pattern takes its time on a long text.
            return f"'{shorten(looks_taken_out(value[:_LOOKED_AT]))}'{length}"
        case list():
            return "a list"
        case _:
            return "a mapping"
