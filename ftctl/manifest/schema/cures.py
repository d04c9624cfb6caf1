"""A value and the rule that it breaks in; what to write instead out, where that can be told."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from ftctl.errors import redact
from ftctl.manifest.decoding import LONGEST_SHOWN, shorten
from ftctl.manifest.scalars import read_scalar
from ftctl.manifest.schema.schema_files import JsonSchema, follow
from ftctl.manifest.schema.value_words import show_value
from ftctl.text.invisible import name_of
from ftctl.text.lookalike import plain_form
from ftctl.text.suggest import nearest

_LONGEST_KEY = 80  # characters that are looked at


def nearest_key(key: str, present: Collection[str], allowed: Collection[str]) -> str | None:
    """The allowed key that was most likely meant; one that is not taken yet comes first."""
    word = plain_form(key[:_LONGEST_KEY]).lower().replace("-", "_")
    free = [name for name in allowed if name not in present]
    for candidates in (free, allowed):
        if near := nearest(word, candidates):
            return near
    parts = word.split("_")
    return next((name for name in free if _within(parts, name.split("_"))), None)


def _within(some: list[str], others: list[str]) -> bool:
    """Whether one name is the other with words left out at an end: `model` of `base_model`."""
    short, long = sorted((some, others), key=len)
    return len(short[0]) > 1 and short in (long[: len(short)], long[-len(short) :])


def home_of(key: str, here: JsonSchema, root: JsonSchema) -> str | None:
    """Where else in the schema a key is at home."""
    settings = "hyperparameters"
    inside_settings = str(here.get("title", "")).startswith(settings)
    homes = [("the top level of the document", root), *root.get("properties", {}).items()]
    homes += [(str(rule.get("title", "")), rule) for rule in root.get("$defs", {}).values()]
    names = [name for name, rule in homes if name and key in rule.get("properties", {})]
    # Among hyperparameters, what matters is the method that takes the key; elsewhere it does not.
    names = [name for name in names if not inside_settings or name != settings]
    return f"'{key}' belongs to {min(names, key=lambda name: name != settings)}" if names else None


def cure_for(value: Any, rule: JsonSchema, root: JsonSchema, *, must_be: bool) -> str | None:
    """What to write instead, when that can be told from what was written."""
    if value is None:
        return "give it a value" if must_be else "give it a value, or take the line out"
    if rule.get("x-secret"):
        return "put the key into an environment variable, and that variable's name here"
    choices = _choices(rule, root)
    closed = bool(choices) or _has_pattern(rule, root)
    if isinstance(value, str) and not value.isascii() and closed and redact(value) == value:
        return _beyond_ascii(value, rule, root)
    # A constant is all that the message expects: no need to say it twice.
    word = value[:_LONGEST_KEY].lower() if isinstance(value, str) and "const" not in rule else ""
    known = {choice.lower(): choice for choice in choices} | rule.get("x-meant", {})
    longer = (choice for choice in choices if len(choice) > 1 and word.startswith(choice))
    if near := nearest(word, known):
        return f"did you mean '{known[near]}'?"
    if near := next(longer, None):
        return f"did you mean '{near}'?"
    if isinstance(value, str) and redact(value) != value:
        return None
    for candidate, hint in _candidates(value):
        # Text instead of other text helps only where the form of the text is at fault.
        reworded = isinstance(value, str) and isinstance(candidate, str)
        if (not reworded or _has_pattern(rule, root)) and _fits(candidate, rule, root):
            return hint
    return None


def _beyond_ascii(value: str, rule: JsonSchema, root: JsonSchema) -> str:
    """Which character no word or name of ours has, and what was meant, if that can be told."""
    odd = next(character for character in value if not character.isascii())
    plain = plain_form(value[:LONGEST_SHOWN])
    meant = f"; did you mean '{shorten(plain)}'?" if _fits(plain, rule, root) else ""
    return f"it holds {name_of(odd)}{meant}"


def _has_pattern(rule: JsonSchema, root: JsonSchema) -> bool:
    rule = follow(rule, root)
    return "pattern" in rule or any(_has_pattern(option, root) for option in rule.get("anyOf", ()))


def _choices(rule: JsonSchema, root: JsonSchema) -> list[str]:
    rule = follow(rule, root)
    inner = [choice for option in rule.get("anyOf", ()) for choice in _choices(option, root)]
    return [*rule.get("enum", ()), *([rule["const"]] if "const" in rule else ()), *inner]


def _candidates(value: Any) -> Iterator[tuple[Any, str]]:
    """What somebody may have meant who wrote this, each with the words to say so."""
    match value:
        case bool():
            text = show_value(value)
            yield text, f'write "{text}" in quotes if the word is meant'
        case int() | float():
            yield str(value), f'write "{shorten(str(value))}" in quotes'
        case str():
            number = read_scalar(value[:_LONGEST_KEY])
            if isinstance(number, int | float):
                yield number, f"write {show_value(number)} without quotes"
            if "/" in value or value.endswith(".jsonl"):
                yield {"source": value}, f"write {{source: {shorten(value)}}} for a file"
            if "." in value or "/" in value:
                yield f"https://{value}", f"write https://{shorten(value)}"
            slug = re.sub(r"[^a-z0-9]+", "-", value[:200].lower()).strip("-")
            if 0 < len(slug) <= LONGEST_SHOWN:
                yield slug, f"did you mean '{slug}'?"


def _fits(candidate: Any, rule: JsonSchema, root: JsonSchema) -> bool:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(_inlined(rule, root)).is_valid(candidate)


def _inlined(rule: JsonSchema, root: JsonSchema) -> dict[str, Any]:
    """A rule without references. Conditions are left out: they only narrow what it allows."""
    rule = follow(rule, root)
    inlined = {
        key: part for key, part in rule.items() if key not in ("allOf", "if", "then", "else")
    }
    if "anyOf" in rule:
        inlined["anyOf"] = [_inlined(option, root) for option in rule["anyOf"]]
    for key in ("properties", "additionalProperties", "propertyNames"):
        if key == "properties" and key in rule:
            inlined[key] = {name: _inlined(part, root) for name, part in rule[key].items()}
        elif isinstance(rule.get(key), dict):
            inlined[key] = _inlined(rule[key], root)
    return inlined
