"""A file's bytes in, the text that a parser may read out, with the places in it."""

from __future__ import annotations

import heapq
import os
import re
import shlex
import stat
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.errors import Diagnostic, Span, redact
from ftctl.text.format import plural
from ftctl.text.invisible import hidden_in, is_invisible, name_of, turns_direction

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
_MOST_IN_CURE = 4  # characters that a command takes out

# Runners look for commands anywhere in a line: ##[group] at GitHub, ##vso[…] at Azure.
LOG_COMMAND = re.compile(r"##(?=\w*\[)")

# Without blocking, where there is such a thing: a pipe would let us wait for whoever writes to it.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

# What YAML does not allow in a stream: controls but tab and line ends, surrogates, U+FFFE, U+FFFF.
# U+0085, U+2028 and U+2029 end a line in YAML 1.1 and not in 1.2, nor in editors.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# Alone, a carriage return ends a line in YAML and in few editors or views of a change.
_LONE_RETURN = re.compile(r"\r(?!\n)")
_LINE_END = re.compile("\r\n?|\n")
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0")  # how a file in UTF-16 begins
_MOST_UNSEEN = 20  # of one file: who has taken those out runs it again


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


def decode(raw: bytes, shown: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text, or the problems for which there is none, `_MOST_UNSEEN` of them at most."""
    if _UTF_16.match(raw):
        path, new = shlex.quote(shown), shlex.quote(f"{shown}.new")
        hint = f"save it as UTF-8: iconv -f UTF-16 -t UTF-8 {path} > {new} && mv {new} {path}"
        return "", (Diagnostic("not-utf-8", "the file is in UTF-16", Span(shown, 1, 1), hint),)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = raw[: fault.start].decode("utf-8-sig")
        message = f"byte 0x{raw[fault.start]:02x} is not valid UTF-8"
        place = place_after(before, shown)
        problem = Diagnostic("not-utf-8", message, place, "save the file as UTF-8")
        return "", (problem,)
    unseen = list(islice(_unseen(text, shown), _MOST_UNSEEN))
    return ("", tuple(unseen)) if unseen else (text, ())


def _unseen(text: str, shown: str) -> Iterator[Diagnostic]:
    """Each run of characters that are not seen, or not as YAML reads them."""
    first_return = [found.start()] if (found := _LONE_RETURN.search(text)) else []
    runs = _runs(text, heapq.merge(hidden_in(text), first_return))
    starts: list[int] = []
    for start, run in runs:
        starts = starts or [0, *(end.end() for end in _LINE_END.finditer(text))]
        line = bisect_right(starts, start)
        yield unseen_problem(run, Span(shown, line, start - starts[line - 1] + 1))


def _runs(text: str, indexes: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Where characters stand that follow each other, and these."""
    start = end = -1
    for index in indexes:
        if index != end:
            if end > start:
                yield start, text[start:end]
            start = index
        end = index + 1
    if end > start:
        yield start, text[start:end]


def unseen_problem(run: str, span: Span, *, escaped: bool = False) -> Diagnostic:
    """What to say of characters that may not stand in a manifest, nor be written as escapes."""
    name, code = name_of(run[0]), "invisible-character"
    if run[0] == "\r":
        message = f"{name} alone ends a line in YAML, and in few editors"
        return Diagnostic("control-character", message, span, "end lines with LF or CRLF")
    if _FORBIDDEN.match(run[0]):
        code, effect = "control-character", "cannot stand in YAML"
    elif turns_direction(run[0]):
        effect = "has text shown in another order than it is read in"
    else:
        effect = "is not seen where this is read"
    more = f" (and {plural(len(run) - 1, 'character')} like it)" if len(run) > 1 else ""
    message = f"an escape stands for {name}{more}, which" if escaped else f"{name}{more}"
    hint = "take the escape out" if escaped else _removal(run, span.path)
    return Diagnostic(code, f"{message} {effect}", span, hint)


def _removal(run: str, shown: str) -> str:
    """How to take the characters out of a file, where nobody can mark them."""
    distinct = sorted(set(run))
    if len(distinct) > _MOST_IN_CURE or ":" in shown:  # a file of another revision
        return "remove it" if len(run) == 1 else "remove them"
    numbers = "".join(f"\\x{{{ord(character):X}}}" for character in distinct)
    what = "remove it" if len(run) == 1 else "remove them"
    return f"{what}: perl -CSD -pi -e 's/[{numbers}]//g' {shlex.quote(shown)}"


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
    hidden = frozenset(hidden_in(text))
    if hidden or not text.isprintable():
        text = "".join(
            letter if index not in hidden and _is_shown(letter) else _escaped(letter)
            for index, letter in enumerate(text)
        )
    text = LOG_COMMAND.sub(r"#\\#", text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _is_shown(letter: str) -> bool:
    """Whether it may be shown, if it does not hide: what joins emoji is not printable itself."""
    return letter.isprintable() or is_invisible(letter)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")
