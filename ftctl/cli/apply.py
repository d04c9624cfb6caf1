"""`ftctl apply`: plans, asks, does it, and waits if told to."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ftctl.cli.confirm import confirm_plan
from ftctl.cli.durations import DURATION
from ftctl.cli.exit_codes import DONE, status_of_report
from ftctl.cli.interrupts import interrupts
from ftctl.cli.listening import (
    guarded,
    show_warnings,
    tell_remaining,
    tell_unkept,
    workspace_of,
)
from ftctl.cli.options import allow_option, base_option, force_destroy_option
from ftctl.cli.plan_options import plan_options, request_from_options
from ftctl.cli.reporting import ReportFiles, report_option
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.domain.plan import Action, Plan, Report, StartJob
from ftctl.domain.plan_document import plan_document
from ftctl.domain.review import Review
from ftctl.engine.execute import started_jobs, waiting_changes
from ftctl.engine.plan_files import is_digest, keep_plan, read_plan
from ftctl.engine.planning import merge_saved_options
from ftctl.engine.review import require_applicable, stale
from ftctl.errors import Stale, UsageError, WaitTimeout
from ftctl.planner.approval import unite
from ftctl.reports.text import plan_text
from ftctl.text.escape.single_line import one_line
from ftctl.text.format import plural


@click.command("apply")
@shared_options
@plan_options
@allow_option
@force_destroy_option
@base_option
@click.argument("planfile", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
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
@report_option("apply")
def apply_command(
    context: click.Context,
    *,
    planfile: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    changed: bool,
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
    report_files: ReportFiles,
) -> int:
    """Plan, ask, and do it.

    Doing it again does nothing: what exists already is found by its digest. PLANFILE, of 'ftctl
    plan --out', is done without asking: what of it is done already is left out, and if anything of
    it would now be another thing, nothing is done and the exit status is 5. Several, oldest first,
    are done as one: of each fine-tune counts the last that does anything about it.
    """
    settings = settings_of(context)
    if planfile and approve is not None:
        raise UsageError("a plan in a file is approved by giving it", "leave out --approve")
    request = request_from_options(
        select, replace, prune=prune, retry_failed=retry_failed, allow=allow,
        force_destroy=force_destroy, exclude=exclude, changed=changed,
    )  # fmt: skip
    approval = unite([read_plan(settings.folder / one) for one in planfile]) if planfile else None
    if approval is not None:
        here = dataclasses.replace(request, environment=settings.environment)
        merge_saved_options(approval.options, here)  # usage is told before anything is read
    waits = wait or timeout is not None
    with workspace_of(settings) as workspace, report_files.run(workspace):
        show_warnings(guarded(workspace.session(), settings), settings)
        review = workspace.plan(request, approval=approval or approve, waits=waits)
        _show(settings, review)
        require_applicable(review)
        does_nothing = review.plan.empty and not (waits and _waiting(review.plan))
        if review.approved is None and not does_nothing:
            tell_unkept(settings, keep_plan(settings.folder, plan_document(review)))
        if approve is not None and review.approved is None and not is_digest(approve, review.plan):
            if does_nothing:
                raise Stale(
                    "nothing is to be done now, and what this digest stood for is not known here:"
                    " it may have been carried out already",
                    "give the plan's own file, which says what was approved",
                )
            raise stale(review.digest)
        asks = not (does_nothing or auto_approve or approval or approve)
        if asks:
            jobs = plural(len(review.plan.steps(StartJob)), "training job")
            later = (
                f" now, and {_waiting(review.plan)} later"
                if waits and _waiting(review.plan)
                else ""
            )
            confirm_plan(settings.console, review.digest, f"Apply this plan ({jobs}{later})?")
        with interrupts(settings.console) as stop:
            # Somebody reads for a while: what runs must still be what was read.
            report = workspace.apply(
                review, look_again=asks, record=False, parallelism=parallelism,
                stopping=lambda: stop.asked,
            )  # fmt: skip
            if waits:
                stop.leave_at_once = True
                try:
                    report = workspace.wait(
                        report, timeout, record=False, parallelism=parallelism,
                        stopping=lambda: stop.asked,
                    )  # fmt: skip
                except WaitTimeout:
                    workspace.record(parallelism=parallelism)
                    raise
        if waits:
            _say_how_it_ended(settings, report)
        else:
            _say_what_is_next(settings, report)
        workspace.record(report, parallelism=parallelism)
        _say_what_needs_attention(settings, report)
    return status_of_report(report)


def _waiting(plan: Plan) -> int:
    """How many fine-tunes a wait would buy, once their parents have models."""
    return plan.count()[Action.DEFER]


def _show(settings: Settings, review: Review) -> None:
    """Print the plan, or what is left of the one that was approved."""
    settings.console.result(plan_text(review, None, settings.console.paint))
    tell_remaining(settings, review.done, review.unapproved)


def _say_what_is_next(settings: Settings, report: Report) -> None:
    """Where to look for what was started, and what is still to come."""
    result = settings.console.advice
    if started_jobs(report):
        result(
            "The jobs run on at the service: 'ftctl status' shows them,"
            " 'ftctl wait' waits for them."
        )
    changes = report.plan.changes if report.plan is not None else ()
    deferred = [change.name for change in changes if change.action is Action.DEFER]
    if deferred:
        result(
            f"Still to come: {', '.join(deferred)}. Apply again when the parents have their"
            " models, or use --wait."
        )
    for name, why in waiting_changes(report).items():
        result(one_line(f"Still to come: {name} {why}. Apply again later, or use --wait."))


def _say_how_it_ended(settings: Settings, report: Report) -> None:
    for name in report.not_begun:
        settings.console.note(
            f"error: {name}: not begun: its parent has no model, or a note above says why"
        )
    if status_of_report(report) != DONE or _attention(report):
        return
    if names := _without_model(report):
        settings.console.advice(
            f"Without a model: {', '.join(names)}. 'ftctl plan' says why, and what to do."
        )
    elif not report.superseded:
        settings.console.advice("All there: 'ftctl output' prints the models' names.")


def _without_model(report: Report) -> list[str]:
    """The fine-tunes of the plan that came to no model, now or before."""
    changes = report.plan.changes if report.plan is not None else ()
    return [
        change.name
        for change in changes
        if change.digest is not None
        and (change.model is None or change.retired)
        and change.name not in {*report.models, *report.superseded}
    ]


def _attention(report: Report) -> list[str]:
    changes = report.plan.changes if report.plan is not None else ()
    return [
        change.name
        for change in changes
        if change.action is Action.ATTENTION and change.name not in report.superseded
    ]


def _say_what_needs_attention(settings: Settings, report: Report) -> None:
    changes = report.plan.changes if report.plan is not None else ()
    for name, why in report.superseded.items():
        settings.console.advice(one_line(f"{name}: {why}. Nothing more is bought for it."))
    for change in changes:
        if change.name in report.failed:
            text = f"error: {change.name}: {change.reason}"
            settings.console.note(one_line(text))
    if names := _attention(report):
        settings.console.advice(
            f"{len(names):,} needing attention: {', '.join(names)}. Nothing was bought for it:"
            " 'ftctl plan' says why, and what to do."
        )
