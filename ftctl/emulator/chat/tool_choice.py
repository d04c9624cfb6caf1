"""The tools of a request, and which of them an answer may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ftctl.emulator.chat.field_readers import (
    array,
    flag,
    mapping,
    nullable,
    one_of,
    optional,
    required,
    text,
    wrong_type,
)
from ftctl.emulator.http.wire import Json, bad_request

MOST_TOOLS = 128
NAME = text(64, r"[a-zA-Z0-9_-]+", least=1)

Wire = Literal["tools", "functions"]
"""How calls look on the wire: as tool calls, or as the older function call."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What an answer may call: `names` None means any function.

    Nothing can make the model call what it has not learnt to call: `forced` only tells how the
    answer ends, as the hosted service ends it.
    """

    names: frozenset[str] | None
    most: int = MOST_TOOLS
    wire: Wire = "tools"
    forced: bool = False

    def permits(self, name: str) -> bool:
        """Whether an answer may call the function."""
        return self.names is None or name in self.names


NO_CALLS = Choice(frozenset())


def read_tools(value: Any, where: str) -> list[Json]:
    """The list of function tools."""
    read: list[Json] = array(_tool, least=1, most=MOST_TOOLS)(value, where)
    return read


def read_functions(value: Any, where: str) -> list[Json]:
    """The older list of bare functions."""
    read: list[Json] = array(_function, least=1, most=MOST_TOOLS)(value, where)
    return read


def read_tool_choice(value: Any, where: str) -> Any:
    """`none`, `auto`, `required`, one function, or some allowed ones, as it was sent."""
    if isinstance(value, str):
        return one_of("none", "auto", "required")(value, where)
    if not isinstance(value, dict):
        raise wrong_type(value, where, "one of a string or object")
    kind = required(value, "type", where, one_of("function", "allowed_tools"))
    if kind == "function":
        _named(value, where)
    else:
        allowed = required(value, "allowed_tools", where, mapping)
        required(allowed, "mode", f"{where}.allowed_tools", one_of("auto", "required"))
        required(allowed, "tools", f"{where}.allowed_tools", array(_named))
    return value


def read_function_call(value: Any, where: str) -> Any:
    """`none`, `auto` or one function by its name, as it was sent."""
    if isinstance(value, str):
        return one_of("none", "auto")(value, where)
    if not isinstance(value, dict):
        raise wrong_type(value, where, "one of a string or object")
    required(value, "name", where, text())
    return value


def choice_of(given: Json) -> Choice:
    """From the fields of a request that each were read; a 400 where they do not fit together."""
    if "tools" in given and "functions" in given:
        fault = "'functions' and 'function_call' cannot be given together with 'tools'."
        raise bad_request(fault, "functions")
    for name, needed in _ONLY_WITH.items():
        if name in given and needed not in given:
            fault = f"'{name}' is only allowed when '{needed}' are specified."
            raise bad_request(f"Invalid value for '{name}': {fault}", name)
    if "functions" in given:
        names = {function["name"] for function in given["functions"]}
        return _function_choice(given.get("function_call", "auto"), names)
    if "tools" not in given:
        return NO_CALLS
    names = {tool["function"]["name"] for tool in given["tools"]}
    most = MOST_TOOLS if given.get("parallel_tool_calls", True) else 1
    return _tool_choice(given.get("tool_choice", "auto"), names, most)


_ONLY_WITH = {
    "tool_choice": "tools",
    "parallel_tool_calls": "tools",
    "function_call": "functions",
}


def _tool_choice(choice: Any, names: set[str], most: int) -> Choice:
    if isinstance(choice, str):
        return NO_CALLS if choice == "none" else Choice(None, most)
    if choice["type"] == "function":
        name = choice["function"]["name"]
        _check_known({name}, names, "tool_choice", "tools")
        return Choice(frozenset({name}), most, forced=True)
    allowed = {tool["function"]["name"] for tool in choice["allowed_tools"]["tools"]}
    _check_known(allowed, names, "tool_choice", "tools")
    return Choice(frozenset(allowed), most)


def _function_choice(choice: Any, names: set[str]) -> Choice:
    if choice == "auto":
        return Choice(None, 1, "functions")
    if choice == "none":
        return NO_CALLS
    _check_known({choice["name"]}, names, "function_call", "functions")
    return Choice(frozenset({choice["name"]}), 1, "functions", forced=True)


def _check_known(called: set[str], names: set[str], param: str, where: str) -> None:
    for name in sorted(called - names):
        fault = f"Invalid value for '{param}': the function '{name}' is not found in '{where}'."
        raise bad_request(fault, param)


def _tool(value: Any, where: str) -> Json:
    tool = mapping(value, where)
    # Custom tools, whose input is no JSON, are for models that cannot be tuned.
    required(tool, "type", where, one_of("function"))
    required(tool, "function", where, _function)
    return tool


def _function(value: Any, where: str) -> Json:
    function = mapping(value, where)
    required(function, "name", where, NAME)
    optional(function, "description", where, text())
    optional(function, "parameters", where, mapping)
    optional(function, "strict", where, nullable(flag))
    return function


def _named(value: Any, where: str) -> Json:
    tool = mapping(value, where)
    required(tool, "type", where, one_of("function"))
    required(required(tool, "function", where, mapping), "name", f"{where}.function", text())
    return tool
