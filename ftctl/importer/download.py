"""The id of a file at the service in, its bytes in the project's folder out, or why not."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ftctl.clock import Clock
from ftctl.errors import FtctlError, ProviderError
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
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    part = Path(name)
    os.close(handle)
    try:
        sha256 = with_backoff(lambda: _receive(source, file, part, most), clock)
        return _placed(part, file, sha256, folder)
    except ProviderError as fault:
        if fault.status is None:
            raise
        told = f"HTTP {fault.status}" + (f", {fault.code}" if fault.code else "")
        reason = f"the service does not give {file} ({told})"
        return NotGiven(reason, fault.retryable or fault.status == 401)
    except _TooLarge:
        return NotGiven(f"{file} has more than {most:,} bytes")
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise FtctlError(f"{folder} cannot be written: {reason}") from None
    finally:
        part.unlink(missing_ok=True)


class _TooLarge(Exception):
    """More comes than a data file may have."""


def _receive(source: Account, file: str, part: Path, most: int) -> str:
    """Write the bytes as they come; their SHA-256."""
    sha256 = hashlib.sha256()
    size = 0
    with part.open("wb") as stream:
        for piece in source.download(file):
            size += len(piece)
            if size > most:
                raise _TooLarge
            sha256.update(piece)
            stream.write(piece)
    return sha256.hexdigest()


def _placed(part: Path, file: str, sha256: str, folder: Path) -> Downloaded:
    """The file under its name; where another content has that, under its hash too."""
    stem = file if _FILE_NAME.fullmatch(file) else "file"
    for name in (f"{stem}.jsonl", f"{stem}-{sha256[:16]}.jsonl", f"{sha256}.jsonl"):
        path = folder / name
        if not path.exists():
            part.chmod(0o644)
            part.rename(path)
            return Downloaded(path, sha256, fresh=True)
        if path.is_file() and _hash_of(path) == sha256:
            return Downloaded(path, sha256, fresh=False)
    raise FtctlError(f"{folder} holds other files under the names that {file} would have")


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
