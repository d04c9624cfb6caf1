"""A file's bytes in, the text that a parser may read out, with the places in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.errors import Diagnostic, Span

if TYPE_CHECKING:
    import yaml

DEEPEST = 64  # levels of nesting
LARGEST = 100_000  # values in one document, aliases counted as often as they are used

# What YAML does not allow in a stream: controls but tab and line ends, surrogates, U+FFFE, U+FFFF.
# U+0085, U+2028 and U+2029 end a line in YAML 1.1 and not in 1.2, nor in editors.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def read_bytes(path: Path, shown: str) -> bytes | Diagnostic:
    """A file's bytes, or why they cannot be had."""
    if not path.is_file():
        what = "is not a regular file" if path.exists() else "does not exist"
        return Diagnostic("unreadable-file", f"the file {what}", Span(shown))
    try:
        # Without a buffer, and not by pathlib: there may be ten thousand of them.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        return Diagnostic("unreadable-file", f"cannot be read: {reason}", Span(shown))


def decode(raw: bytes, shown: str) -> tuple[str, Diagnostic | None]:
    """The text, or the one problem for which there is none."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = raw[: fault.start].decode("utf-8-sig")
        return "", Diagnostic(
            "not-utf-8",
            f"byte 0x{raw[fault.start]:02x} is not valid UTF-8",
            place_after(before, shown),
            "save the file as UTF-8",
        )
    if bad := _FORBIDDEN.search(text):
        return "", Diagnostic(
            "control-character",
            f"the character U+{ord(bad.group()):04X} cannot stand in YAML",
            place_after(text[: bad.start()], shown),
            "remove it",
        )
    return text, None


def place_after(before: str, shown: str) -> Span:
    """The place of what follows this text, as editors count lines."""
    lines = re.split("\r\n?|\n", before)
    return Span(shown, len(lines), len(lines[-1]) + 1)


def place_of(mark: yaml.Mark, shown: str) -> Span:
    """The place of a parser's mark, which counts from 0."""
    return Span(shown, mark.line + 1, mark.column + 1)
