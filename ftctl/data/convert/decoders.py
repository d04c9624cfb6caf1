"""A row of a known shape goes in; the conversation or pair of answers in it comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ftctl.data.convert.cells import cell_text
from ftctl.data.convert.conversation import (
    Conversation,
    Message,
    PreferencePair,
    jsonish,
    refuse,
    said,
    text_at,
)
from ftctl.data.convert.declared_tools import extras_of
from ftctl.data.convert.dialects import (
    SPEAKERS,
    calls_of,
    looks_like_messages,
    read_messages,
)
from ftctl.data.convert.fault import RowFault
from ftctl.data.convert.images import PLACE, images_of, with_images
from ftctl.data.convert.reading import Reading, says_something
from ftctl.data.convert.recipe import Shape
from ftctl.data.formats.other_shapes import (
    CONVERSATIONS,
    Pair,
    TaskKeys,
    answer_keys,
    question_keys,
    task_keys,
)
from ftctl.data.formats.shape import missing_key, quoted_key, quoted_word, wrong_type
from ftctl.errors import Finding

Row = dict[str, Any]
What = Conversation | PreferencePair

CHAT_EXTRAS = ("tools", "parallel_tool_calls", "functions")
_PAIR_EXTRAS = ("tools", "parallel_tool_calls")
_SYSTEMS = ("system", "system_prompt", "system_message", "systemInstruction", "system_instruction")
_IMAGES = ("images", "image")
_ALPACA = TaskKeys("instruction", "input", "output")

# The keys that a shape's rows are known by: what is nearly one of them is a misspelt one.
KEYS: Mapping[Shape, tuple[str, ...]] = {
    "chat": ("messages", *CHAT_EXTRAS),
    "completion": ("prompt", "completion", "tools"),
    "preference": ("input", "preferred_output", "non_preferred_output"),
    "sharegpt": ("conversations", "system"),
    "alpaca": ("instruction", "input", "output", "system", "history"),
    "pairs": ("prompt", "chosen", "rejected", "tools"),
}


def decode_chat(reading: Reading) -> Conversation:
    """Messages under any name that a conversation goes by, in any dialect."""
    key = next((key for key in CONVERSATIONS if key in reading.row), "messages")
    return _conversation(reading, _messages_at(reading, key), CHAT_EXTRAS)


def decode_completion(reading: Reading) -> Conversation:
    """TRL's prompt/completion: two texts, or two lists of messages."""
    messages = [
        *_texts_or_messages(reading, "prompt", "user"),
        *_texts_or_messages(reading, "completion", "assistant"),
    ]
    return _conversation(reading, messages, ("tools",))


def decode_sharegpt(reading: Reading) -> Conversation:
    messages = [*_own_system(reading), *_messages_at(reading, "conversations")]
    return _conversation(reading, messages, ("tools",))


def decode_alpaca(reading: Reading) -> What:
    """The input stands below the instruction, after an empty line."""
    instruction, below, output = task_keys(reading.row) or _ALPACA
    asked = _task(reading, instruction, below)
    messages = [*_own_system(reading), *_history(reading), *asked]
    answers = _better_and_worse(reading.row.get(output))
    if answers is not None:
        reading.take(output)
        talk = _conversation(reading, messages, ("tools",))
        chosen, rejected = (said("assistant", text) for text in answers)
        return PreferencePair(talk.messages, chosen, rejected, talk.extras)
    answer = _texts_or_messages(reading, output, "assistant")
    return _conversation(reading, [*messages, *answer], ("tools",))


def decode_preference(reading: Reading) -> PreferencePair:
    given = reading.take("input")
    if not isinstance(given, dict):
        raise RowFault(wrong_type("input", given, "an object with messages"))
    inner = Reading(given, reading.dropped)
    pair = PreferencePair(
        _messages_at(inner, "messages"),
        _one(_messages_at(reading, "preferred_output"), "preferred_output"),
        _one(_messages_at(reading, "non_preferred_output"), "non_preferred_output"),
        extras_of(inner, _PAIR_EXTRAS),
    )
    reading.join(inner)
    return pair


def decode_pairs(reading: Reading) -> PreferencePair:
    """A question or conversation with two answers; one that only the answers hold is found."""
    keys = answer_keys(reading.row)
    better, worse = keys or ("chosen", "rejected")
    chosen, rejected = _answers(reading, better), _answers(reading, worse)
    shared = _context(reading, chosen, rejected)
    chosen, rejected = _after(shared, chosen), _after(shared, rejected)
    if len(chosen) > 1 and len(rejected) > 1:
        more = _shared(chosen, rejected)
        shared = [*shared, *more]
        chosen, rejected = chosen[len(more) :], rejected[len(more) :]
    talk = _conversation(reading, shared, ("tools",))
    return PreferencePair(talk.messages, _one(chosen, better), _one(rejected, worse), talk.extras)


def decode_columns(reading: Reading, pair: Pair, table: Table) -> Conversation:
    """Of a table: the columns that ask and answer, and what stands beside any conversation."""
    declares = _declares_tools(reading.row.get("tools"))
    calls = calls_of(reading.row.get(pair.answer)) if declares else None
    before = _history(reading) if _is_history(reading.row.get("history")) else []
    asked = [*before, *_cell(reading, pair.question, "user", table)]
    if asked and asked[-1]["role"] == "assistant":
        what = f"{quoted_key(pair.question)} ends with an answer of its own"
        refuse(f"{what}, beside {quoted_key(pair.answer)}", "take one of them out")
    if calls is None:
        answer = _cell(reading, pair.answer, "assistant", table)
    else:
        turn = {"from": "function_call", "value": reading.take(pair.answer)}
        answer = read_messages([turn], pair.answer, reading)
    return _conversation(reading, [*asked, *answer], ("tools",) if declares else ())


def _is_history(value: Any) -> bool:
    """Whether a column of that name holds turns; it may be about the Romans."""
    turns = jsonish(value) if isinstance(value, str) else value
    return looks_like_messages(turns) or (
        isinstance(turns, list) and all(isinstance(turn, list) for turn in turns)
    )


def _declares_tools(value: Any) -> bool:
    """Whether a column of that name declares functions; it may be about hammers."""
    tools = jsonish(value) if isinstance(value, str) else value
    return isinstance(tools, list | dict) and bool(tools)


DECODERS: Mapping[Shape, Callable[[Reading], What]] = {
    "chat": decode_chat,
    "completion": decode_completion,
    "preference": decode_preference,
    "sharegpt": decode_sharegpt,
    "alpaca": decode_alpaca,
    "pairs": decode_pairs,
}


# What stands beside a conversation.


def _conversation(
    reading: Reading, messages: list[Message], extras: tuple[str, ...]
) -> Conversation:
    """The messages with the row's system message, images and tools."""
    messages = _with_system(reading, messages)
    return Conversation(_with_images(reading, messages), extras_of(reading, extras))


def _own_system(reading: Reading) -> list[Message]:
    """The system message where the shape itself has a key for it."""
    if not isinstance(reading.row.get("system"), str) or not reading.row["system"]:
        return []
    return [said("system", reading.take("system"))]


def _with_system(reading: Reading, messages: list[Message]) -> list[Message]:
    responses = ("instructions",) if isinstance(reading.row.get("input"), list) else ()
    for key in (*_SYSTEMS, *responses):
        value = reading.row.get(key)
        if reading.has_taken(key) or not says_something(value):
            continue
        made = _system(value, reading, key)
        if made is None:
            continue
        reading.take(key)
        first = messages[0] if messages else {}
        if first.get("role") not in ("system", "developer"):
            messages = [made, *messages]
        elif first.get("content") != made["content"]:
            refuse(f"the row has a system message in {key!r} and another one in its messages",
                   "keep one of them")  # fmt: skip
    return messages


def _system(value: Any, reading: Reading, place: str) -> Message | None:
    """The system message; None where the value is nothing of the kind."""
    if isinstance(value, str):
        return said("system", value)
    if isinstance(value, dict):
        key = next((key for key in ("content", "parts", "text") if key in value), "")
        made = _system(value.get(key), reading, place)
        if made is not None:
            reading.leave_rest(value, (key, "role"), place)
        return made
    if not isinstance(value, list):
        return None
    texts = [part.get("text") if isinstance(part, dict) else part for part in value]
    if not texts or not all(isinstance(text, str) for text in texts):
        return None
    for index, part in enumerate(value):
        if isinstance(part, dict):
            reading.leave_rest(part, ("text",), f"{place}[{index}]")
    parts = [{"type": "text", "text": text} for text in texts]
    return {"role": "system", "content": texts[0] if len(texts) == 1 else parts}


def _with_images(reading: Reading, messages: list[Message]) -> list[Message]:
    for key in _IMAGES:
        value = reading.row.get(key)
        if says_something(value):
            reading.take(key)
            return with_images(messages, images_of(value, key, reading), key)
    for index, message in enumerate(messages):
        content = message.get("content")
        if isinstance(content, list) and {"type": "image"} in content:
            refuse(f"messages[{index}] has a place for an image, and the row has no 'images'",
                   f"add them, or take the {PLACE} out")  # fmt: skip
    return messages


def _history(reading: Reading) -> list[Message]:
    """Questions and answers that went before."""
    value = reading.row.get("history")
    if not says_something(value):
        return []
    reading.take("history")
    turns = jsonish(value) if isinstance(value, str) else value
    reading.look_for_repeats(value, turns, "history")
    if looks_like_messages(turns):
        return read_messages(turns, "history", reading)
    messages = []
    for index, turn in enumerate(turns if isinstance(turns, list) else [turns]):
        match turn:
            case [str(question), str(answer)]:
                messages += [said("user", question), said("assistant", answer)]
            case _:
                raise RowFault(wrong_type(f"history[{index}]", turn, "a question and an answer"))
    return messages


# Questions.


def _task(reading: Reading, instruction: str, below: str | None) -> list[Message]:
    if not isinstance(reading.row.get(instruction), str):
        return _texts_or_messages(reading, instruction, "user")
    task = text_at(reading.row, instruction)
    reading.take(instruction)
    if below and reading.take(below):
        added = reading.row[below]
        if looks_like_messages(added):
            messages = read_messages(added, below, reading)
            return [said("system", task), *messages] if task.strip() else messages
        task = f"{task}\n\n{text_at(reading.row, below)}"
    return [said("user", task)]


def _context(reading: Reading, chosen: list[Message], rejected: list[Message]) -> list[Message]:
    """What the two answers answer, perhaps only found in both of them."""
    row = reading.row
    key = next((key for key in CONVERSATIONS if says_something(row.get(key))), None)
    shared = _shared(chosen, rejected)
    asked = question_keys([name for name in row if name not in CONVERSATIONS])
    if asked is not None and _asks(row, asked[0], other=bool(key or shared)):
        question = _asked(reading, asked, chosen)
        if key is not None and _messages_at(reading, key) != [*question, *_after(question, chosen)]:
            refuse(f"the row has {asked[0]!r} and {key!r} that say different things",
                   "keep one of them")  # fmt: skip
        return [*_history(reading), *question]
    reading.take("prompt")
    if key is None:
        if not shared:
            refuse("chosen and rejected begin with no message in common", "add 'prompt'")
        return shared
    messages = _messages_at(reading, key)
    if messages and messages[-1]["role"] == "assistant":
        if messages != chosen and messages[-1:] != chosen:
            refuse(f"{key} ends with an answer of its own, beside the two", "take it out")
        messages = messages[:-1]
    return messages


def _asks(row: Row, key: str, *, other: bool) -> bool:
    """Whether this key has the question. A prompt always does; what else is, only by itself."""
    value = row.get(key)
    if key == "prompt" and value is not None:
        return says_something(value) or not other
    return says_something(value) and not other


def _asked(reading: Reading, keys: tuple[str, str | None], chosen: list[Message]) -> list[Message]:
    question, below = keys
    value = reading.row[question]
    if isinstance(value, str) and not looks_like_messages(value):
        system = [one for one in chosen[:1] if one["role"] == "system"]
        return [*system, *_task(reading, question, below)]
    return _messages_at(reading, question)


# Answers.


def _better_and_worse(value: Any) -> tuple[str, str] | None:
    """The older form of a preference: a list of the better answer and the worse one."""
    match value:
        case [str(better), str(worse)]:
            return better, worse
    return None


def _answers(reading: Reading, key: str) -> list[Message]:
    value = reading.take(key)
    if key not in reading.row:
        raise RowFault(missing_key(key))
    match value:
        case dict():
            value = [value]
        case [str(text)]:
            value = text
    if isinstance(value, str) and not looks_like_messages(value):
        spoken = _spoken(value) if "prompt" not in reading.row else []
        return spoken or [said("assistant", value)]
    return read_messages(value, key, reading)


def _spoken(text: str) -> list[Message]:
    """The turns of a text that names its speakers, as Anthropic's HH rows do; none of others."""
    if not text.startswith("\n\nHuman:"):
        return []
    _, *pieces = _SPOKEN.split(text)
    return [
        said("user" if speaker == "Human" else "assistant", turn.strip())
        for speaker, turn in zip(pieces[::2], pieces[1::2], strict=True)
    ]


_SPOKEN = re.compile(r"\n\n(Human|Assistant):")


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


# Texts and messages.


def _messages_at(reading: Reading, key: str) -> list[Message]:
    return read_messages(reading.take(key), key, reading)


def _texts_or_messages(reading: Reading, key: str, role: str) -> list[Message]:
    """A text is what the role says; messages, or the JSON of them, are taken over."""
    value = reading.row.get(key)
    if isinstance(value, list) or _holds_messages(value, role):
        return _messages_at(reading, key)
    reading.take(key)
    return [said(role, text_at(reading.row, key))]


def _holds_messages(value: Any, role: str) -> bool:
    """Whether messages stand where a text could. A text that is their JSON may be an answer."""
    if not looks_like_messages(value):
        return False
    turns = jsonish(value) if isinstance(value, str) else value
    return role != "assistant" or not isinstance(value, str) or _all_answers(turns)


def _all_answers(turns: list[Row]) -> bool:
    speakers = (turn.get("role", turn.get("from")) for turn in turns)
    return all(SPEAKERS.get(str(speaker).casefold()) == "assistant" for speaker in speakers)


class Table(NamedTuple):
    """How the cells of one row are called, and what mends them."""

    cell: Callable[[str], str]
    fill: str
    as_json: str  # what to write so that lists become JSON


def _cell(reading: Reading, column: str, role: str, table: Table) -> list[Message]:
    if column not in reading.row:
        raise RowFault(no_key(column))
    value, place = reading.take(column), table.cell(column)
    if _holds_messages(value, role):
        return read_messages(value, column, reading)
    if isinstance(value, list | dict):
        what = "a list" if isinstance(value, list) else "an object"
        hint = f"write a text; if it is to be JSON, say so: {table.as_json}"
        raise RowFault(Finding("bad-cell", f"{place} is {what}, not a text", hint))
    text = cell_text(value, place)
    if not text.strip():
        message = f"{place} is empty, and {role} needs a text"
        raise RowFault(Finding("bad-cell", message, table.fill))
    return [said(role, text)]


def no_key(column: str) -> Finding:
    """What to say of a row without a column that is needed."""
    message = f"the row has no key {quoted_key(column)}"
    return Finding("missing-key", message, "add it; null stands for no text")
