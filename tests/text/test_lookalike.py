"""What passes for ASCII is found, and an honest alphabet is not taken for another."""

from __future__ import annotations

import unicodedata

import pytest

from ftctl.text.lookalike import _LOOK_ALIKES, look_alike_in, plain_form, skeleton


def test_the_table_takes_each_character_to_one_sign_of_ascii() -> None:
    every = [character for alike in _LOOK_ALIKES.values() for character in alike]

    assert len(every) == len(set(every)) == 265
    assert all(len(plain) == 1 and plain.isascii() for plain in _LOOK_ALIKES)
    assert not any(character.isascii() for character in every)
    assert all(unicodedata.name(character) for character in every)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("n\u0430me", "name"),
        ("\uff4e\uff41\uff4d\uff45", "name"),
        ("\U0001d4c3\U0001d4b6\U0001d4c2\u212f", "name"),
        ("n\u2010epochs", "n-epochs"),
        ("\u03f2ore", "core"),
        ("con\ufb01g", "config"),
        ("\u0406D", "ID"),
        ("caf\xe9", "caf\xe9"),
        ("cafe\u0301", "caf\xe9"),
        ("\u0438\u043c\u044f", "\u0438\u043c\u044f"),
        ("name", "name"),
    ],
)
def test_a_text_is_told_as_it_looks(text: str, plain: str) -> None:
    assert plain_form(text) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Il1|", "llll"),
        ("O0", "OO"),
        ("\u04c0D", "lD"),
        ("a\xa0b", "a b"),
        ("\u0430", "a"),
        ("\u2764\ufe0f", "\u2764"),
        (" a\xa0", "a"),
    ],
)
def test_what_looks_the_same_has_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("caf\xe9", "cafe"), ("a", "A"), ("", "a")])
def test_what_looks_different_has_another(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize(
    ("text", "character", "looks_like"),
    [
        ("n\u0430me", "\u0430", "a"),
        ("user_n\u0430me", "\u0430", "a"),
        ("\u0441\u043e\u0440\u0443", "\u0441", "c"),
        ("\uff4eame", "\uff4e", "n"),
        ("con\ufb01g", "\ufb01", "fi"),
        ("\u0456d", "\u0456", "i"),
        ("\u03b1lpha", "\u03b1", "a"),
        ("a \u0441\u043e b", "\u0441", "c"),
    ],
)
def test_a_letter_that_passes_for_another_is_found(
    text: str, character: str, looks_like: str
) -> None:
    assert look_alike_in(text) == (character, looks_like)


@pytest.mark.parametrize(
    "text",
    [
        "name", "", "sat\u0131c\u0131", "gr\xf6\xdfe", "\u0438\u043c\u044f",
        "\u0441\u0442\u0430\u0442\u0443\u0441", "n\xba", "x\xb2", "\u03bb", "\u03c32", "\u0441",
        "a_\u0441", "\u043e b", "k\u2126", "\u03bcs", "\u65e5\u672c", "\u0251", "1\u0661",
        "a\U0001d6fd",
    ],
    ids=ascii,
)  # fmt: skip
def test_an_honest_word_passes_for_none(text: str) -> None:
    assert look_alike_in(text) is None
