"""Text of others in; the characters in it that nobody sees, and their names, out.

A few of them are needed to write some scripts and emoji: there they belong, elsewhere they hide.
Source: Unicode 17.0.0 (2025-09-09), DerivedCoreProperties.txt (Default_Ignorable_Code_Point),
PropList.txt (Bidi_Control, Noncharacter_Code_Point) and DerivedGeneralCategory.txt (Cc, Cf, Zl, Zp,
Cs); what is blank in every font is our own list. Private use is not here: that is shown, as a box.
"""

from __future__ import annotations

import re
from functools import cache

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from collections.abc import Iterator

# All but tab, line feed and carriage return.
CONTROLS = "\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
LINE_SEPARATORS = "\u2028\u2029"
DEFAULT_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# Format characters (Cf) that are neither ignorable nor signs that are seen, as Arabic's are.
FORMATS = "\ufff9-\ufffb\U00013430-\U0001343f"
# Signs that are blank: braille without dots, a filler of Khitan, a note without a head, and what
# stands for an object that is not there.
BLANK = "\u2800\ufffc\U00016fe4\U0001d159"
NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}-{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
SURROGATES = "\ud800-\udfff"

INVISIBLE = re.compile(
    f"[{CONTROLS}{LINE_SEPARATORS}{DEFAULT_IGNORABLE}{FORMATS}{BLANK}{NONCHARACTERS}{SURROGATES}]"
)
_ASCII_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")  # of what is plain ASCII

# Signs that become emoji: more than Unicode's Extended_Pictographic, whose gaps say nothing here.
_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07"
    "\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f201-\U0001f3fa"
    "\U0001f400-\U0001faff"
)
_SKIN = "\U0001f3fb-\U0001f3ff"
# Scripts whose letters join, or are kept from joining, by U+200D and U+200C: Arabic and its kin,
# N'Ko, Mandaic, Mongolian, Adlam; and those of India, Sri Lanka and Myanmar.
_JOINING = (
    "\u0620-\u06ff\u0700-\u074f\u0750-\u077f\u07c0-\u07ff\u0840-\u086f\u0870-\u08ff\u0900-\u0dff"
    "\u0f00-\u109f\u1780-\u17ff\u1800-\u18af\u1b00-\u1b7f\ua840-\ua87f\ua8e0-\ua8ff\ua980-\ua9df"
    "\uaae0-\uaaff\uabc0-\uabff\ufb50-\ufdcf\ufe70-\ufefc\U00010ac0-\U00010aff"
    "\U00010d00-\U00010d3f\U00011000-\U000114df\U00011580-\U0001164f\U0001e900-\U0001e95f"
)
# Scripts without spaces, in which U+200B says where a word ends: Thai, Lao, Tibetan, Burmese,
# Khmer and their neighbours.
_SPACELESS = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\uaadf"
)
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
# England, Scotland and Wales: all that is made of tags, besides what hides.
_FLAGS = "|".join("".join(chr(0xE0000 + ord(c)) for c in code) for code in ("eng", "sct", "wls"))
_LOOK_BACK = 6  # characters of a flag before its last one

_CONTROL_NAMES = {
    0x00: "NULL", 0x07: "BELL", 0x08: "BACKSPACE", 0x09: "TAB", 0x0A: "LINE FEED",
    0x0B: "VERTICAL TAB", 0x0C: "FORM FEED", 0x0D: "CARRIAGE RETURN", 0x1B: "ESCAPE",
    0x7F: "DELETE", 0x85: "NEXT LINE", 0x9B: "CONTROL SEQUENCE INTRODUCER",
}  # fmt: skip


def is_invisible(character: str) -> bool:
    """Whether one character is not seen, wherever it stands. Tab and line ends are seen."""
    return INVISIBLE.match(character) is not None


def turns_direction(character: str) -> bool:
    """Whether one character changes the order in which those around it are shown."""
    return re.match(f"[{BIDI_CONTROLS}]", character) is not None


def hidden_in(text: str) -> Iterator[int]:
    """Where invisible characters stand that do not belong there, by index, first to last.

    These belong: U+200D and U+FE0F within emoji, the tags of three flags, U+200C and U+200D after a
    letter of a script that joins, U+200B in scripts without spaces, variants of Mongolian and Han.
    """
    pattern = _ASCII_CONTROL if text.isascii() else INVISIBLE
    return (match.start() for match in pattern.finditer(text) if not _belongs(text, match.start()))


def first_hidden(text: str) -> int | None:
    """The index of the first of them; None for text that hides nothing."""
    return next(hidden_in(text), None)


def name_of(character: str) -> str:
    """A character's number and name: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    import unicodedata  # noqa: PLC0415 - only for a fault: 1 MB

    number = ord(character)
    if number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF:
        fallback = "(no character)"
    elif 0xD800 <= number <= 0xDFFF:
        fallback = "(half a character)"
    elif number < 0x20 or 0x7F <= number <= 0x9F:
        fallback = _CONTROL_NAMES.get(number, "(control)")
    else:
        fallback = "(private use)" if unicodedata.category(character) == "Co" else "(unassigned)"
    return f"U+{number:04X} {unicodedata.name(character, fallback)}"


def spelt_out(text: str) -> str:
    """The text with each invisible character that does not belong as `<U+202E>`."""
    pieces, end = [], 0
    for index in hidden_in(text):
        pieces += [text[end:index], f"<U+{ord(text[index]):04X}>"]
        end = index + 1
    return "".join([*pieces, text[end:]]) if pieces else text


def _belongs(text: str, index: int) -> bool:
    """Whether the invisible character at this place is part of what stands around it."""
    # From the sign before it, or the one before that where an emoji has a variation selector.
    back = _LOOK_BACK if "\U000e0000" <= text[index] <= "\U000e007f" else 2
    starts = range(max(0, index - back), index)
    wholes = (_belonging().match(text, start) for start in starts)
    return any(whole is not None and whole.end() > index for whole in wholes)


@cache
def _belonging() -> re.Pattern[str]:
    """What stands before a character that belongs, with it, and what must follow."""
    return re.compile(
        f"\U0001f3f4\U000e0067\U000e0062(?:{_FLAGS})\U000e007f"
        f"|[{_EMOJI}][\ufe0e\ufe0f]?(?:\u200d(?=[{_EMOJI}]))?"
        f"|[{_SKIN}]\u200d(?=[{_EMOJI}])"
        "|[0-9#*]\ufe0f(?=\u20e3)"
        f"|[{_JOINING}][\u200c\u200d]"
        f"|[{_SPACELESS}]\u200b"
        "|[\u1800-\u180a\u1810-\u18af][\u180b-\u180f]"
        f"|[{_HAN}][\ufe00-\ufe02\U000e0100-\U000e01ef]"
    )
