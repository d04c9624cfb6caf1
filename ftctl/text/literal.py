"""A value of a manifest in; words that stand for it and for no other value, out.

What is approved is what is shown. So a text stands as it is where nobody could take it for anything
else, and in quotes elsewhere, with all that hides, or looks like another letter, as its number.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftctl.text.escape.single_line import LOG_COMMAND
from ftctl.text.format import plural
from ftctl.text.invisible import first_hidden
from ftctl.text.lookalike import look_alike_in, plain_form

Way = tuple[str | int, ...]  # the keys and indices that lead to a value

LONGEST = 200  # characters of a text that stands whole in a line

_BARE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.:/@+-]*[A-Za-z0-9_/])?")
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# What is said in place of a value, and what other readers than JSON's take for one.
_TAKEN = frozenset({"true", "false", "null", "unset", "none", "yes", "no", "on", "off"})
_LONGEST_LIST = 120  # characters of a list or mapping that stands as one value
_SECOND_SPACE = re.compile("(?<= ) ")
_WORDS = re.compile(r"\w+")
# Longer than a hyphen, and without a dot: people write them, and see them.
_SEEN = frozenset("\N{EN DASH}\N{LATIN SMALL LETTER DOTLESS I}")
_MOST_MARKS = 4  # over or under one letter


def literal(value: Any) -> str:
    """On one line, printable, and as `one_line` would leave it; equal for equal values alone."""
    if isinstance(value, str) and _is_plain(value):
        return value
    return _visible(json.dumps(value, ensure_ascii=False, sort_keys=True))


def way_words(way: Way) -> str:
    """The way to a value: `method.supervised`, `tags[0]`."""
    words = ""
    for step in way:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            key = (
                step
                if _BARE_KEY.fullmatch(step)
                else _visible(json.dumps(step, ensure_ascii=False))
            )
            words += f".{key}" if words else key
    return words


def leaves(value: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every value within a value that can be shown as one, with the way to it."""
    inner: Iterator[tuple[str | int, Any]] | None = None
    if isinstance(value, Mapping) and value:
        inner = iter(value.items())
    elif isinstance(value, list | tuple) and len(json.dumps(value)) > _LONGEST_LIST:
        inner = iter(enumerate(value))
    if inner is None:
        yield way, value
        return
    for step, part in inner:
        yield from leaves(part, (*way, step))


def is_long(value: Any) -> bool:
    """Whether it is a text that is shown by its size and hash, with its lines beside that."""
    return isinstance(value, str) and (len(value) > LONGEST or "\n" in value.rstrip("\n"))


def text_identity(text: str) -> str:
    """What stands for a long text: `1,234 characters in 45 lines, sha256:…`, the hash whole."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    size = plural(len(text), "character")
    return f"{size} in {plural(len(text_lines(text)), 'line')}, sha256:{digest}"


def text_lines(text: str) -> list[str]:
    """The lines of a long text, with their indentation; nothing in them hides or steers.

    What does is spelt out as JSON has it. A line's own backslashes stay as they are:
    `text_identity` is what tells two texts apart.
    """
    lines = text.removesuffix("\n").split("\n")
    return [_steady(line.replace("\t", "    ")) for line in lines]


def _is_plain(text: str) -> bool:
    return (
        _BARE.fullmatch(text) is not None
        and text.lower() not in _TAKEN
        and len(text) <= LONGEST
        and not _is_number(text)
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _visible(text: str) -> str:
    """JSON, so spelt that a reader sees every character of it, and a log's reader no command."""
    return _SECOND_SPACE.sub(r"\\u0020", _steady(text))


def _steady(text: str) -> str:
    if text.isascii() and text.isprintable():
        return _no_command(text)
    if not (text.isprintable() and first_hidden(text) is None):
        text = "".join(
            c if c.isprintable() and first_hidden(c) is None else _number(c) for c in text
        )
    return _no_command(_letters_told_apart(text))


def _no_command(text: str) -> str:
    text = LOG_COMMAND.sub(r"\\u0023", text)
    return text.replace("<!--", r"\u003c!--")


def _letters_told_apart(text: str) -> str:
    """Marks that are composed otherwise or piled up, and look-alikes of ASCII, by number."""
    if text.isascii():
        return text
    from unicodedata import combining, is_normalized  # noqa: PLC0415 - 1 MB, for few values

    if not is_normalized("NFC", text) or _is_piled_up(text):
        text = "".join(_number(c) if combining(c) else c for c in text)
    if plain_form("".join(c for c in text if c not in _SEEN)).isascii():
        return _look_alikes_told(text)
    return _WORDS.sub(_word_told_apart, text)


def _is_piled_up(text: str) -> bool:
    from unicodedata import combining  # noqa: PLC0415

    marks = "".join("m" if combining(c) else " " for c in text)
    return "m" * (_MOST_MARKS + 1) in marks


def _word_told_apart(found: re.Match[str]) -> str:
    if look_alike_in(found[0]) is not None:
        return _look_alikes_told(found[0])
    return "".join(_number(c) if _is_mathematical(c) else c for c in found[0])


def _is_mathematical(character: str) -> bool:
    """Whether a letter is an ASCII one in the dress of formulas: no text has it for itself."""
    from unicodedata import decomposition  # noqa: PLC0415

    return decomposition(character).startswith("<font>")


def _look_alikes_told(text: str) -> str:
    return "".join(_number(c) if _looks_like_ascii(c) else c for c in text)


def _looks_like_ascii(character: str) -> bool:
    if character.isascii() or character in _SEEN:
        return False
    plain = plain_form(character)
    is_one = plain.isascii() and len(plain) == 1  # a sign such as ™ or ½ is seen as what it is
    return is_one or look_alike_in(f"{character}a") is not None


def _number(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else r"\u007f"
