"""A plan in, its JSON document out, with the digest by which people approve it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ftctl import __version__
from ftctl.changes import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    FileRef,
    ParentModel,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.digest import canonical_json

FORMAT_VERSION = "1.0"
_FREE = {"currency": "USD", "low": 0.0, "high": 0.0}


def plan_digest(plan: Plan) -> str:
    """The SHA-256 of what would be bought, stopped and deleted.

    Reasons and warnings may differ in their words, and what an interrupted run has uploaded
    already need not be approved again.
    """
    program = {
        "project": plan.project,
        "service": {"type": plan.service.type, "base_url": plan.service.base_url},
        "changes": [
            {
                "name": change.name,
                "kind": change.kind,
                "action": change.action.value,
                "digest": change.digest,
                "steps": [_approved(step) for step in change.steps if not isinstance(step, Upload)],
            }
            for change in plan.changes
            if change.action is not Action.NO_OP
        ],
    }
    return f"sha256:{hashlib.sha256(canonical_json(program).encode()).hexdigest()}"


def _approved(step: Step) -> dict[str, Any]:
    document = step_document(step)
    for role in ("training", "validation"):
        if document.get(role):
            document[role] = document[role]["sha256"]
    return document


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as `schemas/plan.json` describes it."""
    count = plan.count()
    return {
        "format_version": FORMAT_VERSION,
        "ftctl_version": __version__,
        "digest": plan_digest(plan),
        "project": plan.project,
        "service": {"type": plan.service.type, "base_url": plan.service.base_url},
        "complete": plan.complete,
        "summary": {action.value: count[action] for action in Action},
        "cost": _cost(plan.changes, billed=plan.service.billed),
        "warnings": list(plan.warnings),
        "changes": [_change(change, billed=plan.service.billed) for change in plan.changes],
    }


def _change(change: Change, *, billed: bool) -> dict[str, Any]:
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
        "cost": _cost((change,), billed=billed),
        "steps": [step_document(step) for step in change.steps],
    }


def _cost(changes: tuple[Change, ...], *, billed: bool) -> dict[str, Any] | None:
    """Zero where nothing is bought; None where a training run has a price that is not estimated."""
    buys = any(
        isinstance(step, StartJob) or change.action is Action.DEFER
        for change in changes
        for step in (*change.steps, None)
    )
    return None if buys and billed else _FREE


def step_document(step: Step) -> dict[str, Any]:
    """A step as JSON."""
    match step:
        case Upload():
            return {
                "step": "upload",
                "dataset": step.dataset,
                "path": step.path,
                "sha256": step.sha256,
                "bytes": step.bytes,
                "filename": step.filename,
            }
        case StartJob():
            return {
                "step": "start-job",
                "finetune": step.finetune,
                "digest": step.digest,
                "base_model": _base(step.base_model),
                "training": _file(step.training),
                "validation": _file(step.validation) if step.validation else None,
                "replaces": step.replaces,
                "spec": _plain(step.spec),
            }
        case CancelJob():
            return {"step": "cancel-job", "job": step.job, "reason": step.reason}
        case DeleteModel():
            return {"step": "delete-model", "model": step.model}
        case DeleteFile():
            return {"step": "delete-file", "file": step.id, "filename": step.filename}


def _base(base: str | ParentModel) -> str | dict[str, Any]:
    if isinstance(base, str):
        return base
    return {"job": base.job, "model": base.model, "checkpoint": base.checkpoint}


def _file(ref: FileRef) -> dict[str, Any]:
    return {
        "dataset": ref.dataset,
        "filename": ref.filename,
        "sha256": ref.sha256,
        "file": ref.id,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
