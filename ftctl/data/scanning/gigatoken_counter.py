"""gigatoken's one door: a counter that is faster for large files, where it counts as tiktoken does.

Measured on 2026-11-22, gigatoken 0.10.0 against tiktoken 0.14.0: the same tokens for every text
whose characters both know; different ones for some 4,700 letters that only the newer of their two
Unicode tables has. So it counts texts of the scripts below, in which a test compares every
character, and tiktoken counts the others. When it is loaded it must give the tokens that tiktoken
gave for nasty texts, and during a pass a row of every chunk is counted again (see scan.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence, Sized
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from ftctl.data.tokens.counter import LONGEST_BLANK, Counter, open_counter
from ftctl.data.tokens.rank_files import official_file
from ftctl.data.tokens.vocabularies import find_vocabulary, read_tokens

Encode = Callable[[str], Sized]

_PATTERNS = {"o200k_base": "o200k", "cl100k_base": "cl100k"}  # gigatoken's names for them

SCRIPTS = (
    (0x0000, 0x0860),  # Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic and their neighbours
    (0x0900, 0x0C00),  # Devanagari to Tamil
    (0x0E00, 0x0E80),  # Thai
    (0x10A0, 0x1200),  # Georgian, Hangul's single letters
    (0x1E00, 0x2C00),  # more Latin and Greek, punctuation, signs, arrows, mathematics
    (0x2E80, 0x3100),  # punctuation and syllables of East Asia
    (0x3130, 0xA000),  # Chinese, and Hangul's letters again
    (0xAC00, 0xD7A4),  # Hangul's syllables
    (0xF900, 0xFB00),  # more Chinese
    (0xFE00, 0xFFFE),  # forms for typesetting, full width
    (0x1F000, 0x1FB00),  # emoji
    (0x20000, 0x2A6D7),  # rare Chinese
)
"""First characters and those after the last."""

_OTHER = re.compile("[^" + "".join(f"{chr(a)}-{chr(b - 1)}" for a, b in SCRIPTS[1:]) + "\0-\u085f]")

NASTY = (
    "It's they'LL we'Re I'd can't X'S 'tis 'll''s",
    " a  b   c\td\n e \r\n\r\n  f\n\n\n   g   ",
    "0 12 345 6789 1234567890 1,000.50 ٣٤٥ ½²³ Ⅷ",
    "camelCaseHTTPServer snake_case kebab-case PATH/to//file.py::Class#m",
    "<|endoftext|> <|im_start|>user <|endofprompt|> <|fim_prefix|>",
    "…—–“”‘’«»¿¡ !!! ??!? ... ---- ==== //// \\\\\\\\ ``` ~~~",
    "héllo naïve Ångström ǅ ﬁ ß ſ İı Ωmega Привет мир שלום مرحبا नमस्ते",
    "안녕하세요 세계 한국어 日本語のテキスト 中文文本 ㄱㄴㄷ ｆｕｌｌ　ｗｉｄｔｈ",
    "👩‍👩‍👧‍👦 👍🏽 🇰🇷 ❤️ e\u0301 n\u0303 \u200b\u200d\ufeff\u00a0\u2028\u3000x",
    '{"a": [1, 2.5e-3, null], "b\\n": "\\u00e9"}\n\tif (x != y) { return; }',
    " \n\n  \n \t\x85\xa0\u2003 \x1c\x1d\x00\x7f",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " * 3 + "zqxjkvbpygfwmucld" * 4,
)
"""What tokenizers trip over."""

# SHA-256 of tiktoken's tokens for them, so that it need not be loaded; a test makes them anew.
_EXPECTED = {
    "o200k_base": "760741604cc4362f9efdf7c39e39fd355dd24078b9931bbc4ec0287947f78b76",
    "cl100k_base": "fc08e4e1e28d8db86d5256e46586701e3ef2244761cb69cc7b7d5dd06bf5a841",
}


def is_installed() -> bool:
    """Whether there is a faster tokenizer to try."""
    return find_spec("gigatoken") is not None


def write_ranks(encoding: str, folder: Path) -> Path:
    """The encoding's official file, which gigatoken reads; written once to a folder."""
    path = folder / f"{encoding}.tiktoken"
    if not path.exists():
        path.write_bytes(official_file(read_tokens(find_vocabulary(encoding))))
    return path


@cache
def open_gigatoken(encoding: str, ranks: str) -> Counter | None:
    """The process's faster counter, of an official file; None where it is not to be trusted."""
    encode = _load(encoding, ranks)
    if encode is None or _fingerprint(encode) != _EXPECTED[encoding]:
        return None
    return _GigatokenCounter(encoding, encode)


def _load(encoding: str, ranks: str) -> Encode | None:
    try:
        from gigatoken import Tokenizer  # noqa: PLC0415 - an extra

        # Without special tokens: what looks like one is text like any other.
        tokenizer = Tokenizer.from_tiktoken(ranks, _PATTERNS[encoding], {})
        encode: Encode = tokenizer.backend.encode
    except Exception:  # noqa: BLE001 - an extra that fails in whatever way is done without
        return None
    return encode


def _fingerprint(encode: Callable[[str], Sequence[int]] | Encode) -> str:
    found = hashlib.sha256()
    for text in NASTY:
        tokens = cast("Sequence[int]", encode(text))
        found.update(",".join(map(str, map(int, tokens))).encode() + b";")
    return found.hexdigest()


class _Name:
    """All that a `Counter` asks of tiktoken before it counts."""

    def __init__(self, name: str) -> None:
        self.name = name


class _GigatokenCounter(Counter):
    """Counts as `Counter` does; what it is not sure of, with the process's ordinary one."""

    def __init__(self, encoding: str, quick: Encode) -> None:
        super().__init__(cast("Any", _Name(encoding)))
        self._quick = quick

    def encode(self, text: str) -> list[int]:
        """The tokens."""
        return open_counter(self.encoding).encode(text)

    def _count_all(self, texts: Sequence[str]) -> list[int]:
        return [self._count(text) for text in texts]  # faster than to look for their words

    def _count(self, text: str) -> int:
        if len(text) <= LONGEST_BLANK and (text.isascii() or _OTHER.search(text) is None):
            return len(self._quick(text))
        return len(self.encode(text))
