"""A value with references to variables in; which they are, and the same with their values, out.

A reference is a mapping with the one key `env`: `{env: HF_TOKEN}`. It stands in plans, digests and
marks as it was written; only what is sent to the service has the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")

Way = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment that holds what no file may."""

    name: str


def references(extra: Mapping[str, Any]) -> Iterator[tuple[Way, str]]:
    """Each reference below the keys of `extra`, by the way to it: the variable's name."""
    for key, value in extra.items():
        yield from _references(value, (key,))


def with_values(extra: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The same with each reference replaced. KeyError, with its name, for one without a value."""
    return {key: _with_values(value, values) for key, value in extra.items()}


def _reference(value: object) -> str | None:
    """The variable that a reference names; other words are a service's own: `{env: prod}`."""
    if isinstance(value, Mapping) and [*value] == ["env"] and isinstance(value["env"], str):
        return value["env"] if _NAME.fullmatch(value["env"]) else None
    return None


def _references(value: object, way: Way) -> Iterator[tuple[Way, str]]:
    name = _reference(value)
    if name is not None:
        yield way, name
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _references(inner, (*way, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _references(inner, (*way, index))


def _with_values(value: Any, values: Mapping[str, str]) -> Any:
    name = _reference(value)
    if name is not None:
        return values[name]
    if isinstance(value, Mapping):
        return {key: _with_values(inner, values) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_values(inner, values) for inner in value]
    return value
