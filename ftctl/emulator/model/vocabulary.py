"""Text -> the numbers of its pieces, and back: bytes, an end, and words found in the data.

Any text can be said, if need be byte by byte. A word carries the space before it. The numbers of
a vocabulary never change; a child's vocabulary only adds to its parent's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

BYTES = 256
END = 256
"""The number of the piece that ends an answer; it has no text."""
FIRST_WORD = 257

MOST_NEW_WORDS = 4_096
MOST_WORDS = 8_192
LONGEST_WORD = 32  # bytes

# Han and kana have no spaces between words: there a piece is one character.
_CUT = re.compile(
    r"[\x01-\x06\x10]"
    r"| ?[^\W\d_\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]+"
    r"| ?[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
    r"| ?\d{1,3}|\s+(?=\s)|\s| ?[^\w\s\x01-\x06\x10]{1,3}| ?_+"
)


class Vocabulary:
    """The pieces in the order of their numbers."""

    def __init__(self, words: tuple[bytes, ...] = ()) -> None:
        self.words = words
        self._numbers = {word: FIRST_WORD + place for place, word in enumerate(words)}

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    def encode(self, text: str, most: int) -> list[int]:
        """The numbers of the text's pieces and of the end; without the end if cut at `most`.

        Half of a surrogate pair has no bytes: it is learnt as a question mark.
        """
        numbers: list[int] = []
        for piece in _cut(text):
            number = self._numbers.get(piece)
            numbers.extend(piece if number is None else (number,))
            if len(numbers) >= most:
                return numbers[:most]
        return [*numbers, END]

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """Each number's bytes."""
        return (*(bytes([byte]) for byte in range(BYTES)), b"", *self.words)

    def extended(self, texts: Iterable[str]) -> Vocabulary:
        """With the words of the texts added, the more frequent ones first if not all have room."""
        counts = Counter(piece for text in texts for piece in _cut(text))
        fresh = [word for word in counts if word not in self._numbers and _worth(word)]
        fresh.sort(key=lambda word: (-counts[word], word))
        room = min(MOST_NEW_WORDS, MOST_WORDS - len(self.words))
        return Vocabulary(self.words + tuple(fresh[: max(0, room)]))


def _cut(text: str) -> Iterable[bytes]:
    for match in _CUT.finditer(text):
        yield match.group().encode("utf-8", "replace")


def _worth(word: bytes) -> bool:
    return 2 <= len(word) <= LONGEST_WORD


_FIRST_BYTES = (*range(0x80), *range(0xC2, 0xF5))


def may_follow(unfinished: bytes) -> Sequence[int]:
    """The bytes that keep a text UTF-8, given what is there of a character that was begun."""
    if not unfinished:
        return _FIRST_BYTES
    lowest, highest = {
        b"\xe0": (0xA0, 0xBF),
        b"\xed": (0x80, 0x9F),
        b"\xf0": (0x90, 0xBF),
        b"\xf4": (0x80, 0x8F),
    }.get(unfinished, (0x80, 0xBF))
    return range(lowest, highest + 1)


def unfinished(start: bytes, byte: int) -> bytes:
    """The character that was begun, after one more byte; empty once it is whole."""
    if not start:
        return bytes([byte]) if byte >= 0xC2 else b""
    length = 2 if start[0] < 0xE0 else 3 if start[0] < 0xF0 else 4
    longer = start + bytes([byte])
    return longer if len(longer) < length else b""
