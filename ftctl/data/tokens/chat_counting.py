"""A training row or a request goes in; the tokens that are billed for it come out.

How a chat becomes tokens: a message is `<|im_start|>`, its role, `<|im_sep|>`, its content and
`<|im_end|>`, so three more than the texts. A name costs its own tokens and one. A request ends with
three that open the reply. This gives what the API itself counted for the chat in OpenAI's cookbook
(How_to_count_tokens_with_tiktoken): 129 with cl100k_base, 124 with o200k_base.

Nothing here raises, whatever the row: a part of the wrong type counts nothing. What is wrong with a
row is for others to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple, assert_never

from ftctl.data.tokens.counter import Counter
from ftctl.data.tokens.image_tokens import ImageTokens, image_tokens
from ftctl.data.tokens.tool_tokens import tool_tokens

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


class Parts(NamedTuple):
    """What a row's tokens are for. Those of tools and images are estimates."""

    messages: int
    tools: int
    images: int


class RowTokens(NamedTuple):
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
    So is that messages of weight 0 are billed like the others. Tools make a range, since how they
    are written out is not public: see `tool_tokens`. A reinforcement row counts its prompt; such
    training is billed by the hour, and its model writes the answers itself.
    """
    return _bill(row, form, counter).total_alone()


class TokenBatch:
    """Rows that are counted together, which is several times as fast as `count_row` for each."""

    def __init__(self, form: Form, counter: Counter) -> None:
        self._form: Form = form
        self._counter = counter
        self._bills: list[_Bill] = []

    def add(self, row: Mapping[str, object]) -> None:
        """Add a row."""
        self._bills.append(_bill(row, self._form, self._counter))

    def tokens(self) -> list[RowTokens]:
        """The tokens of each row, in order."""
        bills = self._bills
        texts: list[str] = []
        for bill in bills:
            texts += bill.others
            texts += bill.learned
        counts = iter(self._counter.texts(texts))
        return [
            bill.total(
                sum(islice(counts, len(bill.others))),
                sum(islice(counts, len(bill.learned))),
            )
            for bill in bills
        ]


def prompt_tokens(messages: object, tools: object, counter: Counter) -> int:
    """The `prompt_tokens` that the API would report for a chat; tools and images are estimates."""
    bill = _Bill(counter)
    bill.add_messages(messages)
    bill.add_tools(tools)
    return bill.total_alone().training + REPLY_TOKENS


def completion_tokens(text: str, counter: Counter) -> int:
    """The `completion_tokens` of a reply: its text's alone."""
    return counter.text(text)


def _bill(row: Mapping[str, object], form: Form, counter: Counter) -> _Bill:
    bill = _Bill(counter)
    match form:
        case "completion":
            bill.disputed = 0
            bill.add_text(row.get("prompt"), bill.others)
            bill.add_text(row.get("completion"), bill.learned)
        case "preference":
            bill.add_chat(_mapping(row.get("input")), learned=False)
            bill.add_messages(row.get("preferred_output"))
            bill.add_messages(row.get("non_preferred_output"))
        case "chat":
            bill.add_chat(row)
        case "reinforcement":
            bill.add_chat(row, learned=False)
        case _:
            assert_never(form)
    return bill


class _Bill:
    """What a row has to be counted, changed in place: a file has millions of messages.

    `learned` are the texts that the model learns to write, `others` the other ones. Roles, whose
    tokens are known, and what frames a message are `fixed`.
    """

    __slots__ = (
        *("counter", "disputed", "fixed", "images", "images_high", "images_low"),
        *("learned", "others", "tools", "tools_high", "tools_low"),
    )

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.others: list[str] = []
        self.learned: list[str] = []
        self.fixed = self.images = self.images_low = self.images_high = 0
        self.tools = self.tools_low = self.tools_high = 0
        self.disputed = EXAMPLE_PRIMING_TOKENS

    def total_alone(self) -> RowTokens:
        count = self.counter.text
        return self.total(sum(map(count, self.others)), sum(map(count, self.learned)))

    def total(self, others: int, learned: int) -> RowTokens:
        """The row's tokens, given those of its texts."""
        text = self.fixed + others + learned
        return RowTokens(
            text + self.tools + self.images,
            text + self.tools_low + self.images_low,
            text + self.tools_high + self.images_high + self.disputed,
            Parts(text, self.tools, self.images),
            learned,
        )

    def add_text(self, text: object, texts: list[str]) -> None:
        if isinstance(text, str):
            texts.append(text)

    def add_chat(self, chat: Mapping[str, object], *, learned: bool = True) -> None:
        self.add_messages(chat.get("messages"), learned=learned)
        self.add_tools(chat.get("tools"))
        self.add_tools(chat.get("functions"))

    def add_messages(self, messages: object, *, learned: bool = True) -> None:
        count = self.counter.text
        own = self.learned if learned else self.others
        for message in _items(messages):
            if type(message) is not dict:
                if isinstance(message, Mapping):  # to ask takes 0.3 µs
                    self._add_message(message, own)
                continue
            role, content = message.get("role"), message.get("content")
            if len(message) == 2 and type(content) is str and type(role) is str:  # nearly all are
                (own if role == "assistant" else self.others).append(content)
                self.fixed += FRAMING_TOKENS + count(role)
            else:
                self._add_message(message, own)

    def add_tools(self, tools: object) -> None:
        if _items(tools):
            likely, low, high = self.counter.measured(tools, tool_tokens)
            self.tools += likely
            self.tools_low += low
            self.tools_high += high

    def _add_message(self, message: Mapping[str, object], own: list[str]) -> None:
        """`own` are the texts that an assistant's join."""
        role, content = message.get("role"), message.get("content")
        texts = own if role == "assistant" and message.get("weight") != 0 else self.others
        self.fixed += FRAMING_TOKENS
        if isinstance(role, str):
            self.fixed += self.counter.text(role)
        if isinstance(content, str):
            texts.append(content)
        elif content is not None:
            self._add_parts(content, texts)
        if len(message) > 2 or "content" not in message:  # most are a role and a content
            self.add_text(message.get("refusal"), texts)
            self._add_calls(message, texts)
            if isinstance(message.get("name"), str):
                self.fixed += NAME_TOKENS
                self.add_text(message["name"], self.others)

    def _add_parts(self, parts: object, texts: list[str]) -> None:
        """Those of text and refusal, and image_url on the side; others count nothing."""
        for part in _items(parts):
            match _mapping(part):
                case {"type": "text", "text": text} | {"type": "refusal", "refusal": text}:
                    self.add_text(text, texts)
                case {"type": "image_url", "image_url": image}:
                    self._add_image(image_tokens(image))

    def _add_image(self, image: ImageTokens) -> None:
        self.images += image.likely
        self.images_low += image.low
        self.images_high += image.high

    def _add_calls(self, message: Mapping[str, object], texts: list[str]) -> None:
        """The names and arguments of a message's calls, in the newer form or the older."""
        for call in _items(message.get("tool_calls")):
            self._add_call(_mapping(call).get("function"), texts)
        if "function_call" in message:
            self._add_call(message["function_call"], texts)

    def _add_call(self, function: object, texts: list[str]) -> None:
        called = _mapping(function)
        self.add_text(called.get("name"), texts)
        self.add_text(called.get("arguments"), texts)


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _mapping(value: object) -> Mapping[str, object]:
    return value if type(value) is dict or isinstance(value, Mapping) else {}
