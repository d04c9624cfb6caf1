"""`ftctl apply`: plans, asks, does it, and waits if told to."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace as with_
from pathlib import Path

import click

from ftctl.apply import apply_plan
from ftctl.changes import Action, Plan, Report, StartJob
from ftctl.cli.approval import approve
from ftctl.cli.durations import DURATION
from ftctl.cli.exits import DONE, FAILED, PARTIAL
from ftctl.cli.live import watch
from ftctl.cli.planning import (
    asked,
    options_for,
    plan_for,
    plan_options,
    show_warnings,
)
from ftctl.cli.session import Session, open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.limits import check_limits
from ftctl.observe import observe
from ftctl.plan import PlanOptions
from ftctl.provider import Provider
from ftctl.render.plan_json import plan_digest
from ftctl.render.text import outcome_problem, plan_text, report_text
from ftctl.render.words import plural
from ftctl.schema import cosmetic_fields
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
) -> int:
    """Plan, ask, and do it.

    Doing it again does nothing: what exists already is found by its digest.
    """
    settings = settings_of(context)
    session = open_session(settings)
    show_warnings(session)
    options = options_for(session, asked(select, replace, prune=prune, retry_failed=retry_failed))
    with session.provider() as provider:
        observed = observe(session.desired, provider)
        plan = plan_for(session, observed, options)
        digest = plan_digest(plan)
        paint = settings.console.paint
        settings.console.result(plan_text(plan, digest, None, paint))
        check_limits(plan, session.project.config.policy)
        run = _Run(session, provider, options)
        status = DONE
        if not plan.empty:
            if not auto_approve and run.ask(plan, digest, approve):
                # Somebody read for a while: what runs must still be what was read.
                observed = run.look_again(digest)
            status = run.carry_out(plan, observed)
        if wait or timeout is not None:
            return run.wait(plan, status, timeout)
        run.say_what_is_next(plan)
    return status


class _Run:
    """One apply: carries out plans and follows the jobs that they start."""

    def __init__(self, session: Session, provider: Provider, options: PlanOptions) -> None:
        self.session = session
        self.provider = provider
        self.options = options
        self.console = session.settings.console
        self.started: dict[str, str] = {}  # fine-tune -> job

    def ask(self, plan: Plan, digest: str, approved: str | None) -> bool:
        """Get the plan approved; whether a person was asked."""
        buys = plural(len(plan.steps(StartJob)), "training job")
        return approve(self.console, digest, approved, f"Apply this plan ({buys})?")

    def look_again(self, digest: str) -> Observed:
        """What exists now. Raises `Stale` if that asks for another plan than the one read."""
        observed = observe(self.session.desired, self.provider)
        now = plan_digest(plan_for(self.session, observed, self.options))
        if now != digest:
            from ftctl.errors import Stale

            raise Stale(
                "something changed at the service while you were reading: the plan is another now",
                "run the same command again",
            )
        return observed

    def carry_out(self, plan: Plan, observed: Observed) -> int:
        """Do what the plan says; the exit status."""
        self.console.result("")
        report = apply_plan(
            plan,
            self.provider,
            root=self.session.root,
            clock=self.session.settings.clock,
            cosmetic=cosmetic_fields(),
            known_jobs=frozenset(job.id for job in observed.jobs),
            commit=_commit(self.session.root) if plan.steps(StartJob) else None,
            say=lambda name, sentence: self.console.result(f"{name}: {sentence}"),
        )
        for outcome in report.outcomes:
            if outcome.job is not None:
                self.started[outcome.name] = outcome.job.id
            if (problem := outcome_problem(outcome)) is not None:
                self.console.note(f"error: {problem}")
        self.console.result(report_text(report))
        return _status(report)

    def wait(self, plan: Plan, status: int, timeout: float | None) -> int:
        """Follow every job of the plan, start what was deferred for it, until all is over."""
        clock = self.session.settings.clock
        deadline = None if timeout is None else clock.now() + timeout
        deferred = {change.name for change in plan.changes if change.action is Action.DEFER}
        jobs: Mapping[str, str] = {**self._standing(plan), **self.started}
        succeeded = failed = 0
        while jobs:
            left = None if deadline is None else max(deadline - clock.now(), 0.0)
            ended = watch(self.session, self.provider, jobs, left)
            good = [one for one in ended if one.job.status == "succeeded"]
            succeeded += len(good)
            failed += len(ended) - len(good)
            jobs, state = self._next(deferred)
            status = status or state
        for name in sorted(deferred):
            self.console.note(f"error: {name}: not begun: its parent has no model")
        if status == DONE and (failed or deferred):
            return PARTIAL if succeeded else FAILED
        if status == DONE:
            self.console.result("All there: 'ftctl output' prints the models' names.")
        return status

    def _next(self, deferred: set[str]) -> tuple[Mapping[str, str], int]:
        """Start what waited for a parent that has its model now: the new jobs, and how it went."""
        if not deferred:
            return {}, DONE
        observed = observe(self.session.desired, self.provider)
        options = with_(
            self.options,
            select=frozenset(deferred),
            replace=frozenset(),
            prune=False,
            retry_failed=False,
        )
        plan = plan_for(self.session, observed, options)
        ready = tuple(change for change in plan.changes if change.action is not Action.DEFER)
        deferred.difference_update(change.name for change in ready)
        self.started = {}
        status = self.carry_out(with_(plan, changes=ready), observed) if ready else DONE
        return {**self._standing(with_(plan, changes=ready)), **self.started}, status

    def _standing(self, plan: Plan) -> dict[str, str]:
        """The jobs in progress that stand for fine-tunes of the plan already."""
        running = {job.id for job in self.provider.jobs(plan.project) if job.in_progress}
        return {
            change.name: change.job
            for change in plan.changes
            if change.job in running and change.job is not None
        }

    def say_what_is_next(self, plan: Plan) -> None:
        """Where to look for what was started."""
        if self.started:
            self.console.result(
                "The jobs run on at the service: 'ftctl status' shows them,"
                " 'ftctl apply --wait' waits for them."
            )
        waiting = [change.name for change in plan.changes if change.action is Action.DEFER]
        if waiting:
            self.console.result(
                f"Still to come: {', '.join(waiting)}. Apply again when the parents have their"
                " models, or use --wait."
            )


def _status(report: Report) -> int:
    if report.ok:
        return DONE
    return PARTIAL if report.partial else FAILED


def _commit(root: Path) -> str | None:
    """The git commit that the project's folder is at, where there is one."""
    try:
        found = subprocess.run(  # noqa: S603 - no shell, and a fixed command
            ["git", "-C", str(root), "rev-parse", "HEAD"],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    commit = found.stdout.strip()
    return commit if found.returncode == 0 and commit else None
