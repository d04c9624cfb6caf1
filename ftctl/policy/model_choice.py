"""Rules on where and from what models are trained, and on how long they have left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from ftctl.catalog import base_of
from ftctl.domain.review import Violation
from ftctl.policy.policy_input import PolicyInput
from ftctl.policy.violations import named, refusal, setting
from ftctl.text.format import plural


def base_models(policy_input: PolicyInput, allowed: tuple[str, ...]) -> Iterator[Violation]:
    """Which base models may be trained."""
    rule = "base_models"
    for run in policy_input.bought:
        if not any(_matches(run.base_model, pattern) for pattern in allowed):
            yield refusal(
                rule,
                f"{run.finetune.name} trains {run.base_model};"
                f" policy.{rule} allows {named(allowed)}",
                f"add '{run.base_model}' to policy.{rule} in ftctl.yaml",
                finetune=run.finetune.name,
            )


def _matches(model: str, pattern: str) -> bool:
    """Whether a pattern allows a model. One that was tuned elsewhere counts as its base, unless
    the pattern itself is of such: the end of its name is free, and must not open a gate."""
    name = model if pattern.startswith("ft:") else base_of(model)
    return fnmatchcase(name, pattern)


def services(policy_input: PolicyInput, allowed: tuple[str, ...]) -> Iterator[Violation]:
    """Which services may be used."""
    rule = "services"
    used = policy_input.service.type
    if used not in allowed:
        yield refusal(
            rule,
            f"the plan is for {used}; policy.{rule} allows {named(allowed)}",
            f"add '{used}' to policy.{rule} in ftctl.yaml",
        )


def pinned_snapshots(policy_input: PolicyInput, _wanted: Literal[True]) -> Iterator[Violation]:
    """Whether a base model must be one that never changes under its name."""
    rule = "pinned_snapshots"
    for run in policy_input.bought:
        if run.base_model in policy_input.moving:
            yield refusal(
                rule,
                f"{run.finetune.name} trains {run.base_model}, an alias that moves;"
                f" policy.{rule} asks for a dated snapshot",
                "name the snapshot in its manifest",
                setting(rule, "false"),
                finetune=run.finetune.name,
            )


def warn_days_to_shutdown(policy_input: PolicyInput, limit: int) -> Iterator[Violation]:
    """Which models have less time left than somebody wants to be told of; they may be used."""
    rule = "warn_days_to_shutdown"
    least = policy_input.setting("min_days_to_shutdown")
    for name, what, day, adopted in _ends(policy_input):
        left = (day - policy_input.today).days
        passes = adopted or least is None or left >= least  # else it is refused
        if left < limit and passes:
            yield Violation(
                rule,
                "warning",
                f"{name} {what}, {_when(day, left)}; policy.{rule} warns below"
                f" {plural(limit, 'day')}",
                "train it on a base model that stays longer, or"
                f" {setting(rule, left)} to be told later",
                name,
            )


def min_days_to_shutdown(policy_input: PolicyInput, limit: int) -> Iterator[Violation]:
    """Which models have too little time left to be bought or to stay in service."""
    rule = "min_days_to_shutdown"
    for name, what, day, adopted in _ends(policy_input):
        left = (day - policy_input.today).days
        if left < limit and not adopted:
            # What is over cannot be allowed by any number of days.
            edit = [setting(rule, left)] if left >= 0 else []
            yield refusal(
                rule,
                f"{name} {what}, {_when(day, left)}; policy.{rule} asks for {plural(limit, 'day')}",
                "train it on a base model that stays longer",
                *edit,
                finetune=name,
            )


def _ends(policy_input: PolicyInput) -> Iterator[tuple[str, str, date, bool]]:
    """The fine-tunes whose end is known: what they use, its last day, and whether it is adopted."""
    for run in policy_input.bought:
        if (day := policy_input.shutdown_of(run.base_model)) is not None:
            yield run.finetune.name, f"trains {run.base_model}", day, False
    for kept in policy_input.in_service:
        if (day := policy_input.shutdown_of(kept.model, kept.base_model)) is not None:
            yield kept.name, f"is in service as {kept.model}", day, kept.adopted


def _when(day: date, left: int) -> str:
    if left < 0:
        return f"which was shut down on {day}, {plural(-left, 'day')} ago"
    return f"which shuts down on {day}, in {plural(left, 'day')}"
