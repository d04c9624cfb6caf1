"""Dollars and counts in, words out: the one place where money is rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from ftctl.catalog import OWN, Price

_CENT = Decimal("0.01")
_ROUND = Context(prec=40, rounding=ROUND_HALF_UP)
_TOO_LONG = Decimal(10) ** 15  # from here on, digits are no help


def usd(amount: Decimal) -> str:
    """`$0.49`, `$1,234.50`, `-$3.00`; what is less than a cent and not nothing as `< $0.01`."""
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if 0 < size < _CENT:
        return "> -$0.01" if sign else "< $0.01"
    if size >= _TOO_LONG:
        return f"{sign}${size:.2e}"
    return f"{sign}${size.quantize(_CENT, context=_ROUND):,}"


def range_words(low: Decimal, high: Decimal) -> str:
    """`$0.49 to $0.51`, or one figure where both read the same."""
    first, last = usd(low), usd(high)
    return first if first == last else f"{first} to {last}"


def count_words(low: int, high: int) -> str:
    """`98,319 to 102,639`, or one figure where they are the same."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def epoch_words(low: int, high: int) -> str:
    """`1 epoch`, `3 epochs`, `1 to 50 epochs`."""
    return f"{count_words(low, high)} {'epoch' if low == high == 1 else 'epochs'}"


def rate_words(price: Price, service: str) -> str:
    """`$5.00 a million tokens (openai, 2025-11)`: the price, whose it is, and how old."""
    per = "a million tokens" if price.per == "million-tokens" else "an hour of training"
    rounded = price.usd >= _TOO_LONG or price.usd == price.usd.quantize(_CENT, context=_ROUND)
    amount = usd(price.usd) if rounded else f"${price.usd.normalize():f}"
    return f"{amount} {per} ({age_words(price, service)})"


def age_words(price: Price, service: str) -> str:
    """`openai, 2025-11`, `ftctl.yaml, 2026-10`, or `ftctl.yaml` where that gives no date."""
    if price.source != OWN:
        return f"{service}, {price.as_of}"
    return OWN if price.as_of == OWN else f"{OWN}, {price.as_of}"
