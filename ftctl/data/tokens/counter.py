"""Text goes in; the number of its tokens comes out, exactly as tiktoken counts it."""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ftctl.data.tokens.vocabularies import find_vocabulary, read_tokens

if TYPE_CHECKING:
    import tiktoken

    from ftctl.data.tokens.bpe_pretokens import PretokenCounter

LONGEST_BLANK = 100_000
"""Characters; tiktoken's regex gives up somewhere between 600,000 and 1,000,000 blanks in a row."""

GENERATION_SIZE = 4_000_000  # characters; two generations of texts are remembered at most
LONGEST_REMEMBERED = 200_000  # characters; a longer text is hardly met twice
MOST_MEASURED = 32  # values that are known by their identity
ENTRY_SIZE = 100  # what an entry weighs beside its text, in characters

# White_Space of Unicode but CR and LF. `str.isspace` has four control characters more.
_BLANK = "\t\v\f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


Measure = Callable[[object, "Counter"], tuple[int, ...]]
"""Finds the tokens of a value from JSON, by a counter."""


class Counter:
    """Counts with one vocabulary, and remembers the texts that it met last.

    Text that looks like a special token (`<|endoftext|>`) is text like any other. A lone surrogate
    counts as U+FFFD, the replacement character, which is what tiktoken makes of it; a pair of them
    counts as the character that they stand for. Threads may share a counter.
    """

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self.encoding = encoding.name
        self._tiktoken = encoding
        self._remembered = _Remembered(self._count)
        self._pretokens: PretokenCounter | None = None
        self._measured: dict[int, tuple[object, tuple[int, ...]]] = {}  # the last, by identity
        self._by_content: dict[bytes, tuple[int, ...]] = {}
        self._content_size = 0
        self.text: Callable[[str], int] = self._remembered.__getitem__
        """The number of tokens of a text."""

    def texts(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each, counted together: several times as fast as one by one.

        Worth its while for a hundred kilobytes and more.
        """
        found = dict.fromkeys(texts, 0)
        find = self._remembered.find
        new = []
        for text in found:
            count = find(text)
            if count is None:
                new.append(text)
            else:
                found[text] = count
        for text, count in zip(new, self._count_all(new), strict=True):
            found[text] = count
            self._remembered.add(text, count)
        return [*map(found.__getitem__, texts)]

    def measured(self, value: object, measure: Measure) -> tuple[int, ...]:
        """What `measure` finds of a value, which is asked only for a value that is new.

        It is always the same function of a value that came from JSON and is not changed.
        """
        known = self._measured.get(id(value))
        if known is not None and known[0] is value:  # the checks make equal tools one object
            return known[1]
        try:
            # Nothing else is as fast and tells apart what JSON does: `==` takes 1 for true and for
            # 1.0, and has no order of keys. From version 3 on it would tell apart equal values.
            key = marshal.dumps(value, 2)  # type: ignore[arg-type]  # what it cannot write raises
        except ValueError:  # too deep, or not of JSON's plain types
            return measure(value, self)
        found = self._by_content.get(key)
        if found is None:
            found = measure(value, self)
            self._keep(key, found)
        if len(self._measured) == MOST_MEASURED or len(key) > LONGEST_REMEMBERED:
            self._measured.clear()  # at most one long value is kept from being freed
        self._measured[id(value)] = (value, found)
        return found

    def _keep(self, key: bytes, found: tuple[int, ...]) -> None:
        if len(key) > LONGEST_REMEMBERED:
            return
        self._content_size += len(key) + ENTRY_SIZE
        if self._content_size > GENERATION_SIZE:
            self._by_content.clear()
            self._content_size = len(key) + ENTRY_SIZE
        self._by_content[key] = found

    def _count(self, text: str) -> int:
        return len(self.encode(text))

    def _count_all(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        if max(map(len, texts)) > LONGEST_REMEMBERED:  # its words would take much memory at once
            short = [text for text in texts if len(text) <= LONGEST_REMEMBERED]
            counts = iter(self._count_all(short))
            return [
                next(counts) if len(text) <= LONGEST_REMEMBERED else self._count(text)
                for text in texts
            ]
        if self._pretokens is None:
            from ftctl.data.tokens.bpe_pretokens import PretokenCounter  # noqa: PLC0415 - it imports numpy: 0.1 s

            self._pretokens = PretokenCounter(self.encode)
        try:
            return self._pretokens.counts(texts)
        except UnicodeEncodeError:  # a lone surrogate in one of them: each on its own, then
            return [*map(self._count, texts)]

    def encode(self, text: str) -> list[int]:
        """The tokens."""
        if len(text) <= LONGEST_BLANK:
            return self._tiktoken.encode_ordinary(text)
        return encode_around_blanks(self._tiktoken, text, LONGEST_BLANK)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text; half a character becomes U+FFFD. KeyError for what is no token."""
        return self._tiktoken.decode(tokens)


@cache
def open_counter(encoding: str) -> Counter:
    """The process's counter for o200k_base or cl100k_base; VocabularyError if it cannot be had."""
    import tiktoken  # noqa: PLC0415 - it takes 30 ms, and many commands count nothing

    vocabulary = find_vocabulary(encoding)
    tokens = read_tokens(vocabulary)
    return Counter(
        tiktoken.Encoding(
            vocabulary.name,
            pat_str=quick_pattern(vocabulary.pattern),
            mergeable_ranks=dict(zip(tokens, range(len(tokens)), strict=True)),
            special_tokens=dict(vocabulary.special_tokens),
        )
    )


def quick_pattern(pattern: str) -> str:
    """The same pieces, found up to twice as fast.

    Only the last alternatives look ahead. tiktoken's regex tries each alternative on its own as
    long as any of them needs more than a plain automaton. In a group of their own those before
    become one automaton, which means the same. Possessive marks would keep them out of it, and
    change nothing: no alternative goes on with what the repetition before could give back.
    """
    plain, bar, looking_ahead = pattern.partition(r"|\s+(?!\S)")
    plain = re.sub(r"([?*+]|\{1,3\})\+", r"\1", plain)
    return f"(?:{plain}){bar}{looking_ahead}"


def encode_around_blanks(encoding: tiktoken.Encoding, text: str, longest: int) -> list[int]:
    """The text's tokens, with its runs of more than `longest` blanks kept from tiktoken's regex.

    Exact: both patterns make one piece of such a run, less its last blank if something follows,
    for that one joins what follows. A run that a line break ends is another piece, on which
    tiktoken does not give up.
    """
    tokens: list[int] = []
    at = 0
    for run in _blank_runs(longest).finditer(text):
        end = run.end() if run.end() == len(text) else run.end() - 1
        tokens += encoding.encode_ordinary(text[at : run.start()])
        # tiktoken's only way past its regex, and documented as such: without it the exact count
        # of such a text cannot be had.
        tokens += encoding._encode_single_piece(text[run.start() : end])  # noqa: SLF001
        at = end
    return tokens + encoding.encode_ordinary(text[at:])


@cache
def _blank_runs(longest: int) -> re.Pattern[str]:
    return re.compile(f"(?<![{_BLANK}])[{_BLANK}]{{{longest + 1},}}+(?![\r\n])")


class _Remembered(dict[str, int]):
    """Counts by text: those of the last two generations, so that memory has a bound.

    Training files repeat a few long texts in every row. Those are met again before their
    generation is dropped, and so move on to the next. The dictionary itself is the young one: a
    text in it is found with no call of Python.
    """

    __slots__ = ("_count", "_old", "_size")

    def __init__(self, count: Callable[[str], int]) -> None:
        super().__init__()
        self._count = count
        self._old: dict[str, int] = {}
        self._size = 0  # of the young generation, in characters

    def __missing__(self, text: str) -> int:
        count = self._old.get(text)
        if count is None:
            count = self._count(text)
        self.add(text, count)
        return count

    def find(self, key: str) -> int | None:
        count = self.get(key)
        if count is None:
            count = self._old.get(key)
            if count is not None:
                self.add(key, count)
        return count

    def add(self, key: str, count: int) -> None:
        if len(key) > LONGEST_REMEMBERED:
            return
        self[key] = count
        self._size += len(key) + ENTRY_SIZE
        if self._size > GENERATION_SIZE:
            self._old, self._size = dict(self), 0
            self.clear()
