"""Nouns of a plan in; what every form of it says of them in the same words out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import AccountId
from ftctl.domain.plan import (
    Action,
    CancelJob,
    DeleteFile,
    DeleteModel,
    FieldChange,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.reports.training import training_words
from ftctl.text.escape import one_line
from ftctl.text.format import size, usd, usd_range
from ftctl.text.literal import text_identity

if TYPE_CHECKING:
    from ftctl.domain.row_diff import Compared

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
    told = [f"{what} {_name_words(name)}" for what, name in pairs if name]
    return " and ".join(told)


def _name_words(name: str) -> str:
    """A name of the service's. It is under the plan's digest, so a long one stands by its hash."""
    if len(name) <= _LONGEST_NAME:
        return one_line(name)
    return f"{one_line(name[:_LONGEST_NAME])}… ({text_identity(name)})"


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


def field_words(change: FieldChange, *, taken_up: bool = False) -> str:
    """`n_epochs 3 → 4`, and what a cosmetic difference means, unless it is taken up now."""
    text = f"{change.field} {change.before or 'unset'} → {change.after or 'unset'}"
    if change.cosmetic and not taken_up:
        text += " (costs nothing: takes effect with the next training, or now with --replace)"
    return text
