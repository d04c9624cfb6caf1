"""A preference row goes in; what is wrong with its input and its two outputs comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.calls import Calls
from ftctl.dataset.conversation import check_messages
from ftctl.dataset.findings import Finding
from ftctl.dataset.message import check_message, role_of
from ftctl.dataset.shape import missing_key, unknown_keys, wrong_type
from ftctl.dataset.tools import Declared, check_declarations

KEYS = ("input", "preferred_output", "non_preferred_output")
_INPUT_KEYS = ("messages", "tools", "parallel_tool_calls")


def check_preference(row: dict[str, Any]) -> Iterator[Finding]:
    yield from unknown_keys(row, KEYS)
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
    for key in KEYS[1:]:
        yield from _check_output(row, key, declared)
    if KEYS[1] in row and row[KEYS[1]] == row.get(KEYS[2]):
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
