"""Many texts go in; the tokens of each come out, counted word by word from a table.

tiktoken cuts a text with a regular expression and then encodes each piece on its own. Between some
characters that expression always cuts, whatever stands around them: before the blank of " word",
between a letter and a comma, around a number. Cutting there first leaves the number of tokens as it
is, and what lies between two cuts is nearly always a word that was met before. numpy finds the cuts
and looks up the words of half a megabyte at once; tiktoken sees only those that are new.

Where to cut holds for the expressions of o200k_base and cl100k_base alike:

* after a letter, a digit or a sign, before a blank: only blanks can precede a blank in a piece;
* after a letter, before a digit, a sign or white space; an apostrophe may continue a word ('s);
* around digits, which only join digits, and between one blank and a digit;
* after a sign, before white space or a digit;
* after a line break, before a letter, a digit or a sign; a slash may continue a line break;
* between two signs, or a blank and a sign, and a letter: the first of them has taken the second.

Beyond ASCII it cuts where the neighbour is certain: before a blank, if no white space precedes it,
and after a line break, if none follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import Any

from ftctl.numeric import NDArray, np

_LETTER, _DIGIT, _SIGN, _SLASH, _APOSTROPHE, _BLANK, _BREAK, _SPACE, _INNER, _LEAD, _BETWEEN = (
    range(11)
)
"""Classes of bytes: up to _SPACE those of ASCII, then bytes of longer characters, of which a _LEAD
begins one that is surely not white space, and what stands between two texts."""

_BETWEEN_TEXTS = b"\xff"  # no byte of UTF-8

_APART = "0"  # a digit joins nothing but digits: with one between them, words are counted apart
_FIRST_PLANE = "\uffff"  # its last character

_ALWAYS, _AFTER_TWO, _AFTER_ONE_BLANK, _AFTER_CHARACTER = 1, 2, 4, 8  # cuts, by what is looked at

_TABLE_BITS = 18
_LONGEST = 16  # bytes of a word in the table: two numbers of 64 bits
_MOST_OTHERS = 50_000  # other words that are remembered
_LONGEST_OTHER = 64  # bytes of one

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Words = NDArray[np.uint64]


class PretokenCounter:
    """Counts texts by their words, with a table of the words that `encode` was asked for.

    `encode` gives the tokens of a text. Threads may share it.
    """

    def __init__(self, encode: Callable[[str], Sequence[int]]) -> None:
        self._encode = encode
        (self._apart,) = encode(_APART)
        size = 1 << _TABLE_BITS
        self._heads = np.zeros(size, np.uint64)  # a word's first eight bytes
        self._tails = np.zeros(size, np.uint64)  # and the next eight
        # A word's length in bytes, and its tokens in the upper byte; 0: the place is free.
        self._sizes = np.zeros(size, np.uint16)
        self._others: dict[bytes, int] = {}
        self._lock = Lock()

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text. UnicodeEncodeError for a lone surrogate."""
        if not texts:
            return []
        encoded = [text.encode() for text in texts]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded)) + len(_BETWEEN_TEXTS)
        ends = np.cumsum(lengths)
        joined = _BETWEEN_TEXTS.join([*encoded, bytes(_LONGEST)])
        with self._lock:
            found, firsts = self._count_pretokens(joined, ends)
        found[firsts[1:] - 1] = 0  # what stands between two texts
        starts = firsts[:-1]
        return np.add.reduceat(found, starts).tolist() if len(found) else []

    def _count_pretokens(self, joined: bytes, ends: Places) -> tuple[Places, Places]:
        """The tokens of each piece; and which is the first of each text, and of what follows."""
        cuts = _cuts(joined, ends)
        places = np.append(cuts, ends[-1])
        starts, lengths = cuts, np.diff(places)
        heads, tails, long = _words(joined, starts, lengths)
        slots = _slots(heads, tails)
        sizes = self._sizes[slots]
        found = (sizes >> np.uint16(8)).astype(np.int64)
        known = (sizes & np.uint16(0xFF)) == lengths
        known &= self._heads[slots] == heads
        known[long] &= self._tails[slots[long]] == tails[long]
        numbers = _numbers(heads, tails, lengths)
        found[numbers] = (lengths[numbers] + 2) // 3
        known[numbers] = True
        self._look_beside(np.flatnonzero(~known), slots, lengths, heads, tails, found, known)
        new = np.flatnonzero(~known)
        if len(new):
            found[new] = self._look_up(joined, starts[new], lengths[new])
            self._remember(new[lengths[new] <= _LONGEST], slots, lengths, heads, tails, found)
        firsts = np.searchsorted(places, np.concatenate(([0], ends)))
        return found, firsts

    def _look_beside(  # noqa: PLR0917 - the arrays of one batch
        self,
        missing: Places,
        slots: Places,
        lengths: Places,
        heads: Words,
        tails: Words,
        found: Places,
        known: NDArray[np.bool_],
    ) -> None:
        """Find the words that stand in the place beside their own, which was taken."""
        at = slots[missing] ^ 1
        sizes = self._sizes[at]
        there = (sizes & np.uint16(0xFF)) == lengths[missing]
        there &= self._heads[at] == heads[missing]
        there &= self._tails[at] == tails[missing]
        found[missing[there]] = sizes[there] >> np.uint16(8)
        known[missing[there]] = True

    def _look_up(self, joined: bytes, starts: Places, lengths: Places) -> list[int]:
        """The tokens of words that are not in the table."""
        places = zip(starts.tolist(), lengths.tolist(), strict=True)
        words = [joined[start : start + length] for start, length in places]
        others = self._others
        if len(others) >= _MOST_OTHERS:
            others.clear()
        new = [word for word in dict.fromkeys(words) if word not in others]
        others.update(zip(new, self._count(new), strict=True))
        counts = [others[word] for word in words]
        for word in new:
            if len(word) > _LONGEST_OTHER:
                del others[word]
        return counts

    def _count(self, words: Sequence[bytes]) -> list[int]:
        """The tokens of each word; those of most by one call."""
        encode = self._encode
        texts = [word.decode() if word != _BETWEEN_TEXTS else "" for word in words]
        counts = dict.fromkeys(texts, 0)
        plain = [text for text in counts if text and _is_plain(text)]
        if plain:
            tokens = np.array(encode(_APART.join([*plain, ""])), np.int64)
            ends = np.flatnonzero(tokens == self._apart)
            counts.update(zip(plain, (np.diff(ends, prepend=-1) - 1).tolist(), strict=True))
        for text, count in counts.items():
            if text and not count:  # it was not plain
                counts[text] = len(encode(text))
        return [counts[text] for text in texts]

    def _remember(  # noqa: PLR0917 - the arrays of one batch
        self,
        new: Places,
        slots: Places,
        lengths: Places,
        heads: Words,
        tails: Words,
        found: Places,
    ) -> None:
        """Put words where the table has room: those that come first are the frequent ones."""
        at = slots[new]
        at ^= self._sizes[at] != 0  # the place beside it
        free = self._sizes[at] == 0
        # Of several that want one place one gets it, in all arrays.
        at, which = np.unique(at[free], return_index=True)
        new = new[free][which]
        self._heads[at] = heads[new]
        self._tails[at] = tails[new]
        self._sizes[at] = lengths[new] | (found[new] << 8)


def _is_plain(word: str) -> bool:
    """Whether a 0 before and after it is a piece of its own, and changes none of the word's."""
    first, last = word[0], word[-1]
    return not (
        _APART in word
        or last.isspace()  # how white space is cut depends on what follows
        # All of \p{N} is numeric; later Unicode has new digits, but all beyond the first plane.
        or first.isnumeric()
        or last.isnumeric()
        or first > _FIRST_PLANE
        or last > _FIRST_PLANE
    )


def _cuts(joined: bytes, ends: Places) -> Places:
    """Where pieces start; `ends` are those of the texts, each with what stands behind it."""
    # translate() is three times as fast as indexing an array of 256 by an array.
    classes = np.frombuffer(joined.translate(_classes()), np.uint8, int(ends[-1]))
    pairs = classes[:-1] << 4
    pairs |= classes[1:]
    cut = np.empty(len(classes), np.uint8)
    cut[1:] = np.frombuffer(pairs.tobytes().translate(_kinds()), np.uint8)
    cut[:3] &= _ALWAYS
    cut[0] = True
    unsure = np.flatnonzero(cut > _ALWAYS)
    kinds, before = cut[unsure], classes[unsure - 2]
    sure = (kinds == _AFTER_TWO) & ((before == _SIGN) | (before == _BLANK))
    sure |= (kinds == _AFTER_ONE_BLANK) & (before <= _APOSTROPHE)
    beyond = np.flatnonzero(kinds == _AFTER_CHARACTER)
    sure[beyond] = ~_ends_in_white_space(np.frombuffer(joined, np.uint8), unsure[beyond])
    cut[unsure] = sure
    cut[ends - 1] = True
    cut[ends[:-1]] = True
    return np.flatnonzero(cut.view(np.bool_))


def _ends_in_white_space(data: Bytes, places: Places) -> NDArray[np.bool_]:
    """Whether the character before each place, which is not of ASCII, is white space."""
    last, middle, first = data[places - 1], data[places - 2], data[places - 3]
    white: NDArray[np.bool_] = (
        ((middle == 0xC2) & ((last == 0x85) | (last == 0xA0)))
        | ((first == 0xE1) & (middle == 0x9A) & (last == 0x80))
        | (
            (first == 0xE2)
            & (middle == 0x80)
            & ((last <= 0x8A) | (last == 0xA8) | (last == 0xA9) | (last == 0xAF))
        )
        | ((first == 0xE2) & (middle == 0x81) & (last == 0x9F))
        | ((first == 0xE3) & (middle == 0x80) & (last == 0x80))
    )
    return white


def _words(joined: bytes, starts: Places, lengths: Places) -> tuple[Words, Words, Places]:
    """The first eight bytes of each piece as a number, and the next; and which pieces have more."""
    every: Words = np.ndarray((len(joined) - 7,), "<u8", joined, strides=(1,))
    masks = _masks()
    heads = every[starts] & masks[np.minimum(lengths, 8)]
    tails = np.zeros(len(starts), np.uint64)
    long = np.flatnonzero(lengths > 8)
    tails[long] = every[starts[long] + 8] & masks[np.minimum(lengths[long] - 8, 8)]
    return heads, tails, long


def _slots(heads: Words, tails: Words) -> Places:
    mixed = tails * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= heads
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed >>= np.uint64(64 - _TABLE_BITS)
    return mixed.astype(np.int64)


def _numbers(heads: Words, tails: Words, lengths: Places) -> Places:
    """Which pieces are plain numbers.

    Those have a token for every three digits: both vocabularies know all numbers of up to three.
    """
    digits: Places = np.flatnonzero((heads & np.uint64(0xFF)) - np.uint64(ord("0")) < 10)
    # A piece of ASCII that starts with a digit has nothing else.
    above = (heads[digits] | tails[digits]) & np.uint64(0x8080808080808080)
    numbers: Places = digits[(above == 0) & (lengths[digits] <= _LONGEST)]
    return numbers


@cache
def _masks() -> Words:
    return np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)


@cache
def _classes() -> bytes:
    classes = bytearray([_INNER]) * 256
    for byte in range(128):
        classes[byte] = _class_of(chr(byte))
    for byte in range(0xC3, 0xF5):
        if byte not in {0xE1, 0xE2, 0xE3}:  # with 0xC2 these begin all white space
            classes[byte] = _LEAD
    classes[_BETWEEN_TEXTS[0]] = _BETWEEN
    return bytes(classes)


def _class_of(character: str) -> int:
    if character.isalpha():
        return _LETTER
    if character.isdigit():
        return _DIGIT
    special = {"/": _SLASH, "'": _APOSTROPHE, " ": _BLANK, "\r": _BREAK, "\n": _BREAK}
    # \x1c to \x1f are white space for Python, and signs for the expressions.
    return special.get(character, _SPACE if character in "\t\v\f" else _SIGN)


@cache
def _kinds() -> bytes:
    """By the classes of two neighbours: whether there is a cut between them."""
    kinds: Any = np.zeros((16, 16), np.uint8)
    signs = [_SIGN, _SLASH, _APOSTROPHE]
    white = [_BLANK, _BREAK, _SPACE]
    for before, after in (
        ([_LETTER], [_DIGIT, _SIGN, _SLASH, *white]),
        ([_DIGIT], [_LETTER, *signs, *white]),
        (signs, [_DIGIT, _BLANK, _SPACE]),
        ([_BREAK], [_LETTER, _DIGIT, _SIGN, _APOSTROPHE, _LEAD]),
    ):
        kinds[np.ix_(before, after)] = _ALWAYS
    kinds[[_SIGN, _SLASH], _LETTER] = _AFTER_TWO
    kinds[_BLANK, _DIGIT] = _AFTER_ONE_BLANK
    kinds[_INNER, _BLANK] = _AFTER_CHARACTER
    flat: bytes = kinds.tobytes()
    return flat
