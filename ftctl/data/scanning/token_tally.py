"""The tokens of each row go in; a file's totals, and the finding on a row that is cut, come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftctl.data.formats.format_codes import WARNINGS, Evidence
from ftctl.data.scanning.scan_request import Counting, TokenTotals
from ftctl.errors import Finding

if TYPE_CHECKING:
    from ftctl.data.tokens import Counter, RowTokens
    from ftctl.domain.desired import Format

ROW_TRUNCATED = "row-truncated"
NO_ERRORS = WARNINGS | {ROW_TRUNCATED}
TRUNCATED = Evidence(
    "documented",
    "longer examples are cut at their end, not refused",
    "OpenAI's best practices of fine-tuning, 2026-07",
)

_LAST_OF = {"completion": "the completion", "preference": "the outputs"}


class TokenTally:
    """Running sums by one counting; those of two parts of a file can be joined."""

    __slots__ = ("assistant", "counting", "cut_rows", "high", "lengths", "low", "training")

    def __init__(self, counting: Counting) -> None:
        self.counting = counting
        self.training = self.low = self.high = self.assistant = self.cut_rows = 0
        self.lengths: dict[int, int] = {}  # tokens of a row before the cut -> rows

    def add(self, row: RowTokens) -> None:
        limit = self.counting.limit
        length = row.training
        self.lengths[length] = self.lengths.get(length, 0) + 1
        if row.high <= limit:
            self.training += length
            self.low += row.low
            self.high += row.high
            self.assistant += row.assistant
            return
        self.training += min(limit, length)
        self.low += min(limit, row.low)
        self.high += min(limit, row.high)
        # The end is cut, and the end is what the assistant says.
        self.assistant += max(0, row.assistant - max(0, length - limit))
        self.cut_rows += length > limit

    def join(self, other: TokenTally) -> None:
        self.training += other.training
        self.low += other.low
        self.high += other.high
        self.assistant += other.assistant
        self.cut_rows += other.cut_rows
        for length, rows in other.lengths.items():
            self.lengths[length] = self.lengths.get(length, 0) + rows

    def totals(self) -> TokenTotals:
        return TokenTotals(
            self.counting.encoding,
            self.counting.limit,
            self.training,
            self.low,
            self.high,
            self.assistant,
            self.cut_rows,
            tuple(sorted(self.lengths.items())),
        )


def cut_row(
    row: dict[str, Any], form: Format, tokens: RowTokens, limit: int, counter: Counter
) -> Finding:
    """The finding on a row that is longer than the limit: what of it is lost."""
    place = _cut_place(row, form, limit, counter)
    message = (
        f"the row has {tokens.training:,} tokens; training cuts it after {limit:,},"
        f" so {tokens.training - limit:,} are lost, from {place} on"
    )
    hint = "shorten it or split it: what is cut is not learnt"
    return Finding(ROW_TRUNCATED, message, hint)


def _cut_place(row: dict[str, Any], form: Format, limit: int, counter: Counter) -> str:
    """Where the cut falls, if what stands first in the row comes first."""
    from ftctl.data.tokens import count_row  # noqa: PLC0415 - few rows are cut

    owner, place = (row["input"], "input.messages") if form == "preference" else (row, "messages")
    messages = owner.get("messages") if form != "completion" else None
    if not isinstance(messages, list):
        prompt = count_row({"prompt": row.get("prompt")}, "completion", counter).training
        return "the prompt" if prompt >= limit else _LAST_OF["completion"]
    bare = {key: entry for key, entry in owner.items() if key != "messages"}
    used = count_row(bare, "chat", counter).training
    if used >= limit:
        return "the tools"
    for index, message in enumerate(messages):
        used += count_row({"messages": [message]}, "chat", counter).training
        if used > limit:
            return f"{place}[{index}]"
    return _LAST_OF.get(form, f"{place}[{len(messages) - 1}]")
