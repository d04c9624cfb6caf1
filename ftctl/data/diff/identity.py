"""A row goes in; a hash of its content, and one of what it asks, come out."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ftctl.data.formats.formats import format_of
from ftctl.data.formats.shape import strings
from ftctl.domain.digest import canonical_json

Key = int  # 64 bits: among a million rows, two that differ share one in 1 of 40 million cases


def row_key(row: Mapping[str, Any]) -> Key:
    """Equal for rows whose values are equal, however their text is spelt or their keys ordered."""
    return _key(row)


def prompt_key(row: Mapping[str, Any]) -> Key | None:
    """Equal for rows that ask the same; None for a row of no known format.

    What a row asks is all of it but the last assistant message, the completion, the two outputs,
    or what the grader reads.
    """
    match format_of(dict(row)):
        case "completion":
            return _key({"prompt": row.get("prompt")})
        case "preference":
            return _key({"input": row.get("input")})
        case "chat":
            return _key({**row, "messages": _before_the_answer(row.get("messages"))})
        case "reinforcement":
            asked = ("messages", "tools", "functions", "parallel_tool_calls")
            return _key({key: row[key] for key in asked if key in row})
        case _:
            return None


def _before_the_answer(messages: object) -> object:
    if isinstance(messages, list):
        for at in reversed(range(len(messages))):
            message = messages[at]
            if isinstance(message, dict) and message.get("role") == "assistant":
                return [*messages[:at], *messages[at + 1 :]]
    return messages


def _key(value: Mapping[str, Any]) -> Key:
    try:
        text = canonical_json(_whole(value))
    except RecursionError:  # as deep as can be read; its texts tell it from others well enough
        text = "\n".join(f"{place} {said}" for place, said in strings(value))
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _whole(value: Any) -> Any:
    """The value with 1 for 1.0: writers differ in how they spell a number."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {key: _whole(item) for key, item in value.items()}
    return value
