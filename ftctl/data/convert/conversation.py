"""What conversions pass on between shapes: a conversation, or one with two answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from ftctl.data.convert.fault import RowFault
from ftctl.data.formats.row_text import parse_json
from ftctl.data.formats.shape import described, missing_key, wrong_type
from ftctl.errors import Finding

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation whose last message is the answer to learn; `extras` are tools and the like."""

    messages: list[Message]
    extras: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """A question with a better and a worse answer to it."""

    messages: list[Message]
    chosen: Message
    rejected: Message
    extras: dict[str, Any]


def said(role: str, content: str) -> Message:
    """A message of plain text."""
    return {"role": role, "content": content}


def refuse(message: str, cure: str) -> NoReturn:
    """End this row's conversion: the wanted form cannot say what the row says."""
    raise RowFault(Finding("cannot-convert", message, cure))


def text_at(row: dict[str, Any], key: str, place: str = "") -> str:
    """The text under a key that must be there."""
    if key not in row:
        raise RowFault(missing_key(key, place))
    value = row[key]
    if not isinstance(value, str):
        raise RowFault(wrong_type(f"{place}.{key}" if place else key, value, "a string"))
    return value


def messages_at(row: dict[str, Any], key: str) -> list[Message]:
    """The messages under a key; a text of JSON, as tables hold it, is read."""
    value = row.get(key)
    if isinstance(value, str):
        value = _parsed(value, key)
    if not isinstance(value, list):
        raise RowFault(wrong_type(key, value, "a list of messages"))
    for index, message in enumerate(value):
        if not isinstance(message, dict):
            text = f"{key}[{index}] is {described(message)}, not an object"
            raise RowFault(Finding("wrong-type", text, "write a message with role and content"))
        if not isinstance(message.get("role"), str):
            raise RowFault(missing_key("role", f"{key}[{index}]"))
    return value


def extras_of(row: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Tools and the like, where the row has them; lists may be texts of JSON."""
    found = {}
    for key in keys:
        value = row.get(key)
        if isinstance(value, str):
            value = _parsed(value, key) if value.strip() else None
        if value is not None and value != []:
            found[key] = value
    return found


def plain_text(message: Message, place: str) -> str:
    """The message's text, for forms that know nothing else."""
    beyond = [key for key, value in message.items()
              if key not in ("role", "content") and value is not None]  # fmt: skip
    if beyond:
        refuse(f"{place} has {beyond[0]!r}, which the wanted form cannot say", "use the chat form")
    content = message.get("content")
    if not isinstance(content, str):
        refuse(f"{place} is not plain text", "use the chat form")
    return content


def _parsed(text: str, key: str) -> Any:
    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        hint = "write a list, or the text of a JSON list"
        raise RowFault(Finding("wrong-type", f"{key} is not a list", hint)) from None
