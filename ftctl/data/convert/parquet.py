"""A Parquet file goes in; its rows come out, numbered from 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftctl.data.convert.fault import FileFault
from ftctl.data.convert.records import Record, Records, check_header, optional
from ftctl.errors import Finding

_BATCH_ROWS = 256


def read_parquet(path: Path) -> Records:
    """The rows; keys of an object that its neighbours have and it has not are left out again."""
    parquet = optional("pyarrow.parquet", "parquet", "reading a Parquet file")
    try:
        # Not mapped into memory: a file that is cut short then would end the process.
        file = parquet.ParquetFile(path, memory_map=False)
        columns = check_header(file.schema_arrow.names)
    except FileFault:
        raise
    except Exception as error:  # noqa: BLE001 - pyarrow raises many kinds for damaged files
        raise FileFault(_damaged(error)) from None
    return Records("parquet", _rows(file, columns), columns, "Parquet")


def _rows(file: Any, columns: tuple[str, ...]) -> Iterator[Record]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            for row in batch.to_pylist():
                number += 1
                values = (_without_nothing(value) for value in row.values())
                yield Record(number, dict(zip(columns, values, strict=True)))
    except Exception as error:  # noqa: BLE001 - see read_parquet
        raise FileFault(_damaged(error), number + 1) from None


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
