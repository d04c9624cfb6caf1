"""Numbers and names in; how people read them, the same everywhere, out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
_NEAREST = Context(prec=40, rounding=ROUND_HALF_UP)
_UP = Context(prec=1000, rounding=ROUND_CEILING)  # an amount may be as large as its price
_TOO_LONG = Decimal(10) ** 15  # from here on, digits are no help


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 job`, `2,000 jobs`, `3 entries`."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def joined(names: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; of none nothing."""
    *before, final = names or [""]
    return f"{', '.join(before)} {last} {final}" if before else final


def listed(names: Sequence[str], most: int) -> str:
    """`a, b, c`; of more than `most` the first, and how many there are besides."""
    more = len(names) - most
    shown = ", ".join(names[:most])
    return f"{shown} and {more:,} more" if more > 0 else shown


def count_range(low: int, high: int) -> str:
    """`98,319 to 102,639`, or one figure where they are the same."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def plural_range(low: int, high: int, noun: str) -> str:
    """`1 epoch`, `3 epochs`, `1 to 50 epochs`."""
    return f"{count_range(low, high)} {noun if low == high == 1 else f'{noun}s'}"


def size(count: int) -> str:
    """Bytes as people read them, in powers of 1000."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 999.95:  # what would be shown as 1000.0 is one of the next unit
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def usd(amount: Decimal) -> str:
    """`$0.49`, `$1,234.50`, `-$3.00`; what is less than a cent and not nothing as `< $0.01`.

    To the nearest cent, halves up, as bills do. See `usd_up` for what stands beside a limit.
    """
    sign, absolute = ("-" if amount < 0 else ""), abs(amount)
    if 0 < absolute < CENT:
        return "> -$0.01" if sign else "< $0.01"
    if absolute >= _TOO_LONG:
        return f"{sign}${absolute:.2e}"
    return f"{sign}${absolute.quantize(CENT, context=_NEAREST):,}"


def usd_range(low: Decimal, high: Decimal) -> str:
    """`$0.49 to $0.51`, or one figure where both read the same."""
    first, last = usd(low), usd(high)
    return first if first == last else f"{first} to {last}"


def usd_rate(amount: Decimal) -> str:
    """A price, which may have parts of a cent that count: `$5.00`, `$0.0004`."""
    whole = amount >= _TOO_LONG or amount == amount.quantize(CENT, context=_NEAREST)
    return usd(amount) if whole else f"${amount.normalize():f}"


def usd_up(amount: Decimal) -> str:
    """An amount that stands against a limit, in whole cents, a part of one counted as one.

    To the nearest cent, $10.001 would read as if it kept a limit of $10.00.
    """
    return f"${rounded_up(amount, CENT):,f}"


def usd_limit(limit: Decimal) -> str:
    """A limit as it was written, with two decimals at least: `$10.00`, `$0.005`."""
    return f"${limit:,.2f}" if limit == rounded_up(limit, CENT) else f"${limit:,f}"


def rounded_up(number: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of a step such as 0.01 that is no less."""
    return number.quantize(step, context=_UP)


def plain_number(number: Decimal) -> str:
    """As people and YAML write it: without an exponent or needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: Decimal) -> str:
    """`37.5 %`: a share as exactly as it is known."""
    return f"{plain_number(share * 100)} %"


def percent_of(part: int, whole: int) -> str:
    """A share for people: never 0 % where there is something, never 100 % where one is missing."""
    share = 100 * part / whole
    if 0 < share < 1:
        return f"{max(share, 0.1):.1f} %" if share >= 0.05 else "under 0.1 %"
    return f"{min(round(share), 99) if part < whole else 100} %"


def percent_alike(similarity: float) -> str:
    """`about 87 %`: how alike two things are that are not the same, so never 100 %."""
    return f"about {min(99, round(100 * similarity))} %"
