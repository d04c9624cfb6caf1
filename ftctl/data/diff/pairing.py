"""The features of two sides' rows go in; pairs of rows that are nearly equal come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ftctl.data.diff.likeness import Features, likeness

LEAST_LIKENESS = 0.5
_RAREST = 16  # features of a row by which its partners are looked up
_COMMON = 64  # rows: a feature that more of them have finds none

Pair = tuple[int, int, float]


def pair_alike(old: Mapping[int, Features], new: Mapping[int, Features]) -> list[Pair]:
    """Each row at most once, the most alike first: the old line, the new one, the likeness.

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
            alike = likeness(old[other], features)
            if alike >= LEAST_LIKENESS:
                yield other, line, alike


def _rarest(features: Features, rows_with: Mapping[int, int]) -> list[int]:
    """Those that several rows have: what stands in one row alone finds no other."""
    shared = [feature for feature in features if 1 < rows_with[feature] <= _COMMON]
    return sorted(shared, key=lambda feature: (rows_with[feature], feature))[:_RAREST]
