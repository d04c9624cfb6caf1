"""Tools as any known dialect declares them go in; functions as the service takes them come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftctl.data.convert.conversation import jsonish
from ftctl.data.convert.fault import RowFault
from ftctl.data.convert.reading import Reading, says_something
from ftctl.errors import Finding

_DEPTH = 50


def extras_of(reading: Reading, keys: tuple[str, ...]) -> dict[str, Any]:
    """Tools and the like, where the row has them; lists may be texts of JSON."""
    found = {}
    for key in keys:
        value = reading.take(key)
        if isinstance(value, str):
            text = value
            value = _parsed(text, key) if text.strip() else None
            reading.look_for_repeats(text, value, key)
        if key == "tools" and value is not None:
            value = tools_of(value, reading)
        if value is not None and value != []:
            found[key] = value
    return found


def tools_of(value: Any, reading: Reading) -> Any:
    """The tools; what is as the service has it stays as it is."""
    several = value if isinstance(value, list) else [value]
    if not isinstance(value, list | dict):
        return value
    return [
        made
        for index, tool in enumerate(several)
        for made in _tool(tool, f"tools[{index}]", reading)
    ]


def _tool(tool: Any, place: str, reading: Reading) -> Iterator[Any]:
    if isinstance(tool, str):
        text, tool = tool, jsonish(tool) or tool
        reading.look_for_repeats(text, tool, place)
    match tool:
        case {"type": "function", "function": dict()}:
            yield tool
        case {"functionDeclarations": list(several)} | {"function_declarations": list(several)}:
            used = ("functionDeclarations", "function_declarations")
            reading.leave_rest(tool, used, place)
            for one in several:
                yield from (_small_types(made, 0) for made in _tool(one, place, reading))
        case {"function": dict(function)}:
            reading.leave_rest(tool, ("function",), place)
            yield {"type": "function", "function": _function(function)}
        case {"name": str()}:
            inner = {key: tool[key] for key in tool if key != "type"}
            yield {"type": "function", "function": _function(inner)}
        case _:
            yield tool


def _function(function: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        key: value for key, value in function.items() if says_something(value) or key == "strict"
    }
    if "input_schema" in made and "parameters" not in made:
        made["parameters"] = made.pop("input_schema")
    if isinstance(made.get("parameters"), str):
        made["parameters"] = jsonish(made["parameters"]) or made["parameters"]
    return made


def _small_types(value: Any, depth: int) -> Any:
    """JSON Schema has 'object' where Gemini has 'OBJECT'."""
    if depth > _DEPTH:
        return value
    if isinstance(value, list):
        return [_small_types(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: inner.lower()
        if key == "type" and isinstance(inner, str)
        else _small_types(inner, depth + 1)
        for key, inner in value.items()
    }


def _parsed(text: str, key: str) -> Any:
    value = jsonish(text)
    if value is None and text.strip() != "null":
        hint = "write a list, or the text of a JSON list"
        raise RowFault(Finding("wrong-type", f"{key} is not a list", hint))
    return value
