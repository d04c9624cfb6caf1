"""Rows of a training file, and requests for an answer, as what the model learns from or reads.

The rows have passed the format checks. What is odd in them all the same is read as best it can
be, never refused: a part of unknown type is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from ftctl.emulator.model.message_codec import compact, encode_message, text_of


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt; `tools` is the role of the list of tools."""

    role: str
    text: str


Prompt = tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class AssistantTurn:
    """An answer to learn, encoded, and all that was said before it."""

    prompt: Prompt
    answer: str


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two answers to one prompt, of which the first is to become the likelier."""

    prompt: Prompt
    preferred: str
    non_preferred: str


@dataclass(frozen=True, slots=True)
class GradedPrompt:
    """A prompt whose answers are graded; the grader sees the whole row as its item."""

    prompt: Prompt
    item: dict[str, Any]


Example = tuple[AssistantTurn, ...] | PreferencePair | GradedPrompt
"""What a row of a training file teaches, by its form; of a chat, one turn for each answer."""


def turns_of(row: dict[str, Any], form: Literal["chat", "completion"]) -> tuple[AssistantTurn, ...]:
    """One for each message of the assistant, but none where its weight is 0.

    A completion row is a chat in which the prompt is the user's and the completion the answer.
    """
    if form == "completion":
        prompt = (PromptMessage("user", text_of(row.get("prompt"))),)
        return (AssistantTurn(prompt, encode_message({"content": row.get("completion")})),)
    messages = _messages(row.get("messages"))
    said = prompt_of(messages, _tools(row))
    before = len(said) - len(messages)  # the list of tools, if there is one
    return tuple(
        AssistantTurn(said[: before + place], said[before + place].text)
        for place, message in enumerate(messages)
        if message.get("role") == "assistant" and message.get("weight", 1) != 0
    )


def preference_pair_of(row: dict[str, Any]) -> PreferencePair:
    """A row of preferences."""
    given = row.get("input")
    given = given if isinstance(given, dict) else {}
    prompt = prompt_of(_messages(given.get("messages")), _tools(given))
    return PreferencePair(
        prompt, _output(row.get("preferred_output")), _output(row.get("non_preferred_output"))
    )


def graded_prompt_of(row: dict[str, Any]) -> GradedPrompt:
    """A row of prompts to be answered and graded."""
    return GradedPrompt(prompt_of(_messages(row.get("messages")), _tools(row)), row)


def prompt_of(messages: list[dict[str, Any]], tools: Any = None) -> Prompt:
    """What is said before an answer, the same for a request as for a training row."""
    listed = (PromptMessage("tools", compact(tools)),) if tools else ()
    return listed + tuple(_prompt_message(message) for message in _messages(messages))


def _prompt_message(message: dict[str, Any]) -> PromptMessage:
    role = str(message.get("role", ""))
    if role == "assistant":
        return PromptMessage(role, encode_message(message))
    name = message.get("name")
    prefix = f"{name}: " if isinstance(name, str) else ""
    # Newer models call the system's role by another name; what it says is the same.
    shown = "system" if role == "developer" else role
    return PromptMessage(shown, prefix + text_of(message.get("content"), other=_marker))


def _marker(part: dict[str, Any]) -> str:
    """What stands for a part that is no text: its type, and a digest so that two of them differ."""
    kind = str(part.get("type", "part"))
    inside = part.get(kind)
    address = inside.get("url") if isinstance(inside, dict) else inside
    text = address if isinstance(address, str) else compact(part)
    return f" [{kind} {sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}] "


def _messages(given: Any) -> list[dict[str, Any]]:
    messages = given if isinstance(given, list) else []
    return [message for message in messages if isinstance(message, dict)]


def _tools(row: dict[str, Any]) -> Any:
    return row.get("tools") or row.get("functions")


def _output(given: Any) -> str:
    messages = _messages(given)
    return encode_message(messages[-1]) if messages else ""
