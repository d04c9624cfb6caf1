"""Rules on what training may cost. An estimate counts by the most that it may come to.

What cannot be priced cannot be shown to keep a limit: it is refused, never waved through.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ftctl.catalog import base_of
from ftctl.domain.review import Violation
from ftctl.policy.policy_input import PolicyInput, Price
from ftctl.policy.violations import named, refusal, setting
from ftctl.text.format import CENT, plain_number, plural, rounded_up, usd_limit, usd_up


def max_cost_per_job(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """What each training run may cost."""
    rule = "max_cost_per_job"
    allows = f"policy.{rule} allows {usd_limit(limit)}"
    for price in policy_input.prices:
        name = price.name
        if price.high is None:
            message = f"nobody can tell beforehand what {name} costs: {_why(policy_input, price)}"
            cures = _give_price(policy_input, price)
            yield refusal(rule, f"{message}; {allows}", *cures, finetune=name)
        elif price.high > limit:
            message = f"{name} may cost {usd_up(price.high)}; {allows}"
            yield refusal(rule, message, _raise(rule, price.high), finetune=name)


def max_cost_per_apply(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """What all runs of a plan may cost, those included that wait for a parent."""
    rule = "max_cost_per_apply"
    high = _total(policy_input.prices)
    if high > limit:
        runs = plural(len(policy_input.prices), "training job")
        yield refusal(
            rule,
            f"the plan's {runs} ({_names(policy_input.prices)}) may cost {usd_up(high)};"
            f" policy.{rule} allows {usd_limit(limit)}",
            "narrow the plan with --select NAME",
            _raise(rule, high),
        )
    yield from _unknown(policy_input, rule, limit)


def max_cost_per_month(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """What our jobs of this calendar month may cost, those of the plan included."""
    rule = "max_cost_per_month"
    high = _total(policy_input.prices)
    month = f"{policy_input.month or policy_input.today:%Y-%m}"
    if high > 0 and policy_input.spent + high > limit:
        yield refusal(
            rule,
            f"the project's jobs of {month} cost {usd_up(policy_input.spent)}, and this plan's"
            f" ({_names(policy_input.prices)}) may cost {usd_up(high)},"
            f" {usd_up(policy_input.spent + high)} in all;"
            f" policy.{rule} allows {usd_limit(limit)}",
            _raise(rule, policy_input.spent + high),
        )
    if policy_input.spent_unknown and policy_input.prices:
        yield refusal(
            rule,
            f"nobody can tell what {plural(policy_input.spent_unknown, 'job')} of the project in"
            f" {month} cost, beside {usd_up(policy_input.spent)} and the {usd_up(high)} of this"
            f" plan ({_names(policy_input.prices)}); policy.{rule} allows {usd_limit(limit)}",
            "wait until they are over, or give their base models a price below 'catalog' in"
            " ftctl.yaml",
        )
    yield from _unknown(policy_input, rule, limit)


def _unknown(policy_input: PolicyInput, rule: str, limit: Decimal) -> Iterator[Violation]:
    """One refusal for all runs of the plan that have no price."""
    unknown = [price for price in policy_input.prices if price.high is None]
    if unknown:
        first = unknown[0]
        yield refusal(
            rule,
            f"nobody can tell beforehand what {len(unknown):,} of the plan's"
            f" {plural(len(policy_input.prices), 'training job')} cost ({_names(unknown)}):"
            f" {_why(policy_input, first)}; policy.{rule} allows {usd_limit(limit)}",
            *_give_price(policy_input, first),
            finetune=first.name if len(unknown) == 1 else None,
        )


def _why(policy_input: PolicyInput, price: Price) -> str:
    where = f"{base_of(price.base_model)} at {policy_input.service.type}"
    if price.usd_per_hour is not None:
        return f"{where} is billed by the hour, {usd_up(price.usd_per_hour)}"
    return f"no price of {where} is on record"


def _give_price(policy_input: PolicyInput, price: Price) -> tuple[str, ...]:
    if price.usd_per_hour is not None:
        return ("train it on a base model that is billed by tokens",)
    facts = (
        f"{policy_input.service.type}: {{{base_of(price.base_model)}: {{usd_per_million_tokens: …}}"
    )
    return (f"give its price in ftctl.yaml (catalog: {{{facts}}}}})",)


def _raise(rule: str, amount: Decimal) -> str:
    return setting(rule, plain_number(rounded_up(amount, CENT)))


def _total(prices: tuple[Price, ...]) -> Decimal:
    return sum((price.high for price in prices if price.high is not None), Decimal(0))


def _names(prices: list[Price] | tuple[Price, ...]) -> str:
    return named([price.name for price in prices])
