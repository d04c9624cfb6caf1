"""A conversation or a pair of answers goes in; the row that says it in a form comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ftctl.data.convert.conversation import (
    Conversation,
    Message,
    PreferencePair,
    plain_text,
    refuse,
)
from ftctl.data.convert.recipe import Form

Row = dict[str, Any]


def encode_chat(what: Conversation | PreferencePair) -> Row:
    """Of a pair, the better answer."""
    if isinstance(what, PreferencePair):
        return {"messages": [*what.messages, what.chosen], **what.extras}
    return {"messages": what.messages, **what.extras}


def encode_completion(what: Conversation | PreferencePair) -> Row:
    messages = _plain(what)
    if [message["role"] for message in messages] != ["user", "assistant"]:
        roles = ", ".join(str(message["role"]) for message in messages[:6])
        hint = "keep it in the chat form"
        refuse(
            f"the messages are {roles}; prompt and completion say one question, one answer", hint
        )
    question, answer = (plain_text(one, f"messages[{at}]") for at, one in enumerate(messages))
    return {"prompt": question, "completion": answer}


_SPEAKERS = {"system": "system", "developer": "system", "user": "human", "assistant": "gpt"}


def encode_sharegpt(what: Conversation | PreferencePair) -> Row:
    turns = []
    for index, message in enumerate(_plain(what)):
        place = f"messages[{index}]"
        if message["role"] not in _SPEAKERS:
            refuse(f"{place} has a role that ShareGPT rows do not have", "keep it in the chat form")
        turns.append({"from": _SPEAKERS[message["role"]], "value": plain_text(message, place)})
    return {"conversations": turns}


def encode_alpaca(what: Conversation | PreferencePair) -> Row:
    messages = _plain(what)
    texts = [plain_text(one, f"messages[{index}]") for index, one in enumerate(messages)]
    roles = [str(message["role"]) for message in messages]
    system = texts[0] if roles[:1] in (["system"], ["developer"]) else None
    if system is not None:
        texts, roles = texts[1:], roles[1:]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        refuse("the messages are not questions and answers in turn", "keep it in the chat form")
    row: Row = {"instruction": texts[-2], "input": "", "output": texts[-1]}
    if system is not None:
        row["system"] = system
    if len(texts) > 2:
        row["history"] = [list(turn) for turn in zip(texts[:-2:2], texts[1:-2:2], strict=True)]
    return row


def encode_preference(what: Conversation | PreferencePair) -> Row:
    pair = _pair(what)
    return {
        "input": {"messages": pair.messages, **pair.extras},
        "preferred_output": [pair.chosen],
        "non_preferred_output": [pair.rejected],
    }


def encode_pairs(what: Conversation | PreferencePair) -> Row:
    pair = _pair(what)
    if "parallel_tool_calls" in pair.extras:
        refuse("parallel_tool_calls has no place in TRL's rows", "keep it in the preference form")
    answers = {"chosen": [pair.chosen], "rejected": [pair.rejected]}
    return {"prompt": pair.messages, **answers, **pair.extras}


ENCODERS: Mapping[Form, Callable[[Conversation | PreferencePair], Row]] = {
    "chat": encode_chat,
    "completion": encode_completion,
    "preference": encode_preference,
    "sharegpt": encode_sharegpt,
    "alpaca": encode_alpaca,
    "pairs": encode_pairs,
}


def _plain(what: Conversation | PreferencePair) -> list[Message]:
    if what.extras:
        refuse(f"the row has {next(iter(what.extras))!r}, which the wanted form cannot say",
               "keep it in the chat form")  # fmt: skip
    return [*what.messages, what.chosen] if isinstance(what, PreferencePair) else what.messages


def _pair(what: Conversation | PreferencePair) -> PreferencePair:
    if isinstance(what, Conversation):
        refuse("the row has one answer; a preference needs two", "use the chat form")
    return what
