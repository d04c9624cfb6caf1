"""Rows' texts go in; how alike two of them are, and pairs that are nearly equal, come out."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from zlib import crc32

from ftctl.data.formats.shape import strings

MOST_FEATURES = 128  # kept of a row, those with the smallest hashes: 512 bytes
LEAST_SIMILARITY = 0.5
_RAREST = 16  # features of a row by which its partners are looked up
_COMMON = 64  # rows: a feature that more of them have finds none
_LIST_OF_MESSAGES = ("messages", "preferred_output", "non_preferred_output")

# Scripts that put no spaces between words: each character stands for itself.
_UNSPACED = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

Features: TypeAlias = "array[int]"
Pair = tuple[int, int, float]


def features_of(row: Mapping[str, Any]) -> Features:
    """Hashes of the row's words and of their neighbours, sorted; the smallest where they are many.

    System and developer messages are left out: they are the same in most rows of a file, and would
    make any two rows alike. Keys and roles are left out for the same reason.
    """
    found: set[int] = set()
    for text in _texts(row):
        before = ""
        for word in _WORD.findall(text.casefold()):
            found.add(_hash(word))
            found.add(_hash(f"{before} {word}"))
            before = word
    return array("I", sorted(found)[:MOST_FEATURES])


def similarity(one: Features, other: Features) -> float:
    """The Jaccard index of all features: exact for rows that have few, else estimated."""
    ours, theirs = set(one), set(other)
    union = sorted(ours | theirs)
    if len(one) == MOST_FEATURES or len(other) == MOST_FEATURES:
        union = union[:MOST_FEATURES]
    both = sum(1 for feature in union if feature in ours and feature in theirs)
    return both / len(union) if union else 0.0


def _texts(row: Mapping[str, Any]) -> Iterator[str]:
    for key, value in row.items():
        if key in ("tools", "functions"):
            continue
        inner = value.get("messages") if key == "input" and isinstance(value, dict) else value
        if isinstance(inner, list) and (key in _LIST_OF_MESSAGES or key == "input"):
            for message in inner:
                yield from _said(message)
        else:
            yield from _values(inner)


def _said(message: object) -> Iterator[str]:
    if isinstance(message, dict):
        if message.get("role") in ("system", "developer"):
            return
        message = {key: value for key, value in message.items() if key != "role"}
    yield from _values(message)


def _values(value: object) -> Iterator[str]:
    return (text for place, text in strings(value) if not place.startswith("a key in "))


def _hash(text: str) -> int:
    # Python's own hash differs from run to run.
    return crc32(text.encode("utf-8", "surrogatepass"))


def pair_alike(old: Mapping[int, Features], new: Mapping[int, Features]) -> list[Pair]:
    """Each row at most once, the most alike first: the old line, the new one, how alike.

    A row's partner shares one of its rarest features, else it is not found. Of what is equally
    alike the earlier lines are taken.
    """
    found = sorted(_candidates(old, new), key=lambda pair: (-pair[2], pair[0], pair[1]))
    pairs = []
    gone: set[int] = set()
    come: set[int] = set()
    for before, after, alike in found:
        if before not in gone and after not in come:
            gone.add(before)
            come.add(after)
            pairs.append((before, after, alike))
    return pairs


def _candidates(old: Mapping[int, Features], new: Mapping[int, Features]) -> Iterator[Pair]:
    rows_with = Counter(
        feature for side in (old, new) for each in side.values() for feature in each
    )
    having: dict[int, list[int]] = {}
    for line, features in old.items():
        for feature in _rarest(features, rows_with):
            having.setdefault(feature, []).append(line)
    for line, features in new.items():
        rare = _rarest(features, rows_with)
        for other in sorted({one for feature in rare for one in having.get(feature, ())}):
            alike = similarity(old[other], features)
            if alike >= LEAST_SIMILARITY:
                yield other, line, alike


def _rarest(features: Features, rows_with: Mapping[int, int]) -> list[int]:
    """Those that several rows have: what stands in one row alone finds no other."""
    shared = [feature for feature in features if 1 < rows_with[feature] <= _COMMON]
    return sorted(shared, key=lambda feature: (rows_with[feature], feature))[:_RAREST]
