"""What a plan does against a rule in; a Violation with its cures, or the words for some, out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ftctl.domain.review import PolicyResult, Violation
from ftctl.errors import Refused
from ftctl.text.escape import one_line
from ftctl.text.format import listed, rounded_up

_SHARE = Decimal("0.0001")
_MOST_NAMED = 5  # after which names are counted


def refusal(rule: str, message: str, *cures: str, finetune: str | None = None) -> Violation:
    """A violation that stops an apply. Each of `cures` would do, and so would the flag."""
    hint = ", ".join((*cures, f"or pass --allow {rule}"))
    return Violation(rule, "refused", message, hint, finetune)


def setting(rule: str, value: object) -> str:
    """The edit of ftctl.yaml after which a rule is kept."""
    return f"set policy.{rule}: {value} in ftctl.yaml"


def named(names: Sequence[str]) -> str:
    """The first of them, and how many more."""
    return listed(names, _MOST_NAMED)


def share(some: int, of: int) -> Decimal:
    """The smallest share of four decimals that is no less than `some` of `of`."""
    return rounded_up(Decimal(some) / Decimal(of), _SHARE)


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
