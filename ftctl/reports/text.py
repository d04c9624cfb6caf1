"""Plans, reports and status in, lines for people out. Colour is the caller's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import Progress
from ftctl.domain.plan import (
    Action,
    Change,
    DeleteModel,
    Estimate,
    Later,
    Outcome,
    Plan,
    Report,
    StartJob,
)
from ftctl.domain.review import DataChange, Review
from ftctl.errors import fault_text
from ftctl.policy import policy_text
from ftctl.pricing import total
from ftctl.reports.phrases import (
    SIGNS,
    counts,
    field_words,
    plan_line,
    rows_summary,
    signed_usd,
    step_words,
)
from ftctl.reports.training import rows_of, training_facts, training_words
from ftctl.text.escape import one_line
from ftctl.text.format import duration, plural, usd, usd_range

_INDENT = " " * 12  # below what a step is done to
_WIDE = 160  # characters of a field's values in one line
_MOST_ROWS = 8  # of a long text

Paint = Callable[[str, str], str]  # (text, colour) -> text

_COLOURS = {
    Action.CREATE: "green",
    Action.REPLACE: "yellow",
    Action.CANCEL: "red",
    Action.DELETE: "red",
    Action.DEFER: "cyan",
    Action.ATTENTION: "magenta",
}


def plain(text: str, _colour: str) -> str:
    """The text as it is."""
    return text


def plan_text(review: Review, command: str | None, paint: Paint = plain) -> str:
    """A plan like a diff. `command`, where one is given and needed, says last what to type."""
    plan = review.plan
    lines = [plan_line(plan), *_warnings(plan.foremost, paint), ""]
    if review.offline:
        lines[1:1] = [paint(_offline(review), "yellow")]
    for change in plan.changes:
        lines += _change_lines(change, plan.service, paint)
    if plan.changes:
        lines.append("")
    if review.data:
        lines += [f"Data, compared with {one_line(review.base or 'the base')}:"]
        lines += [f"    {_data_line(file)}" for file in review.data]
    lines += _warnings(plan.later_warnings, paint)
    passing = replace(review.policy, violations=tuple(
        violation for violation in review.policy.violations if violation.severity != "refused"
    ))  # fmt: skip
    lines += [paint(line, "yellow") for line in policy_text(passing)]
    lines.append(_summary(plan))
    if review.policy.refused:
        lines.append("The policy refuses it as it stands.")
    elif command and not plan.empty and not review.offline:
        lines.append(f"Its digest, for --approve: {review.digest}")
        lines.append(f"To carry it out: {command}")
    return "\n".join(lines)


def _warnings(warnings: Iterable[str], paint: Paint) -> list[str]:
    return [paint(f"Warning: {one_line(warning)}.", "yellow") for warning in warnings]


def _offline(review: Review) -> str:
    return (
        f"Offline: compared with {one_line(review.snapshot)}, no service was asked."
        " It cannot be applied as it stands."
    )


def _change_lines(change: Change, service: ServiceInfo, paint: Paint) -> Iterator[str]:
    colour = _COLOURS.get(change.action)
    head = one_line(f"{SIGNS[change.action]} {change.name}: {change.action.value}, {change.reason}")
    yield paint(head, colour) if colour else head
    for step in change.steps:
        verb, what = step_words(step, service)
        yield f"    {verb:<7} {one_line(what)}"
        if isinstance(step, StartJob):
            yield from _training_lines(step, service)
    if change.later is not None:
        yield f"    later   {one_line(training_words(change.later, service))}"
        yield from _training_lines(change.later, service)
    if change.cost is not None:
        yield f"    {'cost':<7} {one_line(_cost(change.cost))}"
    if change.would_cost is not None:
        yield f"    {'would':<7} cost {one_line(_cost(change.would_cost))}"
    fields = change.fields
    if change.action is Action.REPLACE:  # its reason names what makes it train again
        fields = tuple(field for field in fields if field.cosmetic)
    for field in fields:
        yield f"    ~ {one_line(field_words(field, taken_up=change.trains))}"


def _training_lines(training: StartJob | Later, service: ServiceInfo) -> Iterator[str]:
    """All that a training asks for, a line for each field of the spec."""
    for fact in training_facts(training, service):
        line = f"{fact.label}: {', '.join(fact.items)}"
        if len(line) <= _WIDE or len(fact.items) == 1:
            yield _INDENT + one_line(line)
        else:
            yield f"{_INDENT}{one_line(fact.label)}:"
            yield from (f"{_INDENT}  {one_line(item)}" for item in fact.items)
        rows, left_out = rows_of(fact, _MOST_ROWS)
        yield from (f"{_INDENT}{row}" for row in rows)
        if left_out:
            yield f"{_INDENT}   … | {left_out:,} characters more: --format html and json have them"


def _cost(cost: Estimate) -> str:
    """`$0.49 to $0.51: 98,319 to 102,639 tokens…`."""
    if cost.low is None or cost.high is None:
        return cost.basis if cost.billed else "none here"
    sums = usd_range(cost.low, cost.high)
    return f"{sums}: {cost.basis}" if cost.billed else f"none here; elsewhere {sums}: {cost.basis}"


def _data_line(change: DataChange) -> str:
    """`data/train.jsonl: 5 changed, 475 unchanged; +12 tokens in one epoch, $0.01`."""
    path = one_line(change.path)
    if change.compared is None:
        return f"{path}: new, {plural(change.rows, 'row')} ({change.role})"
    parts = [f"{path}: {rows_summary(change.compared)} ({change.role})"]
    if change.tokens is not None:
        parts.append(f"{change.tokens:+,} tokens in one epoch")
    if change.cost is not None:
        parts.append(f"{signed_usd(change.cost)} in all epochs")
    return "; ".join(parts)


def _summary(plan: Plan) -> str:
    text = f"Plan: {counts(plan)}."
    bought = len(plan.steps(StartJob))
    deleted = len(plan.steps(DeleteModel))
    if plan.empty:
        deferred = plan.count()[Action.DEFER]
        if deferred:
            return f"{text} Nothing to do now; {plural(deferred, 'fine-tune')} waiting."
        if plan.count()[Action.ATTENTION]:
            return f"{text} Nothing is done about that by itself: what is marked ! says what to do."
        return f"{text} Nothing to do, nothing to pay."
    text += f" {_to_pay(plan, bought)}" if bought else " Nothing to pay."
    if deleted:
        text += f" {plural(deleted, 'model')} will be deleted for good."
    return text


def _to_pay(plan: Plan, bought: int) -> str:
    """What the jobs cost that start now, and those that follow them."""
    jobs = plural(bought, "training job")
    billed = [
        change.cost for change in plan.changes if change.cost is not None and change.cost.billed
    ]
    if not billed:
        free = f"{jobs}, free of charge."
        return f"{jobs} will be billed; the price is not known." if plan.service.billed else free
    deferred = plan.count()[Action.DEFER]
    jobs += f" and {deferred} later" if deferred else ""
    sums = total(plan)
    if sums.low is None or sums.high is None:
        return f"{jobs} will be billed; the price is not known beforehand."
    if sums.unknown or sums.hourly:
        many = plural(sums.unknown + sums.hourly, "job")
        return (
            f"{jobs}: at least {usd(sums.low)}, and {many} whose price nobody can tell beforehand."
        )
    return f"{jobs}: {usd_range(sums.low, sums.high)}."


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
    safe = [(one_line(a), one_line(b), one_line(c), one_line(d)) for a, b, c, d in rows]
    table = [("NAME", "STATUS", "MODEL OR JOB", ""), *safe]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    return "\n".join(
        "  ".join((*(row[i].ljust(widths[i]) for i in range(3)), row[3])).rstrip() for row in table
    )


def progress_text(progress: Progress) -> str:
    """`triage: running, step 12 of 48, training loss 1.204, about 8 s left`."""
    parts = [progress.job.status]
    if progress.job.status == "succeeded" and progress.job.model is None:
        return one_line(f"{progress.name}: succeeded, and has no model's name yet")
    if progress.job.status == "succeeded":
        return one_line(f"{progress.name}: succeeded as {progress.job.model}")
    if progress.job.error is not None and not progress.job.in_progress:
        return one_line(f"{progress.name}: {progress.job.status}: {progress.job.error.message}")
    if progress.step is not None:
        total = f" of {progress.total_steps}" if progress.total_steps else ""
        parts.append(f"step {progress.step}{total}")
    if progress.train_loss is not None:
        parts.append(f"training loss {progress.train_loss:.3f}")
    if progress.valid_loss is not None:
        parts.append(f"validation loss {progress.valid_loss:.3f}")
    if progress.seconds_left is not None and progress.seconds_left >= 1:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return one_line(f"{progress.name}: {', '.join(parts)}")
