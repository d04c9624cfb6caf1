"""A message of the assistant <-> the one text that the model learns and says.

Whatever is not plain content (tool calls, a refusal, a legacy function call) stands in that text
between control characters. Should the content hold such a character, an escape goes before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TOOL, _FUNCTION, _REFUSAL, _ARGUMENTS, _END, _ESCAPE = (
    "\x01",
    "\x02",
    "\x03",
    "\x04",
    "\x05",
    "\x10",
)
_EMPTY = "\x06"
"""Says that the content is an empty string, where its absence would mean null."""

_OURS = re.compile("[\x01-\x06\x10]")
_SECTION = re.compile("(?:\x10.|[^\x01-\x06\x10])*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function's name and its arguments, as the JSON text that the wire carries."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message of the assistant says; its content is null only beside something else."""

    content: str | None
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    function_call: ToolCall | None = None


def encode_message(message: dict[str, Any]) -> str:
    """The message as that text; `decode_message` is the way back."""
    return _written(_answer_in(message))


def decode_message(text: str) -> Answer:
    """What the text says. A model may break off anywhere: what is there counts."""
    content, at = _section(text, 0)
    calls: list[ToolCall] = []
    refusal: str | None = None
    function_call: ToolCall | None = None
    empty = False
    while at < len(text):
        mark = text[at]
        inside, at = _section(text, at + 1)
        if mark == _REFUSAL:
            refusal = inside
        elif mark in (_TOOL, _FUNCTION):
            arguments = ""
            if text[at : at + 1] == _ARGUMENTS:
                arguments, at = _section(text, at + 1)
            call = ToolCall(inside, arguments)
            if mark == _TOOL:
                calls.append(call)
            else:
                function_call = call
        else:
            empty = empty or mark == _EMPTY
            content += inside
    other = calls or refusal is not None or function_call
    shown = content if content or empty or not other else None
    return Answer(shown, tuple(calls), refusal, function_call)


def text_of(content: Any, other: Callable[[dict[str, Any]], str] = lambda _part: "") -> str:
    """Content as one text: null is empty, parts are joined, `other` says what is no text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(_part_text(part, other) for part in content)


def compact(value: Any) -> str:
    """JSON on one line with sorted keys; of what is nested too deeply only that it is."""
    try:
        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    except RecursionError:
        return '"nested too deeply"'


def _part_text(part: Any, other: Callable[[dict[str, Any]], str]) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else other(part)


def _answer_in(message: dict[str, Any]) -> Answer:
    raw_calls = message.get("tool_calls")
    calls = tuple(
        call
        for given in (raw_calls if isinstance(raw_calls, list) else [])
        if isinstance(given, dict) and (call := _call_in(given.get("function")))
    )
    content = message.get("content")
    refusal = message.get("refusal")
    if not isinstance(refusal, str):
        refusal = _refusal_part(content)
    function_call = _call_in(message.get("function_call"))
    said = None if content is None or _only_refuses(content) else text_of(content)
    other = calls or refusal is not None or function_call
    return Answer(said if other else said or "", calls, refusal, function_call)


def _refusal_part(content: Any) -> str | None:
    """The API also takes a refusal as a part of the content."""
    parts = content if isinstance(content, list) else []
    texts = [part.get("refusal") for part in parts if isinstance(part, dict)]
    return next((text for text in texts if isinstance(text, str)), None)


def _only_refuses(content: Any) -> bool:
    return isinstance(content, list) and _refusal_part(content) is not None and not text_of(content)


def _call_in(function: Any) -> ToolCall | None:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments", "")
    text = arguments if isinstance(arguments, str) else compact(arguments)
    return ToolCall(function["name"], text)


def _written(answer: Answer) -> str:
    other = answer.tool_calls or answer.refusal is not None or answer.function_call
    text = _EMPTY if answer.content == "" and other else _escaped(answer.content or "")
    if answer.refusal is not None:
        text += _REFUSAL + _escaped(answer.refusal) + _END
    for mark, calls in (
        (_TOOL, answer.tool_calls),
        (_FUNCTION, (answer.function_call,) if answer.function_call else ()),
    ):
        for call in calls:
            text += mark + _escaped(call.name) + _ARGUMENTS + _escaped(call.arguments) + _END
    return text


def _escaped(text: str) -> str:
    return _OURS.sub(lambda match: _ESCAPE + match.group(), text)


def _section(text: str, start: int) -> tuple[str, int]:
    """The text up to the next mark, without its escapes, and where that mark stands."""
    match = _SECTION.match(text, start)
    assert match  # the pattern matches the empty text as well
    end = match.end()
    if text[end : end + 1] == _ESCAPE:  # broken off right behind an escape
        end += 1
    raw = text[start:end]
    return re.sub("\x10(.?)", r"\1", raw, flags=re.DOTALL), end
