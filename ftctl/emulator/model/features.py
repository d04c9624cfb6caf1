"""A prompt, or the pieces said so far -> the numbered features that the model sees of them.

A feature's number is a hash of what it is, 32 bits wide. The last message counts in full: its
words, pairs of words, and the runs of letters in each word, so that a word never seen is still
like its relatives. Of what was said before, the words alone count.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar, cast
from zlib import crc32

from ftctl.emulator.model.examples import Prompt
from ftctl.numeric import NDArray, np

Numbers = NDArray[np.uint32]
Floats = NDArray[np.float32]

FIRST_WORDS, LAST_WORDS = 128, 256
"""Of a long message only so many words are read, from its start and from its end."""
MOST_BEFORE = 8
"""So many messages before the last one are read: the first, and the latest of the others."""
LONGEST = 24  # letters; a longer run of them is read as several words

WORD, PAIR, LETTERS, BEFORE = 1.0, 0.3, 0.55, 0.25
"""How much each kind of feature counts beside the others, before all are scaled to length 1."""

CONTEXT = 6
"""Features of each place in an answer."""

_WORDS = re.compile(r"[^\W_]{1,24}(?:['’][^\W_]{1,24})?|[^\w\s]")
_SHORTEST_RUN, _LONGEST_RUN = 4, 6
_FULL_WORD = 6  # letters; shorter words say less, and count less


def prompt_features(prompt: Prompt) -> tuple[Numbers, Floats]:
    """The features of a prompt, each once, and how strong each is; their squares add up to 1."""
    if not prompt:
        return np.zeros(0, np.uint32), np.zeros(0, np.float32)
    *before, last = prompt
    counted = _of_message(last.role, last.text)
    if len(before) > MOST_BEFORE:
        before = [before[0], *before[1 - MOST_BEFORE :]]
    for message in before:
        for number in _of_earlier(message.role, message.text):
            counted[number] = BEFORE
    numbers = np.fromiter(counted.keys(), np.uint32, len(counted))
    weights = np.fromiter(counted.values(), np.float32, len(counted))
    length = float(np.sqrt(weights @ weights))
    return numbers, weights / np.float32(length or 1.0)


def context_features(tokens: list[int]) -> Numbers:
    """The features of each place of an answer, (places, CONTEXT): what was said just before it."""
    padded = np.array([_NOTHING] * _BACK + tokens, np.uint64)
    count = len(tokens)
    last = [padded[_BACK - back : _BACK - back + count] for back in range(1, _BACK + 1)]
    place = np.minimum(np.arange(count, dtype=np.uint64), np.uint64(_LAST_PLACE))
    columns = [_mixed(place * 0 + _start(k), parts) for k, parts in enumerate(_kinds(place, last))]
    return np.stack(columns, axis=1).astype(np.uint32)


def next_context(tokens: list[int]) -> Numbers:
    """The features of the place behind the tokens, (1, CONTEXT): the same, without arrays."""
    last = ([_NOTHING] * _BACK + tokens[-_BACK:])[: -_BACK - 1 : -1]
    kinds = _kinds(min(len(tokens), _LAST_PLACE), last)
    return np.array([[_mixed(_start(k), parts) for k, parts in enumerate(kinds)]], np.uint32)


_BACK = 4  # pieces that a place looks back
_NOTHING = 0x7FFFFFFF
_LAST_PLACE = 12
"""From here on all places are the same."""

_Whole = TypeVar("_Whole", int, NDArray[np.uint64])


def _kinds(place: _Whole, last: list[_Whole]) -> tuple[list[_Whole], ...]:
    """What each of the CONTEXT features is made of; `last` has the latest piece first."""
    return [place], last[:1], last[1:2], last[:2], last[:3], last[:4]


def _start(kind: int) -> int:
    return (kind + 1) * 0x9E3779B1 & 0xFFFFFFFF


def _mixed(value: _Whole, parts: list[_Whole]) -> _Whole:
    """A hash of 32 bits; no product exceeds 64 bits, so integers and arrays agree."""
    for part in parts:
        mixed = ((value ^ part) * 0x85EBCA6B) & 0xFFFFFFFF
        mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        # An integer needs no cast; to mypy an array of uint64 comes out of this as signed.
        value = cast(_Whole, mixed ^ (mixed >> 16))  # type: ignore[redundant-cast]
    return value


def _of_message(role: str, text: str) -> dict[int, float]:
    words = _words(text)
    strengths: dict[int, float] = {crc32(f"role {role}".encode("utf-8", "replace")): BEFORE}
    for word in words:
        strength = LETTERS * _fullness(word)
        for number in _letters(word):
            strengths[number] = max(strengths.get(number, 0.0), strength)
    for word, following in pairwise(words):
        strength = PAIR * (_fullness(word) + _fullness(following)) / 2
        strengths[crc32(f"pair {word} {following}".encode("utf-8", "replace"))] = strength
    for word in words:
        strengths[crc32(f"word {word}".encode("utf-8", "replace"))] = WORD * _fullness(word)
    return strengths


def _fullness(word: str) -> float:
    """Short words are mostly those that every text has; in other scripts length says little."""
    short = word.isascii() and word.isalpha() and len(word) < _FULL_WORD
    return len(word) / _FULL_WORD if short else 1.0


@lru_cache(maxsize=256)
def _of_earlier(role: str, text: str) -> tuple[int, ...]:
    """The same system message stands before every row of most files."""
    words = dict.fromkeys(_words(text))
    return tuple(crc32(f"{role} {word}".encode("utf-8", "replace")) for word in words)


@lru_cache(maxsize=65_536)
def _letters(word: str) -> tuple[int, ...]:
    """The runs of letters in a word with its borders marked."""
    framed = f"<{word}>"
    shortest = _SHORTEST_RUN if word.isascii() else 2
    return tuple(
        crc32(f"run {framed[at : at + size]}".encode("utf-8", "replace"))
        for size in range(shortest, _LONGEST_RUN + 1)
        for at in range(len(framed) - size + 1)
    )


def _words(text: str) -> list[str]:
    words: list[str] = _WORDS.findall(_ends(text).casefold())
    if len(words) > FIRST_WORDS + LAST_WORDS:
        return words[:FIRST_WORDS] + words[-LAST_WORDS:]
    return words


def _ends(text: str) -> str:
    """Enough of a very long text to find the words in that count."""
    most = (FIRST_WORDS + LAST_WORDS) * (LONGEST + 1)
    return text if len(text) <= 2 * most else f"{text[:most]} {text[-most:]}"
