"""Text of others in; one line of it, a part, or lines that steer nothing, out."""

from __future__ import annotations

import re
from functools import cache

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from collections.abc import Iterator

_ASCII_CONTROL = re.compile("[\0-\x08\x0a-\x1f\x7f]")  # but for tabs
# Runners look for commands anywhere in a line of a log: ##[group] at GitHub, ##vso[…] at Azure;
# GitHub at a line's beginning besides, between two pairs of colons.
LOG_COMMAND = re.compile(r"#(?=#\w*\[)")
_SUSPICIOUS = re.compile("[\0-\x08\x0b-\x1f\x7f]|::|##")
_LINE_COMMAND = re.compile(r"^(\s*):(?=:)")
# Marks over and under letters: more than four on one letter cover the lines around it.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f"
)


def one_line(text: str) -> str:
    """On one line, and without what would steer a terminal or the runner that reads a log.

    What nobody sees is told by its number, unless it belongs where it is, as in emoji.
    """
    return _obeyed_by_nobody(" ".join(_seen(text).split()))


def harmless_lines(text: str) -> str:
    """The same of a whole output, whose lines and tabs are ours."""
    if text.isascii() and not _SUSPICIOUS.search(text):
        return text
    return "\n".join(_obeyed_by_nobody(_seen(line)) for line in text.split("\n"))


def short(text: str, most: int) -> str:
    """At most so many characters, the last being `…` where some are left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _obeyed_by_nobody(line: str) -> str:
    """A line that no runner takes for a command."""
    if "##" in line:
        line = LOG_COMMAND.sub("# ", line)
    return _LINE_COMMAND.sub(r"\1: ", line) if "::" in line else line


def _seen(text: str) -> str:
    """The text with all of it to be seen, but for tabs. What is no character becomes a space."""
    if text.isascii():
        return text if text.isprintable() else _ASCII_CONTROL.sub(" ", text)
    text = text.replace("\r", " ")  # the table takes it for the end of a line
    pieces, end = [], 0
    for start, stop in _runs(text):
        pieces += [text[end:start], _told(text[start:stop])]
        end = stop
    seen = "".join([*pieces, text[end:]]) if pieces else text
    return _pile().sub(r"\1", seen)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Where hidden characters stand one beside the other: from the first to behind the last."""
    from ftctl.text.invisible import hidden_in  # noqa: PLC0415 - 3 ms, and most text is ASCII

    start = stop = -1
    for index in hidden_in(text):
        if index != stop:
            if stop > 0:
                yield start, stop
            start = index
        stop = index + 1
    if stop > 0:
        yield start, stop


def _told(hidden: str) -> str:
    """`<U+200B>`, `<U+E0041 and 11 more>`."""
    shown = _void().sub("", hidden)
    if not shown:
        return " "
    more = f" and {len(shown) - 1:,} more" if len(shown) > 1 else ""
    return f"<U+{ord(shown[0]):04X}{more}>"


@cache
def _pile() -> re.Pattern[str]:
    return re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")


@cache
def _void() -> re.Pattern[str]:
    """What steers, or is no character: its number tells nobody more than a space."""
    from ftctl.text import invisible as table  # noqa: PLC0415 - as above

    parts = (table.CONTROLS, table.LINE_SEPARATORS, table.NONCHARACTERS, table.SURROGATES)
    return re.compile(f"[{''.join(parts)}]")
