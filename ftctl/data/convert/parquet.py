"""A Parquet file goes in; its rows come out, numbered from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ftctl.data.convert.bounds import MOST_COLUMNS, check_columns_count, check_ratio, too_much
from ftctl.data.convert.fault import FileFault
from ftctl.data.convert.records import Record, Records, check_header, optional
from ftctl.data.formats.lines import MAX_TEXT_BYTES
from ftctl.errors import Finding

_BATCH_ROWS = 256
_FREE_ROWS = 1_048_576  # with more, each row has at least a byte: none is made of nothing
_MOST_VALUES = 32 * 1024 * 1024  # of one column in one row group
_MOST_BATCH_BYTES = 256 * 1024 * 1024  # of one column's texts in a batch, before it is looked at
_CAREFUL_BYTES = 64 * 1024 * 1024  # of a batch that is turned into values at once


def read_parquet(path: Path) -> Records:
    """The rows; keys of an object that its neighbours have and it has not are left out again."""
    parquet = optional("pyarrow.parquet", "parquet", "reading a Parquet file")
    try:
        # Not mapped into memory: a file that is cut short then would end the process.
        file = parquet.ParquetFile(
            path, memory_map=False, thrift_container_size_limit=16 * MOST_COLUMNS
        )
        _check_size(file.metadata, path.stat().st_size)
        columns = check_header(file.schema_arrow.names)
        repeating = _repeating(parquet, path, file.metadata)
    except FileFault:
        raise
    except Exception as error:  # noqa: BLE001 - pyarrow raises many kinds for damaged files
        raise FileFault(_damaged(error)) from None
    if repeating:
        file = parquet.ParquetFile(path, memory_map=False, read_dictionary=repeating)
    return Records("parquet", _rows(file, columns), columns, "Parquet")


def _check_size(metadata: Any, length: int) -> None:
    """What the file says of itself, before anything is unpacked."""
    check_columns_count(metadata.num_columns)
    if metadata.num_rows > max(_FREE_ROWS, length):
        too_much(f"{metadata.num_rows:,} rows in {length:,} bytes: each holds next to nothing")
    unpacked = 0
    for chunk in _chunks(metadata):
        unpacked += chunk.total_uncompressed_size
        if chunk.num_values > _MOST_VALUES:
            too_much(
                f"a row group has more than {_MOST_VALUES:,} values in the column"
                f" '{chunk.path_in_schema[:100]}'",
                hint="write smaller row groups",
            )
    check_ratio("the file", length, unpacked)


def _chunks(metadata: Any) -> Iterator[Any]:
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for column in range(metadata.num_columns):
            yield row_group.column(column)


def _repeating(parquet: Any, path: Path, metadata: Any) -> list[str]:
    """The columns of texts that a batch could repeat until they fill the memory.

    A file has each text once and then its number. So the longest one tells how much a batch is, at
    most; texts of these columns are read as numbers, and looked at before they are written out.
    """
    repeating: dict[str, None] = {}
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for number in range(metadata.num_columns):
            chunk = row_group.column(number)
            name = chunk.path_in_schema
            if name in repeating or not _has_dictionary(chunk):
                continue
            flat = metadata.schema.column(number).max_repetition_level == 0
            values = min(_BATCH_ROWS if flat else _MOST_VALUES, chunk.num_values)
            # No text is longer than all of the column is.
            if values * chunk.total_uncompressed_size <= _MOST_BATCH_BYTES:
                continue
            if values * _longest(parquet, path, group, name) > _MOST_BATCH_BYTES:
                repeating[name] = None
    return list(repeating)


def _has_dictionary(chunk: Any) -> bool:
    return chunk.physical_type == "BYTE_ARRAY" and any(
        encoding in ("RLE_DICTIONARY", "PLAIN_DICTIONARY") for encoding in chunk.encodings
    )


def _longest(parquet: Any, path: Path, group: int, name: str) -> int:
    """The bytes of the longest text in a column's dictionary."""
    file = parquet.ParquetFile(path, memory_map=False, read_dictionary=[name])
    top = name.partition(".")[0]
    batches = file.iter_batches(batch_size=1, row_groups=[group], columns=[top])
    batch = next(iter(batches), None)
    found = [] if batch is None else [*_dictionaries(batch.columns)]
    return max((_longest_of(one.dictionary) for one in found), default=0)


def _dictionaries(arrays: Sequence[Any]) -> Iterator[Any]:
    """The columns of texts by number, however deep they lie."""
    for array in arrays:
        if hasattr(array, "dictionary"):
            yield array
        elif hasattr(array, "keys"):  # of a map
            yield from _dictionaries([array.keys, array.items])
        elif hasattr(array, "flatten") and array.type.num_fields:
            inner = array.flatten()
            yield from _dictionaries(inner if isinstance(inner, list) else [inner])


def _longest_of(texts: Any) -> int:
    compute = import_module("pyarrow.compute")
    return int(compute.max(compute.binary_length(texts)).as_py() or 0)


def _written_out(batch: Any) -> int:
    """The bytes of a batch's texts that are read as numbers."""
    compute = import_module("pyarrow.compute")
    total = 0
    for array in _dictionaries(batch.columns):
        lengths = compute.take(compute.binary_length(array.dictionary), array.indices)
        total += int(compute.sum(lengths).as_py() or 0)
    return total


def _rows(file: Any, columns: tuple[str, ...]) -> Iterator[Record]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            for row in _values(batch, number):
                number += 1
                values = (_without_nothing(value) for value in row.values())
                yield Record(number, dict(zip(columns, values, strict=True)))
    except FileFault:
        raise
    except Exception as error:  # noqa: BLE001 - see read_parquet
        raise FileFault(_damaged(error), number + 1) from None


def _values(batch: Any, before: int) -> Iterator[dict[str, Any]]:
    """The rows of a batch as values, one by one where all at once would be too much."""
    if _written_out(batch) <= _CAREFUL_BYTES:
        yield from batch.to_pylist()
        return
    for index in range(batch.num_rows):
        row = batch.slice(index, 1)
        if _written_out(row) > MAX_TEXT_BYTES:
            too_much(f"the row has more than {MAX_TEXT_BYTES:,} bytes of text", before + index + 1)
        yield from row.to_pylist()


def _without_nothing(value: Any) -> Any:
    """Arrow gives every object of a column the same keys, and null to those that lack one."""
    if isinstance(value, dict):
        return {
            key: _without_nothing(inner)
            for key, inner in value.items()
            if inner is not None or key == "content"
        }
    if isinstance(value, list):
        return [_without_nothing(inner) for inner in value]
    return value


def _damaged(error: Exception) -> Finding:
    message = f"the file cannot be read as Parquet ({type(error).__name__})"
    return Finding("bad-table", message, "write it again from its source")
