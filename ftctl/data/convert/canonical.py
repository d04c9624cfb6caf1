"""A row goes in; its one spelling as a line of JSON comes out, keys in the service's order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]

# As the service's own examples write them; other keys follow in the order that they came in.
_ROW = ("messages", "prompt", "completion", "input", "preferred_output", "non_preferred_output",
        "tools", "parallel_tool_calls", "functions")  # fmt: skip
_MESSAGE = ("role", "name", "content", "refusal", "tool_calls", "function_call", "tool_call_id",
            "weight")  # fmt: skip
_CALL = ("id", "type", "function")
_FUNCTION = ("name", "description", "strict", "parameters", "arguments")
_PART = ("type", "text", "image_url")


def line_of(row: Row) -> bytes:
    """UTF-8, no spaces, a line feed at the end. ValueError for what JSON cannot say."""
    text = json.dumps(canonical(row), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode() + b"\n"


def canonical(row: Row) -> Row:
    """The row with its keys in order; what a tool's parameters hold stays as it is."""
    ordered = _ordered(row, _ROW)
    for key, value in ordered.items():
        if key == "input" and isinstance(value, dict):
            ordered[key] = canonical(value)
        elif key in ("messages", "preferred_output", "non_preferred_output", "prompt",
                     "completion", "chosen", "rejected"):  # fmt: skip
            ordered[key] = _each(value, _message)
        elif key == "tools":
            ordered[key] = _each(value, _call)
    return ordered


def _message(message: Row) -> Row:
    ordered = _ordered(message, _MESSAGE)
    if "content" in ordered:
        ordered["content"] = _each(ordered["content"], lambda part: _ordered(part, _PART))
    if "tool_calls" in ordered:
        ordered["tool_calls"] = _each(ordered["tool_calls"], _call)
    return ordered


def _call(call: Row) -> Row:
    ordered = _ordered(call, _CALL)
    if isinstance(ordered.get("function"), dict):
        ordered["function"] = _ordered(ordered["function"], _FUNCTION)
    return ordered


def _each(value: Any, change: Any) -> Any:
    """A list with each of its objects changed; everything else as it is."""
    if not isinstance(value, list):
        return value
    return [change(item) if isinstance(item, dict) else item for item in value]


def _ordered(item: Mapping[str, Any], order: Iterable[str]) -> Row:
    first = {key: item[key] for key in order if key in item}
    return first | {key: value for key, value in item.items() if key not in first}
