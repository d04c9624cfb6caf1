"""A column of keys goes in; which rows have equal ones comes out."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_MANY = 50_000  # keys; beyond, a dictionary of them would outgrow all else


class Common(NamedTuple):
    """How many different keys there are, and the most frequent with its count."""

    different: int
    key: int
    rows: int


def equal_rows(keys: array[int]) -> Iterator[list[int]]:
    """The places of each key that stands more than once, in order, by the first of them."""
    return _few(keys) if len(keys) < _MANY else _many(keys)


def most_common(keys: array[int]) -> Common:
    """Of equally frequent keys, the smallest. There must be one."""
    if len(keys) < _MANY:
        counts = Counter(keys)
        key = min(counts, key=lambda one: (-counts[one], one))
        return Common(len(counts), key, counts[key])
    from ftctl.numeric import np  # noqa: PLC0415

    different, sums = np.unique(np.frombuffer(keys, np.uint64), return_counts=True)
    best = int(sums.argmax())
    return Common(len(different), int(different[best]), int(sums[best]))


def middle(values: array[int] | array[float]) -> float:
    """The median. There must be a value."""
    if len(values) < _MANY:
        ordered = sorted(values)
        return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    from ftctl.numeric import np  # noqa: PLC0415

    return float(np.median(np.asarray(values)))


def _few(keys: array[int]) -> Iterator[list[int]]:
    places: dict[int, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return (group for group in places.values() if len(group) > 1)


def _many(keys: array[int]) -> Iterator[list[int]]:
    from ftctl.numeric import np  # noqa: PLC0415

    column = np.frombuffer(keys, np.uint64)
    order = np.argsort(column, kind="stable")
    ordered = column[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    repeated = np.flatnonzero(np.diff(edges) > 1)
    repeated = repeated[np.argsort(order[edges[repeated]], kind="stable")]
    for group in repeated.tolist():
        yield order[edges[group] : edges[group + 1]].tolist()
