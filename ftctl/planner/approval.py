"""An approved plan and the plan of now in; what of it may still run, or what has moved, out.

What was approved is judged thing by thing and not as a whole world: what is done already is left
out, so a plan can be applied again after it was carried out in part; what would now do something
else is stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ftctl.domain.digest import canonical_json
from ftctl.domain.plan import (
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
from ftctl.errors import FtctlError

Document = Mapping[str, Any]
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Approved:
    """What somebody approved: the plan's digest, and of each change that does anything its program.

    `options` are those of the command line that the plan was made with, as they stand in its
    document.
    """

    project: str
    digest: str
    service: Document
    programs: Mapping[_Key, Document]  # by kind and name
    options: Document


@dataclass(frozen=True, slots=True)
class Settled:
    """What is left to do of an approved plan.

    `done` names what needs nothing any more; `unapproved` what the plan of now would do besides,
    which is left alone.
    """

    plan: Plan
    done: tuple[str, ...] = ()
    unapproved: tuple[str, ...] = ()


def plan_digest(plan: Plan) -> str:
    """The SHA-256 of what would be bought, stopped and deleted.

    Reasons, prices and warnings may differ, and what an interrupted run has uploaded already need
    not be approved again.
    """
    return _digest(
        plan.project,
        _service(plan),
        [_program(change) for change in plan.changes if change.action is not Action.NO_OP],
    )


def approved_of(plan: Plan) -> Approved:
    """What it means to approve a plan."""
    programs = {_key(change): _program(change) for change in plan.changes if _does(change)}
    return Approved(plan.project, plan_digest(plan), _service(plan), programs, {})


def read_approved(document: object, shown: str) -> Approved:
    """The approval in a plan's document (see `render.plan_json`). FtctlError where it is none."""
    again = "make it again with 'ftctl plan --out FILE'"
    document = document if isinstance(document, Mapping) else {}
    try:
        programs = [
            _program_in(change) for change in document["changes"] if change["action"] != "no-op"
        ]
        service = {key: _text(document["service"][key]) for key in ("type", "base_url")}
        found = _digest(document["project"], service, programs)
        approved = Approved(
            _text(document["project"]),
            found,
            service,
            {(one["kind"], one["name"]): one for one in programs},
            _options(document["options"]),
        )
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise FtctlError(f"{shown} is not a plan of ftctl", again) from None
    if document.get("digest") != found:
        raise FtctlError(
            f"{shown} was changed after ftctl wrote it: its digest does not hold", again
        )
    if document.get("offline"):
        hint = "make one without --offline, where the service can be asked"
        raise FtctlError(f"{shown} was made offline: it cannot be applied", hint)
    return approved


def _options(options: Document) -> Document:
    """The options of a plan's document, or TypeError or KeyError for what are none."""
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


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def settle(approved: Approved, plan: Plan) -> tuple[Settled, tuple[str, ...]]:
    """What is left to do, and a sentence for each thing that would now be done otherwise.

    Where there is any such sentence, nothing of the plan may run.
    """
    if approved.project != plan.project:
        moved = f"it was made for the project {approved.project}, and not for {plan.project}"
        return Settled(replace(plan, changes=())), (moved,)
    if approved.service != _service(plan):
        kind, address = approved.service["type"], approved.service["base_url"]
        moved = f"it was made for {kind} at {address}, and not for {plan.service.base_url}"
        return Settled(replace(plan, changes=())), (moved,)
    now = {_key(change): change for change in plan.changes}
    left: dict[_Key, Change] = {}
    done: list[str] = []
    moved_on: list[str] = []
    unapproved: list[str] = []
    for key, program in approved.programs.items():
        change = now.pop(key, None)
        judged = _judge(program, change)
        if isinstance(judged, str):
            moved_on.append(f"{key[1]}: {judged}")
        elif judged is None or not _does(judged):
            done.append(key[1])
        else:
            left[key] = judged
        if change is not None and judged is not None and not isinstance(judged, str):
            unapproved += [key[1]] if len(judged.steps) < len(change.steps) else []
    for key, change in now.items():
        if any(isinstance(step, StartJob) for step in change.steps):
            moved_on.append(
                f"{key[1]}: was not in the approved plan, and would now be bought ({change.reason})"
            )
        elif change.steps:
            unapproved.append(key[1])
    changes = tuple(
        left.get(_key(change), replace(change, steps=()))
        for change in plan.changes
        if _key(change) in left or change.action is Action.NO_OP
    )
    return Settled(replace(plan, changes=changes), tuple(done), tuple(unapproved)), tuple(moved_on)


def _judge(program: Document, change: Change | None) -> Change | str | None:
    """What of a change was approved; None where it is done, a sentence where it is another."""
    if program["digest"] is not None and (change is None or change.digest is None):
        return "the manifests do not ask for it any more"
    if change is None:
        return None
    buys = [step for step in change.steps if isinstance(step, StartJob)]
    if program["digest"] != change.digest:
        return (
            f"approved was the training {_short(program['digest'])}, and asked for is now"
            f" {_short(change.digest)}: the manifest or its data is another"
        )
    if change.action is Action.DEFER:
        return (
            change if program["action"] == "defer" else f"approved was to train it; {change.reason}"
        )
    approved = [canonical_json(step) for step in program["steps"]]
    if buys and program["action"] != "defer":
        bought = canonical_json(_approved(buys[0]))
        if bought not in approved:
            return _difference(program["steps"], buys[0], change)
        approved.append(bought)
    kept = tuple(
        step
        for step in change.steps
        if isinstance(step, Upload)
        or (isinstance(step, StartJob) and program["action"] == "defer")
        or canonical_json(_approved(step)) in approved
    )
    return replace(change, steps=kept)


def _difference(steps: Sequence[Document], step: StartJob, change: Change) -> str:
    """Why a purchase is not the one that was approved."""
    known = next((one for one in steps if one["step"] == "start-job"), None)
    if known is None:
        return f"approved was no training, and it would now be bought ({change.reason})"
    now = _approved(step)
    fields = [key for key in now if canonical_json(now[key]) != canonical_json(known.get(key))]
    return f"{' and '.join(fields)} of its training changed ({change.reason})"


def _short(digest: str | None) -> str:
    return digest[:11] if digest else "none"


def _does(change: Change) -> bool:
    return bool(change.steps) or change.action is Action.DEFER


def _key(change: Change) -> _Key:
    return (change.kind, change.name)


def _service(plan: Plan) -> dict[str, str]:
    return {"type": plan.service.type, "base_url": plan.service.base_url}


def _digest(project: str, service: Document, programs: Sequence[Document]) -> str:
    program = {"project": project, "service": service, "changes": programs}
    return f"sha256:{hashlib.sha256(canonical_json(program).encode()).hexdigest()}"


def _program(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "kind": change.kind,
        "action": change.action.value,
        "digest": change.digest,
        "steps": [_approved(step) for step in change.steps if not isinstance(step, Upload)],
    }


def _program_in(change: Document) -> dict[str, Any]:
    """The same of a change in a plan's document."""
    steps = [_without_ids(step) for step in change["steps"] if step["step"] != "upload"]
    for key in ("name", "kind", "action"):
        _text(change[key])
    if change["digest"] is not None:
        _text(change["digest"])
    return {key: change[key] for key in ("name", "kind", "action", "digest")} | {"steps": steps}


def _approved(step: Step) -> dict[str, Any]:
    return _without_ids(step_document(step))


def _without_ids(step: Document) -> dict[str, Any]:
    """A step with its data named by content: where it stands at the service does not matter."""
    document = dict(step)
    for role in ("training", "validation"):
        if document.get(role):
            document[role] = document[role]["sha256"]
    return document


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
                "spec": plain(step.spec),
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


def plain(value: Any) -> Any:
    """A value with dicts and lists alone, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value
