"""The table of what nobody sees is Unicode's, and what is needed to write belongs."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

import pytest

from ftctl.text.invisible import (
    BIDI_CONTROLS,
    BLANK,
    DEFAULT_IGNORABLE,
    FORMATS,
    first_hidden,
    hidden_in,
    is_invisible,
    name_of,
    spelt_out,
    turns_direction,
)

EVERY = [chr(number) for number in range(sys.maxunicode + 1)]
# Signs of the category Cf that are seen: they span the digits or letters after them.
SEEN_FORMATS = {
    *map(chr, range(0x0600, 0x0606)), "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2",
    "\U000110bd", "\U000110cd",
}  # fmt: skip


def expanded(ranges: str) -> set[str]:
    """Every character of the inside of a class such as `a-cx`."""
    found: set[str] = set()
    index = 0
    while index < len(ranges):
        if ranges[index + 1 : index + 2] == "-":
            found |= {chr(n) for n in range(ord(ranges[index]), ord(ranges[index + 2]) + 1)}
            index += 3
        else:
            found.add(ranges[index])
            index += 1
    return found


def by_property(name: str) -> set[str]:
    """The same out of another's table; where it is not installed, nothing is compared."""
    regex = pytest.importorskip("regex")
    pattern = regex.compile(rf"\p{{{name}}}")
    return {c for c in EVERY if pattern.match(c)}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(DEFAULT_IGNORABLE, "Default_Ignorable_Code_Point"), (BIDI_CONTROLS, "Bidi_Control")],
)
def test_the_ranges_are_unicodes(ours: str, theirs: str) -> None:
    assert expanded(ours) == by_property(theirs)


def test_every_noncharacter_and_control_is_invisible() -> None:
    ignorable = by_property("Noncharacter_Code_Point") | by_property("Cc") | by_property("Cs")

    assert {c for c in ignorable if not is_invisible(c)} == set("\t\n\r")


def in_category(*categories: str) -> set[str]:
    return {c for c in EVERY if unicodedata.category(c) in categories}


def test_pythons_own_table_says_the_same() -> None:
    unseen = in_category("Cc", "Cf", "Cs", "Zl", "Zp") - SEEN_FORMATS - set("\t\n\r")

    assert {c for c in unseen if not is_invisible(c)} == set()
    assert expanded(FORMATS) <= in_category("Cf", "Cn")
    assert expanded(BLANK) <= in_category("So", "Mn")


def test_what_is_seen_is_not_in_the_table() -> None:
    seen = in_category("Lu", "Ll", "Nd", "Sc", "Sm", "Pd", "Po", "Ps", "Pe", "Zs", "Co")

    assert {c for c in seen | SEEN_FORMATS if is_invisible(c)} == set()


BELONGS = {
    "English": "Sentence -> one of six emotions, 2x.",
    "German": "Gr\u00f6\u00dfe \u2013 \u201eh\u00fcbsch\u201c \u2026",
    "French spaces": "Pourquoi\u202f? \u00ab\u00a0Oui\u00a0\u00bb",
    "Korean": "\ud55c\uad6d\uc5b4 \ubb38\uc7a5",
    "Korean in parts": unicodedata.normalize("NFD", "\ud55c\uad6d\uc5b4"),
    "Japanese": "\u65e5\u672c\u8a9e\u306e\u6587\u3000\u3067\u3059\u3002",
    "a Japanese name": "\u845b\U000e0100\u57ce",
    "a compatible ideograph": "\u795e\ufe00",
    "Arabic": "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643",
    "Hebrew": "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "a Persian abbreviation": "\u0647\u200d. \u0642.",
    "Hindi": "\u0915\u094d\u200d\u0937 \u0915\u094d\u200c\u0937",
    "Bengali": "\u09b0\u200d\u09cd\u09af",
    "Malayalam at a word's end": "\u0d05\u0d35\u0d28\u0d4d\u200d",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Khmer": "\u1797\u17b6\u179f\u17b6\u200b\u1781\u17d2\u1798\u17c2\u179a",
    "Thai": "\u0e20\u0e32\u0e29\u0e32\u200b\u0e44\u0e17\u0e22",
    "Mongolian": "\u182e\u1823\u1829\u182d\u180b\u1823\u182f",
    "Mongolian vowel": "\u182a\u1820\u180e\u1820",
    "an Arabic number sign": "\u0600\u0661\u0662",
    "an emoji": "\U0001f600 done",
    "a heart": "\u2764\ufe0f",
    "a heart as text": "\u2764\ufe0e",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a colleague": "\U0001f469\U0001f3fd\u200d\U0001f4bb",
    "a beard": "\U0001f9d4\U0001f3fb\u200d\u2642\ufe0f",
    "a rainbow": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "an eye": "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f",
    "a heart on fire": "\u2764\ufe0f\u200d\U0001f525",
    "a keycap": "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "a trademark": "Acme\u2122\ufe0f \xa9\ufe0f",
    "a flag": "\U0001f1e9\U0001f1ea",
    **{
        f"the flag of {code}": "\U0001f3f4\U000e0067\U000e0062"
        + "".join(chr(0xE0000 + ord(c)) for c in code)
        + "\U000e007f"
        for code in ("eng", "sct", "wls")
    },
    "two flags": ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f") * 2,
    "lines": "a\tb\r\nc\n",
    "nothing": "",
}
HIDES = {
    "an override": ("user\u202e", [4]),
    "an embedding": ("\u202aa\u202c", [0, 2]),
    "an isolate": ("a\u2066b\u2069", [1, 3]),
    "a mark in Hebrew": ("\u05e9\u200f", [1]),
    "a mark in Arabic": ("\u0645\u061c", [1]),
    "a joiner between letters": ("a\u200db", [1]),
    "a non-joiner between letters": ("pay\u200cload", [3]),
    "two joiners after a virama": ("\u094d\u200d\u200d", [2]),
    "a joiner after an emoji and before none": ("\U0001f468\u200da", [1]),
    "a joiner before an emoji and after none": ("a\u200d\U0001f468", [1]),
    "a joiner at the end": ("\U0001f468\u200d", [1]),
    "a joiner that begins": ("\u200d\U0001f468", [0]),
    "a joiner after a bare skin": ("\U0001f3fb\u200d", [1]),
    "a space without width": ("a\u200bb", [1]),
    "a space without width before Khmer": ("a\u200b\u1797", [1]),
    "two of them in Thai": ("\u0e20\u200b\u200b\u0e44", [2]),
    "a selector after a letter": ("a\ufe0f", [1]),
    "a selector after a digit": ("1\ufe0f", [1]),
    "a selector twice": ("\u2764\ufe0f\ufe0f", [2]),
    "another selector after an emoji": ("\U0001f600\ufe01", [1]),
    "bytes after an emoji": ("\U0001f600\U000e0158\U000e0159", [1, 2]),
    "two variants of one ideograph": ("\u845b\U000e0100\U000e0101", [2]),
    "a Mongolian selector in Latin": ("a\u180b", [1]),
    "a Mongolian selector twice": ("\u182d\u180b\u180b", [2]),
    "tags": ("hi\U000e0041\U000e0042", [2, 3]),
    "tags after a flag": ("\U0001f3f4\U000e0067\U000e0062\U000e0065", [1, 2, 3]),
    "another flag of tags": (
        "\U0001f3f4\U000e0075\U000e0073\U000e0063\U000e0061\U000e007f",
        [1, 2, 3, 4, 5],
    ),
    "a tag more than the flag": (
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\U000e007f",
        [7],
    ),
    "a language tag": ("\U000e0001a", [0]),
    "a soft hyphen": ("max\xad_cost", [3]),
    "a grapheme joiner": ("a\u034f", [1]),
    "a word joiner": ("\u65e5\u2060\u672c", [1]),
    "a mark in the middle": ("a\ufeffb", [1]),
    "a filler of Hangul": ("\u3164", [0]),
    "half a filler": ("\uffa0", [0]),
    "fillers of old Hangul": ("\u115f\u1160", [0, 1]),
    "a vowel of Khmer": ("\u1780\u17b4", [1]),
    "braille without dots": ("\u2800", [0]),
    "an annotation": ("a\ufff9b\ufffac\ufffb", [1, 3, 5]),
    "no object": ("\ufffc", [0]),
    "a line separator": ("a\u2028b\u2029c", [1, 3]),
    "a next line": ("a\x85b", [1]),
    "a terminal's escape": ("\x1b[2J", [0]),
    "a terminal's short escape": ("\x9b2J", [0]),
    "a NUL": ("a\0b", [1]),
    "a delete": ("a\x7f", [1]),
    "a backspace among others": ("\u00e9\x08", [1]),
    "a vertical tab and a form feed": ("a\x0b\x0c", [1, 2]),
    "no character": ("\ufdd0\ufffe\U0001ffff", [0, 1, 2]),
    "half a character": ("\ud83d", [0]),
    "one not given out yet": ("\u2065\ufff0\U000e0fff", [0, 1, 2]),
    "a musical beam": ("\U0001d173", [0]),
    "a shorthand control": ("\U0001bca0", [0]),
    "a hieroglyph's joiner": ("\U00013430", [0]),
}


@pytest.mark.parametrize("name", BELONGS)
def test_what_is_needed_to_write_belongs(name: str) -> None:
    assert list(hidden_in(BELONGS[name])) == []
    assert first_hidden(BELONGS[name]) is None


@pytest.mark.parametrize("name", HIDES)
def test_what_hides_is_found_where_it_stands(name: str) -> None:
    text, places = HIDES[name]

    assert list(hidden_in(text)) == places
    assert first_hidden(text) == places[0]


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\0", "U+0000 NULL"),
        ("\r", "U+000D CARRIAGE RETURN"),
        ("\x85", "U+0085 NEXT LINE"),
        ("\x01", "U+0001 (control)"),
        ("\u2065", "U+2065 (unassigned)"),
        ("\ufffe", "U+FFFE (no character)"),
        ("\U0010ffff", "U+10FFFF (no character)"),
        ("\ufdd0", "U+FDD0 (no character)"),
        ("\ud800", "U+D800 (half a character)"),
        ("\udfff", "U+DFFF (half a character)"),
        ("\ue000", "U+E000 (private use)"),
        ("\x07", "U+0007 BELL"),
        ("\b", "U+0008 BACKSPACE"),
        ("\t", "U+0009 TAB"),
        ("\n", "U+000A LINE FEED"),
        ("\x0b", "U+000B VERTICAL TAB"),
        ("\x0c", "U+000C FORM FEED"),
        ("\x1b", "U+001B ESCAPE"),
        ("\x7f", "U+007F DELETE"),
        ("\x9b", "U+009B CONTROL SEQUENCE INTRODUCER"),
        ("a", "U+0061 LATIN SMALL LETTER A"),
    ],
)
def test_a_character_has_a_number_and_a_name(character: str, name: str) -> None:
    assert name_of(character) == name


@pytest.mark.parametrize(
    ("check", "holds", "fails"),
    [
        (turns_direction, "\u202e\u2066\u200f\u061c", "\u200da\0"),
        (is_invisible, "\u200d", "a \t\n\r"),
    ],
)
def test_a_question_about_one_character(
    check: Callable[[str], bool], holds: str, fails: str
) -> None:
    assert all(map(check, holds))
    assert not any(map(check, fails))


def test_what_hides_is_spelt_out_and_the_rest_stays() -> None:
    family = "\U0001f468\u200d\U0001f469"

    assert spelt_out(f"a\u202eb {family} \u200b") == f"a<U+202E>b {family} <U+200B>"
    assert spelt_out(family) == family
