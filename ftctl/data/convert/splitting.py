"""What rows are like and a seed go in; which rows are taken, and into which part, comes out.

A row's lot is drawn from its content and the seed alone, never from its place in the file.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ftctl.data.convert.recipe import Amount, Part, Sample, Split
from ftctl.data.convert.row_similarity import RowSimilarity, hash64
from ftctl.data.quality.similar import alike

_LOTS = 2**64
_SIMILARITY = 0.8  # of two questions' phrases, as the quality checks have it
_LARGEST_GROUP = 0.1  # of the rows: a larger group of near duplicates is no accident
_SMALL_GROUP = 5  # rows that may always be a group
_ANYTHING = 0  # the stratum of rows whose answers do not repeat

Indexes = Sequence[int]  # of rows, in the file's order


def sample_rows(rows: RowSimilarity, sample: Sample) -> Indexes:
    """The rows with the smallest lots. With one seed, a smaller sample is part of a larger one."""
    everything = range(len(rows))
    lots = _lots(b"sample", sample.seed, rows.content)
    wanted = _count(sample.rows, len(rows))
    if not sample.by_answer:
        return sorted(sorted(everything, key=lambda row: (lots[row], row))[:wanted])
    strata = _strata(rows, everything)
    quotas = _quotas(Counter(strata), wanted)
    taken: Counter[int] = Counter()
    chosen = []
    for row in sorted(everything, key=lambda row: (lots[row], row)):
        if taken[strata[row]] < quotas[strata[row]]:
            taken[strata[row]] += 1
            chosen.append(row)
    return sorted(chosen)


def split_rows(
    rows: RowSimilarity, split: Split, among: Indexes
) -> tuple[Mapping[Part, Indexes], tuple[str, ...]]:
    """The rows of each part, and what there is to say of it. Rows that ask alike are never parted.

    A share without strata is a threshold for lots: new rows move no other row. A number of rows,
    or strata, are exact instead, and a new row may push another one over the border.
    """
    groups, notes = _groups(rows, among)
    keys = list(groups)
    lots = dict(zip(keys, _lots(b"split", split.seed, keys), strict=True))
    exact = split.by_answer or isinstance(split.validation, int) or isinstance(split.test, int)
    deal = _by_quota if exact else _by_threshold
    parts = deal(rows, split, groups, lots)
    members: dict[Part, list[int]] = {part: [] for part in split.parts}
    for key, group in groups.items():
        members[parts.get(key, "train")] += group
    return {part: sorted(found) for part, found in members.items()}, notes


Groups = Mapping[int, list[int]]  # a group's key -> its rows
Dealt = Mapping[int, Part]  # what is not there is for training


def _by_threshold(_: RowSimilarity, split: Split, groups: Groups, lots: Mapping[int, int]) -> Dealt:
    first = int(split.validation * _LOTS)
    second = first + int((split.test or 0) * _LOTS)
    dealt: dict[int, Part] = {}
    for key in groups:
        if lots[key] < first:
            dealt[key] = "validation"
        elif lots[key] < second:
            dealt[key] = "test"
    return dealt


def _by_quota(rows: RowSimilarity, split: Split, groups: Groups, lots: Mapping[int, int]) -> Dealt:
    """Groups in the order of their lots, each part's quota filled as far as whole groups fit."""
    count = sum(len(group) for group in groups.values())
    strata = _group_strata(rows, groups) if split.by_answer else dict.fromkeys(groups, _ANYTHING)
    sizes: Counter[int] = Counter()
    for key, group in groups.items():
        sizes[strata[key]] += len(group)
    dealt: dict[int, Part] = {}
    wanted: list[tuple[Part, Amount]] = [("validation", split.validation)]
    wanted += [("test", split.test)] if split.test is not None else []
    in_order = sorted(groups, key=lambda key: (lots[key], key))
    for part, amount in wanted:
        left = _quotas(sizes, _count(amount, count))
        for key in in_order:
            size = len(groups[key])
            if key not in dealt and size <= left[strata[key]]:
                dealt[key] = part
                left[strata[key]] -= size
    return dealt


def _groups(rows: RowSimilarity, among: Indexes) -> tuple[Groups, tuple[str, ...]]:
    """Rows that ask the same or nearly the same, and conversations with those that continue them.

    A group's key is the smallest of its questions, so that the order of rows plays no part.
    """
    surely = _joined(rows, among, _continued(rows, among))
    if rows.signatures is None:
        note = "near duplicates were not looked for: there are too many rows"
        return surely, (note,) if len(rows) else ()
    near = [*_continued(rows, among), *_near(rows.signatures, among, rows)]
    groups = _joined(rows, among, near)
    largest, sure = (max(map(len, one.values()), default=0) for one in (groups, surely))
    if largest > max(sure, len(among) * _LARGEST_GROUP, _SMALL_GROUP):
        # A text that stands in every question, such as instructions, makes them all alike.
        note = f"near duplicates are not kept together: {largest:,} rows are alike"
        return surely, (note,)
    return groups, ()


def _joined(
    rows: RowSimilarity, among: Indexes, pairs: Iterable[tuple[int, int]]
) -> dict[int, list[int]]:
    """The rows by question, those of each pair of questions together."""
    leader: dict[int, int] = {}

    def find(key: int) -> int:
        while (above := leader.get(key, key)) != key:
            leader[key] = key = leader.get(above, above)
        return key

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for row in among:
        groups.setdefault(find(rows.question[row]), []).append(row)
    return groups


def _continued(rows: RowSimilarity, among: Indexes) -> Iterator[tuple[int, int]]:
    """Questions of conversations that go on where another row ends."""
    if not rows.earlier:
        return
    inside = set(among)
    ends = {rows.conversation[row]: rows.question[row] for row in among}
    for row, conversation in rows.earlier:
        if row in inside and conversation in ends:
            yield rows.question[row], ends[conversation]


def _near(
    signatures: Mapping[int, bytes], among: Indexes, rows: RowSimilarity
) -> Iterator[tuple[int, int]]:
    """Questions that share most of their phrases."""
    keys = sorted({rows.question[row] for row in among})
    for pair in alike([signatures[key] for key in keys], _SIMILARITY):
        yield keys[pair.later], keys[pair.earlier]


def _lots(purpose: bytes, seed: int, keys: Iterable[int]) -> array[int]:
    start = str(seed).encode()
    return array("Q", (hash64(purpose, start, key.to_bytes(8, "big")) for key in keys))


def _strata(rows: RowSimilarity, among: Indexes) -> list[int]:
    counts = Counter(rows.answer[row] for row in among)
    return [rows.answer[row] if counts[rows.answer[row]] > 1 else _ANYTHING for row in among]


def _group_strata(rows: RowSimilarity, groups: Groups) -> dict[int, int]:
    """A group whose rows have several answers counts for one of them, in any order of rows."""
    counts = Counter(rows.answer[row] for group in groups.values() for row in group)
    strata = {}
    for key, group in groups.items():
        answer = min(rows.answer[row] for row in group)
        strata[key] = answer if counts[answer] > 1 else _ANYTHING
    return strata


def _quotas(sizes: Mapping[int, int], wanted: int) -> Counter[int]:
    """Each stratum's share of the rows wanted, whole numbers that add up (largest remainders)."""
    total = sum(sizes.values())
    quotas: Counter[int] = Counter({one: wanted * size // total for one, size in sizes.items()})
    order = sorted(sizes, key=lambda one: (-(wanted * sizes[one] % total), one))
    for one in order[: wanted - sum(quotas.values())]:
        quotas[one] += 1
    return quotas


def _count(amount: Amount, rows: int) -> int:
    """A number of rows, or that share of them, rounded and at least one."""
    if isinstance(amount, int):
        return min(amount, rows)
    return max(min(1, rows), int(amount * rows + 0.5))


@dataclass(frozen=True, slots=True)
class Division:
    """Which rows go where; one part without a name where nothing is split."""

    parts: Mapping[Part | None, Indexes]
    notes: tuple[str, ...] = ()  # what there is to say of it


def split_or_sample(rows: RowSimilarity, sample: Sample | None, split: Split | None) -> Division:
    """Sample first, then split what is left."""
    among: Indexes = range(len(rows)) if sample is None else sample_rows(rows, sample)
    if split is None:
        return Division({None: among})
    dealt, notes = split_rows(rows, split, among)
    return Division({part: dealt[part] for part in split.parts}, notes)
