"""The calls and answers of one conversation go in, in order; those that do not fit come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ftctl.data.formats.keys import repeated_keys
from ftctl.data.formats.parameters import Rule
from ftctl.data.formats.row_text import parse_json
from ftctl.data.formats.shape import (
    check_text,
    described,
    empty,
    function_name_fault,
    ignored_keys,
    missing_key,
    quoted_key,
    strings,
    wrong_type,
)
from ftctl.data.formats.tools import Declarations, Declared, check_wrapper
from ftctl.errors import Finding

_CALL_KEYS = ("id", "type", "function")
_FUNCTION_KEYS = ("name", "arguments")
_SURROGATE = re.compile("[\ud800-\udfff]")


class ConversationState:
    """What a conversation has declared, the calls that wait for their answer, its images."""

    __slots__ = ("declared", "images", "takes_images", "waiting", "weighed")

    def __init__(
        self, declared: Declared, *, takes_images: bool = True, weighed: bool = False
    ) -> None:
        self.declared = declared
        self.takes_images = takes_images
        self.weighed = weighed  # whether its messages may have a weight
        self.waiting: dict[str, str] = {}  # id -> place of the call
        self.images = 0  # those seen so far

    def check(self, message: dict[str, Any], place: str) -> Iterator[Finding]:
        """The calls that an assistant message makes; null says that it has none."""
        if message.get("tool_calls") is not None:
            yield from self._check_calls(message["tool_calls"], f"{place}.tool_calls")
        if message.get("function_call") is not None:
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
        if len(calls) > 1 and not self.declared.parallel:
            message = f"{place} has {len(calls):,} calls, but parallel_tool_calls is false"
            yield Finding("parallel-calls", message, "make one call a turn, or write true there")
        for index, call in enumerate(calls):
            at = f"{place}[{index}]"
            problems = list(check_wrapper(call, at))
            yield from problems
            if not isinstance(call, dict):
                continue
            if not problems:
                yield from ignored_keys(call, _CALL_KEYS, at)
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
    call: dict[str, Any], place: str, declared: Declarations | None, declaring: str
) -> Iterator[Finding]:
    problems = list(check_text(call, "name", place, filled=True))
    yield from problems
    if not problems:
        yield from _check_called(call["name"], f"{place}.name", declared, declaring)
    yield from ignored_keys(call, _FUNCTION_KEYS, place)
    if "arguments" not in call:
        yield missing_key("arguments", place)
    elif isinstance(call["arguments"], str):
        known = None if problems or declared is None else declared.get(call["name"])
        yield from check_arguments(call["arguments"], f"{place}.arguments", known)
    else:
        message = f"{place}.arguments is {described(call['arguments'])}, not a string"
        yield Finding("wrong-type", message, "write them as JSON text: json.dumps(arguments)")


def _check_called(
    name: str, place: str, declared: Declarations | None, declaring: str
) -> Iterator[Finding]:
    if declared is None or name not in declared:
        problems = [*function_name_fault(name, place)]
        yield from problems
        if problems or declared is None:
            return
        message = f"{place} is none of the {len(declared)} that the row's {declaring} declare"
        yield Finding(
            "undeclared-function", message, f"declare it in {declaring}, or mend the name"
        )


def check_arguments(text: str, place: str, rule: Rule | None) -> Iterator[Finding]:
    """What is wrong with a call's arguments, as text and for its function."""
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
    else:
        yield from _check_text(text, value, place)
        yield from _check_fit(value, place, rule)


def _check_text(text: str, value: dict[str, Any], place: str) -> Iterator[Finding]:
    """What the arguments would be told of as a row of their own; but they are learnt as text."""
    for key in repeated_keys(text, value):
        message = f"{place} has the key {quoted_key(key)} more than once in one object"
        hint = "keep one: readers disagree on which of them counts"
        yield Finding("repeated-key", message, hint, severity="warning")
    if "\\u" in text and any(_SURROGATE.search(part) for _, part in strings(value)):
        message = f"{place} has half of a surrogate pair"
        hint = "write the text again from its source"
        yield Finding("lone-surrogate", message, hint, severity="warning")


def _check_fit(value: dict[str, Any], place: str, rule: Rule | None) -> Iterator[Finding]:
    try:
        misfit = rule(value) if rule is not None else None
    except RecursionError:  # a schema that goes round as often as the value is deep
        return
    if misfit is not None:
        where, what = misfit
        hint = "mend the call, or the parameters that its function declares"
        yield Finding("arguments-unfit", f"{place}{where} {what}", hint)


def _is_json(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict | list | str)
    except ValueError:
        return False
