"""A reviewed plan in, its JSON document out, as `schemas/plan.json` describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ftctl import __version__
from ftctl.domain.plan import Action, Change, Estimate
from ftctl.domain.review import DataChange, Review, Verdict
from ftctl.planner.approval import step_document
from ftctl.reports.words import takes_up

FORMAT_VERSION = "1.0"
NO_OPTIONS: Mapping[str, Any] = {
    "select": None,
    "replace": [],
    "prune": False,
    "retry_failed": False,
    "force_destroy": False,
    "environment": None,
}
"""The command line of a plan that was given none of the options that shape it."""

_MICRODOLLAR = Decimal("0.000001")


def plan_document(review: Review, options: Mapping[str, Any] = NO_OPTIONS) -> dict[str, Any]:
    """The plan and what stands beside it; `options` are those of the command line."""
    plan = review.plan
    count = plan.count()
    return {
        "format_version": FORMAT_VERSION,
        "ftctl_version": __version__,
        "digest": review.digest,
        "project": plan.project,
        "service": {"type": plan.service.type, "base_url": plan.service.base_url},
        "offline": review.offline,
        "commit": review.commit,
        "base": review.base,
        "options": dict(options),
        "complete": plan.complete,
        "summary": {action.value: count[action] for action in Action},
        "cost": _cost(plan.changes),
        "warnings": list(plan.warnings),
        "policy": {
            "rules": list(review.judgement.rules),
            "verdicts": [_verdict(one) for one in review.judgement.verdicts],
        },
        "data": [_data(one) for one in review.data],
        "changes": [_change(change) for change in plan.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "kind": change.kind,
        "action": change.action.value,
        "reason": change.reason,
        "digest": change.digest,
        "job": change.job,
        "model": change.model,
        "fields": [
            {
                "field": one.field,
                "before": one.before,
                "after": one.after,
                "cosmetic": one.cosmetic,
            }
            for one in change.fields
        ],
        "cost": _cost((change,)),
        "estimate": _estimate(change.cost),
        "steps": [step_document(step) for step in change.steps],
    }


def _cost(changes: Iterable[Change]) -> dict[str, Any] | None:
    """What is paid for all; None where one of them has a price that nobody can tell."""
    low = high = Decimal(0)
    for change in changes:
        one = change.cost
        if one is None and takes_up(change):
            return None  # nobody has priced it
        if one is None or not one.billed:
            continue
        if one.low is None or one.high is None:
            return None
        low, high = low + one.low, high + one.high
    return {"currency": "USD", "low": _dollars(low), "high": _dollars(high)}


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    per_hour = estimate.usd_per_hour
    return {
        "basis": estimate.basis,
        "billed": estimate.billed,
        "low": None if estimate.low is None else _dollars(estimate.low),
        "high": None if estimate.high is None else _dollars(estimate.high),
        "usd_per_hour": None if per_hour is None else _dollars(per_hour),
        "tokens": None if estimate.tokens is None else list(estimate.tokens),
    }


def _dollars(amount: Decimal) -> float:
    return float(amount.quantize(_MICRODOLLAR))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule,
        "severity": verdict.severity,
        "message": verdict.message,
        "hint": verdict.hint,
        "finetune": verdict.finetune,
    }


def _data(change: DataChange) -> dict[str, Any]:
    diff = change.compared.diff if change.compared is not None else None
    cost = change.cost
    return {
        "path": change.path,
        "role": change.role,
        "finetunes": list(change.finetunes),
        "rows": change.rows,
        "added": change.rows if diff is None else len(diff.added),
        "removed": 0 if diff is None else len(diff.removed),
        "changed": 0 if diff is None else len(diff.changed),
        "unchanged": 0 if diff is None else diff.unchanged,
        "new_file": diff is None,
        "tokens": change.tokens,
        "cost": None
        if cost is None
        else {"currency": "USD", "low": _dollars(cost[0]), "high": _dollars(cost[1])},
    }
