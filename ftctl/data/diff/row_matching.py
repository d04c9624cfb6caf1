"""Two sources of numbered rows go in; a RowDiff, by content whatever the order, comes out."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftctl.data.diff.identity import Key, prompt_key, row_key
from ftctl.data.diff.similarity import Features, features_of, pair_alike
from ftctl.domain.row_diff import Changed, RowDiff

MOST_COMPARED = 10_000
"""Rows without a partner on either side up to which near-equal ones are looked for."""

Row = Mapping[str, Any]
Numbered = Iterable[tuple[int, Row]]
Rows = Callable[[Collection[int] | None], Numbered]
"""Reads a file's rows with their lines, in order: all of them, or those on the lines given."""


@dataclass(slots=True)
class _Side:
    """The rows of one side that the other does not have."""

    lines: list[int]
    prompts: dict[int, Key | None]
    features: dict[int, Features]
    tokens: int = 0


def diff_rows(before: Rows, after: Rows, tokens_of: Callable[[Row], int]) -> RowDiff:
    """Compare the rows as multisets. Sixteen bytes a row are kept, more only of those that differ.

    Each side is read once, and once more for what differs. Of equal rows that one side has more
    often, the last are those that were added or removed.
    """
    ours, theirs = _keys(before(None)), _keys(after(None))
    old, new = _left_over(ours, theirs), _left_over(theirs, ours)
    compared = max(len(old), len(new)) <= MOST_COMPARED
    removed = _look(before, old, tokens_of, compare=compared)
    added = _look(after, new, tokens_of, compare=compared)
    changed = _same_prompt(removed, added)
    if compared:
        changed += _near(removed, added, changed)
    changed.sort(key=lambda pair: (pair.after, pair.before))
    gone = {pair.before for pair in changed}
    come = {pair.after for pair in changed}
    return RowDiff(
        rows_before=len(ours.keys),
        rows_after=len(theirs.keys),
        unchanged=len(ours.keys) - len(old),
        removed=tuple(line for line in old if line not in gone),
        added=tuple(line for line in new if line not in come),
        changed=tuple(changed),
        tokens_removed=removed.tokens,
        tokens_added=added.tokens,
        compared=compared,
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    """A side's rows: where each stands, and the hash of its content."""

    lines: array[int]
    keys: array[int]


def _keys(rows: Numbered) -> _Keys:
    found = _Keys(array("Q"), array("Q"))
    for line, row in rows:
        found.lines.append(line)
        found.keys.append(row_key(row))
    return found


def _left_over(side: _Keys, other: _Keys) -> list[int]:
    """The lines of the rows that `other` has not, or not as often."""
    there: dict[int, int] = {}
    for key in other.keys:
        there[key] = there.get(key, 0) + 1
    left = []
    for line, key in zip(side.lines, side.keys, strict=True):
        if there.get(key, 0):
            there[key] -= 1
        else:
            left.append(line)
    return left


def _look(rows: Rows, lines: list[int], tokens_of: Callable[[Row], int], *, compare: bool) -> _Side:
    side = _Side(lines, {}, {})
    if lines:
        for line, row in rows(frozenset(lines)):
            side.prompts[line] = prompt_key(row)
            side.tokens += tokens_of(row)
            if compare:
                side.features[line] = features_of(row)
    return side


def _same_prompt(removed: _Side, added: _Side) -> list[Changed]:
    """The first row that asks something stands for the first that asked it, and so on."""
    asked: dict[Key, deque[int]] = {}
    for line, prompt in removed.prompts.items():
        if prompt is not None:
            asked.setdefault(prompt, deque()).append(line)
    return [
        Changed(asked[prompt].popleft(), line, "answer")
        for line, prompt in added.prompts.items()
        if prompt is not None and asked.get(prompt)
    ]


def _near(removed: _Side, added: _Side, paired: list[Changed]) -> list[Changed]:
    gone = {pair.before for pair in paired}
    come = {pair.after for pair in paired}
    old = dict(_without(removed.features, gone))
    new = dict(_without(added.features, come))
    return [Changed(before, after, "near", alike) for before, after, alike in pair_alike(old, new)]


def _without(
    features: Mapping[int, Features], lines: Collection[int]
) -> Iterator[tuple[int, Features]]:
    return ((line, found) for line, found in features.items() if line not in lines)
