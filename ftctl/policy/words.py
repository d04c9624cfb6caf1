"""Figures and violations in, words for people out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Context, Decimal

from ftctl.domain.review import PolicyResult, Violation
from ftctl.errors import Refused
from ftctl.text.escape import one_line

_CENT = Decimal("0.01")
_SHARE = Decimal("0.0001")
_WIDE = Context(prec=1000)  # an amount may be as large as its price was written
_LISTED = 5  # names, after which the others are counted


def policy_text(result: PolicyResult) -> list[str]:
    """A line for each violation, and one for what would allow it."""
    return [line for violation in result.violations for line in _lines(violation)]


def _lines(violation: Violation) -> list[str]:
    head = one_line(f"{violation.severity}[{violation.rule}]: {violation.message}")
    return [head, f"    hint: {one_line(violation.hint)}"] if violation.hint else [head]


def raise_refused(result: PolicyResult) -> None:
    """Raise `Refused` with every refusal; do nothing where there is none."""
    refused = result.refused
    if len(refused) == 1:
        hint = refused[0].hint
        raise Refused(one_line(refused[0].message), one_line(hint) if hint else None)
    if refused:
        lines = [f"    {line}" for violation in refused for line in _lines(violation)]
        head = f"the policy in ftctl.yaml stands against this plan in {len(refused)} points:"
        raise Refused("\n".join([head, *lines]))


def dollars(amount: Decimal) -> str:
    """An amount in whole cents, a part of one counted as one: `$12.35`."""
    return f"${up_to_cents(amount):,f}"


def limit_words(limit: Decimal) -> str:
    """A limit as it was written, with two decimals at least: `$10.00`, `$0.005`."""
    return f"${limit:,.2f}" if limit == _up(limit, _CENT) else f"${limit:,f}"


def up_to_cents(amount: Decimal) -> Decimal:
    """The smallest amount of whole cents that is no less."""
    return _up(amount, _CENT)


def share(some: int, of: int) -> Decimal:
    """The smallest share of four decimals that is no less than `some` of `of`."""
    return _up(Decimal(some) / Decimal(of), _SHARE)


def percent(of: Decimal) -> str:
    """`37.5 %`."""
    return f"{plain(of * 100)} %"


def plain(number: Decimal) -> str:
    """A number as people and YAML write it: without an exponent or needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(count: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """`a, b, c`; of many the first, and how many more."""
    more = len(names) - _LISTED
    shown = ", ".join(names[:_LISTED])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _up(number: Decimal, step: Decimal) -> Decimal:
    return number.quantize(step, ROUND_CEILING, _WIDE)
