"""Parts of a fault's document, as plain JSON values: each checked, a 400 names what cannot be.

`where` leads to the object in its document, and `name` to the field in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeGuard

from ftctl.emulator.http.wire import Json, bad_request

MOST_NUMBER = 1_000_000_000
LONGEST_TEXT = 4_096  # characters
MOST_STARS = 8  # in one pattern
DEEPEST_BODY = 50


def pattern_in(source: Json, name: str, where: str) -> re.Pattern[str] | None:
    """`*` stands for anything, `{id}` for one segment of a path."""
    text = text_in(source, name, where)
    if text is None:
        return None
    if not text or text.count("*") + text.count("{") > MOST_STARS:
        message = f"{where}.{name} must have 1 character at least and {MOST_STARS} '*' at most."
        raise bad_request(message, f"{where}.{name}")
    first, *others = (_between_stars(piece) for piece in re.split(r"\*+", text))
    if not others:
        return re.compile(first, re.DOTALL)
    # Each piece is taken where it first fits, for good: with all ways open, a path made for it
    # would cost a time that doubles with every star.
    middle = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)


def _between_stars(piece: str) -> str:
    return "[^/]+".join(re.escape(text) for text in re.split(r"\{\w+\}", piece))


def choice_in(source: Json, name: str, where: str, choices: Sequence[str]) -> str:
    """One of the choices."""
    value = source[name]
    if not isinstance(value, str) or value not in choices:
        message = f"{where}.{name} must be {' or '.join(choices)}."
        raise bad_request(message, f"{where}.{name}")
    return value


def text_in(source: Json, name: str, where: str) -> str | None:
    """A string, or None where there is none."""
    value = source.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > LONGEST_TEXT):
        message = f"{where}.{name} must be a string of at most {LONGEST_TEXT} characters."
        raise bad_request(message, f"{where}.{name}")
    return value


def texts_in(source: Json, name: str, where: str) -> dict[str, str]:
    """An object of strings; empty where there is none."""
    value = source.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise bad_request(f"{where}.{name} must be an object of strings.", f"{where}.{name}")
    return value


def number_in(source: Json, name: str, where: str) -> int | None:
    """A whole number from 1, or None where there is none."""
    if name not in source:
        return None
    check_number(source[name], f"{where}.{name}")
    return int(source[name])


def check_number(value: Any, where: str) -> None:
    """A 400 for what is no whole number from 1."""
    if not is_whole(value) or not 1 <= value <= MOST_NUMBER:
        raise bad_request(f"{where} must be a whole number from 1 to {MOST_NUMBER}.", where)


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether it is an integer; JSON's true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def seconds_in(source: Json, name: str, where: str, most: float) -> float | None:
    """A time from 0, or None where there is none."""
    if name not in source:
        return None
    value = source[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= most:
        message = f"{where}.{name} must be a number of seconds from 0 to {most:g}."
        raise bad_request(message, f"{where}.{name}")
    return float(value)


def check_depth(value: Any, where: str) -> None:
    """Level by level: recursion would fail on just what is looked for."""
    level = [value]
    for _ in range(DEEPEST_BODY):
        inside = [item.values() if isinstance(item, dict) else item for item in level
                  if isinstance(item, dict | list)]  # fmt: skip
        level = [item for items in inside for item in items]
        if not level:
            return
    raise bad_request(f"{where} is nested deeper than {DEEPEST_BODY} levels.", where)


def object_at(value: Any, where: str) -> Json:
    """The value, which must be an object."""
    if not isinstance(value, dict):
        raise bad_request(f"{where} must be an object.", where)
    return value


def fields_at(value: Any, where: str, names: Sequence[str]) -> Json:
    """The value, which must be an object with no field but those."""
    fields = object_at(value, where)
    for name in fields:
        if name not in names:
            place = f"{where}.{name}" if where else name
            message = f"{place}: there is no field '{name}' here, but {', '.join(names)}."
            raise bad_request(message, place)
    return fields
