"""A comparison of two files in; its figures and rows in words out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ftctl.domain.digest import canonical_json
from ftctl.domain.row_diff import Changed, Compared
from ftctl.text.escape import backslashed

MOST_RANGES = 20
_DEEPEST = 100


def summary(compared: Compared) -> str:
    """`5 added, 3 removed, 7 changed, 470 unchanged`."""
    diff = compared.diff
    counts = {
        "added": len(diff.added),
        "removed": len(diff.removed),
        "changed": len(diff.changed),
        "unchanged": diff.unchanged,
    }
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "no rows"


def tokens_line(compared: Compared) -> str:
    """`+312 in one epoch (512 come, 200 go), by o200k_base`."""
    come, go = compared.diff.tokens_added, compared.diff.tokens_removed
    return f"{come - go:+,} in one epoch ({come:,} come, {go:,} go), by {compared.encoding}"


def lines_text(lines: Sequence[int]) -> str:
    """`3, 7-9 and 12 more`: ranges of lines, cut after twenty of them."""
    ranges = list(_ranges(lines))
    shown = [f"{a:,}" if a == b else f"{a:,}-{b:,}" for a, b in ranges[:MOST_RANGES]]
    more = sum(b - a + 1 for a, b in ranges[MOST_RANGES:])
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def kind_words(changed: Changed) -> str:
    """What makes two rows one that changed."""
    if changed.kind == "answer":
        return "same prompt, another answer"
    return f"near-equal ({changed.similarity or 0:.0%})"


def value_text(value: Any) -> str:
    """A value as JSON on one line, or `nothing` where there is none."""
    if value is ...:
        return "nothing"
    return backslashed(canonical_json(shown_value(value)))


def shown_value(value: Any) -> Any:
    """The value, or words for one that is nested deeper than it can be written everywhere."""
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [part for item in layer for part in _parts(item)]
        if not layer:
            return value
    return "(nested too deep to be shown)"


def _parts(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def notes(compared: Compared) -> Iterator[str]:
    """What must be known to read the numbers right."""
    for side in (compared.before, compared.after):
        if side.unreadable:
            rows = "row is" if side.unreadable == 1 else "rows are"
            why = "not readable and left out; 'ftctl dataset check' says why"
            yield f"{side.name}: {side.unreadable:,} {rows} {why}"
    if not compared.diff.compared:
        yield "too many rows differ to look for near-equal ones among them"


def _ranges(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = last = None
    for line in lines:
        if last is not None and line == last + 1:
            last = line
            continue
        if start is not None and last is not None:
            yield start, last
        start = last = line
    if start is not None and last is not None:
        yield start, last
