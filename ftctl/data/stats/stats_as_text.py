"""Statistics in; text for a terminal out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ftctl.data.stats.answers import Answer, AnswerShares
from ftctl.data.stats.distribution import Bin
from ftctl.data.stats.summary import Price, Statistics, Tokens
from ftctl.text.format import joined, plural, usd_range

BAR = 40  # characters of the longest
MOST_LISTED = 10
_EIGHTHS = " ▏▎▍▌▋▊▉"
_Row = tuple[str, str]


def statistics_text(
    found: Statistics, priced: Iterable[Price] = (), *, ascii_only: bool = False
) -> str:
    """What `ftctl dataset stats` prints; blocks are drawn with `#` where only ASCII is shown."""
    rows = plural(found.rows, "row")
    head = f"{found.path}: {rows}, {found.bytes:,} bytes, {_formats(found.formats)}"
    parts = [
        f"{head}\nsha256 {found.sha256}",
        _block(_heading(found), _token_rows(found, tuple(priced))),
        _block("Rows", _content_rows(found)),
    ]
    if found.declared or found.calls:
        parts.append(_block("Functions", _function_rows(found)))
    if found.answers.rows:
        parts.append(_block("Answers", _answer_rows(found.answers)))
    if found.tokens.bins:
        parts.append(_histogram(found.tokens, ascii_only=ascii_only))
    return "\n\n".join(parts)


def _formats(formats: Mapping[str, int]) -> str:
    if len(formats) == 1:
        return next(iter(formats))
    return " and ".join(f"{rows:,} {name}" for name, rows in formats.items()) or "no rows"


def _heading(found: Statistics) -> str:
    base = found.base
    asked = f"{base.model}, " if base.model else ""
    if base.exact:
        rest = f"; those of {joined(found.estimated)} estimated" if found.estimated else ""
        return f"Tokens ({asked}{base.encoding}{rest})"
    return f"Tokens ({asked}an estimate with {base.encoding}: its vocabulary is not known)"


def _token_rows(found: Statistics, priced: Sequence[Price]) -> Iterator[_Row]:
    tokens, lengths = found.tokens, found.tokens.lengths
    yield "one epoch", _range(tokens.billed, tokens.low, tokens.high)
    yield "per row", f"p50 {lengths.p50:,}, p95 {lengths.p95:,}, longest {lengths.longest:,}"
    yield "assistant", f"{tokens.learnt:,}"
    if tokens.cut_rows:
        yield "cut", f"{tokens.cut_rows:,} of the rows, to {found.base.context:,} tokens"
    training = found.training
    if training is not None:
        yield "epochs", f"{training.epochs} by the default rule"
        yield "training", _range(training.billed, training.low, training.high)
    for price in priced:
        yield price.model, usd_range(price.low, price.high)


def _range(likely: int, low: int, high: int) -> str:
    return f"{likely:,}" if low == high else f"{likely:,} (between {low:,} and {high:,})"


def _content_rows(found: Statistics) -> Iterator[_Row]:
    messages = found.messages
    if messages.total:
        per_row = f"p50 {messages.p50:,}, p95 {messages.p95:,}, most {messages.longest:,}"
        yield "messages", f"{messages.total:,}; per row {per_row}"
        yield "roles", ", ".join(f"{name} {count:,}" for name, count in found.roles.items())
    if found.languages:
        yield "languages", ", ".join(f"{name} {rows:,}" for name, rows in found.languages.items())
    if found.tool_rows:
        yield "tools", f"declared in {found.tool_rows:,}"
    if found.images:
        yield "images", f"{found.images:,} in {found.image_rows:,}"
    if found.unreadable:
        yield "unreadable", f"{found.unreadable:,}, left out here; 'ftctl dataset check' names them"


def _function_rows(found: Statistics) -> Iterator[_Row]:
    names = list(dict.fromkeys((*found.calls, *found.declared)))
    for name in names[:MOST_LISTED]:
        calls, rows = found.calls.get(name, 0), found.declared.get(name, 0)
        yield name, f"{plural(calls, 'call')}, declared {rows:,} times"
    if len(names) > MOST_LISTED:
        yield "…", f"{len(names) - MOST_LISTED:,} more"


def _answer_rows(answers: AnswerShares) -> Iterator[_Row]:
    more = "" if answers.complete else "more than "
    yield "different", f"{more}{answers.different:,} in {answers.rows:,} rows"
    for answer in answers.repeated[:MOST_LISTED]:
        yield f"{answer.share:.1%}", f"{answer.rows:,}  {_shown(answer)}"
    if len(answers.repeated) > MOST_LISTED:
        yield "…", "and more that repeat"


def _shown(answer: Answer) -> str:
    return (
        answer.text if answer.text is not None else f"(a text of {answer.characters:,} characters)"
    )


def _histogram(tokens: Tokens, *, ascii_only: bool) -> str:
    most = max(one.rows for one in tokens.bins)
    width = max(len(one.label) for one in tokens.bins)
    lines = [
        f"  {one.label:>{width}}  {_bar(one, most, ascii_only=ascii_only)}{one.rows:,}"
        for one in tokens.bins
    ]
    return "\n".join(["Rows by tokens", *lines])


def _bar(one: Bin, most: int, *, ascii_only: bool) -> str:
    eighths = -(-one.rows * BAR * 8 // most)
    if ascii_only:
        bar = "#" * -(-eighths // 8)
    else:
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return f"{bar} " if bar else ""


def _block(heading: str, rows: Iterable[_Row]) -> str:
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    return "\n".join([heading, *(f"  {name:<{width}}  {text}" for name, text in listed)])
