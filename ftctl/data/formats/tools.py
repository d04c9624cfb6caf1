"""A row's declared tools go in; what is wrong with them, and what may be called, come out."""

from __future__ import annotations

import marshal
from collections.abc import Generator, Iterator, Mapping
from typing import Any, NamedTuple

from ftctl.data.formats.parameters import Rule, faults_of, rule_of, strict_faults
from ftctl.data.formats.shape import (
    check_text,
    empty,
    function_name_fault,
    ignored,
    ignored_keys,
    joined,
    missing_key,
    quoted_word,
    wrong_type,
)
from ftctl.errors import Finding

KEYS = ("tools", "parallel_tool_calls", "functions")

# The specification's most for functions (OpenAPI 2.3.0, 2026-08). It has none for tools, but the
# chat API refuses more: "Expected an array with maximum length 128".
MAX_FUNCTIONS = 128

_FUNCTION_KEYS = ("name", "description", "parameters")

Declarations = Mapping[str, Rule | None]
"""By name, what judges a call's arguments; None where nothing is declared of them."""


class Declared(NamedTuple):
    """The functions that may be called; None where the row declares none, so any may."""

    tools: Declarations | None = None
    functions: Declarations | None = None  # the older form of tools
    parallel: bool = True


NOTHING = Declared()

# Real files have one list of tools in every row; a hundred rows in a row share a verdict. `marshal`
# writes a list faster than anything else, and version 2 of it the same bytes for the same list.
_Verdict = tuple[tuple[Finding, ...], Declarations | None]
_known: dict[tuple[bytes, str, bool], _Verdict] = {}
_MOST_KNOWN = 256
_LONGEST_KNOWN = 1_000_000  # bytes


def check_declarations(row: dict[str, Any], place: str = "") -> Generator[Finding, None, Declared]:
    """Returns what is declared, or None for a list that has faults of its own."""
    tools = functions = None
    if "tools" in row:
        tools = yield from _check_once(row["tools"], joined(place, "tools"), wrapped=True)
    if "functions" in row:
        at = joined(place, "functions")
        functions = yield from _check_once(row["functions"], at, wrapped=False)
    if "parallel_tool_calls" not in row:
        return Declared(tools, functions)
    parallel, at = row["parallel_tool_calls"], joined(place, "parallel_tool_calls")
    if parallel is None:
        yield ignored(at, "is null")
    elif not isinstance(parallel, bool):
        yield wrong_type(at, parallel, "a boolean")
    elif row.get("tools") in (None, []):
        yield ignored(at, "has no meaning without tools")
    return Declared(tools, functions, parallel is not False)


def declared_by(tools: object) -> Declarations | None:
    """What a row's tools declare; None if they have a fault."""
    return _check_list(tools, "tools", wrapped=True)[1]


def _check_once(
    items: Any, place: str, *, wrapped: bool
) -> Generator[Finding, None, Declarations | None]:
    try:
        key = (marshal.dumps(items, 2), place, wrapped)
    except ValueError:  # nested too deep for it
        findings, declared = _check_list(items, place, wrapped=wrapped)
    else:
        if key not in _known:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            verdict = _check_list(items, place, wrapped=wrapped)
            if len(key[0]) > _LONGEST_KNOWN:
                yield from verdict[0]
                return verdict[1]
            _known[key] = verdict
        findings, declared = _known[key]
    yield from findings
    return declared


def _check_list(items: object, place: str, *, wrapped: bool) -> _Verdict:
    if items is None:
        return (ignored(place, "is null"),), None
    if not isinstance(items, list):
        return (wrong_type(place, items, "a list of functions"),), None
    if not items:
        fault = ignored(place, "is empty") if wrapped else empty(place, "at least one function")
        return (fault,), None
    if len(items) > MAX_FUNCTIONS:
        message = f"{place} has {len(items):,} functions; at most {MAX_FUNCTIONS} are taken"
        return (Finding("too-many-functions", message, "keep those that the row calls"),), None
    findings: list[Finding] = []
    declared: dict[str, Rule | None] = {}
    places: dict[str, str] = {}
    sound = True
    for index, item in enumerate(items):
        at = f"{place}[{index}]"
        problems = [*check_wrapper(item, at)] if wrapped else []
        problems = problems or [*_check_function(item, at, wrapped=wrapped)]
        findings += problems
        if problems:
            sound = False
            continue
        function, inside = _opened(item, at, wrapped=wrapped)
        findings += _doubts(item, at, function, inside, wrapped=wrapped)
        name = function["name"]
        if name in places:
            message = f"{at} declares the function of {places[name]} again"
            findings.append(Finding("repeated-function", message, "keep one of them"))
        places.setdefault(name, at)
        parameters = function.get("parameters")
        declared.setdefault(name, None if parameters is None else rule_of(parameters))
    return tuple(findings), declared if sound else None


def _opened(item: Any, place: str, *, wrapped: bool) -> tuple[Any, str]:
    return (item["function"], f"{place}.function") if wrapped else (item, place)


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
    """What no service can take."""
    function, at = _opened(item, place, wrapped=wrapped)
    if not isinstance(function, dict):
        yield wrong_type(at, function, "an object with a name")
        return
    problems = [*check_text(function, "name", at, filled=True)]
    problems = problems or [*function_name_fault(function["name"], f"{at}.name")]
    yield from problems
    if function.get("description") is not None:
        yield from check_text(function, "description", at)
    if not isinstance(function.get("parameters"), dict | None):
        yield wrong_type(f"{at}.parameters", function["parameters"], "an object: a JSON Schema")
    if wrapped and not isinstance(function.get("strict"), bool | None):
        yield wrong_type(f"{at}.strict", function["strict"], "a boolean")


def _doubts(
    item: dict[str, Any], place: str, function: dict[str, Any], at: str, *, wrapped: bool
) -> Iterator[Finding]:
    """What a service may pass over."""
    if wrapped:
        yield from ignored_keys(item, ("type", "function"), place)
    yield from ignored_keys(
        function, (*_FUNCTION_KEYS, "strict") if wrapped else _FUNCTION_KEYS, at
    )
    for key in ("description", "parameters"):
        if key in function and function[key] is None:
            yield ignored(f"{at}.{key}", "is null")
    parameters = function.get("parameters")
    if parameters is None:
        return
    for where, what in faults_of(parameters):
        hint = 'write a JSON Schema: {"type": "object", "properties": {…}}'
        yield Finding("doubtful-schema", f"{at}.parameters{where} {what}", hint)
        return  # what follows from the first would only repeat it
    if wrapped and function.get("strict") is True:
        for where, what in strict_faults(parameters):
            hint = "a strict schema allows no other keys and requires all of its own"
            yield Finding("strict-schema", f"{at}.parameters{where} {what}", hint)
            return
