"""A training row or a request goes in; the tokens that are billed for it come out.

How a chat becomes tokens: a message is `<|im_start|>`, its role, `<|im_sep|>`, its content and
`<|im_end|>`, so three more than the texts. A name costs its own tokens and one. A request ends with
three that open the reply. This gives what the API itself counted for the chat in OpenAI's cookbook
(How_to_count_tokens_with_tiktoken): 129 with cl100k_base, 124 with o200k_base.

Nothing here raises, whatever the row: a part of the wrong type counts nothing. What is wrong with a
row is for others to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from ftctl.tokens.counter import Counter
from ftctl.tokens.images import ImageTokens, image_tokens

Form = Literal["chat", "completion", "preference", "reinforcement"]

FRAMING_TOKENS = 3  # of every message
NAME_TOKENS = 1  # of a name, beside its own

REPLY_TOKENS = 3
"""What opens the reply at the end of a request: a message's start, `assistant`, a separator."""

EXAMPLE_PRIMING_TOKENS = 3
"""The same three at the end of a training example: disputed, so they only count in `high`.

OpenAI's notebook on preparing chats for fine-tuning adds them to every example. An author who
found his counts equal to the dashboard's counts messages alone (amitness.com, 2025-03-15); no more
is public. A training example ends with the reply and leaves none to open, which speaks for him.
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a row's tokens are for. Those of tools and images are estimates."""

    messages: int
    tools: int
    images: int


@dataclass(frozen=True, slots=True)
class RowTokens:
    """A row's tokens in one epoch, before it is cut to the model's limit.

    `training` is what we expect to be billed; what is certain, or public, lets it be as few as
    `low` and as many as `high`. `assistant` are those that the model learns to write.
    """

    training: int
    low: int
    high: int
    parts: Parts
    assistant: int


def count_row(row: Mapping[str, object], form: Form, counter: Counter) -> RowTokens:
    """A training row's tokens.

    A preference row counts its input once and both outputs; that is our reading, nothing is public.
    So is that messages of weight 0 are billed like the others. Tools count as their compact JSON:
    how they are really written out is not public. For the one tool whose cost the cookbook shows
    that is too many, 86 for 68 (o200k_base). A reinforcement row counts its prompt; such
    training is billed by the hour, and its model writes the answers itself.
    """
    tally = _Tally(counter)
    match form:
        case "completion":
            tally.add_completion(row)
            return tally.row()
        case "preference":
            tally.add_chat(_mapping(row.get("input")), learned=False)
            tally.add_messages(row.get("preferred_output"))
            tally.add_messages(row.get("non_preferred_output"))
        case "chat":
            tally.add_chat(row)
        case "reinforcement":
            tally.add_chat(row, learned=False)
        case _:
            assert_never(form)
    return tally.row(disputed=EXAMPLE_PRIMING_TOKENS)


def texts_of(row: Mapping[str, object], into: list[str]) -> None:
    """Add the long texts that `count_row` will ask the counter for, or most of them."""
    for key, value in row.items():
        if type(value) is str:
            into.append(value)
        elif key == "input":
            texts_of(_mapping(value), into)
        elif key in _MESSAGES:
            for message in _items(value):
                _add_texts(_mapping(message), into)


_MESSAGES = frozenset({"messages", "preferred_output", "non_preferred_output"})


def _add_texts(message: Mapping[str, object], into: list[str]) -> None:
    content = message.get("content")
    if type(content) is str:
        into.append(content)
        if len(message) == 2:
            return
    parts = (_mapping(part).get("text") for part in _items(content))
    functions = (
        _mapping(_mapping(call).get("function")) for call in _items(message.get("tool_calls"))
    )
    arguments = (function.get("arguments") for function in functions)
    into.extend(text for text in (*parts, *arguments) if isinstance(text, str))


def prompt_tokens(messages: object, tools: object, counter: Counter) -> int:
    """The `prompt_tokens` that the API would report for a chat: exact without tools and images."""
    tally = _Tally(counter)
    tally.add_messages(messages)
    tally.add_tools(tools)
    return tally.row().training + REPLY_TOKENS


def completion_tokens(text: str, counter: Counter) -> int:
    """The `completion_tokens` of a reply: its text's alone."""
    return counter.text(text)


class _Tally:
    """Running sums, changed in place: a file has millions of messages."""

    __slots__ = ("counter", "images", "images_high", "images_low", "learned", "text", "tools")

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.text = self.learned = self.tools = 0  # the learned are part of the text
        self.images = self.images_low = self.images_high = 0

    def row(self, *, disputed: int = 0) -> RowTokens:
        sure = self.text + self.tools
        return RowTokens(
            training=sure + self.images,
            low=sure + self.images_low,
            high=sure + self.images_high + disputed,
            parts=Parts(self.text, self.tools, self.images),
            assistant=self.learned,
        )

    def add_completion(self, row: Mapping[str, object]) -> None:
        self.text += self._count(row.get("prompt"))
        self.learned = self._count(row.get("completion"))
        self.text += self.learned

    def add_chat(self, chat: Mapping[str, object], *, learned: bool = True) -> None:
        self.add_messages(chat.get("messages"), learned=learned)
        self.add_tools(chat.get("tools"))
        self.add_tools(chat.get("functions"))

    def add_messages(self, messages: object, *, learned: bool = True) -> None:
        count = self.counter.text
        for message in _items(messages):
            if type(message) is not dict:
                if isinstance(message, Mapping):  # to ask takes 0.3 µs
                    self._add_message(message, learned=learned)
                continue
            role, content = message.get("role"), message.get("content")
            if len(message) == 2 and type(content) is str and type(role) is str:  # nearly all are
                said = count(content)
                self.text += FRAMING_TOKENS + said + count(role)
                if learned and role == "assistant":
                    self.learned += said
            else:
                self._add_message(message, learned=learned)

    def add_tools(self, tools: object) -> None:
        if _items(tools):
            self.tools += self.counter.rendered(tools, _compact)

    def _add_message(self, message: Mapping[str, object], *, learned: bool) -> None:
        count = self.counter.text
        role, content = message.get("role"), message.get("content")
        said = count(content) if isinstance(content, str) else self._parts(content)
        if len(message) > 2 or "content" not in message:  # most are a role and a content
            said += self._count(message.get("refusal")) + self._calls(message)
            if isinstance(message.get("name"), str):
                self.text += NAME_TOKENS + self._count(message["name"])
        self.text += FRAMING_TOKENS + said + (count(role) if isinstance(role, str) else 0)
        if learned and role == "assistant" and message.get("weight") != 0:
            self.learned += said

    def _parts(self, parts: object) -> int:
        """Those of text and refusal, and image_url on the side; others count nothing."""
        said = 0
        for part in _items(parts):
            match _mapping(part):
                case {"type": "text", "text": text} | {"type": "refusal", "refusal": text}:
                    said += self._count(text)
                case {"type": "image_url", "image_url": image}:
                    self._add_image(image_tokens(image))
        return said

    def _add_image(self, image: ImageTokens) -> None:
        self.images += image.likely
        self.images_low += image.low
        self.images_high += image.high

    def _calls(self, message: Mapping[str, object]) -> int:
        """The names and arguments of a message's calls, in the newer form or the older."""
        if "tool_calls" not in message and "function_call" not in message:
            return 0
        called = [_mapping(call).get("function") for call in _items(message.get("tool_calls"))]
        functions = map(_mapping, (*called, message.get("function_call")))
        return sum(self._count(f.get("name")) + self._count(f.get("arguments")) for f in functions)

    def _count(self, text: object) -> int:
        return self.counter.text(text) if isinstance(text, str) else 0


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _mapping(value: object) -> Mapping[str, object]:
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def _compact(tools: object) -> str:
    try:
        return json.dumps(tools, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError, TypeError):  # too deep, or no JSON: no service takes it
        return ""
