"""The pieces that a model says -> what its client gets to see of them, step by step.

A stream and a whole answer are made of the same steps, so that they cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from ftctl.emulator.chat.chat_request import Terms
from ftctl.emulator.chat.model_handle import GeneratedPiece
from ftctl.emulator.model.message_codec import Answer, decode_message

Finish = Literal["stop", "length", "tool_calls", "function_call"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Text without any of these says itself: only beside them can anything be encoded."""


class Tokens(Protocol):
    """The vocabulary of a model's base, in which a client's limit is counted."""

    def encode(self, text: str) -> list[int]:
        """The tokens of a text."""
        ...

    def decode(self, tokens: list[int]) -> str:
        """Their text."""
        ...


@dataclass(frozen=True, slots=True)
class CallDelta:
    """More of the call at this place; the name comes first, and once."""

    index: int
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What came since the last one; `finish` is in the last of all, which is never missing."""

    content: str = ""
    refusal: str = ""
    calls: tuple[CallDelta, ...] = ()
    content_tokens: tuple[GeneratedPiece, ...] = ()
    refusal_tokens: tuple[GeneratedPiece, ...] = ()
    finish: Finish | None = None


def deltas(pieces: Iterable[GeneratedPiece], terms: Terms, tokens: Tokens) -> Iterator[Delta]:
    """Ends with the pieces, at a stop sequence, or at the limit of tokens."""
    assembler = _DeltaAssembler(terms)
    for piece in limited(pieces, terms.most_tokens, tokens):
        delta = assembler.feed(piece)
        if delta != Delta():
            yield delta
        if delta.finish is not None:
            return


def limited(
    pieces: Iterable[GeneratedPiece], most: int | None, tokens: Tokens
) -> Iterator[GeneratedPiece]:
    """The pieces up to so many tokens of the whole text; the one that goes beyond is cut.

    An answer that takes up its last token ends by its length: no token is left to end it with.
    """
    text = ""
    size = 0
    for piece in pieces:
        size += len(piece.raw)
        # A token has at least one byte: until there are as many bytes, nothing need be counted.
        if most is not None and size >= most and (piece.text or piece.ended):
            encoded = tokens.encode(text + piece.text)
            if len(encoded) > most:
                # The last token may be half a character.
                kept = tokens.decode(encoded[:most]).rstrip("\ufffd")
                rest = kept[len(text) :]
                yield replace(piece, text=rest, raw=rest.encode(), ended="length")
                return
            if piece.ended and len(encoded) == most:
                piece = replace(piece, ended="length")  # noqa: PLW2901
        text += piece.text
        yield piece


class _DeltaAssembler:
    """Takes the pieces of one answer, to its end, and gives what each of them adds."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._text = ""
        self._plain = True
        self._answer = Answer("")
        self._shown = 0  # characters of the content that the client has
        self._refused = 0  # the same of the refusal
        self._sent: list[int | None] = []  # of each call's arguments; None: a call not let through
        self._waiting: list[tuple[int, GeneratedPiece]] = []  # each with its start in the content

    def feed(self, piece: GeneratedPiece) -> Delta:
        before = len(self._answer.content or "")
        self._text += piece.text
        self._plain = self._plain and not _CONTROL.search(piece.text)
        self._answer = Answer(self._text) if self._plain else decode_message(self._text)
        if self._terms.logprobs and piece.raw:
            self._wait(before, piece)
        content, stopped = self._content(final=piece.ended is not None)
        if stopped:
            return Delta(content, content_tokens=self._tokens(), finish="stop")
        refusal = (self._answer.refusal or "")[self._refused :]
        self._refused += len(refusal)
        return Delta(
            content=content,
            refusal=refusal,
            calls=tuple(self._calls(piece.ended)),
            content_tokens=self._tokens(),
            refusal_tokens=self._refusal_tokens(refusal, piece),
            finish=None if piece.ended is None else self._finish(piece.ended),
        )

    def _wait(self, before: int, piece: GeneratedPiece) -> None:
        """Keep the piece until its text is shown, if it is of the content; or so much as is."""
        answer = self._answer
        if answer.tool_calls or answer.function_call or answer.refusal is not None:
            piece = replace(piece, raw=(answer.content or "")[before:].encode())
        if piece.raw:
            self._waiting.append((before, piece))

    def _content(self, *, final: bool) -> tuple[str, bool]:
        """What may be shown by now, and whether a stop sequence came."""
        content = self._answer.content or ""
        stops = [
            (at + len(stop), at)
            for stop in self._terms.stop
            if (at := content.find(stop, self._shown)) >= 0
        ]
        # Of several, the one that was complete first ended the answer, however it was cut.
        end = min(stops)[1] if stops else len(content)
        if not stops and not final:
            end -= self._held(content)
        shown = content[self._shown : end]
        self._shown = end
        return shown, bool(stops)

    def _held(self, content: str) -> int:
        """How many characters at the end could be the start of a stop sequence."""
        unsent = len(content) - self._shown
        return max((_overlap(content, stop, unsent) for stop in self._terms.stop), default=0)

    def _tokens(self) -> tuple[GeneratedPiece, ...]:
        """The pieces whose text, or the start of it, the client has by now."""
        ready = [piece for start, piece in self._waiting if start < self._shown]
        self._waiting = self._waiting[len(ready) :]
        return tuple(ready)

    def _refusal_tokens(self, refusal: str, piece: GeneratedPiece) -> tuple[GeneratedPiece, ...]:
        shown = refusal and piece.raw and self._terms.logprobs
        return (replace(piece, raw=refusal.encode()),) if shown else ()

    def _calls(self, ended: str | None) -> Iterator[CallDelta]:
        answer = self._answer
        calls = (*answer.tool_calls, *((answer.function_call,) if answer.function_call else ()))
        for place, call in enumerate(calls):
            name = None
            if place == len(self._sent):
                # Until its arguments begin, a name may still be growing.
                unfinished = not call.arguments and place == len(calls) - 1
                if unfinished and ended != "stop":
                    return
                self._sent.append(0 if self._let_through(call.name) else None)
                name = call.name
            sent = self._sent[place]
            if sent is None:
                continue
            more = call.arguments[sent:]
            if more or name is not None:
                self._sent[place] = len(call.arguments)
                index = self._let_so_far(place)
                yield CallDelta(index, name, more)

    def _let_through(self, name: str) -> bool:
        choice = self._terms.choice
        return choice.permits(name) and self._let_so_far(len(self._sent)) < choice.most

    def _let_so_far(self, place: int) -> int:
        return sum(sent is not None for sent in self._sent[:place])

    def _finish(self, ended: Literal["stop", "length"]) -> Finish:
        choice = self._terms.choice
        # As the hosted service ends a call that was forced by its name (seen in 2025).
        if ended == "length" or choice.forced or not self._let_so_far(len(self._sent)):
            return ended
        return "tool_calls" if choice.wire == "tools" else "function_call"


def _overlap(content: str, stop: str, most: int) -> int:
    """How many characters at the end of the content, at most so many, start the stop sequence."""
    lengths = range(min(len(stop) - 1, most), 0, -1)
    return next((length for length in lengths if content.endswith(stop[:length])), 0)
