"""What conversions pass on between shapes: a conversation, or one with two answers."""

from __future__ import annotations

import warnings
from ast import literal_eval
from dataclasses import dataclass
from typing import Any, NoReturn

from ftctl.data.convert.fault import RowFault
from ftctl.data.formats.row_text import parse_json
from ftctl.data.formats.shape import missing_key, wrong_type
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
    raise cannot(message, cure)


def cannot(message: str, cure: str) -> RowFault:
    """What `refuse` raises."""
    return RowFault(Finding("cannot-convert", message, cure))


def text_at(row: dict[str, Any], key: str, place: str = "") -> str:
    """The text under a key that must be there."""
    if key not in row:
        raise RowFault(missing_key(key, place))
    value = row[key]
    if not isinstance(value, str):
        raise RowFault(wrong_type(f"{place}.{key}" if place else key, value, "a string"))
    return value


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


_MOST_LITERAL = 1_000_000  # characters


def jsonish(text: str) -> Any:
    """The value of a JSON text, or of one as Python prints it; None when it is neither."""
    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _MOST_LITERAL or not text.strip().startswith(("[", "{")):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know
        try:  # what pandas writes for a list in a table
            return literal_eval(text.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return None
