"""What came of a run in; Markdown for a pull request's comment, as much as one holds, out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ftctl.domain.run_result import (
    Ending,
    FineTuneResult,
    RunResult,
    Standing,
    ToDo,
)
from ftctl.reports.comment_parts import MOST_NAMED, code, prose, table_row, that_fit
from ftctl.reports.presenter import SHORT_COMMIT, cost_words, sentence
from ftctl.text.escape import html_text, markdown_code, short
from ftctl.text.format import duration, plural, usd, usd_range

MOST = 60_000  # characters; GitHub takes 65,536
_MOST_ROWS = 1_000  # of a table; more have no room in a comment
_KEPT_FREE = 800  # for the words on what is left out
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_BARS = "▁▂▃▄▅▆▇█"
_CURVE = 20  # bars
_HARD_BLANK = "&nbsp;"

_STANDING = {
    Standing.TRAINED: "trained",
    Standing.THERE: "there",
    Standing.RUNNING: "training",
    Standing.WAITING: "waiting",
    Standing.FAILED: "**failed**",
    Standing.CANCELLED: "**cancelled**",
    Standing.DONE: "done",
    Standing.NOT_DONE: "**not done**",
    Standing.NOT_KNOWN: "**not known**",
    Standing.ATTENTION: "**attention**",
    Standing.SUPERSEDED: "superseded",
    Standing.RETIRED: "retired",
    Standing.NO_MODEL: "no model",
}


def result_markdown(result: RunResult, *, most: int = MOST) -> str:
    """How it ended, what stands, what it cost and what to do, with the details folded below.

    At most so many characters, from about 8,000 on; what is left out is counted.
    """
    head = _head(result)
    reasons = _reasons(result, most // 6)
    why = _why(result, most // 8)
    todo = _todo(result.todo, most // 8)
    calm = _calm(result, most // 8)
    foot = _foot(result)
    room = most - sum(map(len, (head, reasons, why, todo, calm, foot))) - _KEPT_FREE
    table = _table(result, room // 2)
    details = _details(result, room - len(table) - _KEPT_FREE)
    parts = (head, reasons, table, why, todo, details, calm, foot)
    return "\n\n".join(part for part in parts if part)


def result_headline(result: RunResult) -> str:
    """`applied, 2 models, $4.10`."""
    return ", ".join(_headline(result))


_ENDINGS = {
    Ending.APPLIED: "applied",
    Ending.STARTED: "started",
    Ending.NOTHING: "nothing to do",
    Ending.ATTENTION: "attention",
    Ending.INCOMPLETE: "applied in part",
    Ending.FAILED: "failed",
    Ending.REFUSED: "refused by the policy",
    Ending.STALE: "stale",
    Ending.TIMED_OUT: "waited too long",
    Ending.INTERRUPTED: "interrupted",
    Ending.UNREACHABLE: "the service cannot be reached",
    Ending.INVALID: "the project has errors",
}


def _headline(result: RunResult) -> Iterator[str]:
    yield _ENDINGS[result.ending]
    if result.untold:
        yield "what was done is not known"
        return
    if result.ending in _NOTHING_BEGUN and not _has_begun(result):
        yield "nothing was done"
        return
    rows = result.finetunes if result.ending in _OF_ALL else result.concerned
    models = [one for one in rows if one.model is not None and one.standing in _WELL]
    if models:
        yield plural(len(models), "model")
    for standings, words in _COUNTED:
        if count := sum(one.standing in standings for one in rows):
            yield words.format(count, "" if count == 1 else "s")
    if (cost := _total(result)) is not None:
        yield cost


_OF_ALL = frozenset({Ending.NOTHING, Ending.ATTENTION})
_WELL = frozenset({Standing.TRAINED, Standing.THERE, Standing.DONE})
_COUNTED = (
    ({Standing.RUNNING}, "{0:,} job{1} running"),
    ({Standing.WAITING}, "{0:,} still to come"),
    ({Standing.FAILED, Standing.CANCELLED}, "{0:,} job{1} without a model"),
    ({Standing.NOT_DONE}, "{0:,} not done"),
    ({Standing.NOT_KNOWN}, "{0:,} purchase{1} without an answer"),
    ({Standing.SUPERSEDED}, "{0:,} superseded"),
    ({Standing.ATTENTION}, "{0:,} needing a decision"),
)
_NOTHING_BEGUN = frozenset(
    {
        Ending.REFUSED, Ending.STALE, Ending.INVALID, Ending.UNREACHABLE, Ending.INTERRUPTED,
        Ending.FAILED,
    }
)  # fmt: skip


def _has_begun(result: RunResult) -> bool:
    """Whether any of it was tried."""
    return any(one.done or one.job or one.why for one in result.concerned)


def _total(result: RunResult) -> str | None:
    trainings = result.trainings
    if not trainings:
        return None
    if not result.billed:
        return "free of charge"
    over = all(one.standing not in (Standing.RUNNING, Standing.WAITING) for one in trainings)
    if over and result.cost is not None:
        return usd(result.cost)
    expected = result.estimate
    return f"estimated {usd_range(*expected)}" if expected is not None else "price not known"


def _head(result: RunResult) -> str:
    about = []
    if result.project is not None:
        where = f" in the environment {result.environment}" if result.environment else ""
        at = "the embedded API"
        if result.service is not None and result.service.type != "emulator":
            at = f"{result.service.type}, {result.service.base_url}"
        about.append(prose(f"Project {result.project}{where} at {at}."))
    if result.commit:
        about.append(f"Manifests at commit `{result.commit[:SHORT_COMMIT]}`.")
    lines = [f"### ftctl: {_money(result_headline(result))}"]
    return "\n\n".join([*lines, *([" ".join(about)] if about else [])])


def _reasons(result: RunResult, room: int) -> str:
    """Why it ended so, where that is not plain."""
    parts = []
    if result.fault is not None and result.ending is not Ending.REFUSED:
        parts.append(f"> {_linked(prose(sentence(_capital(result.fault))))}")
    for head, texts in (
        ("**What is otherwise:**", result.moved),
        ("**Problems:**", result.problems),
    ):
        if texts:
            parts += [head, _list(map(prose, texts), len(texts), room // 2)]
    spoken = [one for one in result.violations if one.severity == "refused"]
    if spoken:
        lines = (
            f"{code(one.rule)}{f' for {code(one.finetune)}' if one.finetune else ''}:"
            f" {prose(sentence(one.message))}"
            + (f" To allow it: {prose(sentence(one.hint))}" if one.hint else "")
            for one in spoken
        )
        parts += ["**Refused by the policy:**", _list(lines, len(spoken), room // 2)]
    if result.unapproved:
        parts.append(f"Left alone, for nobody approved it: {_names(result.unapproved)}.")
    return "\n\n".join(parts)


def _shown(result: RunResult) -> list[FineTuneResult]:
    """What has a row: all that the run was about, and what needs somebody."""
    if result.ending in _NOTHING_BEGUN and not _has_begun(result):
        return []
    calm = (Standing.THERE, Standing.NO_MODEL, Standing.RUNNING, Standing.WAITING)
    rows = [one for one in result.finetunes if one.concerned or one.standing not in calm]
    return sorted(rows, key=lambda one: not _STANDING[one.standing].startswith("**"))


def _table(result: RunResult, room: int) -> str:
    rows = _shown(result)
    if not rows:
        return ""
    # Names of models are long, and on a phone what is last in a row is read last.
    columns = ["fine-tune", "", "cost", "loss", "took", "model"]
    cells = [_cells(one) for one in rows[:_MOST_ROWS]]
    kept = [at for at in range(len(columns)) if at < 2 or any(row[at] for row in cells)]
    if len(kept) == 2 and all(one.why for one in rows):
        return ""  # the reasons below it say as much
    lines = [table_row([columns[at] for at in kept]), "|" + "---|" * len(kept)]
    fitting = that_fit((table_row([row[at] for at in kept]) for row in cells), room)
    more = len(rows) - len(fitting)
    text = "\n".join([*lines, *fitting])
    return f"{text}\n\nand {plural(more, 'fine-tune')} more." if more else text


def _cells(one: FineTuneResult) -> list[str]:
    return [
        code(one.name),
        _STANDING[one.standing],
        _money(_cost(one)),
        "<br>".join(_losses(one)).replace(" ", _HARD_BLANK),
        duration(one.seconds).replace(" ", _HARD_BLANK) if one.seconds is not None else "",
        code(one.model) if one.model else "",
    ]


def _cost(one: FineTuneResult) -> str:
    if not one.trains:
        return ""
    if one.estimate is not None and not one.estimate.billed:
        return "free"
    if one.standing not in (Standing.RUNNING, Standing.WAITING) and one.cost is not None:
        return usd(one.cost)
    if one.standing is Standing.NOT_DONE and one.job is None:
        return ""
    return f"estimated {cost_words(one.estimate)}" if one.estimate is not None else "not known"


def _losses(one: FineTuneResult) -> Iterator[str]:
    if len(one.train_losses) > 1:
        yield f"{_number(one.train_losses[0])} → {_number(one.train_losses[-1])}"
    elif one.train_loss is not None:
        yield _number(one.train_loss)
    if one.valid_loss is not None:
        yield f"validation {_number(one.valid_loss)}"


def _number(loss: float) -> str:
    return f"{loss:.3f}" if abs(loss) < 1_000 else f"{loss:.3g}"


def curve(losses: Sequence[float]) -> str:
    """A loss as it fell, in bars: `█▆▄▃▂▁`."""
    if len(losses) < 3:
        return ""
    last = len(losses) - 1
    count = min(_CURVE, len(losses))
    points = [losses[round(at * last / (count - 1))] for at in range(count)]
    low, high = min(points), max(points)
    if high <= low:
        return ""
    return "".join(_BARS[round((one - low) / (high - low) * (len(_BARS) - 1))] for one in points)


def _calm(result: RunResult, room: int) -> str:
    """The models that stand as they stood, by name."""
    shown = {one.name for one in _shown(result)}
    there = [one for one in result.finetunes if one.model and one.name not in shown]
    if not there:
        return ""
    if result.ending is Ending.NOTHING and not shown and len(there) <= MOST_NAMED:
        lines = [table_row(["fine-tune", "model"]), "|---|---|"]
        return "\n".join(
            [*lines, *(table_row([code(one.name), code(one.model or "")]) for one in there)]
        )
    count = plural(len(there), "model")
    rows = (f"{code(one.name)}: {code(one.model or '')}" for one in there)
    lines = [_list(rows, len(there), room)]
    summary = f"<details><summary>{count} as before</summary>"
    return "\n".join([summary, "", *lines, "", "</details>"])


def _why(result: RunResult, room: int) -> str:
    """The reason of what did not go well."""
    rows = [one for one in _shown(result) if one.why and _STANDING[one.standing].startswith("**")]
    lines = (
        f"{code(one.name)} {_STANDING[one.standing].strip('*')}: {prose(sentence(one.why or ''))}"
        for one in rows
    )
    return _list(lines, len(rows), room) if rows else ""


def _todo(todo: Sequence[ToDo], room: int) -> str:
    if not todo:
        return ""
    lines = (
        _linked(prose(one.sentence)) + (f" {markdown_code(one.command)}" if one.command else "")
        for one in todo
    )
    return f"**What to do**\n\n{_list(lines, len(todo), room)}"


def _details(result: RunResult, room: int) -> str:
    parts: list[str] = []
    rows = _shown(result)
    for at, one in enumerate(rows):
        text = _detail(one)
        room -= len(text) + 2
        if room < 0:
            parts.append(f"Details of {plural(len(rows) - at, 'fine-tune')} are left out here.")
            break
        parts += [text] if text else []
    return "\n\n".join(parts)


def _detail(one: FineTuneResult) -> str:
    lines = []
    if one.why and not _STANDING[one.standing].startswith("**"):
        lines.append(prose(sentence(_capital(one.why))))
    lines += [f"model {code(one.model)}"] if one.model else []
    lines += [prose(_capital(line)) for line in one.done]
    if one.job:
        lines.append(f"job {code(one.job)}")
    if one.step is not None and one.standing in (Standing.RUNNING, Standing.CANCELLED):
        total = f" of {one.total_steps:,}" if one.total_steps else ""
        lines.append(f"step {one.step:,}{total}")
    if bars := curve(one.train_losses):
        lines.append(f"training loss `{bars}` {', '.join(_losses(one))}")
    if one.cost_words and (one.estimate is None or one.estimate.billed):
        lines.append(f"cost so far: {_money(prose(one.cost_words))}")
    tried = one.job is not None or one.standing is not Standing.NOT_DONE
    if tried and one.estimate is not None and one.estimate.billed:
        lines.append(f"estimated: {prose(cost_words(one.estimate))} ({prose(one.estimate.basis)})")
    lines += [f"at step {at.step:,}: {code(at.model)}" for at in one.checkpoints[:MOST_NAMED]]
    if not lines:
        return ""
    summary = f"<code>{html_text(short(one.name, 80))}</code>: {_STANDING[one.standing].strip('*')}"
    body = "\n".join(f"- {line}" for line in lines)
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _foot(result: RunResult) -> str:
    lines = []
    if result.ending is Ending.STARTED and result.command == "apply":
        lines.append(
            f"The jobs run on at the service{', and are billed' if result.billed else ''}. This"
            " changes once the job of the pipeline that waits for them is over."
        )
    if result.digest is not None:
        lines.append(f"<sub>Plan {markdown_code(result.digest)}</sub>")
    return "\n\n".join(lines)


def _linked(text: str) -> str:
    """With digests as code: they are there to be copied."""
    return _DIGEST.sub(lambda found: f"`{found[0]}`", text)


def _list(lines: Iterable[str], count: int, room: int) -> str:
    fitting = that_fit((f"- {line}" for line in lines), room)
    more = count - len(fitting)
    return "\n".join([*fitting, *([f"- and {more:,} more"] if more else [])])


def _names(names: Sequence[str]) -> str:
    told = ", ".join(code(name) for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{told} and {more:,} more" if more > 0 else told


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _money(text: str) -> str:
    """Our own words with amounts in them: two $ in a line could be a formula."""
    return text if "\\$" in text else text.replace("$", "\\$")
