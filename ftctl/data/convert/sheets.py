"""An XLSX file goes in; the rows of one of its sheets come out as values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ftctl.data.convert.bounds import MOST_SHEET_ROWS, too_much
from ftctl.data.convert.fault import FileFault
from ftctl.data.convert.headers import find_header
from ftctl.data.convert.records import Record, Records, check_header, optional
from ftctl.data.convert.workbook_bounds import check_workbook
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding
from ftctl.text.suggest import did_you_mean


def read_sheet(
    path: Path, sheet: str | None, is_header: Callable[[Sequence[str]], bool] = lambda _: True
) -> Records:
    """The rows below the sheet's first one, with formulas as the values last computed."""
    openpyxl = optional("openpyxl", "xlsx", "reading an XLSX file")
    try:
        check_workbook(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which are not read
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except FileFault:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged zip or XML raises whatever its reader does
        hint = "save it again from the program that made it"
        message = f"the file cannot be read as XLSX ({type(error).__name__})"
        raise FileFault(Finding("bad-table", message, hint)) from None
    names = [page.title for page in book.worksheets]
    page = _page(book, names, sheet)
    rows = _rows(page)
    header = find_header(
        rows, lambda cell: bool(cell.value), lambda cells: is_header(_texts(cells)), "row"
    )
    values = [cell.value for cell in header.cells]
    while values and values[-1] is None:
        values.pop()
    columns = check_header(values)
    read_as = f"XLSX, sheet {quoted_key(page.title)}"
    read_as += f" of {len(names)}" if len(names) > 1 else ""
    read_as += f", below a title in row {header.title}" if header.title else ""
    letters = {name: _letters(index) for index, name in enumerate(columns)}
    return Records(
        "xlsx",
        _records(header.rows, columns),
        columns,
        read_as,
        lambda number, column: f"cell {letters[column]}{number} ({quoted_key(column)})",
    )


def _texts(cells: Sequence[Any]) -> list[str]:
    return ["" if cell.value is None else str(cell.value).strip() for cell in cells]


def _page(book: Any, names: Sequence[str], sheet: str | None) -> Any:
    if sheet is None and names:
        return book.worksheets[0]
    if sheet in names:
        return book[sheet]
    hint = did_you_mean(sheet or "", names) or f"sheets here: {', '.join(names[:10])}"
    raise FileFault(Finding("bad-table", f"there is no sheet {quoted_key(sheet or '')}", hint))


def _rows(page: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    page.reset_dimensions()  # what other programs write there is often wrong
    try:
        for number, cells in enumerate(page.iter_rows(), 1):
            if number > MOST_SHEET_ROWS:
                too_much(f"the sheet has more than {MOST_SHEET_ROWS:,} rows", number)
            yield number, cells
    except FileFault:
        raise
    except Exception as error:  # noqa: BLE001 - see read_sheet
        message = f"the sheet cannot be read to its end ({type(error).__name__})"
        hint = "save it again from the program that made it"
        raise FileFault(Finding("bad-table", message, hint)) from None
    finally:
        page.parent.close()  # the workbook: it is part of a cycle, and may be collected late


def _records(rows: Iterator[tuple[int, Sequence[Any]]], columns: Sequence[str]) -> Iterator[Record]:
    width = len(columns)
    for number, cells in rows:
        beyond = [cell for cell in cells[width:] if cell.value is not None]
        broken = [at for at, cell in enumerate(cells[:width]) if cell.data_type == "e"]
        values = [cell.value for cell in cells[:width]]
        if all(value is None for value in (*values, *(cell.value for cell in beyond))):
            yield Record(number, {})
        elif beyond:
            message = f"cell {_letters(width)}{number} or one right of it has no column's name"
            yield Record(number, Finding("ragged-row", message, "name the column in the header"))
        elif broken:
            message = f"cell {_letters(broken[0])}{number} holds an error instead of a value"
            yield Record(number, Finding("bad-cell", message, "mend its formula and save the file"))
        else:
            values += [None] * (width - len(values))
            yield Record(number, dict(zip(columns, values, strict=True)))


def _letters(index: int) -> str:
    """The name of a column by its index: A for 0, AA for 26."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
