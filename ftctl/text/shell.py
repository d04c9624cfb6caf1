"""A file's path as people know it goes in; words of a command line that mean it come out.

A hint is written before anybody knows whose file it is about. `FILE`, `NEW` and `ROWS` stand in it
for the file, for one beside it that a shell writes, and for one that `ftctl dataset convert` does.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from shlex import quote

from ftctl.text.escape.single_line import one_line

# Of control characters, which no hint has: what users have written is never taken for one of these.
FILE = "\0FILE\0"
NEW = "\0NEW\0"
ROWS = "\0ROWS\0"

# An address, and a file of a git revision: no command reads those. Not a drive, as in C:\data.
_ELSEWHERE = re.compile(r"[^/\\:]{2,}:")


def shell_word(path: str) -> str:
    """The path as one word of a command line, and never an option."""
    return quote(f"./{path}" if path.startswith("-") else path)


def with_paths(hint: str, path: str, folder: str = "") -> str:
    """The hint for the file that people know by this path, which counts from the folder."""
    if "\0" not in hint:
        return hint
    # What a message would show otherwise than it is cannot be pasted.
    known = path and one_line(path) == path and not _ELSEWHERE.match(path)
    path = (PurePosixPath(folder) / path).as_posix() if folder else path
    words = {
        FILE: shell_word(path) if known else "FILE",
        NEW: shell_word(_beside(path, "-new.jsonl")) if known else "FILE-new.jsonl",
        ROWS: shell_word(_rows_of(path)) if known else "FILE.jsonl",
    }
    for mark, word in words.items():
        hint = hint.replace(mark, word)
    return hint


def _rows_of(path: str) -> str:
    """Where converted rows go: a name of its own, since a command may be pasted without a look."""
    jsonl = PurePosixPath(path).suffix.lower() == ".jsonl"
    return _beside(path, "-new.jsonl" if jsonl else ".jsonl")


def _beside(path: str, ending: str) -> str:
    name = PurePosixPath(path).name
    stem = PurePosixPath(name).stem
    return f"{path.removesuffix(name)}{stem}{ending}"
