"""A row's declared tools go in; what is wrong with them, and their names, come out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from ftctl.dataset.findings import Finding
from ftctl.dataset.shape import (
    check_text,
    joined,
    missing_key,
    quoted_word,
    wrong_type,
)

KEYS = ("tools", "parallel_tool_calls", "functions")

_Names = frozenset[str] | None


class Declared(NamedTuple):
    """The functions that may be called; None where the row declares none, so any may."""

    tools: _Names = None
    functions: _Names = None  # the older form of tools


def check_declarations(row: dict[str, Any], place: str = "") -> Generator[Finding, None, Declared]:
    """Returns the declared names, or None for a list that has faults of its own."""
    tools = functions = None
    if "tools" in row:
        tools = yield from _check_list(row["tools"], joined(place, "tools"), wrapped=True)
    if "functions" in row:
        at = joined(place, "functions")
        functions = yield from _check_list(row["functions"], at, wrapped=False)
    parallel = row.get("parallel_tool_calls", True)
    if not isinstance(parallel, bool):
        yield wrong_type(joined(place, "parallel_tool_calls"), parallel, "a boolean")
    return Declared(tools, functions)


def _check_list(items: object, place: str, *, wrapped: bool) -> Generator[Finding, None, _Names]:
    if not isinstance(items, list):
        yield wrong_type(place, items, "a list of functions")
        return None
    names: dict[str, int] = {}
    sound = True
    for index, item in enumerate(items):
        at = f"{place}[{index}]"
        check = check_wrapper(item, at) if wrapped else ()
        problems = [*check] or [*_check_function(item, at, wrapped=wrapped)]
        yield from problems
        if problems:
            sound = False
            continue
        name = (item["function"] if wrapped else item)["name"]
        if name in names:
            message = f"{at} declares the function of {place}[{names[name]}] again"
            yield Finding("repeated-function", message, "keep one of them")
        names.setdefault(name, index)
    return frozenset(names) if sound else None


def check_wrapper(item: object, place: str) -> Iterator[Finding]:
    """An object of type `function` with a function in it, as in tools and in calls."""
    if not isinstance(item, dict):
        yield wrong_type(place, item, "an object of type function")
        return
    if "type" not in item:
        yield missing_key("type", place)
    elif not isinstance(item["type"], str):
        yield wrong_type(f"{place}.type", item["type"], "a string")
    elif item["type"] != "function":
        message = f"{place}.type is {quoted_word(item['type'])}, not 'function'"
        yield Finding("wrong-value", message, "only functions can be trained on")
    if "function" not in item:
        yield missing_key("function", place)
    elif not isinstance(item["function"], dict):
        yield wrong_type(f"{place}.function", item["function"], "an object")


def _check_function(item: Any, place: str, *, wrapped: bool) -> Iterator[Finding]:
    function, at = (item["function"], f"{place}.function") if wrapped else (item, place)
    if not isinstance(function, dict):
        yield wrong_type(at, function, "an object with a name")
        return
    yield from check_text(function, "name", at, filled=True)
    yield from check_text(function, "description", at, required=False)
    if not isinstance(function.get("parameters", {}), dict):
        yield wrong_type(f"{at}.parameters", function["parameters"], "an object: a JSON Schema")
