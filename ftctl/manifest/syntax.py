"""A parser's complaint in, a problem in the words of those who write YAML out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftctl.errors import Diagnostic, Span
from ftctl.manifest.decoding import place_after, place_of

if TYPE_CHECKING:
    import yaml


def syntax_problem(fault: yaml.MarkedYAMLError, text: str, shown: str) -> Diagnostic:
    """The parser's complaint in the words of those who write YAML."""
    mark = fault.problem_mark or fault.context_mark
    problem = fault.problem or "this is not YAML"
    if mark is None:
        return Diagnostic("yaml-syntax", str(problem), Span(shown))
    opened = fault.context_mark or mark
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    code, message, hint = "yaml-syntax", problem, None
    if "cannot start any token" in problem and "\t" in line[: mark.column + 1]:
        code, message = "yaml-tab", "a tab where only spaces can indent"
        hint = "replace it with spaces"
    elif "cannot start any token" in problem:
        message = f"'{line[mark.column : mark.column + 1]}' cannot start a value"
        hint = "put the value in quotes"
    elif "unexpected end of stream" in problem:
        mark, message = opened, "a quote that is opened here is never closed"
        hint = "add the same quote where the text ends"
    elif "flow" in (context := fault.context or ""):
        closing = "']'" if "sequence" in context else "'}'"
        message = f"expected ',' or {closing} of the bracket in line {opened.line + 1}"
        hint = "close the bracket, or add the comma that is missing before this"
    else:
        known = next((row for row in _SYNTAX if row[0] in problem), None)
        if known is not None:
            _, message, hint = known
            message = message.format(line=opened.line + 1)
    return Diagnostic(code, message, min(place_of(mark, shown), place_after(text, shown)), hint)


# A part of the parser's words; ours, with the line where the block or text begins; the cure.
_SYNTAX = (
    (
        "mapping values are not allowed",
        "': ' cannot stand here: this line already has a key, or is indented too far",
        "put a value that holds ': ' in quotes; begin the keys of one mapping in one column",
    ),
    (
        "did not find expected key",
        "expected a key of the mapping that begins in line {line}",
        "begin its keys in one column; put a value that starts with a quote wholly in quotes",
    ),
    (
        "did not find expected '-'",
        "expected '- ' as in the list that begins in line {line}",
        "begin the entries of one list in one column",
    ),
    (
        "could not find expected ':'",
        "the text that begins in line {line} is no 'key: value'",
        "add ': ' after the key, or indent text that goes on over several lines",
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "begin it in a line of its own, under its key",
    ),
    (
        "expected <document start>",
        "the document ends before this",
        "begin another with '---', or indent this like the rest",
    ),
    (
        "unknown escape character",
        "a backslash in double quotes that escapes nothing",
        "use single quotes, or write two backslashes",
    ),
    (
        "invalid Unicode character",
        "an escape that stands for no character",
        "write the character itself",
    ),
    (
        "expected hexdecimal number",
        "a backslash in double quotes that escapes nothing",
        "use single quotes, or write two backslashes",
    ),
)
