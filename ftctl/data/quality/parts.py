"""A row goes in, whatever its shape; its prompt, its answer and what stands in every row come out.

Nothing here raises: what is wrong with a row's shape is for others to say, and a part of the wrong
type holds no text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ftctl.domain.desired import Format

_STANDING = ("system", "developer")
_TURN = "\x1e"  # between the parts of a key: no text that people write holds it
_FIELD = "\x1f"


class Parts(NamedTuple):
    """A row's texts by what they are for.

    `standing` is what tells the model who it is: mostly the same in every row. `prompt` is every
    other turn before the last answer. `answer` is None where the row holds none. `other` is the
    answer that is not preferred, `more` all that makes rows differ beyond these.
    """

    standing: tuple[str, ...]
    prompt: str
    question: str  # the last turn of the user
    answer: str | None
    other: str = ""
    more: str = ""
    acts: bool = False  # the answer calls a function, so it may do without a text


def parts_of(row: Mapping[str, Any], form: Format) -> Parts:
    """The row's parts; in a chat the last assistant message is the answer."""
    match form:
        case "completion":
            prompt = _text(row.get("prompt"))
            return Parts((), prompt, prompt, _text(row.get("completion")))
        case "preference":
            asked = row.get("input")
            asked = asked if isinstance(asked, dict) else {}
            turns = _turns(asked)
            answers = (_outputs(row.get("preferred_output")), _outputs(row.get(_NON_PREFERRED)))
            return _parts(turns, asked, len(turns))._replace(answer=answers[0], other=answers[1])
        case "reinforcement":
            turns = _turns(row)
            rest = {key: row[key] for key in row if key not in ("messages", "tools")}
            return _parts(turns, row, len(turns))._replace(more=_json(rest))
        case "chat":
            turns = _turns(row)
            last = max((i for i, one in enumerate(turns) if one.role == "assistant"), default=-1)
            return _parts(turns, row, len(turns) if last < 0 else last)


def places_of(row: Mapping[str, Any], form: Format) -> Iterator[tuple[str, str, bool]]:
    """Every text of the row with its place, and whether it is a standing one."""
    match form:
        case "completion":
            yield "prompt", _text(row.get("prompt")), False
            yield "completion", _text(row.get("completion")), False
        case "preference":
            asked = row.get("input")
            yield from _places(asked.get("messages") if isinstance(asked, dict) else None, "input.")
            for key in ("preferred_output", _NON_PREFERRED):
                yield from _places(row.get(key), "", key)
        case "chat" | "reinforcement":
            yield from _places(row.get("messages"), "")
            if form == "reinforcement":
                for key in row:
                    if key not in ("messages", "tools"):
                        yield "a key beside messages", _json(row[key]), False


_NON_PREFERRED = "non_preferred_output"


class _Turn(NamedTuple):
    role: str
    text: str
    extra: str = ""  # what else makes the turn what it is: name, weight, calls
    acts: bool = False


def _turns(owner: Mapping[str, Any]) -> list[_Turn]:
    messages = owner.get("messages")
    return [_turn(one) for one in messages] if isinstance(messages, list) else []


def _turn(message: object) -> _Turn:
    if not isinstance(message, dict):
        return _Turn("", "")
    role, content = message.get("role"), message.get("content")
    if len(message) == 2 and type(content) is str and type(role) is str:
        return _Turn(role, content)
    role = role if isinstance(role, str) else ""
    text = _text(content)
    refusal = message.get("refusal")
    if isinstance(refusal, str):
        text += refusal
    acts = bool(message.get("tool_calls") or message.get("function_call"))
    extra = "".join(
        f"{_FIELD}{key}={_json(message[key])}" for key in _EXTRA if message.get(key) is not None
    )
    return _Turn(role, text, extra, acts)


_EXTRA = ("name", "weight", "tool_calls", "function_call")


def _parts(turns: list[_Turn], owner: Mapping[str, Any], end: int) -> Parts:
    """The parts of a conversation whose answer is the turn at `end`; there may be none."""
    standing: list[str] = []
    prompt: list[str] = []
    question = ""
    for turn in turns[:end]:
        if turn.role in _STANDING:
            standing.append(turn.text + turn.extra)
            continue
        if prompt:
            prompt.append(_TURN + turn.role[:1])
        prompt.append(turn.text + turn.extra)
        if turn.role == "user":
            question = turn.text
    tools = owner.get("tools") or owner.get("functions")
    if tools:
        standing.append(_names(tools))
    if end >= len(turns):
        return Parts(tuple(standing), "".join(prompt), question, None)
    answer = turns[end]
    more = answer.extra + "".join(_TURN + turn.text for turn in turns[end + 1 :])
    return Parts(
        tuple(standing), "".join(prompt), question, answer.text, more=more, acts=answer.acts
    )


def _names(tools: object) -> str:
    """The declared functions' names. Their schemas are the same row for row, and long."""
    if not isinstance(tools, list):
        return ""
    named = (one.get("function", one) if isinstance(one, dict) else None for one in tools)
    names = (one.get("name") if isinstance(one, dict) else None for one in named)
    return _FIELD.join(name for name in names if isinstance(name, str))


def _text(content: object) -> str:
    """A text, or the texts of a list of parts; an image counts by its address."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return _FIELD.join(_part(part) for part in content)


def _part(part: object) -> str:
    if not isinstance(part, dict):
        return ""
    for key in ("text", "refusal"):
        if isinstance(part.get(key), str):
            return str(part[key])
    image = part.get("image_url")
    address = image.get("url") if isinstance(image, dict) else None
    return f"{_FIELD}image {address}" if isinstance(address, str) else ""


def _outputs(messages: object) -> str:
    found = [_turn(one) for one in messages] if isinstance(messages, list) else []
    return _TURN.join(turn.text + turn.extra for turn in found)


def _places(
    messages: object, prefix: str, key: str = "messages"
) -> Iterator[tuple[str, str, bool]]:
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            place, standing = f"{prefix}{key}[{index}]", message.get("role") in _STANDING
            yield f"{place}.content", _readable(message.get("content")), standing
            yield from (
                (f"{place}.{extra}", _json(message[extra]), standing)
                for extra in ("tool_calls", "function_call", "refusal", "name")
                if message.get(extra) is not None
            )


def _readable(content: object) -> str:
    """The text without images: a picture's base64 looks like anything."""
    if not isinstance(content, list):
        return _text(content)
    return "\n".join(
        _part(part) for part in content if isinstance(part, dict) and "image_url" not in part
    )


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return ""
