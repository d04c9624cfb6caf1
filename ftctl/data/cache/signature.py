"""A file's state and content in, what tells them from others out."""

from __future__ import annotations

import hashlib
from pathlib import Path

RACY_NANOSECONDS = 2_000_000_000  # FAT keeps times to two seconds


def text_of(source: Path) -> str:
    """The path in ASCII, for a key."""
    return str(source).encode("unicode_escape").decode("ascii")


def hash_of(source: Path) -> str | None:
    """The SHA-256 of its content; None for what cannot be read."""
    try:
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def signature_of(source: Path) -> list[int] | None:
    """Changes when the file does; None for what is no file."""
    try:
        found = source.stat()
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def is_racy(signature: list[int], read_at: int) -> bool:
    """Whether a later change could bear the same times as the state that was read then."""
    return max(signature[1], signature[2]) + RACY_NANOSECONDS >= read_at
