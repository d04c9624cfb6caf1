"""A file's first bytes go in; the encoding that they show without doubt comes out, or none."""

from __future__ import annotations

_STARTS = {
    b"\xff\xfe\0\0": "utf-32",  # before UTF-16, whose mark this begins with
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"{\0\0\0": "utf-32-le",
    b"[\0\0\0": "utf-32-le",
    b"\0\0\0{": "utf-32-be",
    b"\0\0\0[": "utf-32-be",
    b"{\0": "utf-16-le",
    b"[\0": "utf-16-le",
    b"\0{": "utf-16-be",
    b"\0[": "utf-16-be",
}
# What e-mail wrote: ASCII throughout, with a switch before each other character.
_SWITCHES = {b"\x1b$B": "iso2022_jp", b"\x1b$@": "iso2022_jp", b"\x1b$)C": "iso2022_kr"}


def encoding_shown(head: bytes) -> str | None:
    """Python's name of the encoding; None where the bytes may be UTF-8 or anything else."""
    for start, encoding in _STARTS.items():
        if head.startswith(start):
            return encoding
    if b"\x1b" in head:
        for switch, encoding in _SWITCHES.items():
            if switch in head:
                return encoding
    return None
