"""A list of declared tools goes in; the tokens that it costs, and between which bounds, come out.

How a service writes tools out to a model is not public. Two ways of counting are: OpenAI's cookbook
has a formula for requests (How_to_count_tokens_with_tiktoken, section 7, read 2026-11-30) whose
numbers for its one tool are those that the API reported; and a tool's JSON is what stands in the
row. The formula has no word for what is nested in a parameter, so its rule for a property is
applied to those as well. For most tools it gives a fifth to a third fewer tokens than the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ftctl.data.tokens.counter import Counter

# The cookbook's constants for models that read with cl100k_base, and for those with o200k_base.
_FUNCTION = {"cl100k_base": 10, "o200k_base": 7}
_PROPERTIES = 3  # where a function or an object has any
_PROPERTY = 3
_CHOICES = -3  # where a property has an enum
_CHOICE = 3
_END = 12  # once for all functions


class ToolTokens(NamedTuple):
    """What the formula gives, and the bounds that it and the JSON make."""

    likely: int
    low: int
    high: int


NO_TOOLS = ToolTokens(0, 0, 0)


def tool_tokens(tools: object, counter: Counter) -> ToolTokens:
    """The tokens of a row's `tools` or `functions`; none for what no service takes."""
    try:
        written = counter.text(json.dumps(tools, ensure_ascii=False, separators=(",", ":")))
        formula = _by_formula(tools, counter)
    except (RecursionError, ValueError, TypeError):  # too deep, or no JSON
        return NO_TOOLS
    return ToolTokens(formula, min(formula, written), max(formula, written))


def _by_formula(tools: object, counter: Counter) -> int:
    total = _END
    for tool in tools if isinstance(tools, list | tuple) else ():
        inner = _mapping(tool).get("function")
        function = inner if isinstance(inner, Mapping) else _mapping(tool)
        line = f"{_text(function.get('name'))}:{_described(function)}"
        total += _FUNCTION.get(counter.encoding, _FUNCTION["o200k_base"]) + counter.text(line)
        total += sum(_properties(function.get("parameters"), counter))
    return total


def _properties(schema: object, counter: Counter) -> Iterator[int]:
    """What each property costs, and each one inside it."""
    if isinstance(schema, list | tuple):
        for part in schema:
            yield from _properties(part, counter)
    elif isinstance(schema, Mapping):
        for key, part in schema.items():
            if key == "properties" and isinstance(part, Mapping) and part:
                yield _PROPERTIES
                for name, rule in part.items():
                    yield _PROPERTY + _property(str(name), _mapping(rule), counter)
                    yield from _properties(rule, counter)
            elif key not in _VALUES:
                yield from _properties(part, counter)


# What holds values of the user's, which are no schemas.
_VALUES = ("enum", "const", "default", "examples", "example")


def _property(name: str, rule: Mapping[str, Any], counter: Counter) -> int:
    total = counter.text(f"{name}:{_text(rule.get('type'))}:{_described(rule)}")
    choices = rule.get("enum")
    if isinstance(choices, list | tuple) and choices:
        total += _CHOICES + sum(_CHOICE + counter.text(_text(choice)) for choice in choices)
    return total


def _described(item: Mapping[str, Any]) -> str:
    return _text(item.get("description")).removesuffix(".")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
