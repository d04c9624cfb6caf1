"""A plan in, Markdown for a pull request's comment out."""

from __future__ import annotations

import html

from ftctl.changes import Plan
from ftctl.render.words import (
    SIGNS,
    counts,
    field_words,
    one_line,
    service_line,
    step_words,
    takes_up,
)

_MARKS = frozenset("\\|`*_[]~$")  # what begins a mark in the middle of a line


def plan_markdown(plan: Plan, digest: str) -> str:
    """One table of what happens and why, with the steps folded below it."""
    lines = [
        f"### ftctl plan: {plan.project}",
        "",
        _cell(service_line(plan.project, plan.service)),
        "",
        *[f"> **Warning:** {_cell(warning)}." for warning in plan.warnings],
        *([""] if plan.warnings else []),
        "| | fine-tune | action | why |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{SIGNS[change.action]}` | {_cell(change.name)} | {change.action.value}"
        f" | {_cell(change.reason)} |"
        for change in plan.changes
    ]
    lines += ["", f"**Plan:** {counts(plan)}."]
    for change in plan.changes:
        details = [f"- {verb} {_cell(what)}" for verb, what in map(step_words, change.steps)]
        taken_up = takes_up(change)
        details += [f"- {_cell(field_words(one, taken_up=taken_up))}" for one in change.fields]
        if details:
            # A line of HTML, in which Markdown's escapes mean nothing.
            summary = f"<details><summary>{html.escape(one_line(change.name))}</summary>"
            lines += ["", summary, "", *details, "", "</details>"]
    if not plan.empty:
        lines += ["", f"Approve exactly this: `ftctl apply --approve {digest}`"]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text that cannot break out of a table's cell or become markup."""
    escaped = "".join(f"\\{mark}" if mark in _MARKS else mark for mark in one_line(text))
    return html.escape(escaped, quote=False).replace("@", "&#64;")  # nobody is to be notified
