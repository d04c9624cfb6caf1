"""The messages of a request -> the same messages, held to the API's rules, or a 400.

Fields that a message need not have are let pass, as the specification does: clients send back the
messages they got, with all that was in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ftctl.emulator.chat.field_readers import (
    array,
    mapping,
    nullable,
    one_of,
    optional,
    required,
    text,
    unknown_value,
    wrong_type,
)
from ftctl.emulator.http.wire import ApiError, Json, bad_request

ROLES = ("system", "assistant", "user", "function", "tool", "developer")
MOST_MESSAGES = 2_048

_NAME = text(64, r"[^\s<|\\/>]+", least=1)
_DETAILS = ("auto", "low", "high")


def read_messages(value: Any, where: str) -> list[Json]:
    """Each message alone, and then the tool calls against the answers to them."""
    messages: list[Json] = array(_message, least=1, most=MOST_MESSAGES)(value, where)
    _check_tool_answers(messages, where)
    return messages


def contents(messages: list[Json]) -> str:
    """All the text that the messages hold, for looking a word up in it."""
    found: list[str] = []
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"text": content}]
        texts = (part.get("text") for part in parts)
        found += [words for words in texts if isinstance(words, str)]
    return "\n".join(found)


def _message(value: Any, where: str) -> Json:
    message = mapping(value, where)
    role = required(message, "role", where, one_of(*ROLES))
    optional(message, "name", where, text() if role == "function" else _NAME)
    _ROLE_RULES[role](message, where)
    return message


def _instruction(message: Json, where: str) -> None:
    required(message, "content", where, _content({"text": _text_part}))


def _user(message: Json, where: str) -> None:
    required(message, "content", where, _content(_USER_PARTS))


def _assistant(message: Json, where: str) -> None:
    calls = optional(message, "tool_calls", where, array(_tool_call, least=1, most=128))
    function_call = optional(message, "function_call", where, nullable(_called))
    refusal = optional(message, "refusal", where, nullable(text()))
    optional(message, "audio", where, nullable(_heard))
    if message.get("content") is not None:
        _content({"text": _text_part, "refusal": _refusal_part})(
            message["content"], f"{where}.content"
        )
    elif calls is None and function_call is None and refusal is None:
        fault = "Invalid value for 'content': expected a string, got null."
        raise bad_request(fault, f"{where}.content")


def _tool(message: Json, where: str) -> None:
    required(message, "content", where, _content({"text": _text_part}))
    required(message, "tool_call_id", where, text())


def _function(message: Json, where: str) -> None:
    required(message, "name", where, text(least=1))
    required(message, "content", where, nullable(text()))


_ROLE_RULES: Mapping[str, Callable[[Json, str], None]] = {
    "system": _instruction,
    "developer": _instruction,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
    "function": _function,
}


def _content(parts: Mapping[str, Callable[[Json, str], None]]) -> Callable[[Any, str], Any]:
    """A string, or an array of parts of these types."""

    def read(value: Any, where: str) -> Any:
        if isinstance(value, str):
            return value
        if not isinstance(value, list):
            raise wrong_type(value, where, "one of a string or array of objects")
        return array(part, least=1)(value, where)

    def part(value: Any, where: str) -> Json:
        inside = mapping(value, where)
        kind = required(inside, "type", where, text())
        if kind not in parts:
            raise unknown_value(kind, f"{where}.type", tuple(parts))
        parts[kind](inside, where)
        optional(inside, "prompt_cache_breakpoint", where, _breakpoint)
        return inside

    return read


def _breakpoint(value: Any, where: str) -> Json:
    required(mapping(value, where), "mode", where, one_of("explicit"))
    return mapping(value, where)


def _heard(value: Any, where: str) -> Json:
    required(mapping(value, where), "id", where, text())
    return mapping(value, where)


def _text_part(part: Json, where: str) -> None:
    required(part, "text", where, text())


def _refusal_part(part: Json, where: str) -> None:
    required(part, "refusal", where, text())


def _image_part(part: Json, where: str) -> None:
    image = required(part, "image_url", where, mapping)
    inside = f"{where}.image_url"
    url = required(image, "url", inside, text())
    optional(image, "detail", inside, one_of(*_DETAILS))
    if not re.match(r"https?://|data:image/", url, re.IGNORECASE):
        fault = "Expected a valid URL, but got a value with an invalid format."
        raise bad_request(f"Invalid '{inside}.url'. {fault}", f"{inside}.url", "invalid_value")


def _audio_part(_part: Json, where: str) -> None:
    message = "Invalid content type. input_audio is only supported by certain models."
    raise bad_request(message, f"{where}.type")


def _file_part(part: Json, where: str) -> None:
    file = required(part, "file", where, mapping)
    names = ("file_id", "file_data", "filename")
    by_id, content, _ = [optional(file, name, f"{where}.file", text()) for name in names]
    if by_id is None and content is None:
        message = f"'{where}.file' needs either 'file_id' or 'file_data'."
        raise bad_request(message, f"{where}.file", "missing_required_parameter")


_USER_PARTS = {
    "text": _text_part,
    "image_url": _image_part,
    "input_audio": _audio_part,
    "file": _file_part,
}


def _tool_call(value: Any, where: str) -> Json:
    call = mapping(value, where)
    required(call, "id", where, text())
    required(call, "type", where, one_of("function"))
    required(call, "function", where, _called)
    return call


def _called(value: Any, where: str) -> Json:
    function = mapping(value, where)
    required(function, "name", where, text(least=1))
    required(function, "arguments", where, text())
    return function


_NOTHING_TO_ANSWER = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
    "with 'tool_calls'."
)


def _check_tool_answers(messages: list[Json], where: str) -> None:
    """Every call is answered by the tool messages right behind it, and they answer nothing else."""
    called: list[str] = []
    open_calls: list[str] = []
    for place, message in enumerate(messages):
        at = f"{where}.[{place}]"
        if message["role"] == "tool":
            answered = message["tool_call_id"]
            if not called:
                raise bad_request(_NOTHING_TO_ANSWER, f"{at}.role")
            if answered not in open_calls:
                fault = (
                    f"'tool_call_id' of '{answered}' not found in 'tool_calls' of previous message."
                )
                raise bad_request(f"Invalid parameter: {fault}", f"{at}.tool_call_id")
            open_calls.remove(answered)
            continue
        if open_calls:
            raise _unanswered(open_calls, f"{at}.role")
        called = [call["id"] for call in message.get("tool_calls") or []]
        open_calls = list(called)
    if open_calls:
        raise _unanswered(open_calls, f"{where}.[{len(messages)}].role")


def _unanswered(calls: list[str], param: str) -> ApiError:
    message = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
    )
    return bad_request(message + ", ".join(calls), param)
