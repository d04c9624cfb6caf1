"""A row goes in; what versions until 2026-11 have made of it comes out. Frozen: it is never mended.

Jobs were bought with these rows, and some of them lost what the source says: a system message
beside a conversation, tools, a better and a worse answer, a list that became a text. A plan must
know the rows again by their bytes, so that a conversion that is mended trains nothing again.
tests/upgrade/2026-11-30 has what these versions made of sources of every kind.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from ftctl.data.convert.fault import FileFault, RowFault, TemplateFault
from ftctl.data.convert.recipe import Convert
from ftctl.data.convert.records import Records
from ftctl.data.convert.template import Template, parse_templates
from ftctl.data.formats.row_text import parse_json
from ftctl.errors import Finding

Row = dict[str, Any]
Change = Callable[[int, Row], Row]  # a row's number and itself in, the row to train on out

_EXTRAS = ("tools", "parallel_tool_calls", "functions")
_SPEAKERS = {
    "system": "system", "human": "user", "user": "user", "gpt": "assistant",
    "assistant": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
}  # fmt: skip
_TURNS = {"system": "system", "developer": "system", "user": "human", "assistant": "gpt"}
_COLUMNS = (
    ("question", "answer"), ("question", "response"), ("query", "response"), ("query", "answer"),
    ("prompt", "response"), ("input", "output"), ("user", "assistant"), ("text", "label"),
)  # fmt: skip
_NEW_FORMS = frozenset({"rows"})  # that these versions did not write


class _Talk(NamedTuple):
    """A conversation; with two answers, a preference."""

    messages: list[Row]
    extras: Row
    answers: tuple[Row, Row] | None = None


def could_be_asked(convert: Convert) -> bool:
    """Whether these versions knew all that is asked for."""
    return not getattr(convert, "drop", ()) and convert.to not in _NEW_FORMS


def earlier_change(convert: Convert, records: Records, first: Row) -> Change:
    """How every row of a file was converted; a fault where there was no way to."""
    columns = records.columns or tuple(first)
    if convert.template:
        return _by_template(convert, parse_templates(convert.template))
    shape = convert.origin if convert.origin in (*_DECODERS, "table") else _shape_of(columns)
    if shape == "table" or shape is None:
        return _by_template(convert, _default_template(columns))
    decode = _DECODERS[shape]
    encode = _ENCODERS[convert.to or ("preference" if shape in _PAIRS else "chat")]
    return lambda _, row: encode(decode(row))


def keys_ignored(convert: Convert, row: Row) -> tuple[str, ...]:
    """The keys of a row, and of its turns, that these versions left out without a word."""
    shape = convert.origin if convert.origin in (*_DECODERS, "table") else _shape_of(row)
    known = _READ.get(shape or "table")
    if known is None:
        pair = next((pair for pair in _COLUMNS if {*pair} <= {key.lower() for key in row}), ())
        return tuple(key for key in row if key.lower() not in pair)
    found = dict.fromkeys(key for key in row if key not in known)
    if shape == "sharegpt" and isinstance(turns := row.get("conversations"), list):
        inside = (key for turn in turns if isinstance(turn, dict) for key in turn)
        found |= dict.fromkeys(key for key in inside if key not in ("from", "value"))
    return tuple(found)


_READ: Mapping[str, tuple[str, ...]] = {
    "chat": ("messages", *_EXTRAS),
    "completion": ("prompt", "completion"),
    "preference": ("input", "preferred_output", "non_preferred_output"),
    "sharegpt": ("conversations", "system"),
    "alpaca": ("instruction", "input", "output", "system", "history"),
    "pairs": ("prompt", "chosen", "rejected", "tools"),
}


def _unmade() -> RowFault:
    """These versions refused the row: why says nothing to anybody any more."""
    return RowFault(Finding("cannot-convert", "the row was refused"))


def _shape_of(keys: Collection[str]) -> str | None:
    known = set(keys)
    for shape, needed in (
        ("chat", {"messages"}), ("sharegpt", {"conversations"}),
        ("preference", {"preferred_output"}), ("pairs", {"chosen", "rejected"}),
        ("alpaca", {"instruction", "output"}), ("completion", {"prompt", "completion"}),
    ):  # fmt: skip
        if needed <= known:
            return shape
    return None


# Tables.


def _default_template(columns: Collection[str]) -> Mapping[str, Template]:
    by_name = {name.lower(): name for name in columns}
    for question, answer in _COLUMNS:
        if question in by_name and answer in by_name:
            return {
                "user": Template(((by_name[question], True),)),
                "assistant": Template(((by_name[answer], True),)),
            }
    raise FileFault(Finding("unknown-format", "no shape known then"))


def _by_template(convert: Convert, templates: Mapping[str, Template]) -> Change:
    made = "chat"
    if "prompt" in templates:
        made = "completion"
    elif "chosen" in templates:
        made = "preference"
    form = convert.to or made
    if (form in ("preference", "pairs")) != (made == "preference") and form != "chat":
        raise TemplateFault(Finding("bad-template", "other rows"), next(iter(templates)))
    encode = _ENCODERS[form]
    used = {column for template in templates.values() for column in template.columns}

    def change(_: int, row: Row) -> Row:
        cells = {}
        for column in used:
            if column not in row:
                raise _unmade()
            cells[column] = _cell_text(row[column])
        return encode(_filled(templates, cells))

    return change


def _filled(templates: Mapping[str, Template], cells: Mapping[str, str]) -> _Talk:
    texts = {role: template.render(cells) for role, template in templates.items()}
    if any(not text.strip() for role, text in texts.items() if role != "system"):
        raise _unmade()
    system = texts.get("system", "")
    messages = [_said("system", system)] if system.strip() else []
    messages.append(_said("user", texts["user"] if "user" in texts else texts["prompt"]))
    if "chosen" in texts:
        answers = _said("assistant", texts["chosen"]), _said("assistant", texts["rejected"])
        return _Talk(messages, {}, answers)
    answer = texts["assistant"] if "assistant" in texts else texts["completion"]
    return _Talk([*messages, _said("assistant", answer)], {})


def _cell_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case float() if math.isnan(value):
            text = ""
        case Decimal() if value.is_nan():
            text = ""
        case int() | float() | Decimal():
            text = str(value)
        case datetime() if value.time() == time() and value.tzinfo is None:
            text = value.date().isoformat()
        case datetime() | date() | time():
            text = value.isoformat()
        case list() | dict():
            text = _json(value)
        case _:
            raise _unmade()
    if "\0" in text:
        raise _unmade()
    return text


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        raise _unmade() from None


# Rows of a shape, read.


def _chat(row: Row) -> _Talk:
    return _Talk(_messages(row, "messages"), _extras(row, _EXTRAS))


def _completion(row: Row) -> _Talk:
    if isinstance(row.get("prompt"), list):
        messages = [*_messages(row, "prompt"), *_messages(row, "completion")]
        return _Talk(messages, _extras(row, ("tools",)))
    messages = [_said("user", _text(row, "prompt")), _said("assistant", _text(row, "completion"))]
    return _Talk(messages, {})


def _sharegpt(row: Row) -> _Talk:
    turns = row.get("conversations")
    if not isinstance(turns, list):
        raise _unmade()
    messages = [_said("system", _text(row, "system"))] if row.get("system") else []
    for turn in turns:
        if not isinstance(turn, dict) or _text(turn, "from") not in _SPEAKERS:
            raise _unmade()
        messages.append(_said(_SPEAKERS[turn["from"]], _text(turn, "value")))
    return _Talk(messages, {})


def _alpaca(row: Row) -> _Talk:
    messages = [_said("system", _text(row, "system"))] if row.get("system") else []
    history = row.get("history") or []
    if not isinstance(history, list | str | dict | tuple):
        raise _unmade()
    for turn in history:
        match turn:
            case [str(question), str(answer)]:
                messages += [_said("user", question), _said("assistant", answer)]
            case _:
                raise _unmade()
    task = _text(row, "instruction")
    if row.get("input"):
        task = f"{task}\n\n{_text(row, 'input')}"
    messages += [_said("user", task), _said("assistant", _text(row, "output"))]
    return _Talk(messages, {})


def _preference(row: Row) -> _Talk:
    given = row.get("input")
    if not isinstance(given, dict):
        raise _unmade()
    answers = (
        _one(_messages(row, "preferred_output")),
        _one(_messages(row, "non_preferred_output")),
    )
    return _Talk(_messages(given, "messages"), _extras(given, _EXTRAS[:2]), answers)


def _pairs(row: Row) -> _Talk:
    prompt = row.get("prompt")
    chosen, rejected = _answers(row, "chosen"), _answers(row, "rejected")
    if prompt is None:
        shared = _shared(chosen, rejected)
        if not shared:
            raise _unmade()
    elif isinstance(prompt, str):
        system = [one for one in chosen[:1] if one["role"] == "system"]
        shared = [*system, _said("user", prompt)]
    else:
        shared = _messages(row, "prompt")
    answers = _one(_after(shared, chosen)), _one(_after(shared, rejected))
    return _Talk(shared, _extras(row, ("tools",)), answers)


_PAIRS = ("preference", "pairs")
_DECODERS: Mapping[str, Callable[[Row], _Talk]] = {
    "chat": _chat,
    "completion": _completion,
    "preference": _preference,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "pairs": _pairs,
}


def _said(role: str, content: str) -> Row:
    return {"role": role, "content": content}


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise _unmade()
    return value


def _messages(row: Row, key: str) -> list[Row]:
    value = row.get(key)
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, list) or not all(
        isinstance(one, dict) and isinstance(one.get("role"), str) for one in value
    ):
        raise _unmade()
    return value


def _extras(row: Row, keys: Collection[str]) -> Row:
    found = {}
    for key in keys:
        value = row.get(key)
        if isinstance(value, str):
            value = _parsed(value) if value.strip() else None
        if value is not None and value != []:
            found[key] = value
    return found


def _parsed(text: str) -> Any:

    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        raise _unmade() from None


def _answers(row: Row, key: str) -> list[Row]:
    value = row.get(key)
    return [_said("assistant", value)] if isinstance(value, str) else _messages(row, key)


def _shared(chosen: list[Row], rejected: list[Row]) -> list[Row]:
    shared = []
    for one, other in zip(chosen[:-1], rejected[:-1], strict=False):
        if one != other:
            break
        shared.append(one)
    return shared


def _after(prompt: list[Row], answer: list[Row]) -> list[Row]:
    return answer[len(prompt) :] if answer[: len(prompt)] == prompt else answer


def _one(messages: list[Row]) -> Row:
    if len(messages) != 1 or messages[0]["role"] != "assistant":
        raise _unmade()
    return messages[0]


# Rows of a form, written.


def _to_chat(talk: _Talk) -> Row:
    answer = [talk.answers[0]] if talk.answers else []
    return {"messages": [*talk.messages, *answer], **talk.extras}


def _to_completion(talk: _Talk) -> Row:
    messages = _plain(talk)
    if [message["role"] for message in messages] != ["user", "assistant"]:
        raise _unmade()
    question, answer = map(_plain_text, messages)
    return {"prompt": question, "completion": answer}


def _to_sharegpt(talk: _Talk) -> Row:
    turns = []
    for message in _plain(talk):
        if message["role"] not in _TURNS:
            raise _unmade()
        turns.append({"from": _TURNS[message["role"]], "value": _plain_text(message)})
    return {"conversations": turns}


def _to_alpaca(talk: _Talk) -> Row:
    messages = _plain(talk)
    texts = [_plain_text(message) for message in messages]
    roles = [str(message["role"]) for message in messages]
    system = texts[0] if roles[:1] in (["system"], ["developer"]) else None
    if system is not None:
        texts, roles = texts[1:], roles[1:]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise _unmade()
    row: Row = {"instruction": texts[-2], "input": "", "output": texts[-1]}
    if system is not None:
        row["system"] = system
    if len(texts) > 2:
        row["history"] = [list(turn) for turn in zip(texts[:-2:2], texts[1:-2:2], strict=True)]
    return row


def _to_preference(talk: _Talk) -> Row:
    chosen, rejected = _pair(talk)
    return {
        "input": {"messages": talk.messages, **talk.extras},
        "preferred_output": [chosen],
        "non_preferred_output": [rejected],
    }


def _to_pairs(talk: _Talk) -> Row:
    chosen, rejected = _pair(talk)
    if "parallel_tool_calls" in talk.extras:
        raise _unmade()
    return {
        "prompt": talk.messages, "chosen": [chosen], "rejected": [rejected], **talk.extras,
    }  # fmt: skip


_ENCODERS: Mapping[str, Callable[[_Talk], Row]] = {
    "chat": _to_chat,
    "completion": _to_completion,
    "preference": _to_preference,
    "sharegpt": _to_sharegpt,
    "alpaca": _to_alpaca,
    "pairs": _to_pairs,
}


def _plain(talk: _Talk) -> list[Row]:
    if talk.extras:
        raise _unmade()
    return [*talk.messages, talk.answers[0]] if talk.answers else talk.messages


def _plain_text(message: Row) -> str:
    beyond = any(
        value is not None for key, value in message.items() if key not in ("role", "content")
    )
    content = message.get("content")
    if beyond or not isinstance(content, str):
        raise _unmade()
    return content


def _pair(talk: _Talk) -> tuple[Row, Row]:
    if talk.answers is None:
        raise _unmade()
    return talk.answers
