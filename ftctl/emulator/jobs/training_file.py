"""A file's content -> its examples, or the first reason why it is unusable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from ftctl.emulator.http.wire import parse_json

Form = Literal["chat", "completion", "preference", "reinforcement"]
"""What an example looks like: it depends on the model and on the method."""

MIN_EXAMPLES = 10
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

# "Invalid file format. Example 6174 message contains an invalid token: <|fim_suffix|>." (github
# johny-b/llmcomp#59, 2026-02-12). No other name was found in any report.
REFUSED_TOKENS = ("<|fim_suffix|>",)

_BOM = b"\xef\xbb\xbf"


class BadExamples(Exception):
    """Says in which line of the file which rule is broken."""


class BadFormat(BadExamples):
    """Says which example holds what the service refuses, in the words that people report of it."""


def read_examples(content: bytes, form: Form) -> list[dict[str, Any]]:
    """The examples of that form, blank lines left out; BadExamples for a line that is none."""
    examples = []
    for number, line in enumerate(content.removeprefix(_BOM).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            example = parse_json(line)
        except ValueError as fault:
            raise BadExamples(f"Line {number} is not valid JSON: {fault}.") from fault
        if not isinstance(example, dict):
            raise BadExamples(f"Line {number} is not a JSON object.")
        fault_text = _CHECKS[form](example)
        if fault_text and (other := _other_form(example, form)) is not None:
            raise BadExamples(
                f"Line {number} is a {other} example; the base model and method of this job take"
                f" {form} examples."
            )
        if fault_text:
            raise BadExamples(f"Line {number}: {fault_text}.")
        examples.append(example)
    return examples


def refuse_tokens(content: bytes, examples: Iterable[Mapping[str, Any]]) -> None:
    """BadFormat for the first example in which a text or a key has a token that is refused."""
    if b"|>" not in content and b"\\u00" not in content:
        return
    for number, example in enumerate(examples, start=1):
        for text in _texts(example):
            for token in REFUSED_TOKENS:
                if token in text:
                    message = f"Example {number} message contains an invalid token: {token}."
                    raise BadFormat(message)


def _texts(example: Mapping[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [example]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value


def _other_form(example: dict[str, Any], form: Form) -> Form | None:
    """The form that an example's keys speak of, where that is not the one that is asked for."""
    if "messages" in example:  # those of chat and of reinforcement have the same keys
        other: Form | None = "chat"
    elif "input" in example or "preferred_output" in example:
        other = "preference"
    else:
        other = "completion" if "completion" in example else None
    wanted = "chat" if form == "reinforcement" else form
    return None if other == wanted else other


def _chat(example: dict[str, Any]) -> str | None:
    roles = _roles(example.get("messages"))
    if roles is None:
        return "'messages' must be a list of messages, each with a known role"
    return None if "assistant" in roles else "there is no message from the assistant"


def _completion(example: dict[str, Any]) -> str | None:
    texts = (example.get("prompt"), example.get("completion"))
    good = all(isinstance(text, str) for text in texts)
    return None if good else "'prompt' and 'completion' must both be strings"


def _preference(example: dict[str, Any]) -> str | None:
    given = example.get("input")
    if not isinstance(given, dict) or _roles(given.get("messages")) is None:
        return "'input' must hold 'messages', each with a known role"
    for name in ("preferred_output", "non_preferred_output"):
        if _roles(example.get(name)) != ["assistant"]:
            return f"'{name}' must be a list of one message from the assistant"
    return None


def _reinforcement(example: dict[str, Any]) -> str | None:
    roles = _roles(example.get("messages"))
    if roles is None:
        return "'messages' must be a list of messages, each with a known role"
    return None if roles[-1] == "user" else "the last message must be from the user"


def _roles(messages: Any) -> list[str] | None:
    """The messages' roles in order, or None if these are no messages."""
    if not isinstance(messages, list) or not messages:
        return None
    roles = [m.get("role") if isinstance(m, dict) else None for m in messages]
    good = [role for role in roles if isinstance(role, str) and role in ROLES]
    return good if len(good) == len(roles) else None


_CHECKS: Mapping[Form, Callable[[dict[str, Any]], str | None]] = {
    "chat": _chat,
    "completion": _completion,
    "preference": _preference,
    "reinforcement": _reinforcement,
}
