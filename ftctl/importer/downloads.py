"""The id of a file at the service in, its bytes in the project's folder out, or why not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ftctl.clock import Clock
from ftctl.errors import FtctlError, ProviderError
from ftctl.files import AtomicWriter, file_fault, sha256_of
from ftctl.providers.protocol import Account
from ftctl.providers.retry import with_backoff

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that lies in the folder. `fresh`: it did not before."""

    path: Path
    sha256: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class NotGiven:
    """Why there is no file. `retryable`: it may well be given another time."""

    reason: str
    retryable: bool = False


def download(
    source: Account, file: str, folder: Path, most: int, clock: Clock
) -> Downloaded | NotGiven:
    """A file of at most that many bytes in `folder`, under its id; nothing is written over.

    `ProviderError` where the service is out of reach.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with with_backoff(lambda: _receive(source, file, folder, most), clock) as draft:
            return _placed(draft, file, folder)
    except ProviderError as fault:
        if fault.status is None:
            raise
        told = f"HTTP {fault.status}" + (f", {fault.code}" if fault.code else "")
        reason = f"the service does not give {file} ({told})"
        return NotGiven(reason, fault.retryable or fault.status == 401)
    except _TooLarge:
        return NotGiven(f"{file} has more than {most:,} bytes")
    except OSError as fault:
        raise file_fault(folder, fault) from None


class _TooLarge(Exception):
    """More comes than a data file may have."""


def _receive(source: Account, file: str, folder: Path, most: int) -> AtomicWriter:
    """The bytes as they come, in a draft."""
    draft = AtomicWriter(folder)
    try:
        _fill(draft, source.download(file), most)
    except BaseException:
        draft.discard()
        raise
    return draft


def _fill(draft: AtomicWriter, pieces: Iterable[bytes], most: int) -> None:
    for piece in pieces:
        if draft.bytes + len(piece) > most:
            raise _TooLarge
        draft.write(piece)


def _placed(draft: AtomicWriter, file: str, folder: Path) -> Downloaded:
    """The file under its name; where another content has that, under its hash too."""
    stem = file if _FILE_NAME.fullmatch(file) else "file"
    sha256 = draft.sha256
    for name in (f"{stem}.jsonl", f"{stem}-{sha256[:16]}.jsonl", f"{sha256}.jsonl"):
        path = folder / name
        if sha256_of(path) == sha256:
            return Downloaded(path, sha256, fresh=False)
        with suppress(FileExistsError):
            draft.keep(path, replace=False)
            return Downloaded(path, sha256, fresh=True)
    raise FtctlError(f"{folder} holds other files under the names that {file} would have")
