"""A file's bytes in, the text that a parser may read out, with the places in it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.errors import Diagnostic, Span, redact

if TYPE_CHECKING:
    import yaml

DEEPEST = 64  # levels of nesting
LARGEST = 100_000  # values in one document, aliases counted as often as they are used
MOST_VALUES = 30_000  # values written in one file
MOST_DOCUMENTS = 2_000  # in one file
MOST_BYTES = 1024 * 1024  # of one file
MOST_PROBLEMS = 1_000  # of one file: after them, the rest says nothing new
LETTERS_PER_VALUE = 100  # so many letters of a text count as one value more
MOST_KEYS = 1_000  # of one mapping
MOST_ITEMS = 5_000  # of one list
LONGEST_SHOWN = 60  # characters of a value in a message

# Runners look for commands anywhere in a line: ##[group] at GitHub, ##vso[…] at Azure.
LOG_COMMAND = re.compile(r"##(?=\w*\[)")

# Without blocking, where there is such a thing: a pipe would let us wait for whoever writes to it.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

# What YAML does not allow in a stream: controls but tab and line ends, surrogates, U+FFFE, U+FFFF.
# U+0085, U+2028 and U+2029 end a line in YAML 1.1 and not in 1.2, nor in editors.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def read_bytes(path: Path, shown: str) -> bytes | Diagnostic:
    """A file's bytes, or why they cannot be had. No more than `MOST_BYTES` are ever read."""
    try:
        # Not by pathlib: there may be ten thousand of them.
        descriptor = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return _unreadable("the file does not exist", shown)
    except OSError as fault:
        if path.exists() and not path.is_file():  # a socket cannot be opened
            return _unreadable("the file is not a regular file", shown)
        return _unreadable(f"cannot be read: {fault.strerror or type(fault).__name__}", shown)
    try:
        return _bounded(descriptor, shown)
    except OSError as fault:
        return _unreadable(f"cannot be read: {fault.strerror or type(fault).__name__}", shown)
    finally:
        os.close(descriptor)


def _bounded(descriptor: int, shown: str) -> bytes | Diagnostic:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return _unreadable("the file is not a regular file", shown)
    raw, size = b"", status.st_size
    if size <= MOST_BYTES:
        # One byte more than there are: a file that grows, or tells no size, is read on.
        raw = os.read(descriptor, max(size, 4096) + 1)
        while len(raw) <= MOST_BYTES and (more := os.read(descriptor, 65536)):
            raw += more
        size = len(raw)
    return _too_many_bytes(shown) if size > MOST_BYTES else raw


def _too_many_bytes(shown: str) -> Diagnostic:
    """A file that is larger than ftctl.yaml or a manifest can be."""
    message = f"the file has more than {MOST_BYTES:,} bytes, which is as much as is read"
    return Diagnostic("yaml-too-large", message, Span(shown), "is this file a manifest?")


def _unreadable(message: str, shown: str) -> Diagnostic:
    return Diagnostic("unreadable-file", message, Span(shown))


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


def shorten(text: str, longest: int = LONGEST_SHOWN) -> str:
    """The text as a message may show it: short, without keys, and nothing that steers a reader.

    What cannot be printed (terminal escapes, line ends, marks that turn the direction of writing)
    is shown by its number; what commands the runner of a workflow, such as `##[group]`, is broken.
    """
    text = redact(text[: 100 * longest])
    if not text.isprintable():
        text = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    text = LOG_COMMAND.sub(r"#\\#", text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
