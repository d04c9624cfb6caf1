"""Text of others in; the letters in it that only look like ASCII ones, and what it looks like, out.

Source of the table: Unicode Security Mechanisms (UTS #39), confusables.txt 13.0.0 (2020-02-13);
kept are single letters and signs of the Basic Multilingual Plane that look like an ASCII one, of
scripts that are read beside Latin. See NOTICE.md beside this file for the licence.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from ftctl.text.invisible import INVISIBLE

# By what it looks like. What Unicode itself takes apart, as the letters of full width, is not here.
_LOOK_ALIKES = {
    "-": "\u02d7\u2010\u2011\u2012\u2013\u2043\u2212\ufe58",
    ".": "\ua4f8",
    "/": "\u2044\u2215\u2571\u27cb\u29f8",
    "2": "\u01a7\u03e8\u14bf\ua644\ua75a",
    "3": "\u01b7\u021c\u0417\u04e0\u2ccc\ua76a\ua7ab",
    "4": "\u13ce",
    "5": "\u01bc",
    "6": "\u0431\u13ee\u2cd2",
    "8": "\u0222\u0223",
    "9": "\u2cca\ua76e",
    "A": "\u0391\u0410\u13aa\u15c5\ua4ee",
    "B": "\u0392\u0412\u13f4\u15f7\ua4d0\ua7b4",
    "C": "\u03f9\u0421\u13df\u2ca4\ua4da",
    "D": "\u13a0\u15de\u15ea\ua4d3",
    "E": "\u0395\u0415\u13ac\u2d39\ua4f0",
    "F": "\u03dc\u15b4\ua4dd\ua798",
    "G": "\u050c\u13c0\u13f3\ua4d6",
    "H": "\u0397\u041d\u13bb\u157c\u2c8e\ua4e7",
    "I": "\u0196\u0399\u0406\u04c0",
    "J": "\u037f\u0408\u13ab\u148d\ua4d9\ua7b2",
    "K": "\u039a\u041a\u13e6\u2c94\ua4d7",
    "L": "\u13de\u14aa\u2cd0\ua4e1",
    "M": "\u039c\u03fa\u041c\u13b7\u15f0\u2c98\ua4df",
    "N": "\u039d\u2c9a\ua4e0",
    "O": "\u039f\u041e\u0555\u2c9e\u2d54\ua4f3",
    "P": "\u03a1\u0420\u13e2\u146d\u2ca2\ua4d1",
    "Q": "\u2d55",
    "R": "\u01a6\u13a1\u13d2\u1587\ua4e3",
    "S": "\u0405\u054f\u13d5\u13da\ua4e2",
    "T": "\u03a4\u0422\u13a2\u2ca6\ua4d4",
    "U": "\u054d\u144c\ua4f4",
    "V": "\u0474\u13d9\u142f\u2d38\ua4e6",
    "W": "\u051c\u13b3\u13d4\ua4ea",
    "X": "\u03a7\u0425\u2cac\u2d5d\ua4eb\ua7b3",
    "Y": "\u03a5\u0423\u04ae\u13a9\u13bd\u2ca8\ua4ec",
    "Z": "\u0396\u13c3\ua4dc",
    "_": "\u07fa",
    "a": "\u0251\u03b1\u0430",
    "b": "\u0184\u042c\u13cf\u1472\u15af",
    "c": "\u03f2\u0441\u1d04\u2ca5\uabaf",
    "d": "\u0501\u13e7\u146f\ua4d2",
    "e": "\u0435\u04bd\uab32",
    "f": "\u0584\u1e9d\ua799\uab35",
    "g": "\u018d\u0261\u0581\u1d83",
    "h": "\u04bb\u0570\u13c2",
    "i": "\u0131\u0269\u026a\u03b9\u0456\u04cf\u13a5\ua647\uab75",
    "j": "\u03f3\u0458",
    "l": "\u01c0\u2c92\u2d4f\ua4f2",
    "n": "\u0578\u057c",
    "o": "\u03bf\u03c3\u043e\u0585\u10ff\u1d0f\u1d11\u2c9f\uab3d",
    "p": "\u03c1\u03f1\u0440\u2ca3",
    "q": "\u051b\u0563\u0566",
    "r": "\u0433\u1d26\u2c85\uab47\uab48\uab81",
    "s": "\u01bd\u0455\ua731\uabaa",
    "u": "\u028b\u03c5\u057d\u1d1c\ua79f\uab4e\uab52",
    "v": "\u03bd\u0475\u1d20\uaba9",
    "w": "\u026f\u0461\u051d\u0561\u1d21\uab83",
    "x": "\u0445\u1541\u157d",
    "y": "\u0263\u028f\u03b3\u0443\u04af\u10e7\u1d8c\u1eff\uab5a",
    "z": "\u1d22\uab93",
}
_FOLDED = str.maketrans("I1|0", "lllO")  # what looks alike within ASCII, in most fonts
_WORD = re.compile(r"[^\W\d_]+")  # a run of letters
# How Unicode takes apart what is a letter in another dress: wide, mathematical, or a ligature.
_DRESSED = ("<wide>", "<font>", "<compat>")


class LookAlike(NamedTuple):
    """A character that is taken for an ASCII one."""

    character: str
    looks_like: str


def plain_form(text: str) -> str:
    """The text with every character that looks like an ASCII one as that one."""
    if text.isascii():
        return text
    import unicodedata  # noqa: PLC0415 - only for what is not ASCII: 1 MB

    apart = unicodedata.normalize("NFKD", text.translate(_table())).translate(_table())
    return unicodedata.normalize("NFC", apart)


def skeleton(text: str) -> str:
    """The same for all texts that look the same, in most fonts.

    What nobody sees counts for nothing here, also where it belongs, nor do spaces around a text.
    """
    return INVISIBLE.sub("", plain_form(text)).strip().translate(_FOLDED)


def look_alike_in(text: str, *, whole_words: bool = True) -> LookAlike | None:
    """The first letter that passes for an ASCII one: in a word that has such, or has nothing else.

    Without `whole_words` a word of nothing else is one of another language, such as Serbian "је".
    Letters of another Latin alphabet, such as Turkish, are themselves beside ASCII ones.
    """
    if text.isascii():
        return None
    for word in _WORD.finditer(text):
        found = [one for one in map(_looks_like, word[0]) if one is not None]
        mixed = any(letter.isascii() for letter in word[0])
        if found and (mixed or (whole_words and len(found) == len(word[0]) > 1)):
            return found[0]
    return None


@cache
def _table() -> dict[int, str]:
    return {ord(c): plain for plain, alike in _LOOK_ALIKES.items() for c in alike}


@cache
def _looks_like(letter: str) -> LookAlike | None:
    """What a letter of another script, or in another dress, is taken for."""
    import unicodedata  # noqa: PLC0415

    if letter.isascii():
        return None
    plain = plain_form(letter)
    other_script = ord(letter) in _table() and not unicodedata.name(letter).startswith("LATIN ")
    dressed = unicodedata.decomposition(letter).startswith(_DRESSED)
    passes = plain.isascii() and plain.isalnum() and (other_script or dressed)
    return LookAlike(letter, plain) if passes else None
