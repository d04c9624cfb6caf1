"""A row of a known format goes in; what is wrong with it comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.calls import Calls
from ftctl.dataset.findings import Finding
from ftctl.dataset.message import Messages, check_message, check_messages, role_of
from ftctl.dataset.shape import check_text, missing_key, unknown_keys, wrong_type
from ftctl.dataset.tools import KEYS as TOOL_KEYS
from ftctl.dataset.tools import Declared, check_declarations

CHAT_KEYS = ("messages", *TOOL_KEYS)
_COMPLETION_KEYS = ("prompt", "completion")
_OUTPUT_KEYS = ("preferred_output", "non_preferred_output")
_PREFERENCE_KEYS = ("input", *_OUTPUT_KEYS)
_INPUT_KEYS = ("messages", "tools", "parallel_tool_calls")


def check_chat(row: dict[str, Any]) -> Iterator[Finding]:
    yield from unknown_keys(row, CHAT_KEYS)
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


def check_completion(row: dict[str, Any]) -> Iterator[Finding]:
    yield from unknown_keys(row, _COMPLETION_KEYS)
    yield from check_text(row, "prompt")
    yield from check_text(row, "completion", filled=True)


def check_preference(row: dict[str, Any]) -> Iterator[Finding]:
    yield from unknown_keys(row, _PREFERENCE_KEYS)
    declared = Declared()
    if "input" not in row:
        yield missing_key("input")
    elif not isinstance(row["input"], dict):
        yield wrong_type("input", row["input"], "an object with messages")
    else:
        yield from unknown_keys(row["input"], _INPUT_KEYS, "input")
        declared = yield from check_declarations(row["input"], "input")
        messages = yield from check_messages(row["input"], declared, "input", images=False)
        if messages and messages[-1]["role"] == "assistant":
            message = "input.messages ends with an assistant message, so nothing is left to answer"
            hint = "end it with the question; the answers stand in the two outputs"
            yield Finding("input-ends-with-assistant", message, hint)
    for key in _OUTPUT_KEYS:
        yield from _check_output(row, key, declared)
    if "preferred_output" in row and row["preferred_output"] == row.get("non_preferred_output"):
        message = "preferred_output and non_preferred_output are the same"
        yield Finding("identical-outputs", message, "the row teaches nothing: take it out")


def _check_output(row: dict[str, Any], key: str, declared: Declared) -> Iterator[Finding]:
    if key not in row:
        yield missing_key(key)
        return
    output = row[key]
    if not isinstance(output, list):
        yield wrong_type(key, output, "a list of one assistant message")
        return
    if len(output) != 1:
        message = f"{key} has {len(output):,} messages, not one"
        yield Finding("not-one-output", message, "keep the one message that answers the input")
    for index, message in enumerate(output):
        yield from check_message(message, f"{key}[{index}]", Calls(declared), images=False)
        role = role_of(message)
        if role not in (None, "assistant"):
            text = f"{key}[{index}] has the role {role}, not assistant"
            yield Finding("not-one-output", text, "keep the one message that answers the input")


def check_reinforcement(row: dict[str, Any]) -> Iterator[Finding]:
    """Keys beside the messages and tools are free: they are what the grader reads."""
    declared = yield from check_declarations(row)
    messages = yield from check_messages(row, declared)
    if messages and messages[-1]["role"] != "user":
        message = f"messages ends with the role {messages[-1]['role']}, not user"
        hint = "end with the question; the model answers it and the grader judges the answer"
        yield Finding("last-not-user", message, hint)
