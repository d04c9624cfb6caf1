"""Rules on the data of what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from ftctl.domain.review import Violation
from ftctl.policy.policy_input import PolicyInput
from ftctl.policy.violations import named, refusal, setting, share
from ftctl.text.format import percent, plain_number, plural


def require_validation(policy_input: PolicyInput, _wanted: Literal[True]) -> Iterator[Violation]:
    """Whether everything that is trained is measured on rows of its own."""
    rule = "require_validation"
    for run in policy_input.bought:
        if run.finetune.validation is None:
            yield refusal(
                rule,
                f"{run.finetune.name} has no validation data; policy.{rule} asks for it",
                "name a file with 'validation' in its manifest",
                setting(rule, "false"),
                finetune=run.finetune.name,
            )


def max_leakage_share(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """How much of the validation data may have been seen in training."""
    rule = "max_leakage_share"
    for run in policy_input.bought:
        name = run.finetune.name
        leaking, rows = policy_input.leaks.get(name, (0, 0))
        if leaking > limit * rows:
            part = share(leaking, rows)
            yield refusal(
                rule,
                f"{leaking:,} of {plural(rows, 'validation row')} of {name} ({percent(part)})"
                f" stand in its training file; policy.{rule} allows {percent(limit)}",
                "take them out of one of the files ('ftctl validate' says where they stand)",
                setting(rule, plain_number(part)),
                finetune=name,
            )


def max_duplicate_share(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """How much of a data file may be repetitions; a file of several fine-tunes is told once."""
    rule = "max_duplicate_share"
    for path, names in _files(policy_input).items():
        repeated, rows = policy_input.duplicates.get(path, (0, 0))
        if repeated > limit * rows:
            part = share(repeated, rows)
            yield refusal(
                rule,
                f"{repeated:,} of {plural(rows, 'row')} of {path} ({percent(part)}; data of"
                f" {named(names)}) are repetitions; policy.{rule} allows {percent(limit)}",
                "take them out ('ftctl validate' says where they stand)",
                setting(rule, plain_number(part)),
                finetune=names[0] if len(names) == 1 else None,
            )


def _files(policy_input: PolicyInput) -> dict[str, list[str]]:
    """The data files that are trained or measured on, with the fine-tunes that do."""
    files: dict[str, list[str]] = {}
    for run in policy_input.bought:
        for dataset in (run.finetune.training, run.finetune.validation):
            names = files.setdefault(dataset.path, []) if dataset is not None else []
            if run.finetune.name not in names:
                names.append(run.finetune.name)
    return files
