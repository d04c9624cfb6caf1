"""A review in; one page of HTML that needs nothing else, out."""

from __future__ import annotations

import hashlib
import html
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence

from ftctl.data.diff.diff_words import kind_words, notes
from ftctl.data.diff.masked import masked_text
from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import Change, Later, StartJob
from ftctl.domain.review import DataChange, Review, Violation
from ftctl.domain.row_diff import Changed, Compared, Pair
from ftctl.reports.phrases import plan_line, step_words
from ftctl.reports.presenter import (
    Approving,
    approval,
    at_rest,
    attention_words,
    closing,
    compared_with,
    cost_sentences,
    data_of,
    data_row,
    happening,
    headline,
    is_for_approval,
    kept,
    other_data,
    row_of,
    sentence,
    to_decide,
    users_of,
    violations,
)
from ftctl.reports.training import Fact, rows_of, training_facts, training_words
from ftctl.text.escape import html_text

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --good: #1a7f37; --bad: #b42318;
  --mind: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff8a80; --mind: #e3b341; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; } h2 { font-size: 1.15rem; margin-top: 2rem; }
h1, h2, p, li, td, th { overflow-wrap: anywhere; }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
.wide { overflow-x: auto; } table { border-collapse: collapse; min-width: 50%; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left;
  vertical-align: top; }
th { background: var(--soft); } td.number { text-align: right; white-space: nowrap; }
td code { white-space: normal; } th, td.action, td.cost { white-space: nowrap; }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; }
pre { background: var(--soft); padding: 0.6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.refused, .del { color: var(--bad); } .warning { color: var(--mind); } .ins { color: var(--good); }
@media print { body { max-width: none; margin: 0; font-size: 11px; }
  tr, li, pre { break-inside: avoid; } h2 { break-after: avoid; } }
"""
_DIGEST = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_RULES = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def plan_html(
    review: Review,
    *,
    command: str = "ftctl apply",
    by_merging: bool = False,
    commit: str | None = None,
) -> str:
    """All that the Markdown shows, in full, approved in the same way: see `plan_markdown`."""
    plan = review.plan
    how = Approving(command, by_merging, commit)
    title = html_text(f"ftctl plan: {plan.project}")
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_RULES}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>ftctl plan: {html_text(headline(review))}</h1>",
        *([f"<p>Plan of commit {_code(commit)}.</p>"] if commit else []),
        *_paragraphs(plan_line(plan), compared_with(review, how)),
        *_warnings(plan.foremost),
        *_changes(review),
        *_attention(review, how),
        *_policy(review),
        *_warnings(plan.later_warnings),
        *_details(review),
        *_foot(review, how),
        "</body>",
        "</html>",
    ]
    return "\n".join(lines)


def _warnings(warnings: Iterable[str]) -> Iterator[str]:
    for warning in warnings:
        yield f'<p class="warning">Warning: {html_text(sentence(warning))}</p>'


def _changes(review: Review) -> Iterator[str]:
    changes = happening(review)
    if changes:
        columns = ["", "fine-tune", "action", "why", "data", "cost"]
        columns = columns if review.data else [column for column in columns if column != "data"]
        yield from _table(columns, (_change_row(review, change) for change in changes))
    if calm := at_rest(review):
        names = ", ".join(map(_code, calm))
        yield f"<p>{len(calm):,} unchanged: {names}.</p>"


def _change_row(review: Review, change: Change) -> str:
    row = row_of(review, change)
    cells = [
        _td(_code(row.sign)),
        _td(_code(row.name)),
        _td(row.action, "action"),
        _td(html_text(row.why)),
    ]
    cells += [_td(html_text(row.data))] if review.data else []
    return "".join([*cells, _td(html_text(row.cost), "cost")])


def _attention(review: Review, how: Approving) -> Iterator[str]:
    """What to type for those that nothing but a purchase could mend."""
    deciding = to_decide(review, how.command)
    if deciding:
        before, after = attention_words(how, [line for _name, line, _cost in deciding])
        yield "<h2>Attention</h2>"
        yield f"<p>{before[:1].upper()}{before[1:]}</p>"
        items = (
            f"<li>{_code(line)} buys {_code(name)}: {html_text(cost)}</li>"
            for name, line, cost in deciding
        )
        yield from ("<ul>", *items, "</ul>")
        yield from _paragraphs(after)


def _policy(review: Review) -> Iterator[str]:
    spoken, silent = violations(review), kept(review)
    if spoken or silent:
        yield "<h2>Policy</h2>"
    if spoken:
        yield from ("<ul>", *map(_violation, spoken), "</ul>")
    if silent:
        yield f"<p>Kept: {', '.join(map(_code, silent))}.</p>"


def _violation(violation: Violation) -> str:
    whose = f" for {_code(violation.finetune)}" if violation.finetune else ""
    cure = f" To allow it: {html_text(sentence(violation.hint))}" if violation.hint else ""
    link = "of" if violation.severity == "warning" else "by"
    severity = f'<strong class="{violation.severity}">{violation.severity}</strong>'
    head = f"{severity} {link} {_code(violation.rule)}"
    return f"<li>{head}{whose}: {html_text(sentence(violation.message))}{cure}</li>"


def _details(review: Review) -> Iterator[str]:
    shown_before: set[tuple[str, str]] = set()
    for change in happening(review):
        files = data_of(review, change.name)
        fresh = [file for file in files if (file.path, file.role) not in shown_before]
        shown_before |= {(file.path, file.role) for file in files}
        inner = [*_change_parts(change, review.plan.service), *_data(files, fresh)]
        if inner:
            head = f"{_code(change.name)}: {change.action.value}"
            yield from ("<section>", f"<h2>{head}</h2>", *inner, "</section>")
    if others := other_data(review):
        names = ", ".join(map(_code, users_of(others)))
        users = f"<p>Used by {names}, to which nothing happens.</p>"
        yield from ("<section>", "<h2>Other data</h2>", users, *_data(others, others), "</section>")


def _change_parts(change: Change, service: ServiceInfo) -> Iterator[str]:
    if change.fields:
        rows = (
            "".join(map(_td, (_code(field.field), _value(field.before), _value(field.after))))
            for field in change.fields
        )
        yield from _table(["field", "before", "after"], rows)
        cosmetic = [_code(field.field) for field in change.fields if field.cosmetic]
        if cosmetic and not change.trains:
            words = "costs nothing, takes effect with the next training or <code>--replace</code>"
            yield f"<p>{', '.join(cosmetic)}: {words}.</p>"
    if change.steps or change.later is not None:
        yield "<ul>"
        for step in change.steps:
            verb, what = step_words(step, service)
            facts = _facts(step, service) if isinstance(step, StartJob) else ()
            yield "\n".join([f"<li>{verb} {html_text(what)}", *facts, "</li>"])
        if (later := change.later) is not None:
            words = html_text(training_words(later, service))
            yield "\n".join([f"<li>later {words}", *_facts(later, service), "</li>"])
        yield "</ul>"
    if change.cost is not None:
        yield f"<p>Cost: {html_text(cost_sentences(change.cost))}</p>"


def _facts(training: StartJob | Later, service: ServiceInfo) -> Iterator[str]:
    """All that a training asks for, long texts folded."""
    yield "<ul>"
    for fact in training_facts(training, service):
        yield f"<li>{html_text(fact.label)}: {', '.join(map(_code, fact.items))}"
        yield from _folded(fact)
        yield "</li>"
    yield "</ul>"


def _folded(fact: Fact) -> Iterator[str]:
    rows, _ = rows_of(fact)
    if rows:
        yield "<details><summary>its lines</summary>"
        yield "<pre>" + "\n".join(html.escape(row) for row in rows) + "</pre>"
        yield "</details>"


def _data(files: Sequence[DataChange], fresh: Iterable[DataChange]) -> Iterator[str]:
    """A table of the files, and the rows of those that are not told of yet."""
    if files:
        columns = ["data", "role", "rows", "added", "removed", "changed", "tokens per epoch"]
        yield from _table([*columns, "cost"], map(_data_cells, files))
    for file in fresh:
        if file.compared is not None and not file.compared.diff.empty:
            yield from _rows(file.path, file.compared)


def _data_cells(file: DataChange) -> str:
    row = data_row(file)
    counts = (row.rows, row.added, row.removed, row.changed, row.tokens, row.cost)
    numbers = [_td(html_text(count), "number") for count in counts]
    return "".join([_td(_code(row.path)), _td(row.role, "action"), *numbers])


def _rows(path: str, compared: Compared) -> Iterator[str]:
    items = [sentence(html_text(note)) for note in notes(compared)]
    items += [_pair(pair, show_text=compared.show_text) for pair in compared.pairs]
    if more := len(compared.diff.changed) - len(compared.pairs):
        items.append(f"and {more:,} more")
    if items:
        yield f"<p>Rows of {_code(path)}:</p>"
        yield from ("<ul>", *(f"<li>{item}</li>" for item in items), "</ul>")
    if compared.show_text:
        texts = [_line("-", row.row) for row in compared.removed]
        texts += [_line("+", row.row) for row in compared.added]
        yield from ("<p>Rows removed and added:</p>", *_pre(texts)) if texts else ()


def _pair(pair: Pair, *, show_text: bool) -> str:
    places = ", ".join(_code(place.place or "the row") for place in pair.places)
    texts = [
        _line(sign, value)
        for place in pair.places
        for sign, value in (("-", place.before), ("+", place.after))
    ]
    return "\n".join(
        [f"{_pair_words(pair.changed)}: {places}", *(_pre(texts) if show_text else ())]
    )


def _pair_words(changed: Changed) -> str:
    return f"line {changed.before} → {changed.after}: {html_text(kind_words(changed))}"


def _line(sign: str, value: object) -> str:
    kind = "ins" if sign == "+" else "del"
    return f'<span class="{kind}">{sign} {html_text(masked_text(value))}</span>'


def _pre(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "<pre>" + "\n".join(lines) + "</pre>"


def _foot(review: Review, how: Approving) -> Iterator[str]:
    yield f"<p><strong>{html_text(closing(review, how))}</strong></p>"
    if is_for_approval(review) and not how.by_merging:
        line = approval(review, how.command)
        yield f"<pre>{html_text(line or f'--approve {review.digest}')}</pre>"
    elif is_for_approval(review) or review.policy.refused:
        yield f"<p>Its digest: {_code(review.digest)}.</p>"


def _paragraphs(*texts: str) -> Iterator[str]:
    yield from (f"<p>{html_text(text)}</p>" for text in texts if text)


def _table(columns: Sequence[str], rows: Iterable[str]) -> Iterator[str]:
    yield '<div class="wide"><table>'
    yield f"<tr>{''.join(f'<th>{column}</th>' for column in columns)}</tr>"
    yield from (f"<tr>{row}</tr>" for row in rows)
    yield "</table></div>"


def _td(inner: str, kind: str = "") -> str:
    return f'<td class="{kind}">{inner}</td>' if kind else f"<td>{inner}</td>"


def _code(text: str) -> str:
    return f"<code>{html_text(text)}</code>"


def _value(text: str | None) -> str:
    return "unset" if text is None else _code(text)
