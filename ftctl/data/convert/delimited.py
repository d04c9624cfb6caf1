"""A CSV or TSV file goes in; its rows, each with the line that it starts on, come out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ftctl.data.convert.bounds import MOST_ROW_CHARACTERS, too_much
from ftctl.data.convert.encodings import TextSource, encoding_of
from ftctl.data.convert.fault import FileFault
from ftctl.data.convert.headers import find_header
from ftctl.data.convert.recipe import Container
from ftctl.data.convert.records import Record, Records, check_header
from ftctl.errors import Finding
from ftctl.text.format import plural

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_HEAD_CHARACTERS = 64 * 1024
_HEAD_BYTES = 4096


class _Dialect(NamedTuple):
    delimiter: str
    after_space: bool  # a quote may follow the delimiter and a space
    first_line: int  # below Excel's own `sep=;`


HeaderTest = Callable[[Sequence[str]], bool]


def read_delimited(
    source: TextSource,
    stream: BinaryIO,
    container: Container,
    delimiter: str | None,
    is_header: HeaderTest = lambda _: True,
) -> Records:
    """The rows below the header. The delimiter is found out where none is given.

    `is_header` says whether names are those of columns that can be converted.
    """
    csv.field_size_limit(MOST_ROW_CHARACTERS)
    encoding, head = _head(source)
    if not head.strip():
        raise FileFault(Finding("empty-file", "the file holds no rows", "add a header and rows"))
    dialect = _dialect(head, container, delimiter, is_header)
    text = io.TextIOWrapper(stream, encoding, "strict", newline="")
    rows = _rows(text, dialect)
    with source.decoding(encoding):
        header = find_header(rows, _says, lambda cells: is_header(_stripped(cells)), "line")
    columns = check_header(header.cells)
    between = _NAMES.get(dialect.delimiter, repr(dialect.delimiter))
    read_as = f"{container.upper()} with {between} between cells"
    read_as += f", below a title in line {header.title}" if header.title else ""
    return Records(container, _records(source, encoding, header.rows, columns), columns, read_as)


def _head(source: TextSource) -> tuple[str, str]:
    """The file's encoding and the start of its text."""
    with source.open() as stream:
        encoding = encoding_of(stream.peek(_HEAD_BYTES)[:_HEAD_BYTES])
        text = io.TextIOWrapper(stream, encoding, "strict", newline="")
        with text, source.decoding(encoding):
            return encoding, text.read(_HEAD_CHARACTERS)


def _dialect(
    head: str, container: Container, delimiter: str | None, is_header: HeaderTest
) -> _Dialect:
    first, _, rest = head.partition("\n")
    marked = first.strip("\r\n")
    first_line = 1
    if marked.lower().startswith("sep=") and len(marked) == 5:
        delimiter, head, first_line = delimiter or marked[4], rest, 2
    delimiter = delimiter or _delimiter(head, container) or _below_a_title(head, is_header) or ","
    return _Dialect(delimiter, _quotes_after_space(head, delimiter), first_line)


def _quotes_after_space(head: str, delimiter: str) -> bool:
    """Whether cells are written as `a, "b"`; what stands inside quoted cells does not count."""
    mark = re.escape(delimiter)
    bare = re.sub(rf'(^|{mark})"(?:[^"]|"")*"', r"\1", head, flags=re.MULTILINE)
    return f'{delimiter} "' in bare


def _rows(text: io.TextIOWrapper, dialect: _Dialect) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, with the line that the row starts on."""
    with text:
        for _ in range(dialect.first_line - 1):
            text.readline()
        lines = _BoundedLines(text, dialect.first_line)
        cells_of = _CellReader(lines, dialect.delimiter, after_space=dialect.after_space)
        number = dialect.first_line
        while True:
            lines.begin_row(number)
            try:
                cells = next(cells_of)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileFault(_unreadable(str(error)), number) from None
            yield number, cells
            number = lines.count + dialect.first_line


class _CellReader(Iterator[list[str]]):
    """The rows of strict CSV, in which blanks may follow a closing quote."""

    def __init__(self, lines: _BoundedLines, delimiter: str, *, after_space: bool = False) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._after_space = after_space
        self._rows = self._reader_of(lines)

    def __next__(self) -> list[str]:
        try:
            return next(self._rows)
        except csv.Error as error:
            if "expected after" not in str(error):
                raise
            mended = self._mended("".join(self._lines.row))
            if mended is None:
                raise
            return next(self._reader_of(io.StringIO(mended, newline="")))

    def _reader_of(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines, delimiter=self._delimiter, skipinitialspace=self._after_space, strict=True
        )

    def _mended(self, row: str) -> str | None:
        """The row without the blanks; None where something else follows a quote."""
        mark = re.escape(self._delimiter)
        blanks = "".join(blank for blank in " \t" if blank != self._delimiter)
        before = " *" if self._after_space else ""
        end = rf"(?={mark}|[\r\n]|\Z)"
        cell = re.compile(
            rf'{before}("(?:[^"]|"")*+")[{blanks}]*{end}|([^{mark}\r\n"][^{mark}\r\n]*|){end}'
        )
        made: list[str] = []
        at = 0
        while True:
            found = cell.match(row, at)
            if found is None:
                more = self._until_closed() if _OPEN.fullmatch(row, at) else ""
                if not more:
                    return None
                row, at = row[at:] + more, 0  # nothing is copied twice that is read
                continue
            made.append(found[1] if found[1] is not None else found[2])
            at = found.end()
            if row[at : at + 1] != self._delimiter:
                return "".join(made) + "\n" if not row[at:].strip("\r\n") else None
            made.append(self._delimiter)
            at += 1

    def _until_closed(self) -> str:
        """The lines up to one that closes a quoted cell; none where no line does."""
        read = []
        for line in self._lines:
            read.append(line)
            if _CLOSED.match(line):
                return "".join(read)
        return ""


_OPEN = re.compile(r' *"(?:[^"]|"")*+')
_CLOSED = re.compile(r'(?:[^"]|"")*+"')


class _BoundedLines:
    """The lines of a text, until those of one row are more than a row may hold.

    Without this, a line without end, or a quote that is never closed, would be held in memory.
    """

    def __init__(self, text: io.TextIOBase, first_line: int) -> None:
        self._text = text
        self._row = first_line
        self._left = MOST_ROW_CHARACTERS
        self.row: list[str] = []  # of the row that has begun
        self.count = 0  # so far

    def begin_row(self, number: int) -> None:
        """Another row begins with the next line; `number` is where."""
        self._row, self._left = number, MOST_ROW_CHARACTERS
        self.row.clear()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            message = f"the row has more than {MOST_ROW_CHARACTERS:,} characters"
            too_much(message, self._row, "a quote may be missing at a cell's end, or a line's end")
        if not line:
            raise StopIteration
        self.row.append(line)
        self.count += 1
        return line


def _records(
    source: TextSource,
    encoding: str,
    rows: Iterator[tuple[int, Sequence[str]]],
    columns: Sequence[str],
) -> Iterator[Record]:
    width = len(columns)
    with source.decoding(encoding):
        for number, cells in rows:
            if not _filled(cells):
                yield Record(number, {})
            elif len(cells) == width or (len(cells) > width and not _filled(cells[width:])):
                yield Record(number, dict(zip(columns, cells[:width], strict=True)))
            else:
                yield Record(number, _ragged(len(cells), width))


def _filled(cells: Iterable[str]) -> bool:
    return any(map(_says, cells))


def _says(cell: str) -> bool:
    return bool(cell.strip())


def _stripped(cells: Iterable[str]) -> list[str]:
    return [cell.strip().removeprefix("\ufeff") for cell in cells]


def _below_a_title(head: str, is_header: HeaderTest) -> str | None:
    """The delimiter of a header that stands below lines of a single cell."""
    rest = head.lstrip()
    for _ in range(3):
        rest = re.sub(r"\A[^\r\n]*(?:\r\n?|\n|\Z)\s*", "", rest)
        for mark in _NAMES:
            first = next(csv.reader(io.StringIO(rest, newline=""), delimiter=mark), [])
            if len(first) > 1 and is_header(_stripped(first)):
                return mark
    return None


def _delimiter(head: str, container: Container) -> str | None:
    """The one character under which every row has as many cells as the first, and several."""
    if container == "tsv":
        return "\t"
    agreeing: dict[str, int] = {}
    even = []
    for mark in _NAMES:
        widths, whole = _widths(head, mark)
        several = widths[:1] > [1]
        agreeing[mark] = widths.count(widths[0]) if several else 0
        if several and whole and len(set(widths)) == 1:
            even.append(mark)
    if len(even) == 1:
        return even[0]
    if even:
        names = " and ".join(_NAMES[mark] for mark in even)
        message = f"the cells may be separated by {names}: both fit"
        raise FileFault(Finding("bad-table", message, "say which it is with 'delimiter'"), 1)
    # None fits every row: the one that most rows agree on, whose odd rows are then told.
    best = max(agreeing, key=lambda mark: agreeing[mark])
    return best if agreeing[best] else None


def _widths(head: str, delimiter: str) -> tuple[list[int], bool]:
    """How many cells the rows have, and whether all quotes fit; without a row that is cut off."""
    cut = len(head) >= _HEAD_CHARACTERS
    widths: list[int] = []
    lines = _BoundedLines(io.StringIO(head, newline=""), 1)
    cells_of = _CellReader(lines, delimiter)
    try:
        while True:
            lines.begin_row(1)
            cells = next(cells_of)
            if _filled(cells):
                widths.append(len(cells))
    except StopIteration:
        pass
    except csv.Error as error:
        # The cut may go through a quoted cell. Elsewhere quotes that do not fit speak against it.
        return widths, cut and "unexpected end" in str(error)
    return (widths[:-1] or widths) if cut else widths, True


def _ragged(cells: int, width: int) -> Finding:
    message = f"the row has {plural(cells, 'cell')}; the header has {width:,}"
    hint = "put a cell that holds the delimiter or a line's end into double quotes"
    return Finding("ragged-row", message, hint)


def _unreadable(reason: str) -> Finding:
    if "unexpected end" in reason:
        message = "a quoted cell that starts in this row is never closed"
        return Finding("bad-table", message, 'close it with "')
    if "field larger" in reason:
        message = "a cell in this row is longer than any row that the service takes"
        return Finding("bad-table", message, "a quote may be missing at its end")
    message = "a quoted cell in this row goes on after its closing quote"
    hint = 'write a quote inside a cell twice (""), and put the whole cell into quotes'
    return Finding("bad-table", message, hint)
