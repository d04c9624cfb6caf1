"""Text that is about to be shown in; the same without keys, however they are written, out.

Two kinds are taken out: what looks like a key, by the forms of `credentials`, and the keys that
this run knows, whatever they look like. A known key is found as it is and as an address, JSON,
Python, HTML, Markdown, base64, hexadecimal or a terminal's line break makes of it, in either case,
and also where several of these meet.

A value that is short or a plain word is no key by itself (`test`, `emulator`, `acme-support`): it
is taken out only where a key stands, as in `Bearer test`. Else honest output could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from ftctl.text.credentials import PACKED, keys_in, padded_end, unescaped

REDACTED = "[redacted]"

_SHORTEST = 8  # characters of a value that is a key wherever it stands
_LONGEST_WORD = 15  # characters of one that is a word, or some with a sign between them
_PLAIN_WORDS = r"[A-Za-z][a-z]*(?:[-_. ][a-z]+)*|[A-Z]+"
_MOST_SPELT = 160  # characters of a key that are looked for one by one; what follows goes with them

# What a terminal, a pretty-printer or our own Markdown puts between two characters.
_WRAP = r"""["']?[ \t]*\\?[│┃|]?[ \t]*\r?\n[ \t]*[│┃|>]?[ \t]*["']?"""
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\xad"
_GAP = rf"(?:{_WRAP}|\s{{1,80}}|[{_ZERO_WIDTH}]|&#8203;|&#x200[bB];|&shy;|\x1b\[[0-9;?]*[A-Za-z])"
_REST = r"[A-Za-z0-9._~+/=%-]*"
_LOWER = bytes(range(256)).lower()
_BETWEEN = b" \t\r\n\f\v\"'`\\|>:" + bytes(range(128, 256))
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "/": "sol", "+": "plus",
          "=": "equals", ".": "period", "_": "lowbar", ":": "colon", "@": "commat", "#": "num",
          "%": "percnt", "$": "dollar", "!": "excl", "?": "quest", "*": "ast", ",": "comma",
          ";": "semi", "(": "lpar", ")": "rpar", "-": "hyphen", "|": "vert", "`": "grave",
          "^": "Hat", "[": "lsqb", "]": "rsqb", "{": "lcub", "}": "rcub", "\\": "bsol"}  # fmt: skip
_BEFORE_SHORT = (
    r"(?:\b(?:bearer|basic)\s+|(?:key|token|password|secret|authorization)[\"']?\s*[:=]\s*[\"']?)"
)


class _Known(NamedTuple):
    """A known key in one of its forms: what a squeezed text holds of it, and how it is found."""

    squeezed: tuple[bytes, ...]
    form: str
    kind: str  # plain, base64, hex or short


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without anything that is, or looks like, a key."""
    known = _known(tuple(secrets))
    if known:
        text = _without(text, known)
    return _without_looks(text)


def holds_secret(text: str, secrets: Collection[str]) -> bool:
    """Whether a text has one of these values in it, in any form; short ones and words are none."""
    known = [form for form in _known(tuple(secrets)) if form.kind != "short"]
    return any(_pattern(form).search(text) for form in _there(text, known))


def _without_looks(text: str) -> str:
    spans = sorted((found.start, found.end) for found in keys_in(text))
    pieces, end = [], 0
    for start, stop in spans:
        if start >= end:
            pieces += [text[end:start], REDACTED]
        end = max(end, stop)
    return "".join([*pieces, text[end:]]) if spans else text


def _without(text: str, known: Collection[_Known]) -> str:
    for form in _there(text, known):
        if form.kind == "plain":
            text = text.replace(form.form, REDACTED)  # as it is most often
        if _may_be_in(form, _views(text, spaces=" " in form.form)):
            text = _without_form(text, form)
    return text


def _without_form(text: str, form: _Known) -> str:
    pieces, end = [], 0
    for match in _pattern(form).finditer(text):
        start, stop = match.span(1)
        if form.kind in ("base64", "hex"):
            while start > end and text[start - 1] in PACKED:
                start -= 1
            while stop < len(text) and text[stop] in PACKED:
                stop += 1
            stop = padded_end(text, stop)
        if start >= end:
            pieces += [text[end:start], REDACTED]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def _there(text: str, known: Collection[_Known]) -> Iterator[_Known]:
    """The forms that a text may hold: a quick look, which lets nothing by."""
    views = _views(text, spaces=_have_spaces(known)) if known else ()
    for form in known:
        if _may_be_in(form, views):
            yield form


def _may_be_in(form: _Known, views: Collection[bytes]) -> bool:
    return any(squeezed in view for squeezed in form.squeezed for view in views)


def _have_spaces(known: Collection[_Known]) -> bool:
    return any(" " in form.form for form in known)


def _views(text: str, *, spaces: bool) -> tuple[bytes, ...]:
    """A text as keys are looked for in it at first; `spaces`: also those written as `+`."""
    if "\x1b" in text:
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    views = [_squeezed(text)]
    if any(sign in text for sign in "%\\&") and (plain := unescaped(text)) != text:
        views.append(_squeezed(plain))
    if spaces:
        views += [view.replace(b"+", b"") for view in views]
    return tuple(views)


def _squeezed(text: str) -> bytes:
    """In lower case, without what may stand between two characters of a key."""
    return text.encode("utf-8", "replace").translate(_LOWER, _BETWEEN)


@lru_cache(maxsize=16)
def _known(secrets: tuple[str, ...]) -> tuple[_Known, ...]:
    """All forms of all keys, the longest first: one may be a part of another."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    return tuple(sorted(forms, key=lambda known: (-len(known.form), known)))


def _forms(secret: str) -> Iterator[_Known]:
    from base64 import b64encode  # noqa: PLC0415 - only where there is a key

    if not is_worth_hiding(secret):
        yield _known_form(secret, "short")
        return
    for form in dict.fromkeys((secret, secret[::-1])):
        yield _known_form(form, "plain")
    raw = secret.encode("utf-8", "surrogatepass")
    yield _known_form(raw.hex(), "hex")
    for skipped in range(3):
        # What of base64 depends on nothing that stands before or after.
        packed = b64encode(b"\0" * skipped + raw).decode()
        whole = packed[(0, 2, 3)[skipped] : (len(raw) + skipped) * 8 // 6]
        for form in dict.fromkeys((whole, whole.replace("+", "-").replace("/", "_"))):
            yield _known_form(form, "base64")


def _known_form(form: str, kind: str) -> _Known:
    """A key that has escapes in itself is looked for with and without them."""
    begins = form[:_MOST_SPELT]
    squeezed = dict.fromkeys((_squeezed(begins), _squeezed(unescaped(begins))))
    return _Known(tuple(squeezed), form, kind)


def is_worth_hiding(secret: str) -> bool:
    """Whether a value is a key wherever it stands, and not a word that a text may have besides."""
    is_word = len(secret) <= _LONGEST_WORD and re.fullmatch(_PLAIN_WORDS, secret) is not None
    return len(secret) >= _SHORTEST and not is_word


@lru_cache(maxsize=128)
def _pattern(known: _Known) -> re.Pattern[str]:
    form = known.form[:_MOST_SPELT]
    gap = rf"(?:{_GAP}|:)?" if known.kind == "hex" else f"(?:{_GAP})?"
    spelt = gap.join(map(_spelt, form))
    if len(known.form) > _MOST_SPELT:
        spelt += _REST
    before, after = (_BEFORE_SHORT, r"(?![\w-])") if known.kind == "short" else ("", "")
    return re.compile(rf"{before}({spelt}){after}", re.IGNORECASE)


def _spelt(character: str) -> str:
    """One character of a key in each way in which it may be written, in several layers too."""
    number = ord(character)
    encoded = character.encode("utf-8", "replace")
    ways = [
        "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in encoded),
        f"&(?:amp;){{0,4}}#(?:0{{0,6}}{number}|x0{{0,6}}{number:x});",
    ]
    ways.append("".join(rf"\\{{1,8}}u{unit:04x}" for unit in _units(character)))
    ways += [rf"\\{{1,8}}x{number:02x}"] if number < 0x100 else []
    if character in _NAMED:
        ways.append(f"&(?:amp;){{0,4}}{_NAMED[character]};")
    ways += [r"'\\''", "'\"'\"'"] if character == "'" else []  # in a shell's quotes
    ways += [r"\+", r"\s+"] if character == " " else []
    raw = re.escape(character)
    ways.insert(0, raw if character.isalnum() else rf"\\{{0,8}}{raw}")
    return f"(?:{'|'.join(ways)})"


def _units(character: str) -> list[int]:
    """The units of UTF-16 that a character is, as JSON escapes them: two for an emoji."""
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[start : start + 2]) for start in range(0, len(raw), 2)]
