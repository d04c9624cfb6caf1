"""A chat row goes in; what is wrong with it comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.conversation import Messages, check_messages
from ftctl.dataset.findings import Finding
from ftctl.dataset.shape import unknown_keys
from ftctl.dataset.tools import KEYS as TOOL_KEYS
from ftctl.dataset.tools import check_declarations

KEYS = ("messages", *TOOL_KEYS)


def check_chat(row: dict[str, Any]) -> Iterator[Finding]:
    yield from unknown_keys(row, KEYS)
    declared = yield from check_declarations(row)
    messages = yield from check_messages(row, declared)
    yield from _check_turns(messages)


def _check_turns(messages: Messages) -> Iterator[Finding]:
    if not messages:
        return
    answers = [message for message in messages if message["role"] == "assistant"]
    if not answers:
        hint = "end the conversation with the answer to learn"
        yield Finding("no-learnt-turn", "messages has no assistant message", hint)
    elif all(message.get("weight", 1) == 0 for message in answers):
        message = "every assistant message has weight 0, so none is learnt"
        yield Finding("no-learnt-turn", message, "give at least one of them weight 1")
    elif messages[-1]["role"] != "assistant":
        yield Finding(
            "last-not-assistant",
            f"messages ends with the role {messages[-1]['role']}, not assistant",
            "what follows the last assistant message is not learnt: take it off or answer it",
        )
