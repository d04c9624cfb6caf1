"""Rows go in, one at a time and in any number; a file's Statistics come out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftctl.catalog import load_catalog
from ftctl.data.formats.formats import format_of
from ftctl.data.formats.message import role_of
from ftctl.data.quality.languages import LANGUAGES, language_of
from ftctl.data.stats.answers import Answers, answer_of, asked_in
from ftctl.data.stats.distribution import distribution_of, histogram
from ftctl.data.stats.row_tokens import BaseModel, measure
from ftctl.data.stats.summary import Statistics, Tokens, Training
from ftctl.domain.desired import Format

MOST_ANSWERS = 100  # told of those that repeat
UNKNOWN = "unknown"
UNTOLD = "untold"  # too short, or mixed, or names and code
_WITH_MESSAGES = ("chat", "reinforcement")
_OUTPUTS = ("preferred_output", "non_preferred_output")
MOST_NAMES = 1_000
OTHER = "(other)"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Collector:
    """Its size grows with what is different in the rows, and has a bound, never with the rows."""

    def __init__(self, base: BaseModel, *, show_text: bool = False) -> None:
        self.base = base
        self.rows = 0
        self._counter = base.counter()
        self._form: Format | None = None  # of the first row: it settles chat or reinforcement
        self._formats: dict[str, int] = {}
        self._lengths: dict[int, int] = {}  # tokens of a row -> rows
        self._messages: dict[int, int] = {}  # messages of a row -> rows
        self._billed = self._low = self._high = self._learnt = self._cut = 0
        self._languages: dict[str, int] = {}
        self._roles: dict[str, int] = {}
        self._declared, self._calls = NameCounts(), NameCounts()
        self._tool_rows = self._named = self._images = self._image_rows = 0
        self._answers = Answers(show_text=show_text)

    def add(self, row: Mapping[str, Any]) -> None:
        """A row as it was read; whatever is wrong with it counts as nothing."""
        self.rows += 1
        form = self._form_of(row)
        _count(self._formats, form or UNKNOWN)
        if form is None:
            return
        self._add_tokens(row, form)
        self._add_tools(row)
        self._add_messages(row)
        _count(self._languages, language_of(asked_in(row, form)) or UNTOLD)
        answer = answer_of(row, form)
        if answer is not None:
            self._answers.add(answer)

    def statistics(self, path: str, sha256: str, size: int, unreadable: int) -> Statistics:
        """What was collected, of a file with that path, hash and number of bytes."""
        tokens = Tokens(
            sum(self._lengths.values()),
            self._billed,
            self._low,
            self._high,
            self._learnt,
            self._cut,
            distribution_of(self._lengths),
            histogram(self._lengths),
        )
        return Statistics(
            path=path,
            sha256=sha256,
            bytes=size,
            rows=self.rows,
            unreadable=unreadable,
            formats=dict(sorted(self._formats.items())),
            base=self.base,
            tokens=tokens,
            training=self._training(tokens),
            messages=distribution_of(self._messages),
            roles=dict(sorted(self._roles.items())),
            languages=_by_rows(self._languages),
            tool_rows=self._tool_rows,
            declared=self._declared.counts(),
            calls=self._calls.counts(),
            named=self._named,
            images=self._images,
            image_rows=self._image_rows,
            answers=self._answers.shares(MOST_ANSWERS),
        )

    def _training(self, tokens: Tokens) -> Training | None:
        """Reinforcement is billed by the hour."""
        if not tokens.rows or self._form == "reinforcement":
            return None
        epochs = default_epochs(tokens.rows)
        return Training(epochs, tokens.billed * epochs, tokens.low * epochs, tokens.high * epochs)

    def _form_of(self, row: Mapping[str, Any]) -> Format | None:
        found = format_of(dict(row))
        if self._form is None:
            self._form = found
        alike = found in _WITH_MESSAGES and self._form in _WITH_MESSAGES
        return self._form if alike else found

    def _add_tokens(self, row: Mapping[str, Any], form: Format) -> None:
        found = measure(row, form, self._counter, self.base.context)
        _count(self._lengths, found.length)
        self._billed += found.billed
        self._low += found.low
        self._high += found.high
        self._learnt += found.learnt
        self._cut += found.cut

    def _add_tools(self, row: Mapping[str, Any]) -> None:
        names = [*_declared(row), *_declared(row.get("input"))]
        self._tool_rows += bool(names)
        for name in names:
            self._declared.add(name)

    def _add_messages(self, row: Mapping[str, Any]) -> None:
        number = images = 0
        for message in _messages(row):
            number += 1
            _count(self._roles, role_of(message) or OTHER)
            images += _images(message)
            self._named += isinstance(message, dict) and isinstance(message.get("name"), str)
            for name in _called(message):
                self._calls.add(name)
        _count(self._messages, number)
        self._images += images
        self._image_rows += bool(images)


class NameCounts:
    """Counts names that read like names; all else counts as other, and never gets out as text."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, name: object) -> None:
        known = name if isinstance(name, str) and _NAME.fullmatch(name) else OTHER
        if known not in self._counts and len(self._counts) >= MOST_NAMES:
            known = OTHER
        self._counts[known] = self._counts.get(known, 0) + 1

    def counts(self) -> Mapping[str, int]:
        """The most frequent first, else by name."""
        return dict(sorted(self._counts.items(), key=lambda item: (-item[1], item[0])))


def default_epochs(rows: int) -> int:
    """The epochs that OpenAI is said to choose for so many rows when it is asked to."""
    rule = load_catalog().epoch_rule("openai")
    assert rule is not None, "catalog.json has OpenAI's rule"
    return rule.epochs(rows)


def _by_rows(languages: Mapping[str, int]) -> Mapping[str, int]:
    """By name, the most frequent first."""
    named = ((LANGUAGES.get(code, code), rows) for code, rows in languages.items())
    return dict(sorted(named, key=lambda item: (-item[1], item[0])))


def _count(counts: dict[Any, int], key: object) -> None:
    counts[key] = counts.get(key, 0) + 1


def _messages(row: Mapping[str, Any]) -> Iterator[Any]:
    inner = row.get("input")
    lists = [row.get("messages"), inner.get("messages") if isinstance(inner, dict) else None]
    for messages in (*lists, *(row.get(key) for key in _OUTPUTS)):
        if isinstance(messages, list):
            yield from messages


def _declared(holder: object) -> Iterator[object]:
    """The names of the functions that a row, or its input, declares."""
    if isinstance(holder, Mapping):
        for tool in _items(holder.get("tools")):
            yield _named(tool.get("function") if isinstance(tool, dict) else None)
        for function in _items(holder.get("functions")):
            yield _named(function)


def _called(message: object) -> Iterator[object]:
    if isinstance(message, dict):
        for call in _items(message.get("tool_calls")):
            yield _named(call.get("function") if isinstance(call, dict) else None)
        if message.get("function_call") is not None:
            yield _named(message["function_call"])


def _named(function: object) -> object:
    return function.get("name") if isinstance(function, dict) else None


def _images(message: object) -> int:
    content = message.get("content") if isinstance(message, dict) else None
    parts = _items(content)
    return sum(1 for part in parts if isinstance(part, dict) and part.get("type") == "image_url")


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
