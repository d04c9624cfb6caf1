"""The calls and answers of one conversation go in, in order; those that do not fit come out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.findings import Finding
from ftctl.dataset.shape import check_text, described, empty, missing_key, wrong_type
from ftctl.dataset.text import parse_json
from ftctl.dataset.tools import Declared, check_wrapper


class Calls:
    """What a conversation has declared, and the calls that wait for their answer."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.waiting: dict[str, str] = {}  # id -> place of the call

    def check(self, message: dict[str, Any], place: str) -> Iterator[Finding]:
        """The calls that an assistant message makes."""
        if "tool_calls" in message:
            yield from self._check_calls(message["tool_calls"], f"{place}.tool_calls")
        if (
            message.get("function_call") is not None
        ):  # null is how the SDK writes that there is none
            call, at = message["function_call"], f"{place}.function_call"
            if isinstance(call, dict):
                yield from _check_call(call, at, self.declared.functions, "functions")
            else:
                yield wrong_type(at, call, "an object with name and arguments")

    def answer(self, message: dict[str, Any], place: str) -> Iterator[Finding]:
        """The tool message answers a call that waits."""
        problems = list(check_text(message, "tool_call_id", place))
        yield from problems
        if not problems and self.waiting.pop(message["tool_call_id"], None) is None:
            yield Finding(
                "unknown-call",
                f"{place}.tool_call_id answers no call that waits for an answer",
                "give it the id of a call in the assistant message before it",
            )

    def close(self, place: str) -> Iterator[Finding]:
        """The conversation goes on at `place` with something other than an answer."""
        for at in self.waiting.values():
            yield Finding(
                "unanswered-call",
                f"{at} is not answered before {place}",
                "put a tool message with the call's id right after it",
            )
        self.waiting.clear()

    def _check_calls(self, calls: object, place: str) -> Iterator[Finding]:
        if not isinstance(calls, list):
            yield wrong_type(place, calls, "a list of calls")
            return
        if not calls:
            yield empty(place, "a call, or leave the key out")
        for index, call in enumerate(calls):
            at = f"{place}[{index}]"
            problems = list(check_wrapper(call, at))
            yield from problems
            if not isinstance(call, dict):
                continue
            if not problems:
                function = f"{at}.function"
                yield from _check_call(call["function"], function, self.declared.tools, "tools")
            yield from self._note(call, at)

    def _note(self, call: dict[str, Any], place: str) -> Iterator[Finding]:
        problems = list(check_text(call, "id", place, filled=True))
        yield from problems
        if problems:
            return
        if call["id"] in self.waiting:
            message = f"{place}.id is also the id of {self.waiting[call['id']]}"
            yield Finding("repeated-call", message, "give each call its own id")
        self.waiting.setdefault(call["id"], place)


def _check_call(
    call: dict[str, Any], place: str, declared: frozenset[str] | None, declaring: str
) -> Iterator[Finding]:
    problems = list(check_text(call, "name", place, filled=True))
    yield from problems
    if not problems and declared is not None and call["name"] not in declared:
        message = f"{place}.name is none of the {len(declared)} that the row's {declaring} declare"
        yield Finding(
            "undeclared-function", message, f"declare it in {declaring}, or mend the name"
        )
    if "arguments" not in call:
        yield missing_key("arguments", place)
    elif isinstance(call["arguments"], str):
        yield from _check_arguments(call["arguments"], f"{place}.arguments")
    else:
        message = f"{place}.arguments is {described(call['arguments'])}, not a string"
        yield Finding("wrong-type", message, "write them as JSON text: json.dumps(arguments)")


def _check_arguments(text: str, place: str) -> Iterator[Finding]:
    hint = "write the text of one JSON object, '{}' when there are none"
    try:
        value = parse_json(text)
    except ValueError:
        yield Finding("arguments-not-json", f"{place} is not JSON", hint)
        return
    if isinstance(value, str) and _is_json(value):
        message = f"{place} is JSON text inside JSON text"
        yield Finding("arguments-encoded-twice", message, "call json.dumps once, not twice")
    elif not isinstance(value, dict):
        message = f"{place} is the text of {described(value)}, not of an object"
        yield Finding("arguments-not-json", message, hint)


def _is_json(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict | list | str)
    except ValueError:
        return False
