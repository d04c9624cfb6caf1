"""A row goes in; short hashes that tell which rows are alike, and in what, come out."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from ftctl.data.quality.fold import folded, words_of
from ftctl.data.quality.similar import signature_of

Row = dict[str, Any]

MOST_SIGNED = 100_000  # rows; beyond, near duplicates would cost more time than all the rest


def hash64(purpose: bytes, *parts: bytes) -> int:
    """64 bits that depend on the purpose and on all parts, and on nothing else."""
    made = blake2b(digest_size=8, person=purpose)
    for part in parts:
        made.update(b"%d:" % len(part))
        made.update(part)
    return int.from_bytes(made.digest(), "big")


class RowSimilarity:
    """What division needs to know of every row: some 40 bytes each, or 150 with signatures."""

    def __init__(self, *, signed: bool) -> None:
        self.content = array("Q")  # the row's bytes
        self.question = array("Q")  # what is asked, folded, without system messages
        self.answer = array("Q")  # what is answered, folded
        self.conversation = array("Q")  # question and answer together
        self.earlier: list[tuple[int, int]] = []  # (row, a conversation that the row goes on from)
        # Of each question, to find near duplicates by; None where nobody asks or there are too many
        self._asked = signed
        self.signatures: dict[int, bytes] | None = {} if signed else None

    def __len__(self) -> int:
        return len(self.content)

    def add(self, row: Row, line: bytes) -> None:
        index = len(self.content)
        self.content.append(hash64(b"row", line))
        self.answer.append(hash64(b"answer", _answer(row)))
        if not self._asked:  # a sample asks only what rows are and answer
            return
        asked, turns = _question(row), list(_turns(row))
        question = hash64(b"question", asked)
        self.question.append(question)
        self.conversation.append(turns[-1] if turns else hash64(b"row", line))
        self.earlier += [(index, conversation) for conversation in turns[:-1]]
        if self.signatures is not None and question not in self.signatures:
            self.signatures[question] = signature_of(
                words_of(asked.decode("utf-8", "surrogatepass"))
            )
            if len(self.signatures) > MOST_SIGNED:
                self.signatures = None


def _question(row: Row) -> bytes:
    match row:
        case {"messages": [*messages]}:
            return b"\n".join(_asked_texts(messages[: _last_answer(messages)]))
        case {"input": {"messages": [*messages]}}:
            return b"\n".join(_asked_texts(messages))
        case {"prompt": str(prompt)}:
            return _folded(prompt)
    return _json(row)


def _last_answer(messages: list[Any]) -> int:
    """Where the last assistant message stands; behind all others when there is none."""
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], dict) and messages[index].get("role") == "assistant":
            return index
    return len(messages)


def _asked_texts(messages: list[Any]) -> Iterator[bytes]:
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "developer"):
            yield b"%b %b" % (_json(role), _content(message))


def _content(message: Any) -> bytes:
    """A message's text, folded; what is no text counts as it is written."""
    if not isinstance(message, dict):
        return _json(message)
    content = message.get("content")
    beyond = {key: value for key, value in message.items()
              if key not in ("role", "content", "weight", "name") and value}  # fmt: skip
    text = _folded(content) if isinstance(content, str) else _json(content)
    return b"%b %b" % (text, _json(beyond)) if beyond else text


def _folded(text: str) -> bytes:
    """Never empty for a text that is not: a question may be nothing but signs."""
    return folded(text) or text.encode("utf-8", "surrogatepass")


def _answer(row: Row) -> bytes:
    """What rows are grouped by that have the same answer."""
    match row:
        case {"preferred_output": [*outputs]}:
            return b"\n".join(_content(output) for output in outputs)
        case {"messages": [*messages]}:
            at = _last_answer(messages)
            if at < len(messages):
                return _content(messages[at])
            return _json({key: value for key, value in row.items() if key != "messages"})
        case {"completion": str(completion)}:
            return _folded(completion)
    return b""


def _turns(row: Row) -> Iterator[int]:
    """A hash of the conversation up to each of its answers."""
    messages = row.get("messages")
    if not isinstance(messages, list):
        return
    so_far = b""
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("system", "developer"):
            continue
        turn = hash64(b"talk", so_far, _json(role), _content(message))
        so_far = turn.to_bytes(8, "big")
        if role == "assistant":
            yield turn


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return text.encode("ascii")
