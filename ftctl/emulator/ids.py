"""Names for new things. What belongs to a job is named from the job's id, whenever it is made."""

from __future__ import annotations

import hashlib
import os

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def derived(prefix: str, *source: object, length: int = 24) -> str:
    """The same id for the same source, always."""
    return prefix + _letters("\x1f".join(str(part) for part in source).encode(), length)


def fresh(prefix: str, id_seed: int | None, serial: int) -> str:
    """A new id: random, or with a seed the one that belongs to this serial number."""
    if id_seed is None:
        return prefix + _letters(os.urandom(32), 24)
    return derived(prefix, id_seed, prefix, serial)


def derived_number(limit: int, *source: object) -> int:
    """A number below the limit, the same for the same source."""
    text = "\x1f".join(str(part) for part in source).encode()
    return int.from_bytes(hashlib.sha256(text).digest()) % limit


def _letters(source: bytes, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(source).digest())
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)
