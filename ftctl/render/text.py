"""Plans, reports and status in, lines for people out. Colour is the caller's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ftctl.changes import Action, Change, DeleteModel, Outcome, Plan, Report, StartJob
from ftctl.errors import fault_text
from ftctl.render.words import (
    SIGNS,
    counts,
    duration,
    field_words,
    one_line,
    plural,
    service_line,
    step_words,
    takes_up,
)
from ftctl.wait import Progress

Paint = Callable[[str, str], str]  # (text, colour) -> text

_COLOURS = {
    Action.CREATE: "green",
    Action.REPLACE: "yellow",
    Action.CANCEL: "red",
    Action.DELETE: "red",
    Action.DEFER: "cyan",
}


def plain(text: str, _colour: str) -> str:
    """The text as it is."""
    return text


def plan_text(plan: Plan, digest: str, command: str | None, paint: Paint = plain) -> str:
    """A plan like a diff. `command`, where one is given and needed, says last what to type."""
    lines = [service_line(plan.project, plan.service), ""]
    for change in plan.changes:
        lines += _change_lines(change, paint)
    if plan.changes:
        lines.append("")
    lines += [paint(f"Warning: {warning}.", "yellow") for warning in plan.warnings]
    lines.append(_summary(plan))
    if command and not plan.empty:
        lines.append(f"Its digest, for --approve: {digest}")
        lines.append(f"To carry it out: {command}")
    return "\n".join(lines)


def _change_lines(change: Change, paint: Paint) -> Iterator[str]:
    colour = _COLOURS.get(change.action)
    head = one_line(f"{SIGNS[change.action]} {change.name}: {change.action.value}, {change.reason}")
    yield paint(head, colour) if colour else head
    for step in change.steps:
        verb, what = step_words(step)
        yield f"    {verb:<7} {one_line(what)}"
    shown = change.fields
    if change.action is Action.REPLACE:  # its reason names what makes it train again
        shown = tuple(one for one in shown if one.cosmetic)
    for one in shown:
        yield f"    ~ {one_line(field_words(one, taken_up=takes_up(change)))}"


def _summary(plan: Plan) -> str:
    text = f"Plan: {counts(plan)}."
    bought = len(plan.steps(StartJob))
    deleted = len(plan.steps(DeleteModel))
    if plan.empty:
        deferred = plan.count()[Action.DEFER]
        if deferred:
            return f"{text} Nothing to do now; {plural(deferred, 'fine-tune')} waiting."
        return f"{text} Nothing to do, nothing to pay."
    if bought and plan.service.billed:
        text += f" {plural(bought, 'training job')} will be billed; the price is not estimated yet."
    elif bought:
        text += f" {plural(bought, 'training job')}, free of charge."
    else:
        text += " Nothing to pay."
    if deleted:
        text += f" {plural(deleted, 'model')} will be deleted for good."
    return text


def outcome_problem(outcome: Outcome) -> str | None:
    """Why a change was not carried out, with the cure; None where it was."""
    if outcome.error is not None:
        return f"{outcome.name}: {fault_text(outcome.error)}"
    if outcome.skipped is not None:
        return f"{outcome.name}: {outcome.skipped}"
    return None


def report_text(report: Report) -> str:
    """One line on how an apply ended."""
    failed = sum(1 for outcome in report.outcomes if not outcome.ok)
    steps = sum(len(outcome.done) for outcome in report.outcomes)
    if not failed:
        return f"Done: {plural(steps, 'step')} carried out."
    return (
        f"Not all was done: {plural(steps, 'step')} carried out,"
        f" {plural(failed, 'change')} not. What is done stays done; apply again to go on."
    )


def status_text(rows: list[tuple[str, str, str, str]]) -> str:
    """A table of name, status, model or job, and a remark."""
    table = [("NAME", "STATUS", "MODEL OR JOB", ""), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    return "\n".join(
        "  ".join((*(row[i].ljust(widths[i]) for i in range(3)), row[3])).rstrip() for row in table
    )


def progress_text(progress: Progress) -> str:
    """`triage: running, step 12 of 48, training loss 1.204, about 8 s left`."""
    parts = [progress.job.status]
    if progress.job.status == "succeeded":
        return f"{progress.name}: succeeded as {progress.job.model}"
    if progress.job.error is not None and not progress.job.in_progress:
        return f"{progress.name}: {progress.job.status}: {progress.job.error.message}"
    if progress.step is not None:
        total = f" of {progress.total_steps}" if progress.total_steps else ""
        parts.append(f"step {progress.step}{total}")
    if progress.train_loss is not None:
        parts.append(f"training loss {progress.train_loss:.3f}")
    if progress.valid_loss is not None:
        parts.append(f"validation loss {progress.valid_loss:.3f}")
    if progress.seconds_left is not None and progress.seconds_left >= 1:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return f"{progress.name}: {', '.join(parts)}"
