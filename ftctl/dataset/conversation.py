"""A list of messages goes in; what is wrong with each and with their order comes out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ftctl.dataset.calls import Calls
from ftctl.dataset.findings import Finding
from ftctl.dataset.message import check_message, role_of
from ftctl.dataset.shape import empty, joined, missing_key, wrong_type
from ftctl.dataset.tools import Declared

Messages = list[dict[str, Any]]


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
