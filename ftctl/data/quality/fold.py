"""A text goes in; its bytes without what people do not read as a difference, or a hash, come out.

Case, widths, spaces and the punctuation of sentences are no difference. Signs that reckon, and what
parts numbers, are: '5 + 3' is not '5 - 3', and '1.5' is not '15'.
"""

from __future__ import annotations

import unicodedata
from hashlib import blake2b
from string import ascii_lowercase, ascii_uppercase, digits, whitespace

_NOTHING = (whitespace + ".,;:!?\"'()").encode()  # what is folded away, or to a space
_UPPER, _LOWER = ascii_uppercase.encode(), ascii_lowercase.encode()
_CASE = bytes.maketrans(_UPPER, _LOWER)
_WORDS = bytes.maketrans(_UPPER + _NOTHING, _LOWER + b" " * len(_NOTHING))
_NO_DIGITS = bytes(set(range(256)) - set(digits.encode()))
_TYPOGRAPHIC = (*"‘’“”«»„。…–", "\u2014")


def folded(text: str) -> bytes:
    """The same bytes for texts that read the same. They are a key, not a text."""
    raw = _plain(text)
    if raw.translate(None, _NO_DIGITS):  # between numbers the spaces count
        return b" ".join(raw.translate(_WORDS).split())
    return raw.translate(_CASE, _NOTHING)


def words_of(text: str) -> list[bytes]:
    """The text's words, folded likewise."""
    return _plain(text).translate(_WORDS).split()


def key_of(text: bytes) -> int:
    """64 bits that stand for the text; the same on every machine and day."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def _plain(text: str) -> bytes:
    """With one form for each letter; the case of ASCII letters is left to a faster hand."""
    if text.isascii():
        return text.encode()
    if not unicodedata.is_normalized("NFKC", text):  # to look is three times as fast as to do it
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold()
    for sign in _TYPOGRAPHIC:
        if sign in text:
            text = text.replace(sign, " ")
    return text.encode("utf-8", "surrogatepass")
