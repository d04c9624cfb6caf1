"""Messages go in, alone or in a list; what is wrong with their roles, keys and values comes out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from ftctl.dataset.calls import Calls
from ftctl.dataset.content import check_content
from ftctl.dataset.findings import Finding
from ftctl.dataset.shape import (
    check_text,
    empty,
    joined,
    listed,
    missing_key,
    nearest,
    quoted_key,
    quoted_word,
    unknown_key,
    wrong_type,
)
from ftctl.dataset.tools import Declared

Messages = list[dict[str, Any]]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")

_ANY_ROLE = ("role", "content", "name")
_ASSISTANT = ("weight", "tool_calls", "function_call", "refusal")
_ALL_KEYS = (*_ANY_ROLE, *_ASSISTANT, "tool_call_id")
_OWNER = {**dict.fromkeys(_ASSISTANT, "assistant"), "tool_call_id": "tool"}
# Roles whose message is complete with a role and a text: most messages, so they are let by first.
_PLAIN = frozenset({"system", "developer", "user", "assistant"})


def check_messages(
    owner: dict[str, Any], declared: Declared, place: str = "", *, images: bool = True
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
    calls = Calls(declared)
    for index, message in enumerate(messages):
        yield from check_message(message, f"{at}[{index}]", calls, images=images)
    return messages if all(role_of(message) for message in messages) else []


def role_of(message: object) -> str | None:
    """The message's role when it is one of ours."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) and role in ROLES else None


def check_message(
    message: object, place: str, calls: Calls, *, images: bool = True
) -> Iterator[Finding]:
    if not isinstance(message, dict):
        yield wrong_type(place, message, "an object with role and content")
        return
    role = role_of(message)
    if role is None:
        yield from _check_role(message, place)
        return
    if calls.waiting and role != "tool":
        yield from calls.close(place)
    if role in _PLAIN and len(message) == 2 and isinstance(message.get("content"), str):
        return
    yield from _check_keys(message, role, place)
    yield from _check_content(message, role, place, images=images)
    if role == "assistant":
        yield from _check_weight(message, place)
        yield from calls.check(message, place)
        if message.get("refusal") is not None:
            yield from check_text(message, "refusal", place)
    elif role == "tool":
        yield from calls.answer(message, place)


def _check_role(message: dict[str, Any], place: str) -> Iterator[Finding]:
    problems = list(check_text(message, "role", place))
    yield from problems
    if not problems:
        role = message["role"]
        hint = nearest(role[:40].lower(), ROLES) or f"use one of: {listed(ROLES)}"
        yield Finding("unknown-role", f"{place}.role is {quoted_word(role)}", hint)


def _check_keys(message: dict[str, Any], role: str, place: str) -> Iterator[Finding]:
    for key in message:
        if key not in _ALL_KEYS:
            yield unknown_key(key, _ALL_KEYS, place)
        elif _OWNER.get(key, role) != role:
            yield Finding(
                "misplaced-key",
                f"{place} has the key {quoted_key(key)} but the role {role}",
                f"only {_OWNER[key]} messages take it",
            )
    yield from check_text(message, "name", place, required=role == "function")


def _check_content(
    message: dict[str, Any], role: str, place: str, *, images: bool
) -> Iterator[Finding]:
    content = message.get("content")
    if content is not None:
        yield from check_content(content, role, f"{place}.content", images=images)
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
        yield Finding("wrong-type", text, hint)


def _check_weight(message: dict[str, Any], place: str) -> Iterator[Finding]:
    weight = message.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        yield wrong_type(f"{place}.weight", weight, "0 or 1")
    elif weight not in (0, 1):
        yield Finding("wrong-value", f"{place}.weight is neither 0 nor 1", "write 0 or 1")
