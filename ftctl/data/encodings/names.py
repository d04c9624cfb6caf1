"""A name of an encoding as people write it goes in; Python's name of it, or what is wrong, out."""

from __future__ import annotations

import codecs
import re
from functools import cache

from ftctl.text.suggest import did_you_mean

# Python calls these codecs too, and they are no way in which text is stored.
_NO_TEXT = frozenset(
    (
        "base64", "bz2", "hex", "quopri", "rot_13", "uu", "zlib",
        "idna", "punycode", "unicode_escape", "raw_unicode_escape",
        "undefined", "charmap", "mbcs", "oem",
    )
)  # fmt: skip
UTF_8 = frozenset(("utf-8", "utf-8-sig"))
# Those in which ASCII characters are other bytes, or bytes of ASCII other characters.
_WIDE = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")


class UnknownEncoding(ValueError):
    """The name is of no text encoding; `hint` may say which was meant."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def text_encoding(name: str) -> str:
    """The encoding's one name; `UnknownEncoding` where there is none, or it is no text's."""
    try:
        known = codecs.lookup(_pythons(name.strip().lower())).name
    except (LookupError, ValueError, UnicodeError):
        meant = did_you_mean(name.strip().lower(), _usual())
        hint = meant or "name one that Python knows, such as cp949, gb18030 or utf-16"
        raise UnknownEncoding("is no encoding known here", hint) from None
    if known.replace("-", "_") in _NO_TEXT or not _is_text(known):
        message, hint = "is no encoding of text", "name one such as cp949, gb18030 or utf-16"
        raise UnknownEncoding(message, hint)
    return known


def _pythons(name: str) -> str:
    """What Windows and the web call windows-949 is cp949 to Python."""
    if name in ("windows-31j", "windows-932", "x-sjis"):
        return "cp932"
    windows = _WINDOWS.fullmatch(name)
    return f"cp{windows[1]}" if windows else name


def _is_text(known: str) -> bool:
    """Whether it turns bytes into a text, as codecs that others have registered may not."""
    try:
        return isinstance(b"a".decode(known, "replace"), str)
    except (LookupError, ValueError):
        return False


def keeps_ascii(encoding: str) -> bool:
    """Whether ASCII text is the same bytes in it, so that lines can be told before decoding."""
    if encoding.startswith(_WIDE):
        return False
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except UnicodeDecodeError:
        return False


_WINDOWS = re.compile(r"(?:x-)?windows[-_]?(\d+)")
_ASCII = bytes(range(0x20, 0x5C)) + b"]^_`abcxyz{|}\n"  # some have another sign for a backslash


@cache
def _usual() -> tuple[str, ...]:
    from encodings.aliases import aliases  # noqa: PLC0415 - for a name that is misspelt

    return tuple(sorted({*aliases, *aliases.values(), "utf-8", "utf-16", "euc-kr", "shift-jis"}))
