"""A review in, Markdown for a pull request's comment out: as much of it as a comment holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ftctl.data.diff.diff_as_markdown import rows_markdown
from ftctl.data.diff.diff_words import notes
from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import (
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Estimate,
    Later,
    StartJob,
    Step,
    Upload,
)
from ftctl.domain.review import DataChange, Review, Violation
from ftctl.reports.comment_parts import LONGEST, MOST_NAMED, code, prose, table_row, that_fit
from ftctl.reports.phrases import plan_line
from ftctl.reports.presenter import (
    NOT_KNOWN,
    SHORT_COMMIT,
    Approving,
    DataRow,
    approval,
    at_rest,
    attention_words,
    closing,
    compared_with,
    cost_sentences,
    cost_words,
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
from ftctl.text.escape import (
    comment_words,
    html_text,
    markdown,
    markdown_code,
    markdown_fence,
    short,
)
from ftctl.text.format import joined, plural, size

MOST = 60_000  # characters; GitHub takes 65,536
_FOREMOST_ROOM = 1_000  # characters
_KEPT_FREE = 1_200  # for the words on what is left out

# As many words as can be said of what is left out.
_ALL_LEFT_OUT = ("999,999 changes, 999,999 of 999,999 details and the long texts of 999,999",) * 2


class _Fold(NamedTuple):
    """A folded part, and what stands for it where it is too long: first without rows of data."""

    full: str
    brief: str  # with all that is approved
    short: str  # without the lines of long texts, which their hashes stand for

    def fitting(self, room: int) -> str | None:
        """The longest form that fits into so many characters."""
        return next((text for text in self if len(text) + 2 <= room), None)


class _Part(NamedTuple):
    """A part of the comment, and in words what of it there was no room for."""

    text: str
    left_out: str = ""


def comment_mark(project: str, environment: str | None = None) -> str:
    """The hidden first line by which a bot finds the comment to write anew."""
    return f"<!-- ftctl plan: {comment_words(project, environment or 'default')} -->"


def plan_markdown(
    review: Review,
    *,
    environment: str | None = None,
    command: str = "ftctl apply",
    most: int = MOST,
    by_merging: bool = False,
    commit: str | None = None,
) -> str:
    """What happens, what it costs and what the policy says, with the details folded below.

    At most so many characters, from about 8,000 on; what is left out is counted. `command` is what
    applies the plan, but for its approval; `by_merging` says that a merge approves it, that of
    `commit` (its whole hash) where that is given.
    """
    how = Approving(command, by_merging, commit)
    head = _head(review, environment, how)
    room = most - len(head) - len(_foot(review, how, _ALL_LEFT_OUT)) - _KEPT_FREE
    policy = _policy(review, how, room // 4)
    warnings = _warnings(review.plan.later_warnings, how, room // 8)
    attention = _attention(review, how, room // 8)
    room -= len(policy.text) + len(warnings.text) + len(attention.text)
    table = _table(review, how, room // 2)
    details = _details(review, how, room - len(table.text))
    parts = (table, attention, policy, warnings, details)
    foot = _foot(review, how, [part.left_out for part in parts if part.left_out])
    return "\n\n".join(text for text in (head, *(part.text for part in parts), foot) if text)


def _head(review: Review, environment: str | None, how: Approving) -> str:
    plan = review.plan
    about = [plan_line(plan), compared_with(review, how)]
    of = [f"Plan of commit `{how.commit[:SHORT_COMMIT]}`."] if how.commit else []
    lines = [
        comment_mark(plan.project, environment),
        f"### ftctl plan: {_money(headline(review))}",
        "",
        " ".join([*of, prose(" ".join(about))]),
    ]
    if plan.foremost:
        lines += ["", _warnings(plan.foremost, how, _FOREMOST_ROOM).text]
    return "\n".join(lines)


def _table(review: Review, how: Approving, room: int) -> _Part:
    changes = happening(review)
    calm = at_rest(review)
    parts = []
    more = 0
    if changes:
        columns = ["", "fine-tune", "action", "why", "data", "cost"]
        left_out = () if review.data else (4,)
        lines = [table_row([column for at, column in enumerate(columns) if at not in left_out])]
        lines.append("|" + "---|" * (len(columns) - len(left_out)))
        rows = (_change_row(review, change, left_out) for change in changes)
        fitting = that_fit(rows, room - _KEPT_FREE)
        lines += fitting
        more = len(changes) - len(fitting)
        parts += ["\n".join(lines)]
        parts += [f"and {more:,} more: {how.rest}."] if more else []
    if calm:
        parts.append(f"{len(calm):,} unchanged: {_names(calm)}.")
    return _Part("\n\n".join(parts), plural(more, "change") if more else "")


def _change_row(review: Review, change: Change, left_out: Sequence[int]) -> str:
    row = row_of(review, change)
    cells = [
        f"`{row.sign}`", code(row.name), row.action, prose(row.why), prose(row.data),
        _money(row.cost),
    ]  # fmt: skip
    return table_row([cell for at, cell in enumerate(cells) if at not in left_out])


def _attention(review: Review, how: Approving, room: int) -> _Part:
    """What to type for those that nothing but a purchase could mend."""
    deciding = to_decide(review, how.command)
    if not deciding:
        return _Part("")
    lines = (f"- {code(line)} buys {code(name)}: {_money(cost)}" for name, line, cost in deciding)
    fitting = that_fit(lines, room)
    more = len(deciding) - len(fitting)
    before, after = attention_words(how, [line for _name, line, _cost in deciding])
    rest = [f"and {more:,} more: {how.rest}."] if more else []
    rest += [after] if after else []
    text = "\n\n".join([f"**Attention**: {before}", "\n".join(fitting), *rest])
    return _Part(text, f"{more:,} needing attention" if more else "")


def _policy(review: Review, how: Approving, room: int) -> _Part:
    spoken = violations(review)
    silent = kept(review)
    parts = []
    more = 0
    if spoken:
        fitting = that_fit(map(_violation, spoken), room)
        parts = ["**Policy**", "\n".join(fitting)]
        if more := len(spoken) - len(fitting):
            parts.append(f"and {more:,} more verdicts: {how.rest}.")
    if silent:
        parts.append(f"Policy kept: {_names(silent)}.")
    return _Part("\n\n".join(parts), plural(more, "verdict") if more else "")


def _violation(violation: Violation) -> str:
    whose = f" for {code(violation.finetune)}" if violation.finetune else ""
    link = "of" if violation.severity == "warning" else "by"
    head = f"- **{violation.severity}** {link} {code(violation.rule)}{whose}:"
    text = f"{head} {prose(sentence(violation.message))}"
    return f"{text} To allow it: {prose(sentence(violation.hint))}" if violation.hint else text


def _warnings(warnings: Sequence[str], how: Approving, room: int) -> _Part:
    fitting = that_fit((f"> **Warning:** {prose(sentence(warning))}" for warning in warnings), room)
    more = len(warnings) - len(fitting)
    # One after the other would flow together to one paragraph.
    rest = [f"> and {more:,} more warnings: {how.rest}."] if more else []
    return _Part("\n>\n".join([*fitting, *rest]), plural(more, "warning") if more else "")


def _details(review: Review, how: Approving, room: int) -> _Part:
    folds = list(_folds(review))
    parts: list[str] = []
    rows_cut = texts_cut = 0
    for fold in folds:
        text = fold.fitting(room)
        if text is None:
            break
        rows_cut += text != fold.full
        texts_cut += text not in (fold.full, fold.brief)
        parts.append(text)
        room -= len(text) + 2
    more = len(folds) - len(parts)
    if more:
        parts.append(f"{plural(more, 'detail')} of {len(folds):,} left out here: {how.rest}.")
    elif rows_cut:
        parts.append(f"Rows that changed are not all told of one by one here: {how.rest}.")
    left_out = [f"{more:,} of {len(folds):,} details"] if more else []
    left_out += [f"the long texts of {texts_cut:,}"] if texts_cut else []
    return _Part("\n\n".join(parts), " and ".join(left_out))


def _folds(review: Review) -> Iterator[_Fold]:
    shown_before: set[tuple[str, str]] = set()
    for change in happening(review):
        files = data_of(review, change.name)
        fresh = [file for file in files if (file.path, file.role) not in shown_before]
        shown_before |= {(file.path, file.role) for file in files}
        parts = [*_change_parts(change, review.plan.service), *_data_table(files)]
        if parts:
            texts = _long_texts(change, review.plan.service)
            yield _fold(_summary(change), parts, _rows(fresh), texts)
    if others := other_data(review):
        users = f"Used by {_names(users_of(others))}, to which nothing happens."
        yield _fold("Other data", [users, *_data_table(others)], _rows(others))


def _summary(change: Change) -> str:
    cost = f", {_price(change.cost)}" if change.cost else ""
    name = html_text(short(change.name, LONGEST))
    return f"<code>{name}</code>: {change.action.value}{html_text(cost)}"


def _price(cost: Estimate) -> str:
    words = cost_words(cost)
    return f"price {words}" if words == NOT_KNOWN else words


def _fold(
    summary: str, parts: Iterable[str], rows: Iterable[str], texts: Iterable[str] = ()
) -> _Fold:
    short = "\n\n".join([f"<details><summary>{summary}</summary>", *parts])
    brief = "\n\n".join([short, *texts])
    full = "\n\n".join([brief, *rows])
    return _Fold(*(f"{text}\n\n</details>" for text in (full, brief, short)))


def _change_parts(change: Change, service: ServiceInfo) -> Iterator[str]:
    if change.fields:
        lines = [table_row(["field", "before", "after"]), "|---|---|---|"]
        lines += [
            table_row([markdown_code(field.field), _value(field.before), _value(field.after)])
            for field in change.fields
        ]
        yield "\n".join(lines)
        cosmetic = [field.field for field in change.fields if field.cosmetic]
        if cosmetic and not change.trains:
            names = ", ".join(map(code, cosmetic))
            yield f"{names}: costs nothing, takes effect with the next training or `--replace`."
    lines = [line for step in change.steps for line in _step_lines(step, service)]
    if change.later is not None:
        lines += _training("later", change.later, service)
    if lines:
        yield "\n".join(lines)
    if change.cost is not None:
        yield f"Cost: {prose(cost_sentences(change.cost))}"


def _step_lines(step: Step, service: ServiceInfo) -> list[str]:
    """In words, with the names as code: they are there to be copied."""
    match step:
        case Upload():
            return [f"- upload {markdown_code(step.path)} ({size(step.bytes)})"]
        case StartJob():
            return _training("train", step, service)
        case CancelJob():
            return [f"- cancel {markdown_code(step.job)} ({prose(step.reason)})"]
        case DeleteModel():
            return [f"- delete model {markdown_code(step.model)}"]
        case DeleteFile():
            return [f"- delete file {markdown_code(step.id)} ({markdown(step.filename)})"]


def _training(verb: str, training: StartJob | Later, service: ServiceInfo) -> list[str]:
    """All that it asks for. Nothing of it is cut: it is what somebody approves."""
    facts = training_facts(training, service)
    lines = (
        f"  - {markdown(fact.label)}: {', '.join(map(markdown_code, fact.items))}" for fact in facts
    )
    return [f"- {verb} {markdown(training_words(training, service))}", *lines]


def _long_texts(change: Change, service: ServiceInfo) -> Iterator[str]:
    """The lines of a training's long texts, each folded."""
    trainings: list[StartJob | Later] = [s for s in change.steps if isinstance(s, StartJob)]
    trainings += [change.later] if change.later is not None else []
    for training in trainings:
        for fact in training_facts(training, service):
            yield from _lines_of(fact)


def _lines_of(fact: Fact) -> Iterator[str]:
    rows, _ = rows_of(fact)
    if rows:
        summary = f"<details><summary><code>{html_text(fact.label)}</code></summary>"
        yield "\n".join([summary, "", *markdown_fence(rows, "text"), "", "</details>"])


def _data_table(files: Sequence[DataChange]) -> list[str]:
    if not files:
        return []
    columns = ["data", "role", "rows", "added", "removed", "changed", "tokens per epoch", "cost"]
    lines = [table_row(columns), "|---|---|" + "---:|" * 6]
    return ["\n".join([*lines, *(_data_cells(data_row(file)) for file in files)])]


def _data_cells(row: DataRow) -> str:
    counts = [row.rows, row.added, row.removed, row.changed, row.tokens]
    return table_row([code(row.path), row.role, *counts, _money(row.cost)])


def _rows(files: Sequence[DataChange]) -> Iterator[str]:
    for file in files:
        if file.compared is None or file.compared.diff.empty:
            continue
        lines = [*(f"- {prose(sentence(note))}" for note in notes(file.compared))]
        lines += rows_markdown(file.compared)
        if lines:
            yield f"Rows of {code(file.path)}:\n\n" + "\n".join(lines)


def _foot(review: Review, how: Approving, left_out: Sequence[str]) -> str:
    """What to do now. Of what there was no room for, nobody is told to approve it unread."""
    text = closing(review, how)
    if not is_for_approval(review):
        return f"{text} Its digest: `{review.digest}`." if review.policy.refused else text
    if left_out:
        cut = f"**Not all that is approved stands here**: {joined(left_out)} left out; {how.rest}."
        text = f"{cut} When that is read, approve exactly this plan:"
        if how.by_merging:
            text = f"{cut} Read that before you merge. {closing(review, how)}"
    if how.by_merging:
        return f"{text} Its digest: `{review.digest}`."
    line = approval(review, how.command)
    if line is None:
        return f"{text} `--approve {review.digest}`, with the options of this plan."
    return "\n".join([text, "", *markdown_fence([line], "sh")])


def _names(names: Sequence[str]) -> str:
    """The first of the names, and how many there are besides."""
    told = ", ".join(markdown_code(short(name, 80)) for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{told} and {more:,} more" if more > 0 else told


def _value(text: str | None) -> str:
    return "unset" if text is None else markdown_code(text)


def _money(text: str) -> str:
    """Our own words with amounts in them: two $ in a line could be a formula."""
    return text.replace("$", "\\$")
