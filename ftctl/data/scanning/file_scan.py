"""A path and a request go in; one pass over the file's bytes gives all that there is to know."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.encodings.transcoded import EncodingFault, Transcoded, transcoded
from ftctl.data.formats.findings import FindingLog, as_diagnostics
from ftctl.data.formats.formats import MIN_EXAMPLES, RowChecker
from ftctl.data.formats.lines import Line
from ftctl.data.formats.row_checks import Demands
from ftctl.data.formats.row_text import NOT_A_ROW, read_row
from ftctl.data.scanning.chunk_checker import CheckedChunk, ChunkChecker, blank, exact_counter
from ftctl.data.scanning.chunks import Chunk, ChunkReader
from ftctl.data.scanning.orjson_parser import orjson_parser
from ftctl.data.scanning.scan_request import ScanRequest, ScanResult
from ftctl.data.scanning.source import (
    HEAD_BYTES,
    MAX_FILE_BYTES,
    open_source,
    recognise,
    recognise_layout,
    too_large,
    unreadable,
)
from ftctl.data.scanning.token_tally import NO_ERRORS, TokenTally
from ftctl.domain.desired import Dataset, Method
from ftctl.errors import Diagnostic, Finding, in_order

if TYPE_CHECKING:
    from ftctl.data.quality import FingerprintTable
    from ftctl.data.scanning.workers import Task, Workers

SMALL_BYTES = 2 * 1024 * 1024
"""A file of no more is read without the fast parser: importing it would take longer."""

OnProgress = Callable[[int, int], None]
"""Called after each chunk with the bytes that are done, and the file's."""

# Of these ftctl dataset convert makes rows, once it knows what they are in.
_TEXT_OF_ANOTHER_FORM = frozenset(("table-not-lines", "json-not-lines"))
_MAY_BE_OTHER_TEXT = _TEXT_OF_ANOTHER_FORM | {"not-utf-8"}

Results = Generator[tuple[Chunk, CheckedChunk], None, None]


def scan_file(  # noqa: PLR0917 - what, how, by whom, and who listens
    name: str,
    source: Path,
    shown: str,
    request: ScanRequest,
    workers: Workers | None = None,
    on_progress: OnProgress | None = None,
) -> ScanResult:
    """Everything about a file. `shown` is the path as people know it.

    With workers, a file that is not small is checked by all of them; what is found is the same.
    """
    opened = open_source(source, shown)
    if isinstance(opened, Finding):
        log = FindingLog(request.most)
        log.add(opened)
        return ScanResult(None, log.diagnostics(shown, NO_ERRORS))
    with opened:
        size = os.fstat(opened.fileno()).st_size
        quality = request.quality.for_file(size) if request.quality is not None else None
        request = replace(request, quality=quality)
        counted = (request.totals and request.countings != ()) or quality is not None
        if workers is not None and not workers.take(size, counted=counted):
            workers = None
        doubt = _doubt(opened, request)
        if doubt is not None and doubt.severity == "error":
            return ScanResult(None, (doubt.in_file(shown),))
        run = _Pass(request, workers, on_progress, doubt)
        try:
            return run.scan(_as_text(opened, request), size, name, shown)
        except _Disagreement as found:
            again = _Pass(request, workers, on_progress, doubt, exact=True)
            result = again.scan(_as_text(opened, request), size, name, shown)
            return replace(result, notes=(f"{shown}: {found}",))


def _doubt(stream: BufferedReader, request: ScanRequest) -> Finding | None:
    """Why the file is hardly in the encoding that is named, where one is."""
    if request.encoding is None:
        return None
    from ftctl.data.encodings.diagnosis import doubts_of  # noqa: PLC0415 - rarely asked for

    return doubts_of(stream, request.encoding, "--encoding", samples=request.samples)


def _as_text(stream: BufferedReader, request: ScanRequest) -> BufferedReader:
    """The file from its start, as UTF-8."""
    stream.seek(0)
    if request.encoding is None:
        return stream
    return transcoded(stream, request.encoding)


def read_dataset(
    name: str,
    source: Path,
    shown: str,
    method: Method | None = None,
    least: int = MIN_EXAMPLES,
) -> tuple[Dataset | None, tuple[Diagnostic, ...]]:
    """The dataset, or None when it has errors; warnings stand beside either.

    `shown` is the path as people know it. `method` is what the fine-tune needs; None means that
    the first row decides. `least` is how many rows there must be.
    """
    found = scan_file(name, source, shown, ScanRequest(method, least))
    return found.dataset, found.diagnostics


class _Disagreement(Exception):
    """The faster tokenizer counts otherwise than tiktoken."""


class _Pass:
    """One file's pass: what was found so far, changed chunk by chunk."""

    def __init__(
        self,
        request: ScanRequest,
        workers: Workers | None,
        on_progress: OnProgress | None,
        doubt: Finding | None = None,
        *,
        exact: bool = False,
    ) -> None:
        self._request = request
        self._workers = workers
        self._on_progress = on_progress
        self._exact = exact
        self._ranks: dict[str, str] | None = None  # of the faster tokenizer, where it counts
        self._findings = FindingLog(request.most)
        if doubt is not None:
            self._findings.add(doubt)
        self._checker = RowChecker(request.method, request.least, request.demands or Demands())
        self._tallies = tuple(TokenTally(one) for one in request.countings)
        self._fingerprints: FingerprintTable | None = None
        self._rows = self._blank = self._bytes = self._image_rows = 0
        self._has_tools = False

    def scan(self, stream: BufferedReader, size: int, name: str, shown: str) -> ScanResult:
        lines = ChunkReader(stream)
        sha256, read = None, 0
        try:
            if self._recognise(stream, shown):
                self._read(lines, size)
                whole: ChunkReader | Transcoded = lines
                if isinstance(stream.raw, Transcoded):
                    whole = stream.raw
                sha256, read = whole.sha256, whole.bytes
                self._find_causes(stream)
                self._tell_encoding(stream)
        except OSError as error:
            self._findings.add(unreadable(error))
        except EncodingFault as fault:  # it was changed since it was looked through
            self._findings.add(fault.finding)
        problems = self._problems(shown)
        failed = any(one.severity == "error" for one in problems)
        totals = tuple(one.totals() for one in self._tallies) if self._request.totals else ()
        dataset = None
        if not failed and sha256 is not None and self._checker.format is not None:
            tokens = tuple(one.tokens for one in totals)
            dataset = Dataset(
                name, shown, sha256, self._rows, read, self._checker.format, tokens,
                self._image_rows, self._has_tools,
            )  # fmt: skip
        return ScanResult(dataset, problems, totals, self._fingerprints, sha256)

    def _recognise(self, stream: BufferedReader, shown: str) -> bool:
        """Whether the file has rows, by its first bytes."""
        head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
        if fault := recognise(head, shown):
            self._findings.add(fault)
        elif fault := recognise_layout(head):
            self._findings.add(fault, 1)
        # A workbook is no text, and one in UTF-16 is in no other encoding.
        if fault is not None and fault.code in _TEXT_OF_ANOTHER_FORM and b"\0" not in head:
            self._tell_encoding(stream)
        return fault is None

    def _tell_encoding(self, stream: BufferedReader) -> None:
        """One finding, on what the file is in, for all of its lines that are not UTF-8."""
        if self._findings.codes.isdisjoint(_MAY_BE_OTHER_TEXT):
            return
        from ftctl.data.encodings.diagnosis import not_utf8  # noqa: PLC0415 - it is rare

        stream.seek(0)
        finding = not_utf8(stream, samples=self._request.samples)
        if finding is not None:  # else it has been mended since
            self._findings.tell_instead("not-utf-8", finding)

    def _read(self, lines: ChunkReader, size: int) -> None:
        with closing(self._checked(lines, size)) as results:
            for chunk, found in results:
                self._join(found)
                if self._ranks is not None:
                    self._verify(chunk, found)
                self._bytes += len(chunk.content or b"")
                if self._on_progress is not None:
                    self._on_progress(self._bytes, size)
        if lines.bytes > MAX_FILE_BYTES:  # it grew since it was opened
            self._findings.add(too_large(lines.bytes))
        if not self._rows:
            self._findings.add(
                Finding("empty-file", "the file holds no rows", "add rows, one per line")
            )
            return
        self._checker.image_rows = self._image_rows
        for finding in self._checker.check_count(self._rows):
            self._findings.add(finding)

    def _find_causes(self, stream: BufferedReader) -> None:
        """Where lines are no JSON, tell what made them so, and not what each of them looks like."""
        if self._findings.codes.isdisjoint(NOT_A_ROW):
            return
        from ftctl.data.scanning.text_faults import REPLACED, text_faults  # noqa: PLC0415 - rare

        stream.seek(0)
        faults = text_faults(stream)
        self._findings.forget(REPLACED)
        for finding in faults.findings:
            self._findings.add(finding)
        if faults.rows != self._rows:
            self._rows = faults.rows
            self._findings.forget(("too-few-examples", "too-many-examples"))
            for finding in self._checker.check_count(self._rows):
                self._findings.add(finding)

    def _checked(self, lines: ChunkReader, size: int) -> Results:
        """Each chunk with what was found in it, in order."""
        if self._workers is not None:
            if self._request.totals and not self._exact:
                encodings = [one.encoding for one in self._request.countings]
                self._ranks = self._workers.ranks(size, encodings)
            yield from self._workers.check(self._tasks(lines, self._workers))
            return
        parser = None if size <= SMALL_BYTES else orjson_parser()
        chunk_checker = ChunkChecker(self._request, self._checker, exact_counter, parser)
        for chunk in lines:
            yield chunk, chunk_checker.check(chunk)

    def _tasks(self, lines: ChunkReader, workers: Workers) -> Iterator[Task]:
        """A chunk's checker knows what the rows before it have settled, which the first does."""
        from ftctl.data.scanning.workers import Task  # noqa: PLC0415 - small files need none

        number = workers.next_file()
        for chunk in lines:
            before = self._checker
            if before.format is None:
                self._checker = _settled(copy.deepcopy(before), chunk)
            yield Task(number, self._request, before, self._ranks, chunk)

    def _join(self, found: CheckedChunk) -> None:
        if found.first is None:
            self._blank += found.blank_after
        else:
            line, before = found.first
            if self._blank + before:
                count = self._blank + before
                self._findings.add(blank(count), line - count)
            self._blank = found.blank_after
        self._rows += found.rows
        self._image_rows += found.image_rows
        self._has_tools = self._has_tools or found.has_tools
        self._findings.join(found.findings)
        for mine, theirs in zip(self._tallies, found.tallies, strict=True):
            mine.join(theirs)
        if found.fingerprints is not None:
            if self._fingerprints is None:
                self._fingerprints = found.fingerprints
            else:
                self._fingerprints.merge(found.fingerprints)

    def _verify(self, chunk: Chunk, found: CheckedChunk) -> None:
        """Count one row of the chunk again with tiktoken."""
        if found.sample is None or chunk.content is None or self._checker.format is None:
            return
        number, counted = found.sample
        index = number - chunk.first
        raw = chunk.content.split(b"\n", index + 1)[index]
        row, _ = read_row(Line(number, raw, ended=True))
        if row is None:
            return
        from ftctl.data.tokens import count_row  # noqa: PLC0415 - loaded with the vocabularies

        for counting, tokens in zip(self._request.countings, counted, strict=True):
            exact = count_row(row, self._checker.format, exact_counter(counting.encoding))
            if exact.training != tokens:
                raise _Disagreement(
                    f"gigatoken finds {tokens:,} tokens in row {number}, tiktoken"
                    f" {exact.training:,}; all rows are counted with tiktoken"
                )

    def _problems(self, shown: str) -> tuple[Diagnostic, ...]:
        problems = self._findings.diagnostics(shown, NO_ERRORS)
        if self._fingerprints is None or self._request.quality is None:
            return problems
        from ftctl.data.quality import check_table  # noqa: PLC0415 - not asked for, not loaded

        doubts = check_table(self._fingerprints, self._request.quality)
        return in_order((*problems, *as_diagnostics(doubts, shown, self._request.most)))


def _settled(checker: RowChecker, chunk: Chunk) -> RowChecker:
    """The checker after the chunk's rows, as far as they are needed to settle the format."""
    for index, raw in enumerate((chunk.content or b"").split(b"\n")):
        if raw and not raw.isspace():
            try:
                row, _ = read_row(Line(chunk.first + index, raw, ended=True))
                if row is not None:
                    list(checker.check(row))
            except RecursionError:
                continue
        if checker.format is not None:
            break
    return checker
