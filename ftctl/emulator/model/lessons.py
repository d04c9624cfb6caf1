"""Rows of a training file, and requests for an answer, as what the model learns from or reads.

The rows have passed the format checks. What is odd in them all the same is read as best it can
be, never refused: a part of unknown type is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from ftctl.emulator.model.markup import answer_text, compact, text_of


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a prompt; `tools` is the role of the list of tools."""

    role: str
    text: str


Prompt = tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """An answer to learn, in markup, and all that was said before it."""

    prompt: Prompt
    answer: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt, of which the first is to become the likelier."""

    prompt: Prompt
    preferred: str
    non_preferred: str


@dataclass(frozen=True, slots=True)
class Task:
    """A prompt whose answers are graded; the grader sees the whole row as its item."""

    prompt: Prompt
    item: dict[str, Any]


def lessons_of(row: dict[str, Any], form: Literal["chat", "completion"]) -> tuple[Lesson, ...]:
    """One lesson for each message of the assistant, but none where its weight is 0.

    A completion row is a chat in which the prompt is the user's and the completion the answer.
    """
    if form == "completion":
        prompt = (Said("user", text_of(row.get("prompt"))),)
        return (Lesson(prompt, answer_text({"content": row.get("completion")})),)
    messages = _messages(row.get("messages"))
    said = prompt_of(messages, _tools(row))
    before = len(said) - len(messages)  # the list of tools, if there is one
    return tuple(
        Lesson(said[: before + place], said[before + place].text)
        for place, message in enumerate(messages)
        if message.get("role") == "assistant" and message.get("weight", 1) != 0
    )


def pair_of(row: dict[str, Any]) -> Pair:
    """A row of preferences."""
    given = row.get("input")
    given = given if isinstance(given, dict) else {}
    prompt = prompt_of(_messages(given.get("messages")), _tools(given))
    return Pair(
        prompt, _output(row.get("preferred_output")), _output(row.get("non_preferred_output"))
    )


def task_of(row: dict[str, Any]) -> Task:
    """A row of prompts to be answered and graded."""
    return Task(prompt_of(_messages(row.get("messages")), _tools(row)), row)


def prompt_of(messages: list[dict[str, Any]], tools: Any = None) -> Prompt:
    """What is said before an answer, the same for a request as for a training row."""
    listed = (Said("tools", compact(tools)),) if tools else ()
    return listed + tuple(_said(message) for message in _messages(messages))


def _said(message: dict[str, Any]) -> Said:
    role = str(message.get("role", ""))
    if role == "assistant":
        return Said(role, answer_text(message))
    name = message.get("name")
    prefix = f"{name}: " if isinstance(name, str) else ""
    # Newer models call the system's role by another name; what it says is the same.
    shown = "system" if role == "developer" else role
    return Said(shown, prefix + text_of(message.get("content"), other=_marker))


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
    return answer_text(messages[-1]) if messages else ""
