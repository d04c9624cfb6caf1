"""A plan and the project's policy in; what the policy says about the plan out."""

from ftctl.policy.commands import command_verdict
from ftctl.policy.judge import RULES, check_allowed, judge, with_verdicts
from ftctl.policy.question import DEFAULTS, Question
from ftctl.policy.words import judgement_text, raise_refused

__all__ = [
    "DEFAULTS",
    "RULES",
    "Question",
    "check_allowed",
    "command_verdict",
    "judge",
    "judgement_text",
    "raise_refused",
    "with_verdicts",
]
