"""A chunk of a file goes in; its rows' number, problems and tokens come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ftctl.data.formats.findings import FindingLog
from ftctl.data.formats.formats import RowChecker
from ftctl.data.formats.keys import repeated_keys
from ftctl.data.formats.lines import Line
from ftctl.data.formats.reserved_tokens import check_reserved, may_hold_reserved
from ftctl.data.formats.row_text import read_row, repeated_key
from ftctl.data.scanning.chunks import CHUNK_BYTES, Chunk
from ftctl.data.scanning.fast_path import KnownGoodRows
from ftctl.data.scanning.json_equivalence import UNSURE, may_repeat
from ftctl.data.scanning.orjson_parser import Parser
from ftctl.data.scanning.scan_request import Counting, ScanRequest
from ftctl.data.scanning.source import BYTE_ORDER_MARK
from ftctl.data.scanning.token_tally import NO_ERRORS, TokenTally, cut_row
from ftctl.errors import FILE, NEW, Finding, Severity

if TYPE_CHECKING:
    from ftctl.data.quality import FingerprintTable
    from ftctl.data.tokens import Counter, RowTokens, TokenBatch
    from ftctl.domain.desired import Format
    from ftctl.domain.quality_settings import QualitySettings

_MOST_OF_A_ROW = 1_000  # problems: a row of nothing else could have millions
Loads = Callable[[bytes], Any]
Open = Callable[[str], "Counter"]  # an encoding's counter
Row = dict[str, Any]
TakeFingerprint = Callable[[Row, "Format", int, "CheckedChunk"], None]

_UNBOUNDED = 1 << 60
_MOST_AT_ONCE = 2 * CHUNK_BYTES


@dataclass(slots=True)
class CheckedChunk:
    """What a chunk holds. `first` is the line of its first row, with the blank lines before it."""

    findings: FindingLog
    tallies: tuple[TokenTally, ...]
    rows: int = 0
    first: tuple[int, int] | None = None
    blank_after: int = 0  # blank lines after the last row
    image_rows: int = 0  # as RowChecker counts them
    has_tools: bool = False  # as it remembers them
    fingerprints: FingerprintTable | None = None
    sample: tuple[int, tuple[int, ...]] | None = None  # a line, and its tokens by each counting


class ChunkChecker:
    """Checks the chunks of one file. `checker` knows the file's format once it is settled."""

    def __init__(
        self, request: ScanRequest, checker: RowChecker, open_counter: Open, parser: Parser | None
    ) -> None:
        self.checker = checker
        self._request = request
        self._loads = parser.loads if parser else None
        self._known_good = KnownGoodRows(parser.dumps if parser else None)
        self._open = open_counter
        self._counters: dict[str, Counter] = {}
        self._take_fingerprint = _fingerprint_taker(request.quality)
        self._batched = parser is not None and request.totals
        self._batches: dict[str, TokenBatch] = {}  # by encoding
        self._encodings = frozenset(one.encoding for one in request.countings)
        self._suspect = False  # whether a row of the chunk may hold a reserved token
        self._waiting: list[tuple[Row, int]] = []  # rows to count; see _count_batch

    def check(self, chunk: Chunk) -> CheckedChunk:
        """Everything about the rows of a chunk."""
        found = CheckedChunk(
            FindingLog(self._request.most),
            tuple(TokenTally(one) for one in self._request.countings),
        )
        images = self.checker.image_rows
        self._check_lines(chunk, found)
        found.image_rows = self.checker.image_rows - images
        found.has_tools = self.checker.has_tools
        return found

    def _check_lines(self, chunk: Chunk, found: CheckedChunk) -> None:
        if chunk.content is None:
            found.first, found.rows = (chunk.first, 0), 1
            self._read_carefully(Line(chunk.first, None, chunk.ended), found)
            return
        pieces = chunk.content.split(b"\n")
        written = self._key_counts(chunk.content, len(pieces))
        self._suspect = may_hold_reserved(chunk.content)
        last = len(pieces) - 1
        if not pieces[last]:
            pieces.pop()
        for index, raw in enumerate(pieces):
            if not raw or raw.isspace():
                found.blank_after += 1
            else:
                line = chunk.first + index
                self._check_line(line, raw, written[index], found, ended=index < last)
        self._count_batch(found)

    def _key_counts(self, content: bytes, lines: int) -> list[int]:
        """As `key_counts`, where numpy is loaded anyway, and room for what it looks at."""
        if not self._batched or len(content) > _MOST_AT_ONCE:
            return [UNSURE] * lines
        from ftctl.data.scanning.key_counts import key_counts  # noqa: PLC0415 - it imports numpy

        return key_counts(content)

    def _check_line(
        self, number: int, raw: bytes, written: int, found: CheckedChunk, *, ended: bool
    ) -> None:
        if found.first is None:
            found.first = (number, found.blank_after)
        elif found.blank_after:
            found.findings.add(blank(found.blank_after), number - found.blank_after)
        found.blank_after = 0
        if number == 1 and raw.startswith(BYTE_ORDER_MARK):
            found.findings.add(_byte_order_mark(), 1)
            raw = raw.removeprefix(BYTE_ORDER_MARK).lstrip()
            if not raw:
                return
        found.rows += 1
        if self._loads is None or not self._read_fast(self._loads, number, raw, written, found):
            self._read_carefully(Line(number, raw + b"\n" if ended else raw, ended), found)

    def _read_fast(
        self,
        loads: Callable[[bytes], Any],
        number: int,
        raw: bytes,
        written: int,
        found: CheckedChunk,
    ) -> bool:
        """Whether the row could be read so; if not, it was not looked at."""
        try:
            row = loads(raw)
        except ValueError:
            return False
        if type(row) is not dict:
            return False
        keys = self._known_good.keys(row, self.checker.format)
        whole = keys or self._known_good.measure(row)
        if whole is None:
            return False
        findings: list[Finding] = []
        if written != whole and may_repeat(raw, whole):
            findings = [repeated_key(key) for key in repeated_keys(raw.decode(), row)]
        findings += self._reserved(row, raw)
        if keys and not findings:
            self._count_tokens(row, number, len(raw), found)
            return True
        kinds = self._report_row(row, number, findings, found)
        if not kinds:
            self._known_good.learn(row)
        if not _has_error(kinds):
            self._count_tokens(row, number, _bound(raw), found)
        return True

    def _reserved(self, row: Row, raw: bytes) -> list[Finding]:
        if not self._suspect or not may_hold_reserved(raw):
            return []
        return [*islice(check_reserved(row, self._encodings), _MOST_OF_A_ROW)]

    def _read_carefully(self, line: Line, found: CheckedChunk) -> None:
        try:
            row, findings = read_row(line)
        except RecursionError:
            found.findings.add(too_deep(), line.number)
            return
        if row is None or line.content is None:
            for finding in findings:
                found.findings.add(finding, line.number)
            return
        findings = (*findings, *self._reserved(row, line.content))
        if not _has_error(self._report_row(row, line.number, findings, found)):
            self._count_tokens(row, line.number, _bound(line.content), found)

    def _report_row(
        self, row: Row, number: int, findings: Sequence[Finding], found: CheckedChunk
    ) -> set[tuple[str, Severity]]:
        """The kinds of problems that the row has, with how severe they say they are."""
        kinds = set()
        for finding in islice(self._findings(row, findings), _MOST_OF_A_ROW):
            kinds.add((finding.code, finding.severity))
            found.findings.add(finding, number)
        return kinds

    def _findings(self, row: Row, findings: Sequence[Finding]) -> Iterator[Finding]:
        yield from findings
        if not findings and self._known_good.keys(row, self.checker.format):
            return
        try:
            yield from self.checker.check(row)
        except RecursionError:
            yield too_deep()

    def _count_tokens(self, row: Row, number: int, bound: int, found: CheckedChunk) -> None:
        """Count the row's tokens, at most `bound`, and take its fingerprint."""
        form, request = self.checker.format, self._request
        if form is None:
            return
        if self._batched:
            for batch in self._open_batches(form):
                batch.add(row)
            self._waiting.append((row, number))
            return
        counted = [
            (tally, self._row_tokens(row, form, tally.counting))
            for tally in found.tallies
            if request.totals or bound > tally.counting.limit
        ]
        self._record(row, form, number, counted, found)

    def _open_batches(self, form: Format) -> Iterable[TokenBatch]:
        """Where the chunk's rows are counted together, for each encoding."""
        if not self._waiting:
            from ftctl.data.tokens import TokenBatch  # noqa: PLC0415 - many small files are not counted

            for counting in self._request.countings:
                counter = self._counter(counting)
                self._batches[counting.encoding] = TokenBatch(form, counter)
        return self._batches.values()

    def _count_batch(self, found: CheckedChunk) -> None:
        """Count the tokens of the chunk's rows together: much faster than each alone."""
        waiting, self._waiting = self._waiting, []
        form = self.checker.format
        if not waiting or form is None:
            return
        counts = {encoding: rows.tokens() for encoding, rows in self._batches.items()}
        self._batches.clear()
        each = [(tally, counts[tally.counting.encoding]) for tally in found.tallies]
        for index, (row, number) in enumerate(waiting):
            counted = [(tally, tokens[index]) for tally, tokens in each]
            self._record(row, form, number, counted, found)

    def _record(
        self,
        row: Row,
        form: Format,
        number: int,
        counted: Sequence[tuple[TokenTally, RowTokens]],
        found: CheckedChunk,
    ) -> None:
        for tally, tokens in counted:
            tally.add(tokens)
            limit = tally.counting.limit
            if tokens.training > limit:
                counter = self._counter(tally.counting)
                found.findings.add(cut_row(row, form, tokens, limit, counter), number)
        if found.sample is None:
            found.sample = (number, tuple(tokens.training for _, tokens in counted))
        if self._take_fingerprint is not None:
            self._take_fingerprint(row, form, number, found)

    def _row_tokens(self, row: Row, form: Format, counting: Counting) -> RowTokens:
        from ftctl.data.tokens import count_row  # noqa: PLC0415 - many small files are not counted

        return count_row(row, form, self._counter(counting))

    def _counter(self, counting: Counting) -> Counter:
        counter = self._counters.get(counting.encoding)
        if counter is None:
            counter = self._counters[counting.encoding] = self._open(counting.encoding)
        return counter


def _has_error(kinds: set[tuple[str, Severity]]) -> bool:
    return any(level == "error" and code not in NO_ERRORS for code, level in kinds)


def _bound(raw: bytes) -> int:
    """The tokens that a row of these bytes may have at most.

    An estimate of an image has nothing to do with its bytes, and 1e15 is longer when tools are
    written as compact JSON.
    """
    return _UNBOUNDED if b"image_url" in raw or b"\\u" in raw else 4 * len(raw)


def _fingerprint_taker(
    quality: QualitySettings | None,
) -> Callable[[Row, Format, int, CheckedChunk], None] | None:
    """What takes a row's fingerprint for the checks of quality, where they are wanted."""
    if quality is None:
        return None
    from ftctl.data.quality import FingerprintTable, fingerprint_of  # noqa: PLC0415 - not asked for, not loaded

    def keep(row: Row, form: Format, number: int, found: CheckedChunk) -> None:
        if found.fingerprints is None:
            found.fingerprints = FingerprintTable(form)
        found.fingerprints.add(fingerprint_of(row, form, number, quality))

    return keep


def blank(count: int) -> Finding:
    """The finding on so many blank lines before a row."""
    message = "a blank line before a row" if count == 1 else f"{count:,} blank lines before a row"
    return Finding("blank-line", message, f"take it out: sed '/^[[:space:]]*$/d' {FILE} > {NEW}")


def _byte_order_mark() -> Finding:
    return Finding(
        "byte-order-mark",
        "the file starts with a byte order mark; Azure wants one, OpenAI none",
        f"if the service refuses the file: tail -c +4 {FILE} > {NEW}",
    )


def too_deep() -> Finding:
    message = "the row is nested too deep to be read"
    return Finding("nesting-too-deep", message, "flatten it")


def exact_counter(encoding: str) -> Counter:
    """The process's counter; tiktoken's import and the vocabulary take a quarter of a second."""
    from ftctl.data.tokens import open_counter  # noqa: PLC0415

    return open_counter(encoding)
