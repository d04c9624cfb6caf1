"""Texts that are counted word by word have tiktoken's tokens."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterable
from unicodedata import category

import pytest

from ftctl.data.tokens import Counter, open_counter
from ftctl.data.tokens.bpe_pretokens import PretokenCounter

# One of each kind that the vocabularies' expressions tell apart, and what they single out.
ALPHABET = "aSs1'/.{ \n\té…\u3000한\u0301\r٣\x1cǅ\x85\u2028👍\x00"


@pytest.fixture(params=["o200k_base", "cl100k_base"])
def counter(request: pytest.FixtureRequest) -> Counter:
    return open_counter(request.param)


def wrong(counter: Counter, texts: Iterable[str]) -> list[str]:
    """The texts whose counts differ, counted in batches by one table."""
    pieces = PretokenCounter(counter.encode)
    rest, found = iter(texts), []
    while batch := list(itertools.islice(rest, 20_000)):
        counts = pieces.counts(batch)
        found += [
            text
            for text, count in zip(batch, counts, strict=True)
            if len(counter.encode(text)) != count
        ]
    return found


def test_every_short_text_has_its_tokens(counter: Counter, pytestconfig: pytest.Config) -> None:
    longest = 4 if pytestconfig.getoption("--simulate-all") else 3
    texts = (
        "".join(one)
        for length in range(1, longest + 1)
        for one in itertools.product(ALPHABET, repeat=length)
    )

    assert wrong(counter, texts) == []


def test_texts_of_any_mixture_have_their_tokens(counter: Counter) -> None:
    chance = random.Random(5)
    texts = ["".join(chance.choices(ALPHABET, k=chance.randint(4, 60))) for _ in range(20_000)]

    assert wrong(counter, texts) == []


def test_every_character_is_cut_from_its_neighbours_where_tiktoken_does(
    counter: Counter, pytestconfig: pytest.Config
) -> None:
    step = 1 if pytestconfig.getoption("--simulate-all") else 53
    common = range(0x3100)  # white space, marks, most alphabets
    codes = [*common, *range(0x3100, sys.maxunicode + 1, step)]
    texts = (
        f"a{c} b {c}1\n{c}x.{c}/{c}{c} '{c}"
        for c in (chr(code) for code in codes if not 0xD800 <= code < 0xE000)
    )

    assert wrong(counter, texts) == []


def test_words_that_share_a_place_in_the_table_are_not_mixed_up(counter: Counter) -> None:
    chance = random.Random(6)
    words = [
        " " + "".join(chance.choices("abcdefgh", k=chance.randint(1, 20))) for _ in range(400_000)
    ]
    texts = ["".join(words[at : at + 40]) for at in range(0, len(words), 40)]

    assert wrong(counter, texts) == []


def test_words_with_digits_and_white_space_at_their_ends_keep_their_tokens(
    counter: Counter,
) -> None:
    ends = [
        "0",
        "7",
        "\u0663",
        "\u00bd",
        "\u2167",
        "\u4e09",
        "\U0001d7d8",
        "\x1c",
        "\u3000",
        "\ud55c",
    ]
    words = [f"{first}{middle}{last}" for first in ends for middle in ("", "\u00e9", "a0", ".\n")
             for last in ends]  # fmt: skip

    assert wrong(counter, [*words, "".join(words), *(f" {word}\n" for word in words)]) == []


def test_all_numbers_are_numeric_to_python_which_tells_them_apart() -> None:
    every = map(chr, range(sys.maxunicode + 1))

    assert [one for one in every if category(one)[0] == "N" and not one.isnumeric()] == []


def test_texts_are_counted_apart(counter: Counter) -> None:
    pieces = PretokenCounter(counter.encode)
    texts = ["", "over", "all", "", " over", "all", "\n", "\n", "1", "23", ""]

    assert pieces.counts(texts) == [len(counter.encode(text)) for text in texts]
    assert pieces.counts([]) == []
    assert pieces.counts([""]) == [0]


def test_texts_that_are_counted_together_count_as_they_do_alone() -> None:
    texts = ["hello there", "a lone \ud800 surrogate", "x" * 300_000, "", "hello there"]
    together, alone = Counter(open_counter("o200k_base")._tiktoken), open_counter("o200k_base")
    counts = [len(alone.encode(text)) for text in texts]

    assert [together.texts(texts), together.texts(texts), together.texts([])] == [
        counts,
        counts,
        [],
    ]
