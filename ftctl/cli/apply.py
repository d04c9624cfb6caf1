"""`ftctl apply`: plans, asks, does it, and waits if told to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from ftctl.cli.approval import ask, is_digest, stale
from ftctl.cli.durations import DURATION
from ftctl.cli.exits import DONE
from ftctl.cli.interrupts import interrupts
from ftctl.cli.locking import write_lock
from ftctl.cli.options import allow_option, base_option, force_destroy_option
from ftctl.cli.planfile import find_plan, keep_plan, read_plan
from ftctl.cli.planning import (
    Asked,
    asked,
    asked_in,
    options_for,
    plan_for,
    plan_options,
    show_warnings,
)
from ftctl.cli.reviewing import review
from ftctl.cli.running import Running
from ftctl.cli.session import Session, open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Plan, StartJob
from ftctl.domain.plan_document import Approval, approval_of, plan_digest, plan_document
from ftctl.errors import Stale, UsageError, WaitTimeout
from ftctl.planner import PlanOptions
from ftctl.planner.approval import Remaining, reconcile
from ftctl.policy import raise_refused
from ftctl.providers.protocol import Provider
from ftctl.reports.text import plan_text
from ftctl.reports.words import plural
from ftctl.text.escape.lines import one_line


@click.command("apply")
@shared_options
@plan_options
@allow_option
@force_destroy_option
@base_option
@click.argument("planfile", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--approve", metavar="DIGEST", help="Do exactly the plan that has this digest.")
@click.option(
    "--wait/--no-wait", default=False,
    help="Wait until every job is over, children of a chain included.  [default: no-wait]",
)  # fmt: skip
@click.option(
    "--parallelism", type=click.IntRange(1, 32), default=4, show_default=True,
    help="How many uploads or creates to make at once.",
)  # fmt: skip
@click.option("--timeout", type=DURATION, help="How long to wait: 90s, 30m, 2h. Implies --wait.")
@click.pass_context
def apply_command(
    context: click.Context,
    *,
    planfile: Path | None,
    select: tuple[str, ...],
    replace: tuple[str, ...],
    prune: bool,
    retry_failed: bool,
    allow: tuple[str, ...],
    force_destroy: bool,
    auto_approve: bool,
    approve: str | None,
    wait: bool,
    timeout: float | None,
    parallelism: int,
) -> int:
    """Plan, ask, and do it.

    Doing it again does nothing: what exists already is found by its digest. PLANFILE, of 'ftctl
    plan --out', is done without asking: what of it is done already is left out, and if anything of
    it would now be another thing, nothing is done and the exit status is 5.
    """
    settings = settings_of(context)
    if planfile is not None and approve is not None:
        raise UsageError("a plan in a file is approved by giving it", "leave out --approve")
    wanted = asked(
        select, replace, prune=prune, retry_failed=retry_failed, allow=allow,
        force_destroy=force_destroy, environment=settings.environment,
    )  # fmt: skip
    approved = None
    if planfile is not None:
        approved = read_plan(settings.folder / planfile)
        wanted = asked_in(approved.options, wanted)
    session = open_session(settings)
    show_warnings(session)
    if approved is not None:
        _refuse_unknown(session, approved, wanted)
    options = options_for(session, wanted)
    with session.provider() as provider:
        observed = session.observe(provider)
        whole = plan_for(session, observed, options)
        if approved is None and approve is not None and not is_digest(approve, plan_digest(whole)):
            approved = find_plan(session.root, approve)
            if approved is not None:
                # What it was made with is a part of what was approved.
                if wanted.document != approved.options:
                    wanted = asked_in(approved.options, wanted)
                _refuse_unknown(session, approved, wanted)
                options = options_for(session, wanted)
                whole = plan_for(session, observed, options)
        waits = wait or timeout is not None
        remaining = _show(session, observed, whole, approved, wanted, waits=waits)
        plan = remaining.plan
        if approved is None and approve is not None and not is_digest(approve, plan_digest(plan)):
            raise stale(plan_digest(plan))
        if not (plan.empty or auto_approve or approved is not None or approve is not None):
            # Somebody reads for a while: what runs must still be what was read.
            observed, plan = _asked(session, provider, options, plan)
        with interrupts(settings.console) as stop:
            run = Running(session, provider, options, stop, parallelism)
            status = DONE if plan.empty else run.carry_out(plan, observed)
            if waits:
                try:
                    status = run.wait(plan, status, timeout)
                except WaitTimeout:
                    write_lock(session, provider, parallelism=parallelism)
                    raise
                write_lock(session, provider, parallelism=parallelism)
                return status
        run.say_what_is_next(plan)
        if plan.empty:
            write_lock(session, provider, observed, whole)
        else:
            write_lock(session, provider, parallelism=parallelism)
    return status


def _refuse_unknown(session: Session, approved: Approval, wanted: Asked) -> None:
    """Raise `Stale` where a plan chose fine-tunes that have left the manifests."""
    known = {one.name for one in session.desired.finetunes}
    gone = sorted({*wanted.select, *wanted.replace} - known)
    if gone:
        raise Stale(
            f"what was approved cannot run now: no manifest asks for {_listed(gone)} any more",
            f"make a plan anew, and approve that instead of {approved.digest}",
        )


def _show(
    session: Session,
    observed: Observed,
    plan: Plan,
    approved: Approval | None,
    wanted: Asked,
    *,
    waits: bool,
) -> Remaining:
    """Print the plan, or what is left of the one that was approved.

    Raises `Stale` where that would now do something else, and `Refused` where the policy stands
    against it.
    """
    console = session.settings.console
    remaining, moved = (Remaining(plan), ()) if approved is None else reconcile(approved, plan)
    found = review(session, plan if moved else remaining.plan, observed, wanted, waits=waits)
    console.result(plan_text(found, None, console.paint))
    _tell(session, remaining)
    if moved:
        raise stale(found.digest, moved)
    raise_refused(found.policy)
    if approved is None and not plan.empty:
        keep_plan(session.root, plan_document(found))
    return remaining


def _tell(session: Session, remaining: Remaining) -> None:
    note = session.settings.console.result
    if remaining.done:
        note(f"Of the approved plan, nothing is left to do for: {_listed(remaining.done)}.")
    if remaining.unapproved:
        note(f"Left alone, for nobody approved it: {_listed(remaining.unapproved)}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(one_line(name) for name in names)


def _asked(
    session: Session, provider: Provider, options: PlanOptions, plan: Plan
) -> tuple[Observed, Plan]:
    """Ask for approval; what exists now, and what of the plan is still to be done."""
    buys = plural(len(plan.steps(StartJob)), "training job")
    ask(session.settings.console, plan_digest(plan), f"Apply this plan ({buys})?")
    observed = session.observe(provider)
    now = plan_for(session, observed, options)
    remaining, moved = reconcile(approval_of(plan), now)
    if moved:
        raise Stale(
            "something changed at the service while you were reading: the plan is another now\n    "
            + "\n    ".join(one_line(sentence) for sentence in moved),
            "run the same command again",
        )
    _tell(session, remaining)
    return observed, remaining.plan
