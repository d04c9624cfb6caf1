"""A row of a known shape goes in; the conversation or pair of answers in it comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ftctl.data.convert.conversation import (
    Conversation,
    Message,
    PreferencePair,
    extras_of,
    messages_at,
    refuse,
    said,
    text_at,
)
from ftctl.data.convert.fault import RowFault
from ftctl.data.convert.recipe import Shape
from ftctl.data.formats.shape import missing_key, nearest, quoted_word, wrong_type
from ftctl.errors import Finding

Row = dict[str, Any]

CHAT_EXTRAS = ("tools", "parallel_tool_calls", "functions")
_PAIR_EXTRAS = ("tools", "parallel_tool_calls")
_SPEAKERS: Mapping[str, str] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
}

# The keys that a shape's rows are read for; every other one is left out, and that is told.
KEYS: Mapping[Shape, tuple[str, ...]] = {
    "chat": ("messages", *CHAT_EXTRAS),
    "completion": ("prompt", "completion", "tools"),
    "preference": ("input", "preferred_output", "non_preferred_output"),
    "sharegpt": ("conversations", "system"),
    "alpaca": ("instruction", "input", "output", "system", "history"),
    "pairs": ("prompt", "chosen", "rejected", "tools"),
}


def decode_chat(row: Row) -> Conversation:
    return Conversation(messages_at(row, "messages"), extras_of(row, CHAT_EXTRAS))


def decode_completion(row: Row) -> Conversation:
    """TRL's prompt/completion: two texts, or two lists of messages."""
    if isinstance(row.get("prompt"), list):
        messages = [*messages_at(row, "prompt"), *messages_at(row, "completion")]
        return Conversation(messages, extras_of(row, ("tools",)))
    prompt, completion = text_at(row, "prompt"), text_at(row, "completion")
    return Conversation([said("user", prompt), said("assistant", completion)], {})


def decode_sharegpt(row: Row) -> Conversation:
    turns = row.get("conversations")
    if not isinstance(turns, list):
        raise RowFault(wrong_type("conversations", turns, "a list of turns"))
    messages = [said("system", text_at(row, "system"))] if row.get("system") else []
    messages += [_turn(turn, f"conversations[{index}]") for index, turn in enumerate(turns)]
    return Conversation(messages, {})


def decode_alpaca(row: Row) -> Conversation:
    """The input stands below the instruction, after an empty line."""
    messages = [said("system", text_at(row, "system"))] if row.get("system") else []
    for index, turn in enumerate(row.get("history") or []):
        match turn:
            case [str(question), str(answer)]:
                messages += [said("user", question), said("assistant", answer)]
            case _:
                raise RowFault(wrong_type(f"history[{index}]", turn, "a question and an answer"))
    task = text_at(row, "instruction")
    if row.get("input"):
        task = f"{task}\n\n{text_at(row, 'input')}"
    return Conversation(
        [*messages, said("user", task), said("assistant", text_at(row, "output"))], {}
    )


def decode_preference(row: Row) -> PreferencePair:
    given = row.get("input")
    if not isinstance(given, dict):
        raise RowFault(wrong_type("input", given, "an object with messages"))
    return PreferencePair(
        messages_at(given, "messages"),
        _one(messages_at(row, "preferred_output"), "preferred_output"),
        _one(messages_at(row, "non_preferred_output"), "non_preferred_output"),
        extras_of(given, _PAIR_EXTRAS),
    )


def decode_pairs(row: Row) -> PreferencePair:
    """TRL's preference rows: texts or messages; a prompt that only the answers hold is found."""
    prompt = row.get("prompt")
    chosen, rejected = _answers(row, "chosen"), _answers(row, "rejected")
    if prompt is None:
        shared = _shared(chosen, rejected)
        if not shared:
            refuse("chosen and rejected begin with no message in common", "add 'prompt'")
    elif isinstance(prompt, str):
        system = [one for one in chosen[:1] if one["role"] == "system"]
        shared = [*system, said("user", prompt)]
    else:
        shared = messages_at(row, "prompt")
    return PreferencePair(
        shared,
        _one(_after(shared, chosen), "chosen"),
        _one(_after(shared, rejected), "rejected"),
        extras_of(row, ("tools",)),
    )


DECODERS: Mapping[Shape, Callable[[Row], Conversation | PreferencePair]] = {
    "chat": decode_chat,
    "completion": decode_completion,
    "preference": decode_preference,
    "sharegpt": decode_sharegpt,
    "alpaca": decode_alpaca,
    "pairs": decode_pairs,
}


def _turn(turn: Any, place: str) -> Message:
    if not isinstance(turn, dict):
        raise RowFault(wrong_type(place, turn, "an object with from and value"))
    speaker = text_at(turn, "from", place)
    if speaker not in _SPEAKERS:
        known = tuple(_SPEAKERS)
        hint = nearest(speaker[:40], known) or f"known here: {', '.join(known)}"
        message = f"{place}.from is {quoted_word(speaker)}, which is no speaker known here"
        raise RowFault(Finding("unknown-role", message, hint))
    return said(_SPEAKERS[speaker], text_at(turn, "value", place))


def _answers(row: Row, key: str) -> list[Message]:
    if key not in row:
        raise RowFault(missing_key(key))
    value = row[key]
    return [said("assistant", value)] if isinstance(value, str) else messages_at(row, key)


def _shared(chosen: list[Message], rejected: list[Message]) -> list[Message]:
    shared = []
    for one, other in zip(chosen[:-1], rejected[:-1], strict=False):
        if one != other:
            break
        shared.append(one)
    return shared


def _after(prompt: list[Message], answer: list[Message]) -> list[Message]:
    """The answer without the prompt that it repeats."""
    return answer[len(prompt) :] if answer[: len(prompt)] == prompt else answer


def _one(messages: list[Message], place: str) -> Message:
    if len(messages) != 1 or messages[0]["role"] != "assistant":
        roles = ", ".join(quoted_word(message["role"]) for message in messages[:5]) or "none"
        refuse(f"{place} is not one assistant message (roles: {roles})", "keep the last answer")
    return messages[0]
