"""`ftctl apply`: plans, asks, does it, and waits if told to."""

from __future__ import annotations

import click

from ftctl.changes import Plan, StartJob
from ftctl.cli.approval import approve as get_approval
from ftctl.cli.console import Console
from ftctl.cli.durations import DURATION
from ftctl.cli.exits import DONE
from ftctl.cli.interrupts import interrupts
from ftctl.cli.planning import asked, options_for, plan_for, plan_options, show_warnings
from ftctl.cli.running import Running
from ftctl.cli.session import Session, open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import Stale
from ftctl.limits import check_limits
from ftctl.plan import PlanOptions
from ftctl.provider import Provider
from ftctl.render.plan_json import plan_digest
from ftctl.render.text import plan_text
from ftctl.render.words import plural
from ftctl.world import Observed


@click.command("apply")
@shared_options
@plan_options
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
    select: tuple[str, ...],
    replace: tuple[str, ...],
    prune: bool,
    retry_failed: bool,
    auto_approve: bool,
    approve: str | None,
    wait: bool,
    timeout: float | None,
    parallelism: int,
) -> int:
    """Plan, ask, and do it.

    Doing it again does nothing: what exists already is found by its digest.
    """
    settings = settings_of(context)
    session = open_session(settings)
    show_warnings(session)
    options = options_for(session, asked(select, replace, prune=prune, retry_failed=retry_failed))
    with session.provider() as provider:
        observed = session.observe(provider)
        plan = plan_for(session, observed, options)
        digest = plan_digest(plan)
        paint = settings.console.paint
        settings.console.result(plan_text(plan, digest, None, paint))
        check_limits(plan, session.project.config.policy)
        if not plan.empty and not auto_approve and _ask(settings.console, plan, approve):
            # Somebody read for a while: what runs must still be what was read.
            observed = _look_again(session, provider, options, digest)
        with interrupts(settings.console) as stop:
            run = Running(session, provider, options, stop, parallelism)
            status = DONE if plan.empty else run.carry_out(plan, observed)
            if wait or timeout is not None:
                return run.wait(plan, status, timeout)
        run.say_what_is_next(plan)
    return status


def _ask(console: Console, plan: Plan, approved: str | None) -> bool:
    """Get the plan approved; whether a person was asked."""
    buys = plural(len(plan.steps(StartJob)), "training job")
    return get_approval(console, plan_digest(plan), approved, f"Apply this plan ({buys})?")


def _look_again(
    session: Session, provider: Provider, options: PlanOptions, digest: str
) -> Observed:
    """What exists now. Raises `Stale` if that asks for another plan than the one read."""
    observed = session.observe(provider)
    if plan_digest(plan_for(session, observed, options)) != digest:
        raise Stale(
            "something changed at the service while you were reading: the plan is another now",
            "run the same command again",
        )
    return observed
