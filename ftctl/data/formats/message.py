"""Messages go in, alone or in a list; what is wrong with their roles, keys and values comes out."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

from ftctl.data.formats.calls import ConversationState
from ftctl.data.formats.content import check_content
from ftctl.data.formats.shape import (
    check_text,
    empty,
    function_name_fault,
    ignored,
    joined,
    keyed,
    listed,
    missing_key,
    nearest,
    quoted_key,
    quoted_word,
    unknown_key,
    wrong_type,
)
from ftctl.errors import Finding

Messages = list[dict[str, Any]]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")

_ANY_ROLE = ("role", "content", "name")
_ASSISTANT = ("weight", "tool_calls", "function_call", "refusal", "audio")
_ALL_KEYS = (*_ANY_ROLE, *_ASSISTANT, "tool_call_id")
_OFFERED = tuple(key for key in _ALL_KEYS if key != "audio")  # which is taken, but not learnt from
_OWNER = {**dict.fromkeys(_ASSISTANT, "assistant"), "tool_call_id": "tool"}
# What `model_dump()` of an answer writes where there is none; the service takes it.
_EMPTY_IN_ANSWERS = ("tool_calls", "function_call", "refusal", "audio")
# Roles whose message is complete with a role and a text: most messages, so they are let by first.
_PLAIN = frozenset({"system", "developer", "user", "assistant"})
# What the chat API's refusal of a name asks for, ^[^\s<|\\/>]+$, and at most 64 (reports of 2025).
_NAME = re.compile(r"[^\s<|\\/>]{1,64}")


def check_messages(
    owner: dict[str, Any], talk: ConversationState, place: str = ""
) -> Generator[Finding, None, Messages]:
    """Returns the messages when all roles are known, else none, so that no order is judged."""
    if "messages" not in owner:
        yield missing_key("messages", place)
        return []
    messages, at = owner["messages"], joined(place, "messages")
    if not isinstance(messages, list):
        yield wrong_type(at, messages, "a list of messages")
        return []
    if not messages:
        yield empty(at, "at least one message")
    for index, message in enumerate(messages):
        # Without a generator for each message, since most of them are plain.
        if talk.waiting or not _is_plain(message):
            yield from check_message(message, f"{at}[{index}]", talk)
    return messages if all(role_of(message) for message in messages) else []


def role_of(message: object) -> str | None:
    """The message's role when it is one of ours."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) and role in ROLES else None


def _is_plain(message: object) -> bool:
    """Whether it is whole with a role and a text, and so without a fault."""
    if type(message) is not dict or len(message) != 2:
        return False
    role = message.get("role")
    return type(role) is str and role in _PLAIN and type(message.get("content")) is str


def check_message(message: object, place: str, talk: ConversationState) -> Iterator[Finding]:
    if not isinstance(message, dict):
        yield wrong_type(place, message, "an object with role and content")
        return
    role = role_of(message)
    if role is None:
        yield from _check_role(message, place)
        return
    if talk.waiting and role != "tool":
        yield from talk.close(place)
    if _is_plain(message):
        return
    yield from _check_keys(message, role, place)
    yield from _check_name(message, role, place)
    yield from _check_content(message, role, place, talk)
    if role == "assistant":
        yield from _check_weight(message, place, talk)
        yield from talk.check(message, place)
        yield from _check_extras(message, place)
    elif role == "tool":
        yield from talk.answer(message, place)


def _check_role(message: dict[str, Any], place: str) -> Iterator[Finding]:
    problems = list(check_text(message, "role", place))
    yield from problems
    if not problems:
        role = message["role"]
        hint = nearest(role[:40].lower(), ROLES) or f"use one of: {listed(ROLES)}"
        yield Finding("unknown-role", f"{place}.role is {quoted_word(role)}", hint)


def _check_keys(message: dict[str, Any], role: str, place: str) -> Iterator[Finding]:
    for key, value in message.items():
        owner = _OWNER.get(key, role)
        if key in _ANY_ROLE or (owner == role and key in _ALL_KEYS and value is not None):
            continue
        if value is None:
            needed = key == "tool_call_id" and role == "tool"
            if not needed and not (role == "assistant" and key in _EMPTY_IN_ANSWERS):
                yield ignored(keyed(place, key), "is null")
        elif key == "annotations" and value == []:
            yield ignored(f"{place}.annotations", "is empty")
        elif key not in _ALL_KEYS:
            yield unknown_key(key, _OFFERED, place)
        else:
            yield Finding(
                "misplaced-key",
                f"{place} has the key {quoted_key(key)} but the role {role}",
                f"only {owner} messages take it",
            )


def _check_name(message: dict[str, Any], role: str, place: str) -> Iterator[Finding]:
    if role == "function":
        problems = [*check_text(message, "name", place, filled=True)]
        yield from problems or function_name_fault(message["name"], f"{place}.name")
    elif message.get("name", "") is None:
        yield ignored(f"{place}.name", "is null")
    elif "name" in message:
        problems = [*check_text(message, "name", place)]
        yield from problems
        if not problems and not _NAME.fullmatch(message["name"]):
            text = f"{place}.name is empty, too long or has a space or one of < | \\ / >"
            yield Finding(
                "name-form", text, "use 1 to 64 characters without these, or leave it out"
            )


def _check_content(
    message: dict[str, Any], role: str, place: str, talk: ConversationState
) -> Iterator[Finding]:
    content = message.get("content")
    if content is not None:
        yield from check_content(content, role, f"{place}.content", talk)
        return
    if role == "assistant" and any(
        message.get(key) is not None for key in ("tool_calls", "function_call")
    ):
        return
    if "content" not in message:
        yield missing_key("content", place)
    elif role != "function":  # its content may be null, says the specification
        text = f"{place}.content is null, not a string or a list of parts"
        hint = "only an assistant message with tool_calls or function_call goes without content"
        if role == "assistant" and message.get("refusal") is not None:
            hint = 'write the refusal as content: [{"type": "refusal", "refusal": "…"}]'
        yield Finding("wrong-type", text, hint)


def _check_weight(
    message: dict[str, Any], place: str, talk: ConversationState
) -> Iterator[Finding]:
    weight = message.get("weight")
    if weight is None:
        return
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        yield wrong_type(f"{place}.weight", weight, "0 or 1")
    elif weight not in (0, 1):
        yield Finding("wrong-value", f"{place}.weight is neither 0 nor 1", "write 0 or 1")
    elif not talk.weighed:
        yield ignored(f"{place}.weight", "has a meaning in chat rows only")


def _check_extras(message: dict[str, Any], place: str) -> Iterator[Finding]:
    if message.get("refusal") is not None:
        yield from check_text(message, "refusal", place)
    audio = message.get("audio")
    if isinstance(audio, dict):
        yield ignored(f"{place}.audio", "is not learnt from: text is")
    elif audio is not None:
        yield wrong_type(f"{place}.audio", audio, "an object with an id")
