"""Two lists of words -> their METEOR score, after Banerjee and Lavie 2005.

Words are matched when they are equal, then when their stems are; the third stage, synonyms, would
need WordNet and is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from ftctl.emulator.graders.porter_stemmer import stem


def meteor(words: list[str], expected: list[str]) -> float:
    """10PR / (R + 9P), less up to half of it for matches that lie in many separate chunks."""
    matches = align(words, expected)
    if not matches:
        return 0.0
    count = len(matches)
    precision, recall = count / len(words), count / len(expected)
    mean = 10 * precision * recall / (recall + 9 * precision)
    return mean * (1 - 0.5 * (_chunks(matches) / count) ** 3)


def align(words: list[str], expected: list[str]) -> dict[int, int]:
    """For each matched word its place among those wanted; each is matched once.

    The definition asks for the fewest crossings. Taken from the left, each word prefers the place
    that continues the chunk before it, else the first that is free: exact unless words repeat.
    """
    matches: dict[int, int] = {}
    _match(words, expected, matches, lambda word: word)
    _match(words, expected, matches, stem)
    return dict(sorted(matches.items()))


def _match(
    words: list[str], expected: list[str], matches: dict[int, int], form: Callable[[str], str]
) -> None:
    taken = set(matches.values())
    free: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for place, word in enumerate(expected):
        if place not in taken:
            free[form(word)][place] = None
    for at, word in enumerate(words):
        places = free[form(word)] if at not in matches else {}
        if places:
            following = matches.get(at - 1, -2) + 1
            place = following if following in places else next(iter(places))
            del places[place]
            matches[at] = place


def _chunks(matches: dict[int, int]) -> int:
    """Runs of words that stand next to each other, in the same order, on both sides."""
    return sum(matches.get(at - 1, -2) + 1 != place for at, place in matches.items())
