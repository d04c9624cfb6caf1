"""A rule and what a plan does against it in; the violation, with what would allow it, out."""

from __future__ import annotations

from ftctl.domain.review import Violation


def refusal(rule: str, message: str, *cures: str, finetune: str | None = None) -> Violation:
    """A violation that stops an apply. Each of `cures` would do, and so would the flag."""
    hint = ", ".join((*cures, f"or pass --allow {rule}"))
    return Violation(rule, "refused", message, hint, finetune)


def setting(rule: str, value: object) -> str:
    """The edit of ftctl.yaml after which a rule is kept."""
    return f"set policy.{rule}: {value} in ftctl.yaml"
