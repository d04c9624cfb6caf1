"""Two texts -> how alike they are, from 0 to 1, by each metric of a `text_similarity` grader.

The API's guide names the metrics, not their variants. Those taken here, each from its definition:

| metric | what is computed |
|---|---|
| fuzzy_match | 2·LCS / (length + length) over characters: one less the normalised indel distance |
| bleu | Papineni et al. 2002 up to 4-grams, orders above 1 smoothed by one (Lin and Och 2004) |
| gleu | Wu et al. 2016: shared 1- to 4-grams over those of the text that has more |
| meteor | Banerjee and Lavie 2005 with its exact and its stem stage, without synonyms |
| rouge_1 … rouge_5 | Lin 2004: F1 of shared n-grams |
| rouge_l | Lin 2004: F1 of the longest common subsequence of words |

ROUGE and METEOR compare words without their case; BLEU and GLEU keep it and count each punctuation
mark as a word. Letters of every script count, where the usual English packages drop them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

from ftctl.emulator.graders.meteor import meteor

_MOST_ORDER = 4
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")


def similarity(metric: str, text: str, reference: str) -> float:
    """How alike the text is to the reference; KeyError for a metric that is not in `METRICS`."""
    return METRICS[metric](text, reference)


def fuzzy_match(text: str, reference: str) -> float:
    """1 for equal texts, two empty ones too; 0 for texts that share no character."""
    length = len(text) + len(reference)
    return 2 * common_length(text, reference) / length if length else 1.0


def bleu(text: str, reference: str) -> float:
    """Of one sentence against one reference."""
    words, expected = _TOKEN.findall(text), _TOKEN.findall(reference)
    if not words or not expected:
        return 0.0
    logs = 0.0
    for order in range(1, _MOST_ORDER + 1):
        shared, count = _shared(words, expected, order), max(0, len(words) - order + 1)
        smooth = 0 if order == 1 else 1
        if shared + smooth == 0:
            return 0.0
        logs += math.log((shared + smooth) / (count + smooth))
    brevity = min(0.0, 1 - len(expected) / len(words))
    return math.exp(brevity + logs / _MOST_ORDER)


def gleu(text: str, reference: str) -> float:
    """The lesser of precision and recall over all n-grams of 1 to 4 words."""
    words, expected = _TOKEN.findall(text), _TOKEN.findall(reference)
    orders = range(1, _MOST_ORDER + 1)
    shared = sum(_shared(words, expected, order) for order in orders)
    most = max(sum(max(0, len(side) - order + 1) for order in orders) for side in (words, expected))
    return shared / most if most else 0.0


def rouge_n(order: int) -> Callable[[str, str], float]:
    """The metric over n-grams of that many words."""

    def rouge(text: str, reference: str) -> float:
        words, expected = _words(text), _words(reference)
        counts = [max(0, len(side) - order + 1) for side in (words, expected)]
        return _f1(_shared(words, expected, order), *counts)

    return rouge


def rouge_l(text: str, reference: str) -> float:
    """F1 of the words in common that stand in the same order."""
    words, expected = _words(text), _words(reference)
    return _f1(common_length(words, expected), len(words), len(expected))


def common_length(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """The length of the longest common subsequence.

    One bit per item of `left` says where the table's row steps up (Hyyrö 2004), so a whole row is
    a few operations on one large number.
    """
    places: dict[Hashable, int] = {}
    for place, item in enumerate(left):
        places[item] = places.get(item, 0) | 1 << place
    whole = (1 << len(left)) - 1
    flat = whole
    for item in right:
        met = flat & places.get(item, 0)
        flat = ((flat + met) | (flat - met)) & whole
    return len(left) - flat.bit_count()


def _shared(words: list[str], expected: list[str], order: int) -> int:
    """The n-grams that both have, each as often as the one that has it less often."""
    return (_grams(words, order) & _grams(expected, order)).total()


def _grams(words: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def _f1(shared: int, count: int, expected: int) -> float:
    # 2PR / (P + R) with P = shared / count and R = shared / wanted.
    return 2 * shared / (count + expected) if shared else 0.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


METRICS: Mapping[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    "meteor": lambda text, reference: meteor(_words(text), _words(reference)),
    **{f"rouge_{order}": rouge_n(order) for order in range(1, 6)},
    "rouge_l": rouge_l,
}
