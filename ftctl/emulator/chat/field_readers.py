"""Readers of a request's JSON: each takes a value and its place, gives the value or a 400."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ftctl.emulator.http.wire import ApiError, Json, bad_request

Read = Callable[[Any, str], Any]

DEEPEST = 100
"""Levels of nesting in a body: more than any schema needs, less than what breaks a parser."""

_SHOWN = 64  # characters of the client's own value that a message repeats


def required(source: Json, name: str, where: str, read: Read) -> Any:
    """The field of an object at `where`, which must be there."""
    if name not in source:
        raise missing(f"{where}.{name}" if where else name)
    return read(source[name], f"{where}.{name}" if where else name)


def optional(source: Json, name: str, where: str, read: Read) -> Any:
    """The field, or None where it is missing."""
    return required(source, name, where, read) if name in source else None


def nullable(read: Read) -> Read:
    """The same, or null."""
    return lambda value, where: None if value is None else read(value, where)


def flag(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong_type(value, where, "a boolean")
    return value


def number(low: float, high: float) -> Read:
    """A number between the two, both included."""

    def read(value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(value, where, "a decimal")
        _check_range(value, where, "decimal", low, high)
        return float(value)

    return read


def whole(low: int, high: int) -> Read:
    """An integer between the two, both included; `1.0` is one."""

    def read(value: Any, where: str) -> int:
        integral = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not integral:
            raise wrong_type(value, where, "an integer")
        _check_range(value, where, "integer", low, high)
        return int(value)

    return read


def text(most: int | None = None, pattern: str | None = None, least: int = 0) -> Read:
    """A string of so many characters that matches the pattern as a whole."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise wrong_type(value, where, "a string")
        if len(value) < least:
            expected = f"a string with minimum length {least}"
            raise refused(where, "empty string", expected, "an empty string", "empty_string")
        if most is not None and len(value) > most:
            expected = f"a string with maximum length {most}"
            got = f"a string with length {len(value)}"
            raise refused(where, "string too long", expected, got, "string_above_max_length")
        if pattern is not None and not re.fullmatch(pattern, value):
            expected = f"a string that matches the pattern '^{pattern}$'"
            message = f"Invalid '{where}': string does not match pattern. Expected {expected}."
            raise bad_request(message, where, "invalid_value")
        return value

    return read


def one_of(*choices: str) -> Read:
    """One of these strings."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise wrong_type(value, where, f"one of {_listed(choices)}")
        if value not in choices:
            raise unknown_value(value, where, choices)
        return value

    return read


def array(item: Read, least: int = 0, most: int | None = None, of: str = "objects") -> Read:
    """An array of so many items, each read by `item`."""

    def read(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_type(value, where, f"an array of {of}")
        if len(value) < least:
            expected = f"an array with minimum length {least}"
            raise refused(where, "empty array", expected, "an empty array", "empty_array")
        if most is not None and len(value) > most:
            expected = f"an array with maximum length {most}"
            got = f"an array with length {len(value)}"
            raise refused(where, "array too long", expected, got, "array_above_max_length")
        return [item(entry, f"{where}[{place}]") for place, entry in enumerate(value)]

    return read


def mapping(value: Any, where: str) -> Json:
    """A JSON object."""
    if not isinstance(value, dict):
        raise wrong_type(value, where, "an object")
    return value


def check_depth(value: Any) -> None:
    """A 400 for a body that nests deeper than `DEEPEST`."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise bad_request(f"The request's body nests deeper than {DEEPEST} levels.", None)


def missing(where: str) -> ApiError:
    """The refusal of a request without a field that it needs."""
    message = f"Missing required parameter: '{where}'."
    return bad_request(message, where, "missing_required_parameter")


def wrong_type(value: Any, where: str, expected: str) -> ApiError:
    """The refusal of a value of another type."""
    message = f"Invalid type for '{where}': expected {expected}, but got {_type_of(value)} instead."
    return bad_request(message, where, "invalid_type")


def refused(where: str, fault: str, expected: str, got: str, code: str) -> ApiError:
    """The refusal of a value that breaks a limit."""
    message = f"Invalid '{where}': {fault}. Expected {expected}, but got {got} instead."
    return bad_request(message, where, code)


def unknown_value(value: str, where: str, choices: tuple[str, ...]) -> ApiError:
    """The refusal of a string that is none of the choices."""
    message = f"Invalid value: '{_short(value)}'. Supported values are: {_listed(choices)}."
    return bad_request(message, where, "invalid_value")


def _check_range(value: float, where: str, kind: str, low: float, high: float) -> None:
    if value < low:
        fault, limit, code = "below minimum", f">= {low}", f"{kind}_below_min_value"
    elif value > high:
        fault, limit, code = "above maximum", f"<= {high}", f"{kind}_above_max_value"
    else:
        return
    got = _short(str(value))
    raise refused(where, f"{kind} {fault} value", f"a value {limit}", got, code)


def _listed(choices: tuple[str, ...]) -> str:
    quoted = [f"'{choice}'" for choice in choices]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _short(shown: str) -> str:
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
