"""A path goes in; an open file, or the reason why it cannot be a data file, comes out."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from io import BufferedReader, FileIO
from pathlib import Path, PurePosixPath

from ftctl.data.encodings.marks import encoding_shown
from ftctl.data.formats.lines import Line
from ftctl.data.formats.row_text import is_row
from ftctl.data.sources import missing_hint, pointer_of
from ftctl.errors import FILE, NEW, ROWS, Finding

# POST /v1/files takes "up to 512 MB" (OpenAPI 2.3.0, 2026-08). It does not say which megabyte: the
# larger one, since the service refuses the rest itself and a false alarm here has no way round.
MAX_FILE_BYTES = 512 * 1024 * 1024

HEAD_BYTES = 4096
_BUFFER_BYTES = 1024 * 1024

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COMPRESSED = {
    b"\x1f\x8b": ("gzip", f"gunzip -c < {FILE} > {NEW}"),
    b"BZh": ("bzip2", f"bunzip2 -c < {FILE} > {NEW}"),
    b"\xfd7zXZ\0": ("xz", f"xz -dc < {FILE} > {NEW}"),
    b"\x28\xb5\x2f\xfd": ("zstd", f"zstd -dc < {FILE} > {NEW}"),
    b"PK\x03\x04": ("zip", f"unzip -p {FILE} > {NEW}"),
}


def open_source(source: Path, shown: str) -> BufferedReader | Finding:
    """The file, open for reading; pipes and devices are refused before they can block."""
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):
            return _not_regular(status.st_mode)
        if status.st_size > MAX_FILE_BYTES:
            return too_large(status.st_size)
        return BufferedReader(FileIO(source), _BUFFER_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return _missing(source, shown)
    except (OSError, ValueError) as error:
        return unreadable(error)


def too_large(size: int) -> Finding:
    return Finding(
        "file-too-large",
        f"the file has {size:,} bytes; the service takes at most {MAX_FILE_BYTES:,} (512 MB)",
        "train on fewer rows, or shorten them",
    )


def unreadable(error: OSError | ValueError) -> Finding:
    """ValueError is what a path with a NUL character raises."""
    reason = (error.strerror if isinstance(error, OSError) else str(error)) or "unknown reason"
    return Finding(
        "unreadable-file",
        f"the file cannot be read: {reason.lower()}",
        "check the path and the file's permissions",
    )


def recognise(head: bytes, shown: str) -> Finding | None:
    """What the file is by its first bytes, when that is not UTF-8 text with rows."""
    if (table := _table(head, shown)) is not None:
        return table
    for magic, (kind, command) in _COMPRESSED.items():
        if head.startswith(magic):
            return Finding("compressed-file", f"the file is {kind} data", f"unpack it: {command}")
    if (note := pointer_of(head, shown)) is not None:
        return Finding("pointer-file", note.message, note.hint)
    if (encoding := encoding_shown(head)) is not None:
        name = encoding.upper().replace("_", "-").removesuffix("-LE").removesuffix("-BE")
        return Finding(
            "wrong-encoding",
            f"the file is in {name}; the service takes UTF-8",
            f"convert it: ftctl dataset convert {FILE} {ROWS} --encoding {encoding}",
        )
    if b"\0" in head and not _text_of(head).startswith(b"{"):
        return Finding("binary-file", "the file is not text", "name a JSONL file: one row per line")
    return None


def recognise_layout(head: bytes) -> Finding | None:
    """A JSON document that is not one row per line."""
    text = _text_of(head)
    if text.startswith(b"["):
        return Finding(
            "json-not-lines",
            "the file is a JSON list; the service takes one object per line",
            f"convert it: ftctl dataset convert {FILE} {ROWS}",
        )
    first, newline, _ = text.partition(b"\n")
    # No row ends like this; only an object that goes on in the next line.
    if newline and first.startswith(b"{") and first.rstrip().endswith((b"{", b"[", b",", b":")):
        if is_row(Line(1, first.rstrip().removesuffix(b","), ended=True)):
            return None  # rows that are joined by commas
        return Finding(
            "json-not-lines",
            "the first object goes on over several lines; the service takes one object per line",
            f"convert it: ftctl dataset convert {FILE} {ROWS}",
        )
    return None


# By the ending of a name, or by the first bytes where those say it.
_TABLES: Mapping[str, str] = {
    ".csv": "a CSV table", ".tsv": "a TSV table", ".tab": "a TSV table",
    ".xlsx": "an Excel workbook", ".xlsm": "an Excel workbook", ".parquet": "a Parquet table",
}  # fmt: skip
_OTHER_TABLES: Mapping[str, str] = {
    ".xls": "an old Excel workbook", ".ods": "an OpenDocument table", ".arrow": "an Arrow table",
    ".feather": "an Arrow table",
}  # fmt: skip
_ZIPPED = (".xlsx", ".xlsm", ".ods")
_WORKBOOK = (b"[Content_Types].xml", b"xl/", b"_rels/.rels", b"docProps/")


def _table(head: bytes, shown: str) -> Finding | None:
    suffix = _table_suffix(head, PurePosixPath(shown).suffix.lower())
    if suffix in _OTHER_TABLES:
        return _not_lines(_OTHER_TABLES[suffix], "save it as XLSX or CSV, and convert that")
    if suffix not in _TABLES:
        return None
    hint = (
        f"make rows of it: ftctl dataset convert {FILE} {ROWS}; or name it as the source of a"
        " Dataset with a line of its own, convert: {}"
    )
    return _not_lines(_TABLES[suffix], hint)


def _table_suffix(head: bytes, suffix: str) -> str:
    """How a table of this kind is called; '' for what is none, whatever its name says."""
    if head.startswith(b"PAR1"):
        return ".parquet"
    if head.startswith(b"PK\x03\x04"):
        workbook = any(part in head for part in _WORKBOOK)
        return suffix if suffix in _ZIPPED else ".xlsx" if workbook else ""
    text = _text_of(head).replace(b"\0", b"")  # also of a wide encoding
    packed = head.startswith(tuple(_COMPRESSED)) or pointer_of(head, "") is not None
    return "" if packed or not text or text.startswith((b"{", b"[")) else suffix


def _not_lines(what: str, hint: str) -> Finding:
    message = f"the file is {what}; the service takes one JSON object per line"
    return Finding("table-not-lines", message, hint)


def _text_of(head: bytes) -> bytes:
    return head.removeprefix(BYTE_ORDER_MARK).lstrip()


def _not_regular(mode: int) -> Finding:
    if stat.S_ISDIR(mode):
        what = "a directory"
    elif stat.S_ISFIFO(mode):
        what = "a pipe"
    elif stat.S_ISSOCK(mode):
        what = "a socket"
    else:
        what = "a device"
    hint = "name a file: it is read again for the upload"
    return Finding("not-a-regular-file", f"the path is {what}, not a file", hint)


def _missing(source: Path, shown: str) -> Finding:
    hint = missing_hint(source, shown) or "check the path; it is relative to its manifest"
    return Finding("missing-file", "there is no file at this path", hint)
