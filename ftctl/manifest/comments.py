"""A file's text in; keys that stand in it where no value is, such as in a comment, out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.errors import Diagnostic, Span
from ftctl.text.credentials import key_in


def keys_beside_values(text: str, shown: str) -> tuple[Diagnostic, ...]:
    """What looks like a key in comments, and in the names of anchors and tags."""
    if key_in(text) is None:  # nearly always; the rest takes its time
        return ()
    return tuple(_faults(_without_values(text), shown))


def _without_values(text: str) -> str:
    """The text with blanks for its values, each in its place; as far as it is YAML."""
    import yaml  # noqa: PLC0415 - see `parse_documents`

    left, end = [], 0
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.ScalarToken):
                value = text[token.start_mark.index : token.end_mark.index]
                left.append(text[end : token.start_mark.index])
                left.append("".join("\n" if sign == "\n" else " " for sign in value))
                end = token.end_mark.index
    except yaml.YAMLError:
        return "".join(left)  # what is no YAML has a problem of its own
    return "".join([*left, text[end:]])


def _faults(text: str, shown: str) -> Iterator[Diagnostic]:
    for number, line in enumerate(text.split("\n"), 1):
        if (kind := key_in(line)) is not None:
            what = "a comment" if "#" in line else "the name of an anchor or tag"
            message = f"{what} holds what looks like {kind}, in a file that git keeps"
            column = len(line) - len(line.lstrip()) + 1
            yield Diagnostic("written-key", message, Span(shown, number, column), "take it out")
