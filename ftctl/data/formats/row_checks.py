"""A row of a known format goes in; what is wrong with it comes out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from ftctl.data.formats.calls import ConversationState
from ftctl.data.formats.grader_fields import Field, check_fields
from ftctl.data.formats.message import Messages, check_message, check_messages, role_of
from ftctl.data.formats.shape import check_text, missing_key, unknown_keys, wrong_type
from ftctl.data.formats.tools import KEYS as TOOL_KEYS
from ftctl.data.formats.tools import NOTHING, check_declarations
from ftctl.errors import Finding

CHAT_KEYS = ("messages", *TOOL_KEYS)
_COMPLETION_KEYS = ("prompt", "completion")
_OUTPUT_KEYS = ("preferred_output", "non_preferred_output")
_PREFERENCE_KEYS = ("input", *_OUTPUT_KEYS)
_INPUT_KEYS = ("messages", "tools", "parallel_tool_calls")

# "Each example can have at most 10 images" (vision guide, 2026-07); Azure takes 64.
MAX_IMAGES = 10


@dataclass(frozen=True, slots=True)
class Demands:
    """What a job asks of its rows beyond their format.

    `fields` are what the grader's templates read of each row (`fields_of`). `images` is how many
    one row may have. `validation` says that the file measures and does not train.
    """

    fields: tuple[Field, ...] = ()
    images: int = MAX_IMAGES
    validation: bool = False


Checked = Generator[Finding, None, int]
"""The findings of a row; returns how many images it has."""


def check_chat(row: dict[str, Any], demands: Demands) -> Checked:
    if len(row) == 1 and "messages" in row:
        declared = NOTHING
    else:
        yield from unknown_keys(row, CHAT_KEYS, to="chat")
        declared = yield from check_declarations(row)
    talk = ConversationState(declared, weighed=True)
    messages = yield from check_messages(row, talk)
    yield from _check_turns(messages)
    yield from _check_images(talk, demands)
    return talk.images


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


def _check_images(talk: ConversationState, demands: Demands) -> Iterator[Finding]:
    if talk.images > demands.images:
        message = f"the row has {talk.images:,} images; at most {demands.images} are taken"
        yield Finding("too-many-images", message, "keep those that the answer depends on")


def check_completion(row: dict[str, Any], _: Demands) -> Checked:
    yield from unknown_keys(row, _COMPLETION_KEYS, to="completion")
    yield from check_text(row, "prompt")
    yield from check_text(row, "completion")  # an empty one is for `teaches-nothing` to tell
    return 0


def check_preference(row: dict[str, Any], _: Demands) -> Checked:
    declared = NOTHING
    if outside := [key for key in _INPUT_KEYS if key in row]:
        yield _outside_of_input(outside, "unknown-key" if "input" in row else "missing-key")
        inside = {key: row[key] for key in outside}
        row = {"input": inside, **{key: row[key] for key in row if key not in outside}}
    yield from unknown_keys(row, _PREFERENCE_KEYS, to="preference")
    if "input" not in row:
        yield missing_key("input")
    elif not isinstance(row["input"], dict):
        yield wrong_type("input", row["input"], "an object with messages")
    else:
        yield from unknown_keys(row["input"], _INPUT_KEYS, "input")
        declared = yield from check_declarations(row["input"], "input")
        talk = ConversationState(declared, takes_images=False)
        messages = yield from check_messages(row["input"], talk, "input")
        if messages and messages[-1]["role"] == "assistant":
            message = "input.messages ends with an assistant message, so nothing is left to answer"
            hint = "end it with the question; the answers stand in the two outputs"
            yield Finding("input-ends-with-assistant", message, hint)
    for key in _OUTPUT_KEYS:
        yield from _check_output(row, key, ConversationState(declared, takes_images=False))
    yield from _check_difference(row)
    return 0


def _outside_of_input(keys: list[str], code: str) -> Finding:
    names = " and ".join(f"'{key}'" for key in keys)
    verb = "belongs" if len(keys) == 1 else "belong"
    example = '{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}'
    message = f"{names} {verb} into 'input' of a preference row, not beside its outputs"
    return Finding(code, message, f"write {example}")


def _check_output(row: dict[str, Any], key: str, talk: ConversationState) -> Iterator[Finding]:
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
        talk.waiting.clear()  # each of them is meant to stand alone
        yield from check_message(message, f"{key}[{index}]", talk)
        role = role_of(message)
        if role not in (None, "assistant"):
            text = f"{key}[{index}] has the role {role}, not assistant"
            yield Finding("not-one-output", text, "keep the one message that answers the input")


def _check_difference(row: dict[str, Any]) -> Iterator[Finding]:
    if all(key in row for key in _OUTPUT_KEYS):
        one, other = (_said(row[key]) for key in _OUTPUT_KEYS)
        if one == other:
            message = "preferred_output and non_preferred_output are the same"
            yield Finding("identical-outputs", message, "the row teaches nothing: take it out")


def _said(output: object) -> object:
    """The output without what is null, which says nothing."""
    if not isinstance(output, list):
        return output
    return [
        {key: value for key, value in message.items() if value is not None}
        if isinstance(message, dict)
        else message
        for message in output
    ]


def check_reinforcement(row: dict[str, Any], demands: Demands) -> Checked:
    """Keys beside the messages and tools are free: they are what the grader reads."""
    declared = yield from check_declarations(row)
    talk = ConversationState(declared)
    messages = yield from check_messages(row, talk)
    if messages and messages[-1]["role"] != "user":
        message = f"messages ends with the role {messages[-1]['role']}, not user"
        hint = "end with the question; the model answers it and the grader judges the answer"
        yield Finding("last-not-user", message, hint)
    yield from check_fields(row, demands.fields)
    yield from _check_images(talk, demands)
    return talk.images
