"""A text goes in; what it was before somebody read it in the wrong encoding comes out, or nothing.

UTF-8 that was read as something else shows itself: turned back into those bytes it is UTF-8 again,
which no text is by chance. Other encodings that were read as Latin letters are told by what the
bytes say in them, and only where the text as it stands is no words at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from ftctl.data.encodings.plausibility import plausibility, unusual_signs
from ftctl.data.encodings.readings import readings

# What cp1252 has for bytes beyond ASCII. Those that it does not know are let through as they are.
_CP1252 = "".join(
    bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)
)
_AS_CP1252 = {ord(sign): chr(byte) for byte, sign in enumerate(_CP1252, 0x80)}
_SIGNS_1252 = "".join(sign for sign in _CP1252 if not sign.isalpha() and sign != "\xad")
# In all of these UTF-8 is a letter, mostly a capital, with signs behind it.
_MISREAD = (
    "cp1252", "cp1250", "cp1251", "cp1254", "mac_roman", "cp437", "cp850", "cp866", "cp1253",
    "cp874", "cp1256", "gb18030", "cp949", "cp932", "cp950",
)  # fmt: skip
# What is left of characters that nobody could read: it went through UTF-8 as U+FFFD.
_GHOSTS = ("ï¿½", "锟斤拷", "占쏙옙", "ｿｽｿｽ", "嚙踝蕭")
_LOST = re.compile(r"\w\ufffd|\ufffd\w|\ufffd{2}")
# Signs and pictures among English words, which as they stand are odd and no more.
_UNMISTAKABLE = re.compile("â€[^\\s\\w]|â‚¬|â„¢|ðŸ|â[œš][^\\s\\w]|(?<![A-ZÀ-Þ])[ÂÃ][\xa1-\xbf€™]")
_CONTROLS = re.compile("[\x80-\x9f]")
_CONTROLS_MEANT = dict(enumerate(_CP1252[:32], 0x80))
_MOST_CHARACTERS = 2_000
_SENSE = 0.7
_NONSENSE = 0.6
_CERTAIN = 0.85  # of what bytes say in another encoding
_WHOLE = 0.75  # of the characters that are UTF-8 again; the rest was lost on the way
_FEWEST = 12  # bytes that are judged by what they say
_RUN = re.compile(r"[^\x00-\x7f](?:[^\x00-\x7f]|[ !-~](?=[^\x00-\x7f]))*")


class Misread(NamedTuple):
    """`text` in `was` that somebody read as `taken_for`; `times` one after another."""

    was: str | None  # None: replacement characters stand in its place
    taken_for: str = ""
    times: int = 1

    @property
    def words(self) -> str:
        """As what is said of a text."""
        if self.was is None:
            return "has replacement characters where others were lost"
        twice = ", twice" if self.times > 1 else ""
        return f"reads like {self.was} that was read as {self.taken_for}{twice}"


def may_be_misread(text: str, raw: bytes | None = None) -> bool:
    """Whether the text is worth a closer look: False is certain, and costs little.

    `raw` is the text as UTF-8, where that is known already.
    """
    return not text.isascii() and _suspect(text, raw) >= 0


def misread(text: str) -> Misread | None:
    """What was done to the text; None where it may be as it was written."""
    if _LOST.search(text) or any(ghost in text for ghost in _GHOSTS):
        return Misread(None)
    suspect = _suspect(text)
    if suspect < 0:
        return None
    start = max(0, suspect - _MOST_CHARACTERS // 10)
    piece = text[start : start + _MOST_CHARACTERS]
    if _UNMISTAKABLE.search(piece) and _reread(piece, "cp1252") is not None:
        return _how_often(piece)
    if _CONTROLS.search(piece) and plausibility(piece.translate(_CONTROLS_MEANT)) >= _SENSE:
        return Misread("cp1252", "Latin-1")
    written = plausibility(piece)
    if written > _NONSENSE:
        return None
    return _from_utf8(piece, written) or _from_others(piece)


def _how_often(text: str) -> Misread:
    again = _reread(text, "cp1252") or ""
    return Misread("UTF-8", "cp1252", 1 if _reread(again, "cp1252") is None else 2)


def _from_utf8(text: str, written: float) -> Misread | None:
    best: tuple[float, Misread] | None = None
    for encoding in _MISREAD:
        again = _reread(text, encoding)
        if again is None:
            continue
        sense = plausibility(again)
        twice = _reread(again, encoding) if sense < _SENSE and encoding == "cp1252" else None
        if twice is not None and plausibility(twice) >= _SENSE:
            return Misread("UTF-8", encoding, 2)
        if sense >= _SENSE and sense > written + 0.2 and (best is None or sense > best[0] + 0.05):
            best = sense, Misread("UTF-8", encoding)
    return best[1] if best is not None else None


def _reread(text: str, encoding: str) -> str | None:
    """The text with all that is UTF-8 again put back; None where hardly anything is."""
    whole = lost = 0

    def put_back(match: re.Match[str]) -> str:
        nonlocal whole, lost
        run = match[0]
        raw = _bytes_of(run, encoding)
        again = raw.decode("utf-8", "replace")
        broken = again.count("\ufffd")
        whole += sum(1 for sign in again if sign > "\x7f") - broken
        lost += broken
        return again.replace("\ufffd", "")

    again = _RUN.sub(put_back, text)
    if not whole or whole < _WHOLE * (whole + lost):
        return None
    return again


def _bytes_of(run: str, encoding: str) -> bytes:
    if encoding == "cp1252":
        run = run.translate(_AS_CP1252)
        return run.encode("latin-1", "replace")
    return run.encode(encoding, "replace")


def _from_others(text: str) -> Misread | None:
    """Bytes of another script, read as Latin letters and signs."""
    raw = text.translate(_AS_CP1252).encode("latin-1", "replace")
    high = sum(1 for byte in raw if byte > 0x7F)
    if 3 * text.count("•") > high or _in_order(text):
        return None
    lost = sum(1 for sign in text if sign > "\x7f") - high
    alone = len(_ALONE.findall(raw))
    if high < _FEWEST or lost > high / 10 or alone > high / 4:
        return None
    found = readings(raw)
    if not found or found[0].plausible < _CERTAIN or found[0].encoding in _WESTERN:
        return None
    return Misread(found[0].encoding, "cp1252")


def _in_order(text: str) -> bool:
    """Whether it lists the characters of an alphabet or a table of codes."""
    steps = "".join("1" if ord(b) - ord(a) in (1, 2) else "0" for a, b in pairwise(text))
    return "1" * 6 in steps


_ALONE = re.compile(rb"(?<=[a-z])[\x80-\xff](?=[a-z])")  # as in words of Western Europe
_WESTERN = ("cp1252", "iso8859_15", "mac_roman", "cp850", "cp437")


def _suspect(text: str, raw: bytes | None = None) -> int:
    """Where a pair stands that wrong readings are full of and words are not; -1: nowhere.

    Which patterns may fit is told by the bytes that characters begin with: that is seen fast.
    """
    raw = raw if raw is not None else text.encode("utf-8", "surrogatepass")
    patterns = _patterns()
    others = raw.translate(None, _OF_LATIN)
    if (b"\xc3" in raw or b"\xc2" in raw) and (found := patterns["latin"].search(text)):
        return found.start()
    if (b"\xc2" in raw or b"\xef" in others) and (found := patterns["lost"].search(text)):
        return found.start()
    if others and (found := patterns["pairs"].search(text)):
        return found.start()
    if b"\xd0" in others and (found := patterns["cyrillic"].search(text)):
        return found.start()
    # Of these scripts a whole text is spoilt, or nothing of it.
    if others.translate(None, _OF_LETTERS):
        ends = text if len(text) <= 2 * _END else f"{text[:_END]} {text[-_END:]}"
        for pattern in (patterns["alone"], patterns["unusual"]):
            if pattern.search(ends):
                return 0
    return -1


_OF_LATIN = bytes(range(0xC4))  # what ASCII and Latin-1 are written with, and all that follows
_OF_LETTERS = bytes((*range(0xC4, 0xE0), 0xE1, 0xE2, 0xE3))  # nor Thai, Han and Hangul
_END = 120  # characters


# What stands behind a letter that the first byte of a character has become.
_BEHIND = "\x80-\xbf‚„…†‡€‰‹‘’“”•–—™›"


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Each begins with one set of characters: that is what a search runs past quickly."""
    firsts = {
        "‚ƒ„†‡ˆ‰Š‹ŒŽ": f"{_BEHIND}À-ÿƒˆŠŒŽœž",
        "РСĂĹĺĐⰠ-ⱿΞΟظطعغв": f"{_BEHIND}Ђ-Џђ-џ№ˇ˘łŁ˝ľź§ΆΈ-Ώˆ",
        "├┬╬╠╤╨√¬": "\xa0-ÿ─-╿‚Ä†-•…",
        "ｦ-ﾟ": "^ｦ-ﾟ\\s",
        "âð": "œšŸ",
    }
    pairs = "|".join(f"(?<=[{first}])[{second}]" for first, second in firsts.items())
    signs = _class(_SIGNS_1252)
    texts = {
        "latin": f"[¡-ÿ](?:(?<=[À-ÿ])(?:[{signs}œŸ]|[À-ÿ]{{2}})|(?<=[¡-¿])[¡-ÿ]{{3}})",
        "lost": "[\x80-\x9f\ufffd]",
        "pairs": f"[{''.join(firsts)}](?:{pairs})",
        "cyrillic": "[a-z][ГВ][^\x00-\x7f]|вЂ",
        "alone": "[a-z][รยｦ-ﾟ가-힣一-鿿][^\x00-\x7f]?[^ -`]",
        "unusual": f"[{_class(unusual_signs())}]{{2}}|锟斤拷|占쏙옙|嚙踝蕭|เ[ธน].เ[ธน]",
    }
    return {name: re.compile(text) for name, text in texts.items()}


def _class(signs: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\]^-" else sign for sign in signs)
