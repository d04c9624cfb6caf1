"""Approvals and the plan of now in; what of them may still run, or what has moved, out.

What was approved is judged thing by thing and not as a whole world: what is done already is left
out, so a plan can be applied again after it was carried out in part; what would now do something
else is stale. Several approvals are one: where two speak of the same thing, the later counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ftctl.domain.digest import canonical_json
from ftctl.domain.observed import AccountId
from ftctl.domain.plan import Action, Change, Plan, StartJob, Step, Upload
from ftctl.domain.plan_document import (
    Approval,
    ChangeKey,
    Document,
    approved_later,
    approved_step,
    asked_document,
)
from ftctl.errors import Stale, UsageError
from ftctl.text.format import joined


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to do of an approved plan.

    `done` names what needs nothing any more; `unapproved` what the plan of now would do besides,
    which is left alone.
    """

    plan: Plan
    done: tuple[str, ...] = ()
    unapproved: tuple[str, ...] = ()


def unite(approvals: Sequence[Approval]) -> Approval:
    """What several plans stand for that were approved one after the other, oldest first.

    Of each thing counts the last of them that does anything about it, with the options that count
    for that thing. Raises `Stale` where they are not for the same project and account.
    """
    if not approvals:
        raise UsageError("no plan was given", "give at least one that was approved")
    first, *others = approvals
    if not others:
        return first
    account = first.account
    for other in others:
        if (what := _for_another(first, account, other)) is not None:
            raise Stale(
                f"{other.source or 'a later plan'} is for {what}:"
                " plans that are applied together are for the same",
                "apply each where it was made for",
            )
        account = account.completed(other.account)
    counts = {key: at for at, one in enumerate(approvals) for key in one.programs}
    return Approval(
        project=first.project,
        digest=" and ".join(dict.fromkeys(one.digest for one in approvals)),
        service=first.service,
        programs={key: approvals[at].programs[key] for key, at in counts.items()},
        options=_united_options(approvals, counts),
        account=account,
        source=", ".join(one.source for one in approvals if one.source),
        quiet={
            key: digest
            for at, one in enumerate(approvals)
            for key, digest in one.quiet.items()
            if at > counts.get(key, at)
        },
        beside={
            key: approvals[at].beside[key]
            for key, at in counts.items()
            if key in approvals[at].beside
        },
    )


def _for_another(first: Approval, account: AccountId, other: Approval) -> str | None:
    """For what else than the first a plan was made, in words; None where it is for the same."""
    if other.project != first.project:
        return f"the project {other.project}, and {first.source or 'the first'} for {first.project}"
    before, now = first.options["environment"], other.options["environment"]
    if before != now:
        words = [f"the environment {name}" if name else "no environment" for name in (now, before)]
        return f"{words[0]}, and {first.source or 'the first'} for {words[1]}"
    if other.service != first.service:
        address = first.service["base_url"]
        return f"{other.service['base_url']}, and {first.source or 'the first'} for {address}"
    if account.differs_from(other.account):
        return (
            f"the account {_account(other.account)}, and {first.source or 'the first'} for"
            f" {_account(account)}"
        )
    return None


def _united_options(approvals: Sequence[Approval], counts: Mapping[ChangeKey, int]) -> Document:
    """The options by which what is approved is planned again: each counts for its own things.

    Promoted models are deleted only where each of the plans says so.
    """
    every = [one.options for one in approvals]
    selects = [options["select"] for options in every]
    replaced = {
        name: one
        for at, options in enumerate(every)
        for one in options["replace"]
        if counts.get(("FineTune", name := one.partition("=")[0]), at) == at
    }
    options = {
        "select": None if None in selects else sorted({name for one in selects for name in one}),
        "replace": sorted(replaced.values()),
        "prune": any(options["prune"] for options in every),
        "retry_failed": any(options["retry_failed"] for options in every),
        "force_destroy": all(options["force_destroy"] for options in every),
        "environment": every[0]["environment"],
    }
    if options["retry_failed"] and not all(options["retry_failed"] for options in every):
        options["retry_only"] = sorted(
            name for (kind, name), at in counts.items()
            if kind == "FineTune" and every[at]["retry_failed"]
        )  # fmt: skip
    return options


def reconcile(approval: Approval, plan: Plan) -> tuple[Remaining, tuple[str, ...]]:
    """What is left to do, and a sentence for each thing that would now be done otherwise.

    Where there is any such sentence, nothing of the plan may run.
    """
    if (elsewhere := _made_for_another(approval, plan)) is not None:
        return Remaining(replace(plan, changes=())), (elsewhere,)
    now = {change.key: change for change in plan.changes}
    judged = {
        key: _unless_overtaken(
            _approved_part(program, now.get(key), approval.quiet.get(key)),
            approval.beside.get(key),
            waited=program["action"] == Action.DEFER,
        )
        for key, program in approval.programs.items()
    }
    others = [change for change in plan.changes if change.key not in judged]
    moved = [f"{key[1]}: {part}" for key, part in judged.items() if isinstance(part, str)]
    moved += [
        f"{change.name}: was not in the approved plan, and would now be bought ({change.reason})"
        for change in others
        if _purchase(change)
    ]
    approved = {key: part for key, part in judged.items() if isinstance(part, Change)}
    overtaken = {
        key: part for key, part in approved.items() if part.superseded and not now[key].superseded
    }
    unapproved = [
        key[1]
        for key, part in approved.items()
        if key not in overtaken and len(part.steps) < len(now[key].steps)
    ]
    unapproved += [change.name for change in others if change.steps and not _purchase(change)]
    pending = {key: part for key, part in approved.items() if part.pending}
    done = [
        key[1]
        for key, part in judged.items()
        if key not in pending | overtaken and not isinstance(part, str)
    ]
    remaining = Remaining(_narrowed(plan, pending | overtaken), tuple(done), tuple(unapproved))
    return remaining, tuple(moved)


def _made_for_another(approval: Approval, plan: Plan) -> str | None:
    if approval.project != plan.project:
        return f"it was made for the project {approval.project}, and not for {plan.project}"
    if approval.account.differs_from(plan.account):
        before, now = (_account(account) for account in (approval.account, plan.account))
        return f"it was made for the account {before}, and not for {now}"
    kind, address = approval.service["type"], approval.service["base_url"]
    if kind != plan.service.type or not plan.service.is_at(address):
        return f"it was made for {kind} at {address}, and not for {plan.service.base_url}"
    return None


def _narrowed(plan: Plan, pending: Mapping[ChangeKey, Change]) -> Plan:
    """The plan with what of it is approved and to be done, and how all else stands."""
    changes = (pending.get(change.key) or _left_as_it_is(change) for change in plan.changes)
    return replace(plan, changes=tuple(change for change in changes if change is not None))


def _left_as_it_is(change: Change) -> Change | None:
    """A fine-tune about which nothing is done; None for what is no fine-tune of the manifests.

    Where nobody approved what would be stopped or deleted, its job or model stands all the same.
    """
    if change.action in (Action.NO_OP, Action.ATTENTION):
        return replace(change, steps=())
    if change.digest is None or change.trains:
        return None
    action = Action.ATTENTION if change.in_vain and change.model is None else Action.NO_OP
    return replace(change, action=action, steps=(), housekeeping=False)


def _approved_part(
    program: Document, change: Change | None, quiet: str | None = None
) -> Change | str | None:
    """What of a change was approved; None where it is done, a sentence where it is another.

    `quiet` is the digest at which a later plan shows it, with nothing to do.
    """
    if program["digest"] is not None and (change is None or change.digest is None):
        return "the manifests do not ask for it any more"
    if change is None:
        return None
    if program["digest"] != change.digest:
        if quiet == change.digest and not change.trains:
            return replace(change, steps=())
        return (
            f"approved was the training {_short(program['digest'])}, and asked for is now"
            f" {_short(change.digest)}: the manifest or its data is another"
        )
    waited = program["action"] == Action.DEFER
    bought = _purchase(change)
    if bought is not None and waited and bought.follows != program["follows"]:
        return None  # bought since, whatever came of it
    if waited and (now := asked_document(change)) is not None:
        before = approved_later(program) or {}
        if fields := _differing(before, now):
            return f"{' and '.join(fields)} of its training changed ({change.reason})"
    if change.action is Action.DEFER:
        if waited and change.follows != program["follows"]:
            return None  # as above, and its parent has no model any more
        return change if waited else f"approved was to train it; {change.reason}"
    steps = {canonical_json(step) for step in program["steps"]}
    if bought is not None and not waited and _canonical(bought) not in steps:
        if _is_done(program["steps"], bought):
            return None
        return _difference(program["steps"], bought, change)
    return replace(
        change,
        steps=tuple(
            step
            for step in change.steps
            if isinstance(step, Upload) or step is bought or _canonical(step) in steps
        ),
    )


def _unless_overtaken(
    part: Change | str | None, known: frozenset[str] | None, *, waited: bool
) -> Change | str | None:
    """The approved part, where no newer commit has bought another spec under the name since.

    `known` are the jobs for other specs that the plan knew; one of an earlier version does not say.
    What was to follow by itself is let go: a later merge has gone past it. What was to begin at
    once is stale: a plan of now says whether somebody wants to go back. Where git cannot tell which
    is newer, nothing is bought and nobody is told that all is well.
    """
    if not isinstance(part, Change) or known is None or not part.trains:
        return part
    newer = [job for job in part.ahead if job not in known]
    unplaced = [job for job in part.unplaced if job not in known]
    if not newer and not unplaced:
        return part
    since = f"{joined(newer or unplaced)}, which {'a newer commit' if newer else 'another commit'}"
    if newer and waited:
        return replace(
            part,
            action=Action.ATTENTION,
            reason=f"superseded by {since} has bought since that plan was made",
            steps=(),
            later=None,
            cost=None,
            superseded=True,
        )
    whole = "" if newer else "; git cannot say here which is newer: its whole history is needed"
    return f"there is {since} has bought for another spec since that plan was made{whole}"


def _purchase(change: Change) -> StartJob | None:
    """The one job that a change buys, if it buys any."""
    return next((step for step in change.steps if isinstance(step, StartJob)), None)


def _is_done(steps: Iterable[Document], bought: StartJob) -> bool:
    """Whether what was approved was bought already: there is a newer job than the one it follows.

    So a plan buys once, however often it is applied: what came of it is another question.
    """
    before = next((step for step in steps if step["step"] == "start-job"), None)
    if before is None or bought.follows is None or bought.follows == before.get("follows"):
        return False
    same = ("finetune", "digest")
    return all(before.get(key) == getattr(bought, key) for key in same)


def _account(account: AccountId) -> str:
    return " / ".join(part for part in (account.organization, account.project) if part)


def _difference(steps: Iterable[Document], bought: StartJob, change: Change) -> str:
    """Why a purchase is not the one that was approved."""
    before = next((step for step in steps if step["step"] == "start-job"), None)
    if before is None:
        return f"approved was no training, and it would now be bought ({change.reason})"
    fields = _differing(before, approved_step(bought))
    return f"{' and '.join(fields)} of its training changed ({change.reason})"


def _differing(before: Document, now: Document) -> list[str]:
    """The fields of a document that are others than they were."""
    return [key for key in now if canonical_json(now[key]) != canonical_json(before.get(key))]


def _canonical(step: Step) -> str:
    return canonical_json(approved_step(step))


def _short(digest: str | None) -> str:
    return digest[:11] if digest else "none"
