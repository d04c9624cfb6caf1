"""A PolicyInput in, the word of every rule out: all that stands against a plan, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ftctl.domain.review import PolicyResult, Violation
from ftctl.errors import UsageError
from ftctl.policy.commands import COMMANDS
from ftctl.policy.counts import (
    max_jobs_created,
    max_models_deleted,
    max_share_bought_again,
    max_share_deleted,
)
from ftctl.policy.model_choice import (
    base_models,
    min_days_to_shutdown,
    pinned_snapshots,
    services,
    warn_days_to_shutdown,
)
from ftctl.policy.money import max_cost_per_apply, max_cost_per_job, max_cost_per_month
from ftctl.policy.policy_input import PolicyInput
from ftctl.policy.training_data import max_duplicate_share, max_leakage_share, require_validation
from ftctl.text.suggest import did_you_mean

# The second argument is what PolicySettings has under the rule's name.
Rule = Callable[[PolicyInput, Any], Iterator[Violation]]

# By their keys below `policy`, in the order of schemas/project.json.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "max_jobs_created": max_jobs_created,
        "max_models_deleted": max_models_deleted,
        "max_share_deleted": max_share_deleted,
        "max_share_bought_again": max_share_bought_again,
        "max_cost_per_job": max_cost_per_job,
        "max_cost_per_apply": max_cost_per_apply,
        "max_cost_per_month": max_cost_per_month,
        "base_models": base_models,
        "services": services,
        "pinned_snapshots": pinned_snapshots,
        "require_validation": require_validation,
        "warn_days_to_shutdown": warn_days_to_shutdown,
        "min_days_to_shutdown": min_days_to_shutdown,
        "max_leakage_share": max_leakage_share,
        "max_duplicate_share": max_duplicate_share,
    }
)


def check_policy(policy_input: PolicyInput) -> PolicyResult:
    """What every rule that the policy sets, or that holds by default, says about a plan."""
    limits = {
        name: limit
        for name in RULES
        if (limit := policy_input.setting(name)) is not None
        and limit is not False  # a limit of 0 is one
        and not (name == "max_share_deleted" and policy_input.destroy)
    }
    violations = [
        violation
        for name, limit in limits.items()
        for violation in RULES[name](policy_input, limit)
    ]
    return with_violations(PolicyResult(tuple(limits)), violations, policy_input.allow)


def with_violations(
    result: PolicyResult, violations: Iterable[Violation], allow: frozenset[str]
) -> PolicyResult:
    """The result with more violations; those of rules in `allow` let the plan pass."""
    more = tuple(
        replace(violation, severity="allowed", hint=None) if violation.rule in allow else violation
        for violation in violations
    )
    rules = dict.fromkeys((*result.rules, *(violation.rule for violation in more)))
    return PolicyResult(tuple(rules), (*result.violations, *more))


def check_allowed(names: Iterable[str]) -> frozenset[str]:
    """The rules that --allow names. Raises `UsageError` for one that does not exist."""
    allowed = frozenset(names)
    rules = (*RULES, COMMANDS)
    for name in sorted(allowed.difference(rules)):
        near = did_you_mean(name.lower().replace("-", "_"), rules)
        hint = near or f"known: {', '.join(rules)}"
        raise UsageError(f"--allow: there is no rule '{name}'", hint)
    return allowed
