"""Nouns of a plan in; what every form of it says of them in the same words out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftctl.catalog.request import Asked, asked_of, row_of
from ftctl.domain.desired import ServiceInfo, Spec
from ftctl.domain.observed import AccountId
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
from ftctl.errors import redact
from ftctl.text.escape import one_line, short
from ftctl.text.format import plural, size, usd, usd_range

if TYPE_CHECKING:
    from ftctl.domain.row_diff import Compared

Way = tuple[str, ...]  # the keys that lead to a field

_MOST_OWN = 12  # fields of `extra` that are told one by one
_LONGEST_VALUE = 60
_LONGEST_NAME = 80  # of an organization or project, in characters

SIGNS: Mapping[Action, str] = {
    Action.CREATE: "+",
    Action.REPLACE: "±",
    Action.CANCEL: "x",
    Action.DELETE: "-",
    Action.DEFER: ">",
    Action.NO_OP: "=",
    Action.ATTENTION: "!",
}

_COUNTED: tuple[tuple[Action, str], ...] = (
    (Action.CREATE, "to create"),
    (Action.REPLACE, "to replace"),
    (Action.CANCEL, "to cancel"),
    (Action.DELETE, "to delete"),
    (Action.DEFER, "deferred"),
    (Action.NO_OP, "unchanged"),
    (Action.ATTENTION, "needing attention"),
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
    """The same of a plan: whom the key acts for, and rehearsed prices for what they are."""
    line = service_line(plan.project, plan.service)
    if plan.service.type != "emulator" and (whom := _account_words(plan.account)):
        return f"{line.removesuffix('.')}, for {whom}."
    priced = any(change.cost is not None and change.cost.billed for change in plan.changes)
    if plan.service.type != "emulator" or not priced:
        return line
    return f"{line.removesuffix('.')}; the prices of ftctl.yaml are a rehearsal."


def _account_words(account: AccountId) -> str:
    """`organization org-a and project proj_b`, as far as the service tells."""
    pairs = (("organization", account.organization), ("project", account.project))
    told = [f"{what} {short(one_line(name), _LONGEST_NAME)}" for what, name in pairs if name]
    return " and ".join(told)


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


def step_words(step: Step, service: ServiceInfo) -> tuple[str, str]:
    """A step's verb, and what it is done to."""
    match step:
        case Upload():
            return "upload", f"{step.path} ({size(step.bytes)})"
        case StartJob():
            return "train", training_words(step, service)
        case CancelJob():
            return "cancel", f"{step.job} ({step.reason})"
        case DeleteModel():
            return "delete", f"model {step.model}"
        case DeleteFile():
            return "delete", f"file {step.id} ({step.filename})"


def training_words(step: StartJob, service: ServiceInfo) -> str:
    """What a training job is asked for, in one line: what is sent, with `extra` in it."""
    base, spec = step.base_model, step.spec
    asked = asked_of(spec, row_of(service.type))
    parts = [base if isinstance(base, str) else _parent_words(base), asked.method]
    parts += [f"{key} {_value_words(value)}" for key, value in asked.hyperparameters.items()]
    if "grader" in spec:
        parts.append(f"grader {spec['grader'].get('type')}")
    parts += [f"{key} {spec[key]}" for key in ("seed", "suffix") if key in spec]
    wandb: Mapping[str, Any] = spec.get("integrations", {}).get("wandb", {})
    if wandb:
        parts.append(f"wandb {wandb['project']}")
    return ", ".join([*parts, *_own_fields(spec.get("extra", {}), asked)])


def _own_fields(extra: Spec, asked: Asked) -> Iterator[str]:
    """What `extra` adds besides the method and the hyperparameters, which are told already."""
    told = {("method", "type"), *((*asked.place, key) for key in asked.hyperparameters)}
    leaves = _leaves(extra) if extra else ()
    own = [leaf for leaf in leaves if not any(leaf[0][: len(way)] == way for way in told)]
    for way, value in own[:_MOST_OWN]:
        yield f"{'.'.join(way)} {_value_words(value)}"
    if len(own) > _MOST_OWN:
        yield f"{plural(len(own) - _MOST_OWN, 'field')} more of 'extra'"


def _leaves(value: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """All that is no mapping in a mapping, with the way to it."""
    if not isinstance(value, Mapping) or not value:
        yield way, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, (*way, key))


def _value_words(value: Any) -> str:
    """A value as it is sent, short."""
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return short(redact(words), _LONGEST_VALUE)


def _parent_words(base: ParentModel) -> str:
    return base.model if base.checkpoint == "last" else f"{base.model} at {base.checkpoint}"


def field_words(change: FieldChange, *, taken_up: bool = False) -> str:
    """`n_epochs 3 → 4`, and what a cosmetic difference means, unless it is taken up now."""
    text = f"{change.field} {change.before or 'unset'} → {change.after or 'unset'}"
    if change.cosmetic and not taken_up:
        text += " (costs nothing: takes effect with the next training, or now with --replace)"
    return text
