"""What came of a run in; its JSON, in the form of `schemas/report.json`, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ftctl import __version__
from ftctl.domain.plan_document import service_document
from ftctl.domain.run_result import FineTuneResult, RunResult
from ftctl.text.escape import json_document

REPORT_FORMAT_VERSION = "1.0"
_MICRODOLLAR = Decimal("0.000001")


def result_document(result: RunResult) -> dict[str, Any]:
    """All that is known of a run."""
    expected = result.estimate
    return {
        "format_version": REPORT_FORMAT_VERSION,
        "ftctl_version": __version__,
        "command": result.command,
        "outcome": result.ending.value,
        "exit_status": result.exit_status,
        "project": result.project,
        "environment": result.environment,
        "service": None if result.service is None else service_document(result.service),
        "commit": result.commit,
        "digest": result.digest,
        "cost": {
            "currency": "USD",
            "billed": result.billed,
            "so_far": _dollars(result.cost),
            "estimate_low": _dollars(expected[0] if expected else None),
            "estimate_high": _dollars(expected[1] if expected else None),
        },
        "finetunes": [_finetune(one) for one in result.finetunes],
        "moved": list(result.moved),
        "left_alone": list(result.unapproved),
        "verdicts": [
            {
                "rule": one.rule,
                "severity": one.severity,
                "message": one.message,
                "hint": one.hint,
                "finetune": one.finetune,
            }
            for one in result.violations
        ],
        "problems": list(result.problems),
        "message": result.fault,
        "todo": [{"text": one.sentence, "command": one.command} for one in result.todo],
    }


def result_json(result: RunResult, hide: Callable[[str], str] = lambda text: text) -> str:
    """The document as it is written. `hide` takes what must not be shown out of each text."""
    return json_document(_hidden(result_document(result), hide)) + "\n"


def _finetune(one: FineTuneResult) -> dict[str, Any]:
    estimate = one.estimate
    return {
        "name": one.name,
        "kind": one.kind,
        "outcome": one.standing.value,
        "concerned": one.concerned,
        "trains": one.trains,
        "reason": one.why,
        "done": list(one.done),
        "job": one.job,
        "model": one.model,
        "checkpoints": [{"step": at.step, "model": at.model} for at in one.checkpoints],
        "cost": {
            "billed": None if estimate is None else estimate.billed,
            "so_far": _dollars(one.cost),
            "estimate_low": None if estimate is None else _dollars(estimate.low),
            "estimate_high": None if estimate is None else _dollars(estimate.high),
            "words": one.cost_words,
        },
        "trained_tokens": one.trained_tokens,
        "training_loss": one.train_loss,
        "validation_loss": one.valid_loss,
        "training_losses": list(one.train_losses),
        "step": one.step,
        "total_steps": one.total_steps,
        "seconds": None if one.seconds is None else round(one.seconds, 1),
    }


def _dollars(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount.quantize(_MICRODOLLAR))


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    match value:
        case str():
            return hide(value)
        case Mapping():
            return {key: _hidden(inner, hide) for key, inner in value.items()}
        case list():
            return [_hidden(inner, hide) for inner in value]
    return value
