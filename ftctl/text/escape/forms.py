"""Text of others in; what is safe in Markdown, HTML, XML, JSON and commands of runners out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from ftctl.text.escape.single_line import LOG_COMMAND, one_line

_BREAK = "&#8203;"  # a space of no width: what is read as one word is no reference any more

# What begins a mark in the middle of a line. `|` and `\` are told apart in tables in several ways.
_MARKS = {one: f"\\{one}" for one in "`*[]~$"} | {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "|": "&#124;",
    "\\": "&#92;",
}
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # within a word it is no mark
# Sites look for these in the finished text, in which an entity is the character that it stands for:
# @team, #1, owner/name#1, GH-1, :tada:, http:// and www. at GitHub; !1, &1, %1, ~1, $1, ^alert#1,
# [issue:1] and *iteration:1 besides at GitLab. An amount such as $4.10 is none of them.
_REFERENCE = re.compile(
    r"@|#(?=[\w\"\[])|[!&](?=\d|\[)|[%~](?=[\w\"])|\$(?=\d+\b(?![.,]\d))|\^(?=alert)"
    r"|\[(?=[\w-]+:)|\*(?=iteration:)|(?<=\bGH)-(?=\d)"
    r"|:(?=//)|:(?=[\w+-]+:)|www(?=\.)",
    re.IGNORECASE,
)
# What every reader of .env files takes as it stands. Some begin a comment at `#` within a word, so
# that it needs quotes, and some of all quotes fill in what looks like a variable.
_PLAIN_VALUE = re.compile(r"[\w./:@+,=-]+", re.ASCII)
_PLAIN_CODE = re.compile(r"[\w ./:=,+@#%?!()'\"*~^;-]+")


def markdown(text: str) -> str:
    """As a part of a line of Markdown that begins with words of ours; also for a table's cell.

    It links to nothing, notifies nobody and is shown as it is written.
    """
    line = one_line(text)
    ends = [0, *(match.end() for match in _REFERENCE.finditer(line)), len(line)]
    return _BREAK.join(_unmarked(line[start:end]) for start, end in pairwise(ends))


def markdown_code(text: str) -> str:
    """As code in a line of Markdown or in a table's cell, which backticks in it cannot leave."""
    line = one_line(text)
    if _PLAIN_CODE.fullmatch(line):
        return f"`{line}`"
    return f"<code>{markdown(line)}</code>" if line else "(empty)"


def markdown_fence(lines: Sequence[str], language: str) -> list[str]:
    """A block of code that no backticks in its lines can close."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]


def html_text(text: str) -> str:
    """As text or as an attribute in quotes of HTML, on one line."""
    return html.escape(one_line(text))


def comment_words(*words: str) -> str:
    """Words of a comment of HTML, which cannot end it and cannot be taken for other words."""
    return " ".join(quote(word, safe="", errors="surrogatepass") for word in words)


def xml_text(text: str) -> str:
    """Lines without the characters that XML 1.0 cannot hold at all."""
    return "\n".join(one_line(line) for line in text.splitlines())


def command_text(text: str) -> str:
    """The message of a workflow command of GitHub Actions: on one line of the log."""
    return _replaced(_lines(text), {"%": "%25", "\r": "%0D", "\n": "%0A"})


def command_property(text: str) -> str:
    """A property of a workflow command: it ends neither itself nor the list of properties."""
    return _replaced(command_text(text), {":": "%3A", ",": "%2C"})


def backslashed(text: str) -> str:
    r"""On one line, with what is not seen, or taken for a space, as an escape of YAML: `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    from ftctl.text.invisible import is_invisible  # noqa: PLC0415 - 3 ms, and most text is ASCII

    return "".join(
        c if c.isprintable() and not is_invisible(c) else c.encode("unicode_escape").decode()
        for c in text
    )


def dotenv_line(variable: str, value: str) -> str:
    """A line of a .env file that shells, Docker and the dotenv libraries read alike.

    Docker takes quotes for a part of the value, so that only a `#` has some. ValueError for what
    not all of them can hold.
    """
    if not _PLAIN_VALUE.fullmatch(value.replace("#", "")):
        raise ValueError("no value that every reader of .env files understands")
    return f"{variable}='{value}'" if "#" in value else f"{variable}={value}"


def json_document(document: Any) -> str:
    """A document with sorted keys, whose texts are no commands to a runner that reads a log."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    return json_in_log(text)


def json_in_log(text: str) -> str:
    """The same JSON, spelt so that a log's reader and a page's finds neither command nor comment.

    Outside of strings JSON has no `#` and no `<`.
    """
    from ftctl.text.invisible import INVISIBLE  # noqa: PLC0415 - as above

    plain = text.isascii() and "\x7f" not in text  # JSON has escaped the others by itself
    hidden = text if plain else INVISIBLE.sub(lambda found: _escape(found[0]), text)
    return LOG_COMMAND.sub(r"\\u0023", hidden).replace("<!--", r"\u003c!--")


def _unmarked(part: str) -> str:
    return _UNDERSCORE.sub(r"\\_", _replaced(part, _MARKS))


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else r"\u007f"


def _lines(text: str) -> str:
    from ftctl.text.invisible import hidden_in  # noqa: PLC0415 - as above

    hidden = frozenset(hidden_in(text))
    return "".join("\N{REPLACEMENT CHARACTER}" if at in hidden else c for at, c in enumerate(text))


def _replaced(text: str, table: Mapping[str, str]) -> str:
    return text.translate(str.maketrans(dict[str, str | int | None](table)))
