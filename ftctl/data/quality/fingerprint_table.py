"""A file's fingerprints go in, in any order; columns to check, or bytes to keep, come out."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from struct import Struct
from typing import cast
from zlib import crc32

from ftctl.data.quality.fingerprints import ROW, Detail, RowFingerprint
from ftctl.data.quality.languages import LANGUAGES
from ftctl.data.quality.similar import SIGNATURE_BYTES
from ftctl.domain.desired import Format

DETAILS = 100  # of each kind: those of the first lines; of later rows only the kind is kept
_MAGIC = b"ftctl quality 1\n"
_HEAD = Struct("<III")  # bytes of the header, of the rows, of the signatures
_MANY = 50_000  # rows; from here on loading numpy pays


@dataclass(frozen=True, slots=True)
class FingerprintColumns:
    """The fingerprints of all rows by line, one array for each kind."""

    lines: array[int]
    rows: array[int]
    prompts: array[int]
    answers: array[int]
    lengths: array[int]
    asked_in: array[int]
    said_in: array[int]
    flags: array[int]
    signatures: bytes  # 64 for each row, or none

    def signature(self, index: int) -> bytes:
        """A row's signature; the file must have been searched for near duplicates."""
        return self.signatures[index * SIGNATURE_BYTES : (index + 1) * SIGNATURE_BYTES]


class FingerprintTable:
    """All that is kept of a file's rows. Equal whatever order they were added in."""

    def __init__(self, form: Format) -> None:
        self.form: Format = form
        self._rows = bytearray()
        self._signatures = bytearray()
        self._details: dict[int, list[Detail]] = {}

    def __len__(self) -> int:
        return len(self._rows) // ROW.size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FingerprintTable) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment] # it grows

    @property
    def signed(self) -> bool:
        """Whether near duplicates can be told."""
        return bool(self._signatures)

    def add(self, fingerprint: RowFingerprint) -> None:
        """Take up a row."""
        if fingerprint.signature:
            self._signatures.extend(bytes(len(self) * SIGNATURE_BYTES - len(self._signatures)))
            self._signatures += fingerprint.signature
        self._rows += fingerprint.row
        for detail in fingerprint.details:
            self._keep(detail)

    def merge(self, other: FingerprintTable, offset: int = 0) -> None:
        """Take up all rows of another part of the file, whose lines count from `offset` + 1."""
        if other._signatures or self._signatures:
            self._signatures.extend(bytes(len(self) * SIGNATURE_BYTES - len(self._signatures)))
            self._signatures += other._signatures.ljust(len(other) * SIGNATURE_BYTES, b"\0")
        rows = other._rows
        if offset:
            shifted = ((line + offset, *rest) for line, *rest in ROW.iter_unpack(rows))
            rows = bytearray().join(ROW.pack(*fields) for fields in shifted)
        self._rows += rows
        for details in other._details.values():
            for detail in details:
                self._keep(detail._replace(line=detail.line + offset))

    def languages(self) -> dict[str, int]:
        """How many rows are certainly in each language, by its code, the most first.

        The answer tells, or the question where the answer is too short to tell.
        """
        names = list(LANGUAGES)
        rows = ROW.iter_unpack(self._rows)
        counts = Counter(said or asked for *_, asked, said, _ in rows if said or asked)
        return {names[number - 1]: count for number, count in sorted(
            counts.items(), key=lambda one: (-one[1], one[0]))}  # fmt: skip

    def details(self, flag: int) -> list[Detail]:
        """The first of what was found of this kind, by line."""
        return nsmallest(DETAILS, dict.fromkeys(self._details.get(flag, ())))

    def columns(self) -> FingerprintColumns:
        """The rows by line."""
        signatures = bytes(self._signatures)
        if signatures:
            signatures = signatures.ljust(len(self) * SIGNATURE_BYTES, b"\0")
        return _few(self._rows, signatures) if len(self) < _MANY else _many(self._rows, signatures)

    def to_bytes(self) -> bytes:
        """The whole, compact; the same for the same rows."""
        table, signatures = self.columns(), b""
        if self._signatures:
            signatures = table.signatures
        kept = [detail for flag in sorted(self._details) for detail in self.details(flag)]
        head = json.dumps({"form": self.form, "details": kept}).encode()
        rows = _packed(table)
        body = _HEAD.pack(len(head), len(rows), len(signatures)) + head + rows + signatures
        return _MAGIC + body + crc32(body).to_bytes(4, "little")

    @classmethod
    def from_bytes(cls, kept: bytes) -> FingerprintTable:
        """What `to_bytes` gave; ValueError when it is anything else, or damaged."""
        body = kept[len(_MAGIC) : -4]
        if not kept.startswith(_MAGIC) or crc32(body).to_bytes(4, "little") != kept[-4:]:
            raise ValueError("not the fingerprints of rows, or damaged")
        sizes = _HEAD.unpack_from(body)
        head, rows, signatures = _cut(body[_HEAD.size :], *sizes)
        header = json.loads(head)
        made = cls(cast(Format, header["form"]))
        made._rows += rows
        made._signatures += signatures
        for line, flag, message in header["details"]:
            made._keep(Detail(line, flag, message))
        return made

    def _keep(self, detail: Detail) -> None:
        kept = self._details.setdefault(detail.flag, [])
        kept.append(detail)
        if len(kept) > 4 * DETAILS:
            kept[:] = self.details(detail.flag)


def _cut(body: bytes, *sizes: int) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size


_CODES = "IQQQIBBH"
_FIELDS = [
    ("line", "<u4"), ("row", "<u8"), ("prompt", "<u8"), ("answer", "<u8"), ("length", "<u4"),
    ("asked_in", "u1"), ("said_in", "u1"), ("flags", "<u2"),
]  # fmt: skip


def _few(rows: bytearray, signatures: bytes) -> FingerprintColumns:
    """As `_many`, without numpy. The order is that of the fields: lines first."""
    whole = list(ROW.iter_unpack(rows))
    order = sorted(range(len(whole)), key=lambda index: (whole[index], _at(signatures, index)))
    columns = [
        array(code, (whole[index][place] for index in order)) for place, code in enumerate(_CODES)
    ]
    return _columns(columns, b"".join(_at(signatures, index) for index in order))


def _many(rows: bytearray, signatures: bytes) -> FingerprintColumns:
    from ftctl.numeric import np  # noqa: PLC0415

    whole = np.frombuffer(rows, np.dtype(_FIELDS))
    order = np.argsort(whole["line"], kind="stable")
    columns: list[array[int]] = []
    for (name, _), code in zip(_FIELDS, _CODES, strict=True):
        column: array[int] = array(code)
        column.frombytes(whole[name][order].tobytes())
        columns.append(column)
    if signatures:
        table = np.frombuffer(signatures, np.uint8).reshape(-1, SIGNATURE_BYTES)
        signatures = table[order].tobytes()
    return _columns(columns, signatures)


def _packed(table: FingerprintColumns) -> bytes:
    """The columns as rows again."""
    columns = (
        table.lines, table.rows, table.prompts, table.answers, table.lengths,
        table.asked_in, table.said_in, table.flags,
    )  # fmt: skip
    if len(table.lines) < _MANY:
        return b"".join(ROW.pack(*fields) for fields in zip(*columns, strict=True))
    from ftctl.numeric import np  # noqa: PLC0415

    whole = np.empty(len(table.lines), np.dtype(_FIELDS))
    for (name, _), column in zip(_FIELDS, columns, strict=True):
        whole[name] = np.frombuffer(column, column.typecode)
    return whole.tobytes()


def _columns(columns: list[array[int]], signatures: bytes) -> FingerprintColumns:
    lines, rows, prompts, answers, lengths, asked_in, said_in, flags = columns
    return FingerprintColumns(
        lines, rows, prompts, answers, lengths, asked_in, said_in, flags, signatures
    )


def _at(signatures: bytes, index: int) -> bytes:
    return signatures[index * SIGNATURE_BYTES : (index + 1) * SIGNATURE_BYTES]
