"""A plan and the project's policy in; what the policy says about the plan out."""

from ftctl.policy.commands import command_violation
from ftctl.policy.policy_input import PolicyInput
from ftctl.policy.rule_table import RULES, check_allowed, check_policy, with_violations
from ftctl.policy.violations import policy_text, raise_refused

__all__ = [
    "RULES",
    "PolicyInput",
    "check_allowed",
    "check_policy",
    "command_violation",
    "policy_text",
    "raise_refused",
    "with_violations",
]
