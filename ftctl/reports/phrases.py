"""Nouns of a plan in; what every form of it says of them in the same words out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import (
    Action,
    CancelJob,
    DeleteFile,
    DeleteModel,
    FieldChange,
    ParentModel,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.text.format import size, usd, usd_range

if TYPE_CHECKING:
    from ftctl.domain.row_diff import Compared

SIGNS: Mapping[Action, str] = {
    Action.CREATE: "+",
    Action.REPLACE: "±",
    Action.CANCEL: "x",
    Action.DELETE: "-",
    Action.DEFER: ">",
    Action.NO_OP: "=",
}

_COUNTED: tuple[tuple[Action, str], ...] = (
    (Action.CREATE, "to create"),
    (Action.REPLACE, "to replace"),
    (Action.CANCEL, "to cancel"),
    (Action.DELETE, "to delete"),
    (Action.DEFER, "deferred"),
    (Action.NO_OP, "unchanged"),
)


def service_line(project: str, service: ServiceInfo) -> str:
    """Whose things are looked at, and where."""
    if service.type == "emulator":
        where = service.base_url.removeprefix("emulator://")
        return (
            f"Project {project} at the embedded API in {where}:"
            " no account, no network, nothing is billed."
        )
    return f"Project {project} at {service.type}, {service.base_url}."


def plan_line(plan: Plan) -> str:
    """The same of a plan, which names prices of the embedded API for what they are."""
    line = service_line(plan.project, plan.service)
    priced = any(change.cost is not None and change.cost.billed for change in plan.changes)
    if plan.service.type != "emulator" or not priced:
        return line
    return f"{line.removesuffix('.')}; the prices of ftctl.yaml are a rehearsal."


def counts(plan: Plan) -> str:
    """`1 to create, 3 unchanged`."""
    count = plan.count()
    parts = [f"{count[action]} {words}" for action, words in _COUNTED if count[action]]
    return ", ".join(parts) or "no fine-tunes"


def rows_summary(compared: Compared) -> str:
    """`5 added, 3 removed, 470 unchanged`."""
    from ftctl.data.diff.diff_words import summary  # noqa: PLC0415 - most plans compare no data

    return summary(compared)


def signed_usd(cost: tuple[Decimal, Decimal]) -> str:
    """`$0.01 to $0.02 more`, `$1.20 less`: what a difference costs."""
    low, high = cost
    if low == high == 0:
        return "no difference in price"
    if low >= 0:
        return f"{usd_range(low, high)} more"
    if high <= 0:
        return f"{usd_range(-high, -low)} less"
    return f"between {usd(-low)} less and {usd(high)} more"


def step_words(step: Step) -> tuple[str, str]:
    """A step's verb, and what it is done to."""
    match step:
        case Upload():
            return "upload", f"{step.path} ({size(step.bytes)})"
        case StartJob():
            return "train", training_words(step)
        case CancelJob():
            return "cancel", f"{step.job} ({step.reason})"
        case DeleteModel():
            return "delete", f"model {step.model}"
        case DeleteFile():
            return "delete", f"file {step.id} ({step.filename})"


def training_words(step: StartJob) -> str:
    """What a training job is asked for, in one line."""
    base = step.base_model
    parts = [base if isinstance(base, str) else _parent_words(base)]
    parts.append(str(step.spec.get("method", "supervised")))
    parts += [f"{key} {value}" for key, value in step.spec.get("hyperparameters", {}).items()]
    if "grader" in step.spec:
        parts.append(f"grader {step.spec['grader'].get('type')}")
    parts += [f"{key} {step.spec[key]}" for key in ("seed", "suffix") if key in step.spec]
    wandb: Mapping[str, Any] = step.spec.get("integrations", {}).get("wandb", {})
    if wandb:
        parts.append(f"wandb {wandb['project']}")
    return ", ".join(parts)


def _parent_words(base: ParentModel) -> str:
    return base.model if base.checkpoint == "last" else f"{base.model} at {base.checkpoint}"


def field_words(change: FieldChange, *, taken_up: bool = False) -> str:
    """`n_epochs 3 → 4`, and what a cosmetic difference means, unless it is taken up now."""
    text = f"{change.field} {change.before or 'unset'} → {change.after or 'unset'}"
    if change.cosmetic and not taken_up:
        text += " (costs nothing: takes effect with the next training, or now with --replace)"
    return text
