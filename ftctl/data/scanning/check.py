"""A chunk of a file goes in; its rows' number, problems and tokens come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ftctl.data.formats.findings import Finding
from ftctl.data.formats.formats import RowChecker
from ftctl.data.formats.keys import repeated_keys
from ftctl.data.formats.lines import Line
from ftctl.data.formats.text import read_row, repeated_key
from ftctl.data.scanning.chunks import CHUNK_BYTES, Chunk
from ftctl.data.scanning.fast import UNSURE, may_repeat
from ftctl.data.scanning.ordinary import Key, Ordinary
from ftctl.data.scanning.report import NO_ERRORS, Report
from ftctl.data.scanning.scan_request import Counting, ScanRequest
from ftctl.data.scanning.source import BYTE_ORDER_MARK
from ftctl.data.scanning.tally import Tally, cut_row

if TYPE_CHECKING:
    from ftctl.data.quality import FingerprintTable, Wanted
    from ftctl.data.tokens import Counter, RowTokens, Together
    from ftctl.domain.desired import Format

Loads = Callable[[bytes], Any]
Open = Callable[[str], "Counter"]  # an encoding's counter
Row = dict[str, Any]

_UNBOUNDED = 1 << 60
_MOST_AT_ONCE = 2 * CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class Parser:
    """How rows become values fast, and values JSON again."""

    loads: Loads
    dumps: Key


@dataclass(slots=True)
class Checked:
    """What a chunk holds. `first` is the line of its first row, with the blank lines before it."""

    report: Report
    tallies: tuple[Tally, ...]
    rows: int = 0
    first: tuple[int, int] | None = None
    blank_after: int = 0  # blank lines after the last row
    image_rows: int = 0  # as RowChecker counts them
    fingerprints: FingerprintTable | None = None
    sample: tuple[int, tuple[int, ...]] | None = None  # a line, and its tokens by each counting


class Inspector:
    """Checks the chunks of one file. `checker` knows the file's format once it is settled."""

    def __init__(
        self, request: ScanRequest, checker: RowChecker, open_counter: Open, parser: Parser | None
    ) -> None:
        self.checker = checker
        self._request = request
        self._loads = parser.loads if parser else None
        self._ordinary = Ordinary(parser.dumps if parser else None)
        self._open = open_counter
        self._counters: dict[str, Counter] = {}
        self._fingerprint = _fingerprinter(request.wanted)
        self._together = parser is not None and request.totals
        self._together_in: dict[str, Together] = {}  # by encoding
        self._waiting: list[tuple[Row, int]] = []  # rows to weigh; see _weigh_all

    def look(self, chunk: Chunk) -> Checked:
        """Everything about the rows of a chunk."""
        found = Checked(
            Report(self._request.most), tuple(Tally(one) for one in self._request.countings)
        )
        images = self.checker.image_rows
        self._look(chunk, found)
        found.image_rows = self.checker.image_rows - images
        return found

    def _look(self, chunk: Chunk, found: Checked) -> None:
        if chunk.content is None:
            found.first, found.rows = (chunk.first, 0), 1
            self._read_carefully(Line(chunk.first, None, chunk.ended), found)
            return
        pieces = chunk.content.split(b"\n")
        written = self._written_keys(chunk.content, len(pieces))
        last = len(pieces) - 1
        if not pieces[last]:
            pieces.pop()
        for index, raw in enumerate(pieces):
            if not raw or raw.isspace():
                found.blank_after += 1
            else:
                line = chunk.first + index
                self._see(line, raw, written[index], found, ended=index < last)
        self._weigh_all(found)

    def _written_keys(self, content: bytes, lines: int) -> list[int]:
        """As `written_keys`, where numpy is loaded anyway, and room for what it looks at."""
        if not self._together or len(content) > _MOST_AT_ONCE:
            return [UNSURE] * lines
        from ftctl.data.scanning.written import written_keys  # noqa: PLC0415 - it imports numpy

        return written_keys(content)

    def _see(self, number: int, raw: bytes, written: int, found: Checked, *, ended: bool) -> None:
        if found.first is None:
            found.first = (number, found.blank_after)
        elif found.blank_after:
            found.report.add(blank(found.blank_after), number - found.blank_after)
        found.blank_after = 0
        if number == 1 and raw.startswith(BYTE_ORDER_MARK):
            found.report.add(_byte_order_mark(), 1)
            raw = raw.removeprefix(BYTE_ORDER_MARK).lstrip()
            if not raw:
                return
        found.rows += 1
        if self._loads is None or not self._read_fast(self._loads, number, raw, written, found):
            self._read_carefully(Line(number, raw + b"\n" if ended else raw, ended), found)

    def _read_fast(
        self, loads: Loads, number: int, raw: bytes, written: int, found: Checked
    ) -> bool:
        """Whether the row could be read so; if not, it was not looked at."""
        try:
            row = loads(raw)
        except ValueError:
            return False
        if type(row) is not dict:
            return False
        keys = self._ordinary.keys(row, self.checker.format)
        whole = keys or self._ordinary.measure(row)
        if whole is None:
            return False
        findings: list[Finding] = []
        if written != whole and may_repeat(raw, whole):
            findings = [repeated_key(key) for key in repeated_keys(raw.decode(), row)]
        if keys and not findings:
            self._weigh(row, number, len(raw), found)
            return True
        codes = self._judge(row, number, findings, found)
        if not codes:
            self._ordinary.learn(row)
        if codes <= NO_ERRORS:
            self._weigh(row, number, _bound(raw), found)
        return True

    def _read_carefully(self, line: Line, found: Checked) -> None:
        try:
            row, findings = read_row(line)
        except RecursionError:
            found.report.add(_too_deep(), line.number)
            return
        if row is None or line.content is None:
            for finding in findings:
                found.report.add(finding, line.number)
        elif self._judge(row, line.number, findings, found) <= NO_ERRORS:
            self._weigh(row, line.number, _bound(line.content), found)

    def _judge(
        self, row: Row, number: int, findings: Sequence[Finding], found: Checked
    ) -> set[str]:
        """The kinds of problems that the row has."""
        codes = set()
        for finding in self._findings(row, findings):
            codes.add(finding.code)
            found.report.add(finding, number)
        return codes

    def _findings(self, row: Row, findings: Sequence[Finding]) -> Iterator[Finding]:
        yield from findings
        if not findings and self._ordinary.keys(row, self.checker.format):
            return
        try:
            yield from self.checker.check(row)
        except RecursionError:
            yield _too_deep()

    def _weigh(self, row: Row, number: int, bound: int, found: Checked) -> None:
        """Count the row's tokens, at most `bound`, and take its fingerprint."""
        form, request = self.checker.format, self._request
        if form is None:
            return
        if self._together:
            for together in self._sheets(form):
                together.add(row)
            self._waiting.append((row, number))
            return
        counted = [
            (tally, self._count(row, form, tally.counting))
            for tally in found.tallies
            if request.totals or bound > tally.counting.limit
        ]
        self._note(row, form, number, counted, found)

    def _sheets(self, form: Format) -> Iterable[Together]:
        """Where the chunk's rows are counted together, for each encoding."""
        if not self._waiting:
            from ftctl.data.tokens import Together  # noqa: PLC0415 - many small files are not counted

            for counting in self._request.countings:
                counter = self._counter(counting)
                self._together_in[counting.encoding] = Together(form, counter)
        return self._together_in.values()

    def _weigh_all(self, found: Checked) -> None:
        """Weigh the chunk's rows, whose texts are counted together: much faster than each alone."""
        waiting, self._waiting = self._waiting, []
        form = self.checker.format
        if not waiting or form is None:
            return
        counts = {encoding: rows.tokens() for encoding, rows in self._together_in.items()}
        self._together_in.clear()
        each = [(tally, counts[tally.counting.encoding]) for tally in found.tallies]
        for index, (row, number) in enumerate(waiting):
            counted = [(tally, tokens[index]) for tally, tokens in each]
            self._note(row, form, number, counted, found)

    def _note(
        self,
        row: Row,
        form: Format,
        number: int,
        counted: Sequence[tuple[Tally, RowTokens]],
        found: Checked,
    ) -> None:
        for tally, tokens in counted:
            tally.add(tokens)
            limit = tally.counting.limit
            if tokens.training > limit:
                counter = self._counter(tally.counting)
                found.report.add(cut_row(row, form, tokens, limit, counter), number)
        if found.sample is None:
            found.sample = (number, tuple(tokens.training for _, tokens in counted))
        if self._fingerprint is not None:
            self._fingerprint(row, form, number, found)

    def _count(self, row: Row, form: Format, counting: Counting) -> RowTokens:
        from ftctl.data.tokens import count_row  # noqa: PLC0415 - many small files are not counted

        return count_row(row, form, self._counter(counting))

    def _counter(self, counting: Counting) -> Counter:
        counter = self._counters.get(counting.encoding)
        if counter is None:
            counter = self._counters[counting.encoding] = self._open(counting.encoding)
        return counter


def _bound(raw: bytes) -> int:
    """The tokens that a row of these bytes may have at most.

    An estimate of an image has nothing to do with its bytes, and 1e15 is longer when tools are
    written as compact JSON.
    """
    return _UNBOUNDED if b"image_url" in raw or b"\\u" in raw else 4 * len(raw)


def _fingerprinter(wanted: Wanted | None) -> Callable[[Row, Format, int, Checked], None] | None:
    """What takes a row's fingerprint for the checks of quality, where they are wanted."""
    if wanted is None:
        return None
    from ftctl.data.quality import FingerprintTable, fingerprint_of  # noqa: PLC0415 - not asked for, not loaded

    def keep(row: Row, form: Format, number: int, found: Checked) -> None:
        if found.fingerprints is None:
            found.fingerprints = FingerprintTable(form)
        found.fingerprints.add(fingerprint_of(row, form, number, wanted))

    return keep


def blank(count: int) -> Finding:
    """The finding on so many blank lines before a row."""
    message = "a blank line before a row" if count == 1 else f"{count:,} blank lines before a row"
    return Finding("blank-line", message, "take it out: sed '/^[[:space:]]*$/d' FILE > FILE.jsonl")


def _byte_order_mark() -> Finding:
    return Finding(
        "byte-order-mark",
        "the file starts with a byte order mark; Azure wants one, OpenAI none",
        "if the service refuses the file: sed '1s/^\\xEF\\xBB\\xBF//' FILE > FILE.jsonl",
    )


def _too_deep() -> Finding:
    message = "the row is nested too deep to be read"
    return Finding("nesting-too-deep", message, "flatten it")


def exact_counter(encoding: str) -> Counter:
    """The process's counter; tiktoken's import and the vocabulary take a quarter of a second."""
    from ftctl.data.tokens import open_counter  # noqa: PLC0415

    return open_counter(encoding)
