"""The answers of a file's rows go in; which of them repeat, and how often, comes out.

Training text stays inside: an answer gets out as text only if it repeats and is at most 40
characters long, as the labels of a classification are. Any other is told by its length alone,
unless the texts are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ftctl.domain.desired import Format
from ftctl.text.escape import backslashed

LONGEST_LABEL = 40  # characters
MOST_DIFFERENT = 200_000
"""Answers told apart at most, about 30 MB; those that first come later are only counted."""

_SPOKEN = ("text", "refusal")  # the keys of parts that hold what is said

LONGEST_SHOWN = 200  # characters of an answer, where texts are asked for


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that repeats; `text` only if it may be shown."""

    text: str | None
    characters: int
    rows: int
    share: float  # of the rows that have an answer


@dataclass(frozen=True, slots=True)
class AnswerShares:
    """The answers of a file. `different` is exact unless `complete` is false: then at least."""

    rows: int
    different: int
    complete: bool
    repeated: tuple[Answer, ...]


class Answers:
    """Counts equal answers by a hash, so that texts need not be kept."""

    def __init__(self, *, show_text: bool = False) -> None:
        self._show_text = show_text
        self._rows = 0
        self._counts: dict[int, int] = {}
        self._complete = True
        self._known: dict[int, tuple[str | None, int]] = {}  # of those that came twice

    def add(self, answer: str) -> None:
        self._rows += 1
        key = _hash(answer)
        count = self._counts.get(key, 0) + 1
        if count == 1 and len(self._counts) >= MOST_DIFFERENT:
            self._complete = False
            return
        self._counts[key] = count
        if count == 2:
            self._known[key] = (self._shown(answer), len(answer))

    def shares(self, most: int) -> AnswerShares:
        """The repeated answers, the most frequent first, at most so many."""
        found = [
            Answer(text, characters, self._counts[key], self._counts[key] / self._rows)
            for key, (text, characters) in self._known.items()
        ]
        found.sort(key=lambda one: (-one.rows, one.text is None, one.text or "", one.characters))
        return AnswerShares(self._rows, len(self._counts), self._complete, tuple(found[:most]))

    def _shown(self, answer: str) -> str | None:
        if self._show_text:
            cut = answer[:LONGEST_SHOWN]
            return backslashed(cut if cut == answer else f"{cut}…")
        return backslashed(answer) if len(answer) <= LONGEST_LABEL else None


def answer_of(row: Mapping[str, Any], form: Format) -> str | None:
    """The text that a row teaches to write last; None where there is none.

    A call to a function counts as its name and arguments. Rows for reinforcement teach no answer.
    """
    match form:
        case "completion":
            answer = row.get("completion")
            return answer if isinstance(answer, str) else None
        case "preference":
            return _last_learnt(row.get("preferred_output"))
        case "chat":
            return _last_learnt(row.get("messages"))
        case _:
            return None


def asked_in(row: Mapping[str, Any], form: Format) -> str:
    """The text of the last question: a user's, or the prompt; empty where there is none."""
    if form == "completion":
        return "\n".join(_texts(row.get("prompt")))
    holder = row.get("input") if form == "preference" else row
    messages = holder.get("messages") if isinstance(holder, dict) else None
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            return "\n".join(_texts(message.get("content")))
    return ""


def _last_learnt(messages: object) -> str | None:
    for message in reversed(messages if isinstance(messages, list) else []):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        if message.get("weight", 1) != 0:
            return _said(message)
    return None


def _said(message: Mapping[str, Any]) -> str | None:
    spoken = [*_texts(message.get("content")), *_texts(message.get("refusal")), *_calls(message)]
    return "\n".join(spoken) if spoken else None


def _texts(content: object) -> list[str]:
    """A string, or the texts of a list of parts."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    values = [part.get(key) for part in parts if isinstance(part, dict) for key in _SPOKEN]
    return [value for value in values if isinstance(value, str)]


def _calls(message: Mapping[str, Any]) -> list[str]:
    """Without their ids, which differ from row to row."""
    calls = message.get("tool_calls")
    wrapped = calls if isinstance(calls, list) else []
    functions = [call.get("function") for call in wrapped if isinstance(call, dict)]
    functions.append(message.get("function_call"))
    called = [(one.get("name"), one.get("arguments")) for one in functions if isinstance(one, dict)]
    return [
        f"{name}({said})"
        for name, said in called
        if isinstance(name, str | None) and isinstance(said, str)
    ]


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
