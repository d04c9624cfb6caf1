"""Rules on how much a plan may create, buy again and delete at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ftctl.domain.plan import StartJob
from ftctl.domain.review import Violation
from ftctl.policy.policy_input import PolicyInput
from ftctl.policy.violations import named, refusal, setting, share
from ftctl.text.format import percent, plain_number, plural

_NARROW = "narrow the plan with --select NAME"


def max_jobs_created(policy_input: PolicyInput, limit: int) -> Iterator[Violation]:
    """How many jobs one apply starts; those deferred count in the one that starts them."""
    rule = "max_jobs_created"
    if policy_input.waits:
        starts = [run.change.name for run in policy_input.bought]
    else:
        starts = [change.name for change in policy_input.plan.changes for step in change.steps
                  if isinstance(step, StartJob)]  # fmt: skip
    yield from _counted(rule, limit, "starts", "training job", starts)


def max_models_deleted(policy_input: PolicyInput, limit: int) -> Iterator[Violation]:
    """How many models the plan deletes, checkpoints included."""
    yield from _counted("max_models_deleted", limit, "deletes", "model", policy_input.deleted)


def _counted(
    rule: str, limit: int, verb: str, noun: str, names: Sequence[str]
) -> Iterator[Violation]:
    if len(names) > limit:
        yield refusal(
            rule,
            f"the plan {verb} {plural(len(names), noun)} ({named(names)});"
            f" policy.{rule} allows {limit}",
            _NARROW,
            setting(rule, len(names)),
        )


def max_share_deleted(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """How many of the fine-tunes that have a model lose their last one to the plan.

    Only those that nobody asks for any more are counted. One may always go; `destroy` takes
    everything away and says so.
    """
    rule = "max_share_deleted"
    asked_for = {finetune.name for finetune in policy_input.desired.finetunes}
    going = frozenset(policy_input.deleted)
    gone = sorted(
        name
        for name, models in policy_input.live.items()
        if models <= going and name not in asked_for
    )
    existing = len(policy_input.live)
    if len(gone) > 1 and len(gone) > limit * existing:
        part = share(len(gone), existing)
        yield refusal(
            rule,
            f"the plan takes the last model from {len(gone):,} of {plural(existing, 'fine-tune')}"
            f" ({percent(part)}: {named(gone)}); policy.{rule} allows {percent(limit)}",
            "put their manifests back",
            setting(rule, plain_number(part)),
        )


def max_share_bought_again(policy_input: PolicyInput, limit: Decimal) -> Iterator[Violation]:
    """How many of the fine-tunes that were trained before are bought again as they were.

    A model that cannot be seen may be there all the same. One may always be bought; a fine-tune
    that is new or was changed is another training.
    """
    rule = "max_share_bought_again"
    again = policy_input.bought_again
    before = len(policy_input.trained_before)
    if len(again) > 1 and len(again) > limit * before:
        part = share(len(again), before)
        yield refusal(
            rule,
            f"the plan buys {len(again):,} of {plural(before, 'fine-tune')} again that"
            f" {'were' if before > 1 else 'was'} trained before ({percent(part)}: {named(again)});"
            f" policy.{rule} allows {percent(limit)}",
            "see first whether the models are gone ('ftctl doctor' says for whom the key acts)",
            setting(rule, plain_number(part)),
        )
