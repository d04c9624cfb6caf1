"""A plan's form as JSON, both ways: a Review in, its document out; a document in, its Approval out.

The form is that of `schemas/plan.json`. The digest of a plan is that of what in it is approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from ftctl import __version__
from ftctl.domain.desired import Dataset, Origin, ServiceInfo
from ftctl.domain.digest import canonical_json
from ftctl.domain.observed import UNTOLD, AccountId
from ftctl.domain.plan import (
    NO_OPTIONS,
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Estimate,
    FileRef,
    Later,
    ParentModel,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.domain.review import DataChange, Review, Violation
from ftctl.errors import FtctlError
from ftctl.text.escape import json_document

FORMAT_VERSION = "1.4"
_EARLIER = {
    "1.0": "its digest leaves out options and the account that it is for",
    "1.1": "its digest leaves out what is sent, and all of what is bought later but its training",
}

Document = Mapping[str, Any]
ChangeKey = tuple[str, str]  # a change's kind and name

# 1, of plans until 2026-11, left out options and the account; 2 the request that is sent, and most
# of what is bought later.
_DIGEST_VERSION = 3
_NOTHING_DONE = frozenset({Action.NO_OP, Action.ATTENTION})
_MICRODOLLAR = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody approved: the plan's digest, and of each change that does anything its program.

    `options` are those of the command line that the plan was made with, as they stand in its
    document. `source` is the file that it was read from. `quiet` has the digests of fine-tunes that
    it shows and does nothing about, `beside` the jobs for other specs that it knew of what it buys:
    no digest covers these, so they may only stop a purchase.
    """

    project: str
    digest: str
    service: Document
    programs: Mapping[ChangeKey, Document]
    options: Document = field(default_factory=lambda: NO_OPTIONS)
    account: AccountId = UNTOLD
    source: str = field(default="", compare=False)
    quiet: Mapping[ChangeKey, str] = field(default_factory=dict, compare=False)
    beside: Mapping[ChangeKey, frozenset[str]] = field(default_factory=dict, compare=False)

    @property
    def purchases(self) -> frozenset[str]:
        """The fine-tunes whose training is bought by it, now or later."""
        return frozenset(
            name
            for (_kind, name), program in self.programs.items()
            if program["later"] or any(step["step"] == "start-job" for step in program["steps"])
        )


def plan_document(review: Review) -> dict[str, Any]:
    """The plan and what stands beside it."""
    plan = review.plan
    count = plan.count()
    return {
        "format_version": FORMAT_VERSION,
        "ftctl_version": __version__,
        "digest": review.digest,
        "project": plan.project,
        "service": service_document(plan.service, plan.account),
        "offline": review.offline,
        "commit": review.commit,
        "base": review.base,
        "options": dict(review.options),
        "complete": plan.complete,
        "summary": {
            **{action.value: count[action] for action in Action},
            "housekeeping": sum(change.housekeeping for change in plan.changes),
            "waiting": sum(change.waiting for change in plan.changes),
        },
        "cost": _cost(plan.changes),
        "warnings": list(plan.warnings),
        "policy": {
            "rules": list(review.policy.rules),
            "verdicts": [_violation(violation) for violation in review.policy.violations],
        },
        "data": [_data(file) for file in review.data],
        "changes": [_change(change) for change in plan.changes],
    }


def plan_json(document: Document) -> str:
    """The document as it is printed and written: the same plan has the same bytes."""
    return json_document(document) + "\n"


def plan_digest(plan: Plan) -> str:
    """The SHA-256 of what would be bought, stopped and deleted, where, and by which options.

    Reasons, prices and warnings may differ, and what an interrupted run has uploaded already need
    not be approved again.
    """
    programs = [_program(change) for change in plan.changes if change.action not in _NOTHING_DONE]
    service = service_document(plan.service, plan.account)
    return _digest(plan.project, service, plan.options, programs)


def approval_of(plan: Plan) -> Approval:
    """What it means to approve a plan."""
    programs = {change.key: _program(change) for change in plan.changes if change.pending}
    service = service_document(plan.service)
    return Approval(plan.project, plan_digest(plan), service, programs, plan.options, plan.account)


def read_approval(document: object, display_path: str) -> Approval:
    """The approval that a plan's document stands for. FtctlError where it is none."""
    again = "make it again with 'ftctl plan --out FILE'"
    document = document if isinstance(document, Mapping) else {}
    if (left_out := _EARLIER.get(str(document.get("format_version")))) is not None:
        raise FtctlError(f"{display_path} was written by an earlier ftctl: {left_out}", again)
    try:
        approval = _read(document)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise FtctlError(f"{display_path} is not a plan of ftctl", again) from None
    if document.get("digest") != approval.digest:
        raise FtctlError(
            f"{display_path} was changed after ftctl wrote it: its digest does not hold", again
        )
    if document.get("offline"):
        hint = "make one without --offline, where the service can be asked"
        raise FtctlError(f"{display_path} was made offline: it cannot be applied", hint)
    return replace(approval, source=display_path)


def _read(document: Document) -> Approval:
    """With the digest that its content has. KeyError, TypeError and others where it is no plan."""
    programs = [
        _read_program(change)
        for change in document["changes"]
        if change["action"] not in _NOTHING_DONE
    ]
    project = document["project"]
    service = {key: _text(document["service"][key]) for key in ("type", "base_url")}
    told = {
        key: _text(value)
        for key in ("organization", "project")
        if (value := document["service"][key]) is not None
    }
    account = AccountId(**told)
    options = _read_options(document["options"])
    whole = service | {"organization": account.organization, "project": account.project}
    return Approval(
        project=_text(project),
        digest=_digest(project, whole, options, programs),
        service=service,
        programs={(program["kind"], program["name"]): program for program in programs},
        options=options,
        account=account,
        quiet={
            (_text(change["kind"]), _text(change["name"])): _text(change["digest"])
            for change in document["changes"]
            if change["action"] in _NOTHING_DONE and change["digest"] is not None
        },
        beside={
            (_text(change["kind"]), _text(change["name"])): frozenset(map(_text, change["beside"]))
            for change in document["changes"]
            if change.get("beside") is not None
        },
    )


def _read_options(options: Document) -> Document:
    select = options["select"]
    for names in (options["replace"], [] if select is None else select):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise TypeError("names are texts")
    return {
        "select": select,
        "replace": options["replace"],
        "prune": bool(options["prune"]),
        "retry_failed": bool(options["retry_failed"]),
        "force_destroy": bool(options["force_destroy"]),
        "environment": None if options["environment"] is None else _text(options["environment"]),
    }


def _read_program(change: Document) -> Document:
    steps = [_without_ids(step) for step in change["steps"] if step["step"] != "upload"]
    for key in ("name", "kind", "action"):
        _text(change[key])
    if change["digest"] is not None:
        _text(change["digest"])
    if change["follows"] is not None:
        _text(change["follows"])
    keys = ("name", "kind", "action", "digest", "follows")
    later = None if change["later"] is None else _without_ids(change["later"])
    return {key: change[key] for key in keys} | {"later": later, "steps": steps}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _program(change: Change) -> Document:
    return {
        "name": change.name,
        "kind": change.kind,
        "action": change.action.value,
        "digest": change.digest,
        "follows": change.follows,
        "later": None if change.later is None else _without_ids(later_document(change.later)),
        "steps": [approved_step(step) for step in change.steps if not isinstance(step, Upload)],
    }


_ASKED = ("spec", "request", "training", "validation", "keep")


def asked_document(change: Change) -> Document | None:
    """All that a change's training is asked for, now or later; None where it buys none."""
    start = next((step for step in change.steps if isinstance(step, StartJob)), None)
    if start is not None:
        document = approved_step(start)
    elif change.later is not None:
        document = _without_ids(later_document(change.later))
    else:
        return None
    return {key: document[key] for key in _ASKED}


def approved_later(program: Document) -> Document | None:
    """The same of an approved program that waits for a parent."""
    later = program["later"]
    return None if later is None else {key: later[key] for key in _ASKED}


def approved_step(step: Step) -> Document:
    """A step as it is approved: its data is named by content, wherever that is at the service."""
    return _without_ids(step_document(step))


def _without_ids(step: Document) -> Document:
    document = dict(step)
    for role in ("training", "validation"):
        if document.get(role):
            document[role] = document[role]["sha256"]
    return document


def _digest(
    project: str, service: Document, options: Document, programs: Sequence[Document]
) -> str:
    content = {
        "version": _DIGEST_VERSION,
        "project": project,
        "service": service,
        "options": dict(options),
        "changes": programs,
    }
    return f"sha256:{hashlib.sha256(canonical_json(content).encode()).hexdigest()}"


def service_document(service: ServiceInfo, account: AccountId | None = None) -> Document:
    """Whom a plan is for; with an account, also as whom."""
    document = {"type": service.type, "base_url": service.base_url}
    if account is None:
        return document
    return document | {"organization": account.organization, "project": account.project}


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "kind": change.kind,
        "action": change.action.value,
        "reason": change.reason,
        "digest": change.digest,
        "job": change.job,
        "model": change.model,
        "follows": change.follows,
        "later": None if change.later is None else later_document(change.later),
        "beside": list(change.beside) if change.trains else None,
        "housekeeping": change.housekeeping,
        "waiting": change.waiting,
        "fields": [
            {
                "field": field_change.field,
                "before": field_change.before,
                "after": field_change.after,
                "cosmetic": field_change.cosmetic,
            }
            for field_change in change.fields
        ],
        "cost": _cost((change,)),
        "estimate": _estimate(change.cost),
        "would_cost": _estimate(change.would_cost),
        "steps": [step_document(step) for step in change.steps],
    }


def _cost(changes: Iterable[Change]) -> dict[str, Any] | None:
    """What is paid for all; None where one of them has a price that nobody can tell."""
    low = high = Decimal(0)
    for change in changes:
        cost = change.cost
        if cost is None and change.trains:
            return None  # nobody has priced it
        if cost is None or not cost.billed:
            continue
        if cost.low is None or cost.high is None:
            return None
        low, high = low + cost.low, high + cost.high
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


def _violation(violation: Violation) -> dict[str, Any]:
    return {
        "rule": violation.rule,
        "severity": violation.severity,
        "message": violation.message,
        "hint": violation.hint,
        "finetune": violation.finetune,
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


def step_document(step: Step) -> dict[str, Any]:
    """A step as JSON."""
    match step:
        case Upload():
            return {
                "step": "upload",
                "dataset": step.dataset,
                "path": _path(step.path, step.origin),
                "sha256": step.sha256,
                "bytes": step.bytes,
                "filename": step.filename,
                "origin": origin_document(step.origin),
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
                "follows": step.follows,
                "keep": step.keep,
                "spec": _plain(step.spec),
                "request": _plain(step.request),
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
    return {
        "finetune": base.finetune,
        "job": base.job,
        "model": base.model,
        "checkpoint": base.checkpoint,
    }


def _file(ref: FileRef) -> dict[str, Any]:
    return {
        "dataset": ref.dataset,
        "filename": ref.filename,
        "sha256": ref.sha256,
        "file": ref.id,
        "path": _path(ref.path, ref.origin),
        "rows": ref.rows,
        "origin": origin_document(ref.origin),
    }


def later_document(later: Later) -> dict[str, Any]:
    """What is bought once a parent has its model, as JSON."""
    return {
        "base_model": {"finetune": later.parent.finetune, "checkpoint": later.parent.checkpoint},
        "training": _dataset(later.training),
        "validation": None if later.validation is None else _dataset(later.validation),
        "keep": later.keep,
        "spec": _plain(later.spec),
        "request": _plain(later.request),
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "sha256": dataset.sha256,
        "path": _path(dataset.path, dataset.origin),
        "rows": dataset.examples,
        "origin": origin_document(dataset.origin),
    }


def _path(path: str, origin: Origin | None) -> str:
    """The file as the manifest names it, whatever has been made of it."""
    return path if origin is None else origin.path


def origin_document(origin: Origin | None) -> dict[str, Any] | None:
    """What steps have made rows of, as JSON."""
    if origin is None:
        return None
    return {
        "path": origin.path,
        "sha256": origin.sha256,
        "rows": origin.rows,
        "rows_taken": origin.rows_taken,
        "steps": [_plain(step) for step in origin.steps],
    }


def _plain(value: Any) -> Any:
    """A value with dicts and lists alone, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
