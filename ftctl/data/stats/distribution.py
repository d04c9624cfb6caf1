"""How often each number occurred goes in; its percentiles and a histogram come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

MOST_BINS = 12
_TAIL = 3  # times p95: what lies beyond is gathered in one open bin


@dataclass(frozen=True, slots=True)
class Distribution:
    """A number per row over all rows. Percentiles are by nearest rank: numbers that occurred."""

    total: int
    p50: int
    p95: int
    longest: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose number is at least `low` and below `high`; None: no upper end."""

    low: int
    high: int | None
    rows: int

    @property
    def label(self) -> str:
        """`100-199`, or `500 or more`."""
        if self.high is None:
            return f"{self.low:,} or more"
        last = self.high - 1
        return f"{self.low:,}" if last == self.low else f"{self.low:,}-{last:,}"


def distribution_of(counts: Mapping[int, int]) -> Distribution:
    """The distribution of numbers given with how many rows have each; of nothing it is zeros."""
    if not counts:
        return Distribution(0, 0, 0, 0)
    total = sum(number * rows for number, rows in counts.items())
    return Distribution(total, percentile(counts, 50), percentile(counts, 95), max(counts))


def percentile(counts: Mapping[int, int], percent: int) -> int:
    """The least number that at least so many percent of the rows do not exceed."""
    numbers = sorted(counts)
    needed = -(-sum(counts.values()) * percent // 100)
    reached = accumulate(counts[number] for number in numbers)
    return next(
        number for number, rows in zip(numbers, reached, strict=True) if rows >= max(1, needed)
    )


def histogram(counts: Mapping[int, int]) -> tuple[Bin, ...]:
    """At most twelve bins of equal width, with one more for a far tail."""
    if not counts:
        return ()
    least, longest, p95 = min(counts), max(counts), percentile(counts, 95)
    end = longest if longest <= _TAIL * p95 else p95
    width = _round_width(-(-(end - least + 1) // MOST_BINS))
    start = least // width * width
    if (end - start) // width >= MOST_BINS:  # rounding the start down made one bin more
        width = _round_width(width + 1)
        start = least // width * width
    rows: dict[int, int] = {}
    for number, count in counts.items():
        at = (min(number, end + width) - start) // width
        rows[at] = rows.get(at, 0) + count
    return tuple(_bins(rows, start, width, (end - start) // width, open_end=end < longest))


def _bins(
    rows: Mapping[int, int], start: int, width: int, last: int, *, open_end: bool
) -> Iterator[Bin]:
    for at in range(last + 1):
        yield Bin(start + at * width, start + (at + 1) * width, rows.get(at, 0))
    if open_end:
        beyond = sum(count for at, count in rows.items() if at > last)
        if beyond:
            yield Bin(start + (last + 1) * width, None, beyond)


def _round_width(least: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not below `least`."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= least:
                return factor * step
        step *= 10
