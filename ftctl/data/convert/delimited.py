"""A CSV or TSV file goes in; its rows, each with the line that it starts on, come out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ftctl.data.convert.bounds import MOST_ROW_CHARACTERS, too_much
from ftctl.data.convert.encodings import TextSource, encoding_of
from ftctl.data.convert.fault import FileFault
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


def read_delimited(
    source: TextSource, stream: BinaryIO, container: Container, delimiter: str | None
) -> Records:
    """The rows below the header. The delimiter is found out where none is given."""
    csv.field_size_limit(MOST_ROW_CHARACTERS)
    encoding, head = _head(source)
    if not head.strip():
        raise FileFault(Finding("empty-file", "the file holds no rows", "add a header and rows"))
    dialect = _dialect(head, container, delimiter)
    text = io.TextIOWrapper(stream, encoding, "strict", newline="")
    rows = _rows(text, dialect)
    with source.decoding(encoding):
        header = next((cells for _, cells in rows if _filled(cells)), [])
    columns = check_header(header)
    between = _NAMES.get(dialect.delimiter, repr(dialect.delimiter))
    read_as = f"{container.upper()} with {between} between cells"
    return Records(container, _records(source, encoding, rows, columns), columns, read_as)


def _head(source: TextSource) -> tuple[str, str]:
    """The file's encoding and the start of its text."""
    with source.open() as stream:
        encoding = encoding_of(stream.peek(_HEAD_BYTES)[:_HEAD_BYTES])
        text = io.TextIOWrapper(stream, encoding, "strict", newline="")
        with text, source.decoding(encoding):
            return encoding, text.read(_HEAD_CHARACTERS)


def _dialect(head: str, container: Container, delimiter: str | None) -> _Dialect:
    first, _, rest = head.partition("\n")
    marked = first.strip("\r\n")
    first_line = 1
    if marked.lower().startswith("sep=") and len(marked) == 5:
        delimiter, head, first_line = delimiter or marked[4], rest, 2
    delimiter = delimiter or _delimiter(head, container)
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
        reader = csv.reader(
            lines, delimiter=dialect.delimiter, skipinitialspace=dialect.after_space, strict=True
        )
        number = dialect.first_line
        while True:
            lines.begin_row(number)
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileFault(_unreadable(str(error)), number) from None
            yield number, cells
            number = reader.line_num + dialect.first_line


class _BoundedLines:
    """The lines of a text, until those of one row are more than a row may hold.

    Without this, a line without end, or a quote that is never closed, would be held in memory.
    """

    def __init__(self, text: io.TextIOWrapper, first_line: int) -> None:
        self._text = text
        self._row = first_line
        self._left = MOST_ROW_CHARACTERS

    def begin_row(self, number: int) -> None:
        """Another row begins with the next line; `number` is where."""
        self._row, self._left = number, MOST_ROW_CHARACTERS

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
        return line


def _records(
    source: TextSource,
    encoding: str,
    rows: Iterator[tuple[int, list[str]]],
    columns: Sequence[str],
) -> Iterator[Record]:
    width = len(columns)
    with source.decoding(encoding):
        for number, cells in rows:
            if not _filled(cells):
                yield Record(number, {})
            elif len(cells) == width:
                yield Record(number, dict(zip(columns, cells, strict=True)))
            else:
                yield Record(number, _ragged(len(cells), width))


def _filled(cells: Iterable[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _delimiter(head: str, container: Container) -> str:
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
    return best if agreeing[best] else ","


def _widths(head: str, delimiter: str) -> tuple[list[int], bool]:
    """How many cells the rows have, and whether all quotes fit; without a row that is cut off."""
    cut = len(head) >= _HEAD_CHARACTERS
    widths: list[int] = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True)
    try:
        widths.extend(len(cells) for cells in reader if _filled(cells))
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
