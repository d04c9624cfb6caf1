"""What a pass over a data file is asked, and what it found: values, and their form as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from ftctl.domain.desired import Dataset, Method, Tokens
from ftctl.errors import Diagnostic, Finding

if TYPE_CHECKING:
    from ftctl.data.formats.row_checks import Demands
    from ftctl.data.quality import FingerprintTable
    from ftctl.domain.quality_settings import QualitySettings

# "Training context, per example", of every base that is still fine-tunable (best-practices guide,
# 2026-07). A longer example is cut at its end, not refused.
TRAINING_CONTEXT = 65_536  # tokens

# As in formats.py, which known answers need not import.
LEAST_EXAMPLES = 10
MAX_SHOWN_PER_CODE = 20


@dataclass(frozen=True, slots=True)
class Counting:
    """The encoding to count with, and the tokens after which a training example is cut."""

    encoding: str
    limit: int = TRAINING_CONTEXT


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What is to be found out about a file.

    `method` is what the fine-tune needs; None means that the first row decides. `least` is how
    many rows there must be; `demands` is what else is asked of each. Without `totals`, only rows
    that may be longer than a counting's limit are counted, and a file without them needs no
    vocabulary. `most` is how many problems of a kind are kept; None keeps all.
    `encoding` is what the file is in, where that is not UTF-8. `samples` shows a piece of a file
    that is in another.
    """

    method: Method | None = None
    least: int = LEAST_EXAMPLES
    countings: tuple[Counting, ...] = ()
    totals: bool = True
    quality: QualitySettings | None = None
    most: int | None = MAX_SHOWN_PER_CODE
    demands: Demands | None = None
    encoding: str | None = None
    samples: bool = False

    @property
    def key(self) -> str:
        """The request as text; equal requests have equal keys."""
        countings = ",".join(f"{one.encoding}:{one.limit}" for one in self.countings)
        asked = f"{self.method}|{self.least}|{countings}|{self.totals}|{self.most}"
        read = f"{self.encoding}|{self.samples}"
        return f"{asked}|{self.demands!r}|{self.quality!r}|{read}".encode("unicode_escape").decode()


@dataclass(frozen=True, slots=True)
class TokenTotals:
    """The tokens of one epoch over a file, each row cut to the limit.

    `training` is what we expect to be billed, between `low` and `high`; `assistant` are those that
    the model learns to write. `lengths` says how many rows have how many tokens before the cut, by
    tokens ascending.
    """

    encoding: str
    limit: int
    training: int
    low: int
    high: int
    assistant: int
    cut_rows: int
    lengths: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> int:
        """The rows that were counted."""
        return sum(count for _, count in self.lengths)

    @property
    def longest(self) -> int:
        """The tokens of the longest row, before the cut; 0 without rows."""
        return self.lengths[-1][0] if self.lengths else 0

    def percentile(self, share: float) -> int:
        """The fewest tokens that at least this share of the rows does not exceed: exact."""
        need = share * self.rows
        for tokens, count in self.lengths:
            need -= count
            if need <= 0:
                return tokens
        return self.longest

    @property
    def tokens(self) -> Tokens:
        """What the later stages need of it."""
        return Tokens(self.encoding, self.limit, self.training, self.low, self.high)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Everything that a pass found out. `dataset` is None when the file has errors.

    `sha256` is None when the file was not read to its end. `notes` are for people who ask for them.
    """

    dataset: Dataset | None
    diagnostics: tuple[Diagnostic, ...]
    totals: tuple[TokenTotals, ...] = ()
    fingerprints: FingerprintTable | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def tokens(self) -> TokenTotals | None:
        """The totals of the first counting that was asked for."""
        return self.totals[0] if self.totals else None


def encoded(scan: ScanResult) -> dict[str, Any]:
    """The scan as JSON, but for the fingerprints and the names of the file."""
    data = scan.dataset
    return {
        "facts": data and [data.examples, data.bytes, data.format, data.image_rows, data.has_tools],
        "problems": [
            [one.code, one.message, one.span.line, one.span.column, _general(one), one.severity]
            for one in scan.diagnostics
        ],
        "sha256": scan.sha256,
        "totals": [astuple(one) for one in scan.totals],
    }


def decoded(kept: Mapping[str, Any], name: str, shown: str) -> ScanResult:
    """The scan of what `encoded` gave."""
    totals = tuple(_totals(one) for one in kept["totals"])
    problems = tuple(
        Finding(code, message, hint, line, column, severity).in_file(shown)
        for code, message, line, column, hint, severity in kept["problems"]
    )
    dataset = None
    if kept["facts"] is not None:
        examples, size, form, image_rows, has_tools = kept["facts"]
        tokens = tuple(one.tokens for one in totals)
        dataset = Dataset(
            name, shown, kept["sha256"], examples, size, form, tokens, image_rows, has_tools
        )
    return ScanResult(dataset, problems, totals, None, kept["sha256"])


def _general(problem: Diagnostic) -> str | None:
    """The cure, which is remembered by content: the file may have another path the next time."""
    return problem.hint_for_any or problem.hint


def _totals(kept: list[Any]) -> TokenTotals:
    encoding, limit, training, low, high, assistant, cut_rows, lengths = kept
    pairs = tuple((tokens, rows) for tokens, rows in lengths)
    return TokenTotals(encoding, limit, training, low, high, assistant, cut_rows, pairs)
