"""An English word -> its stem, after M. F. Porter, "An algorithm for suffix stripping", 1980."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_VOWELS = "aeiou"

# Steps 2 to 4: the longest ending that fits is tried, and only that one.
_STEP_2 = (
    *(("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance")),
    *(("izer", "ize"), ("abli", "able"), ("alli", "al"), ("entli", "ent"), ("eli", "e")),
    *(("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate")),
    *(("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous")),
    *(("aliti", "al"), ("iviti", "ive"), ("biliti", "ble")),
)
_STEP_3 = (
    *(("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic")),
    *(("ful", ""), ("ness", "")),
)
_STEP_4 = tuple(
    (ending, "")
    for ending in (
        *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent"),
        *("ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize"),
    )
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a word in lower case; one with other letters than a to z is its own."""
    if not re.fullmatch("[a-z]{3,60}", word):
        return word
    word = _past_and_gerund(_plural(word))
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _STEP_2, lambda root, _: _measure(root) > 0)
    word = _replaced(word, _STEP_3, lambda root, _: _measure(root) > 0)
    word = _replaced(word, _STEP_4, _fourth)
    return _tidied(word)


def _measure(root: str) -> int:
    """How many times vowels are followed by consonants."""
    kinds = "".join("c" if _is_consonant(root, at) else "v" for at in range(len(root)))
    return len(re.findall("v+c+", kinds))


def _is_consonant(word: str, at: int) -> bool:
    """A `y` is one at the start and after a vowel; in a run of them they take turns."""
    if word[at] != "y":
        return word[at] not in _VOWELS
    run = at
    while run > 0 and word[run - 1] == "y":
        run -= 1
    first = run == 0 or word[run - 1] in _VOWELS
    return first == ((at - run) % 2 == 0)


def _has_vowel(root: str) -> bool:
    return any(not _is_consonant(root, at) for at in range(len(root)))


def _ends_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _is_consonant(word, len(word) - 1)


def _ends_cvc(word: str) -> bool:
    if len(word) < 3 or word[-1] in "wxy":
        return False
    last = len(word) - 1
    kinds = [_is_consonant(word, at) for at in (last - 2, last - 1, last)]
    return kinds == [True, False, True]


def _plural(word: str) -> str:
    for ending, instead in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word


def _past_and_gerund(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        root = word.removesuffix(ending)
        if root != word and _has_vowel(root):
            return _mended(root)
    return word


def _mended(root: str) -> str:
    if root.endswith(("at", "bl", "iz")):
        return root + "e"
    if _ends_double(root) and root[-1] not in "lsz":
        return root[:-1]
    return root + "e" if _measure(root) == 1 and _ends_cvc(root) else root


def _replaced(
    word: str, endings: tuple[tuple[str, str], ...], may: Callable[[str, str], bool]
) -> str:
    fitting = [pair for pair in endings if word.endswith(pair[0])]
    if not fitting:
        return word
    ending, instead = max(fitting, key=lambda pair: len(pair[0]))
    root = word.removesuffix(ending)
    return root + instead if may(root, ending) else word


def _fourth(root: str, ending: str) -> bool:
    return _measure(root) > 1 and (ending != "ion" or root.endswith(("s", "t")))


def _tidied(word: str) -> str:
    if word.endswith("e"):
        root = word[:-1]
        measure = _measure(root)
        if measure > 1 or (measure == 1 and not _ends_cvc(root)):
            word = root
    if word.endswith("ll") and _measure(word) > 1:
        word = word[:-1]
    return word
