"""A part of a row goes in; whether it has the right keys and JSON type comes out as findings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from ftctl.errors import FILE, ROWS, Finding
from ftctl.text.suggest import did_you_mean

_MAX_KEY = 40
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")


def described(value: object) -> str:
    """The value's JSON type in words, never the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def quoted_key(key: str) -> str:
    """The key in quotes, cut, with what a terminal could not print escaped."""
    return repr(key if len(key) <= _MAX_KEY else f"{key[:_MAX_KEY]}…")


def quoted_word(value: str) -> str:
    """A role or type in quotes; only its length when it reads like text rather than a word."""
    return repr(value) if _WORD.fullmatch(value) else f"a string of {len(value):,} characters"


def listed(words: Collection[str]) -> str:
    return ", ".join(words)


def joined(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def keyed(place: str, key: str) -> str:
    """The place of a key that may be anything."""
    return f"{place}.{key}" if _WORD.fullmatch(key) else f"{place}[{quoted_key(key)}]"


def unknown_keys(
    item: dict[str, Any], known: tuple[str, ...], place: str = "", to: str = ""
) -> Iterator[Finding]:
    """`to` is the form that a row of these keys is written in without the others."""
    unknown = [key for key in item if key not in known]
    leave_out = _leave_out(unknown, known, to) if to else ""
    for key in unknown:
        yield unknown_key(key, known, place, leave_out)


def unknown_key(key: str, known: tuple[str, ...], place: str = "", leave_out: str = "") -> Finding:
    where = f" in {place}" if place else ""
    hint = nearest(key[:_MAX_KEY], known) or f"known here: {listed(known)}{leave_out}"
    return Finding("unknown-key", f"unknown key {quoted_key(key)}{where}", hint)


def _leave_out(unknown: list[str], known: tuple[str, ...], to: str) -> str:
    """The command that writes rows without these keys; none where one may be misspelt."""
    if not all(_WORD.fullmatch(key) and nearest(key, known) is None for key in unknown):
        return ""
    dropped = "".join(f" --drop {key}" for key in unknown)
    return f"; rows without: ftctl dataset convert {FILE} {ROWS} --to {to}{dropped}"


def ignored(where: str, reason: str, hint: str = "take it out") -> Finding:
    """A key that says nothing; whether it is passed over or refused, no service says."""
    return Finding("ignored-key", f"{where} {reason}", hint)


def ignored_keys(item: dict[str, Any], known: Collection[str], place: str) -> Iterator[Finding]:
    """Keys beside those that are known, where the service does not say that it refuses them."""
    for key in item:
        if key not in known:
            near = nearest(key[:_MAX_KEY], tuple(known))
            yield ignored(keyed(place, key), "is no key that is known there", near or "take it out")


# A misspelt key stands in every row, and a comparison costs more than the rest of a row's checks.
@lru_cache(maxsize=256)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The hint that names the known word nearest to this one."""
    return did_you_mean(word, known)


def missing_key(key: str, place: str = "") -> Finding:
    owner = place or "the row"
    return Finding("missing-key", f"{owner} has no key '{key}'", f"add '{key}'")


def wrong_type(place: str, value: object, wanted: str) -> Finding:
    hint = f"write {wanted}" if value is not None else f"write {wanted}, or leave the key out"
    return Finding("wrong-type", f"{place} is {described(value)}, not {wanted}", hint)


def empty(place: str, what: str) -> Finding:
    return Finding("empty-value", f"{place} is empty", f"give it {what}")


def check_text(
    item: dict[str, Any], key: str, place: str = "", *, required: bool = True, filled: bool = False
) -> Iterator[Finding]:
    """The key holds a string."""
    if key not in item:
        if required:
            yield missing_key(key, place)
    elif not isinstance(item[key], str):
        yield wrong_type(joined(place, key), item[key], "a string")
    elif filled and not item[key]:
        yield empty(joined(place, key), "at least one character")


# "a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64": OpenAPI, 2026-08.
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def function_name_fault(name: str, place: str) -> Iterator[Finding]:
    """A name that no function can have."""
    if not _FUNCTION_NAME.fullmatch(name):
        hint = "use at most 64 of: letters a to z in either case, digits, '_' and '-'"
        yield Finding("wrong-value", f"{place} is no name that a function can have", hint)


def strings(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every string in the value with its place; a key stands at its object's place."""
    waiting = [(place, value)]
    while waiting:
        at, item = waiting.pop()
        if isinstance(item, str):
            yield at, item
        elif isinstance(item, list):
            waiting.extend((f"{at}[{index}]", part) for index, part in enumerate(item))
        elif isinstance(item, dict):
            yield from ((f"a key in {at or 'the row'}", key) for key in item)
            waiting.extend((joined(at, _plain(key)), part) for key, part in item.items())


def _plain(key: str) -> str:
    return key if _WORD.fullmatch(key) else f"[{quoted_key(key)}]"
