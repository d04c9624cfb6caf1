"""A text goes in; the keys and tokens in it come out, by kind and with their middle left out.

A form alone is not enough: what stands behind the prefix must look random, so that placeholders
such as sk-XXXX or 'your key here' are let by.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from string import ascii_letters, digits
from typing import NamedTuple

from ftctl.text.credentials import FORMS, JWT, PRIVATE_KEY


class Found(NamedTuple):
    """What was found, in words with its article, and as much of it as may be shown."""

    what: str
    shown: str


_RUN = b"w" * 20  # every form has so long a run of these characters
_IN_RUNS = (ascii_letters + digits + "_-").encode()
_RUNS = bytes(ord("w") if sign in _IN_RUNS else ord(" ") for sign in range(256))
_NO_DIGITS = bytes(set(range(256)) - set(digits.encode()))
_MAYBE_NO_DIGIT = (b"hf_", b"AKIA", b"ASIA")
_PLACEHOLDER = re.compile(
    r"example|your|placeholder|dummy|sample|redacted|changeme|insert|fake|(.)\1{5}|"
    r"0123456|1234567|abcdefg|replace_?me",
    re.IGNORECASE,
)


def may_hold_secret(raw: bytes) -> bool:
    """Whether the text, as UTF-8, is worth a closer look: False is certain."""
    runs = raw.translate(_RUNS)
    start = runs.find(_RUN)
    if start >= 0 and any(prefix in raw for prefix in _MAYBE_NO_DIGIT):
        return True
    while start >= 0:
        # Most long runs are rules and names; keys have digits.
        end = (runs.find(b" ", start) + 1 or len(runs) + 1) - 1
        if raw[start:end].translate(None, _NO_DIGITS):
            return True
        start = runs.find(_RUN, end)
    return PRIVATE_KEY.hint.encode() in raw


def secrets_in(text: str, bits: float, allowed: Collection[str] = ()) -> Iterator[Found]:
    """Each key or token whose random part has at least so many bits of entropy per character.

    Those in `allowed` are let by.
    """
    taken: set[int] = set()
    for form in FORMS:
        if form.hint not in text:
            continue
        for match in _compiled(form.exact).finditer(text):
            if match.start() in taken or not _random(match[1], bits):
                continue
            taken.add(match.start())
            if match[0] not in allowed:
                yield Found(form.what, _shown(match[0], match.start(1) - match.start()))
    if JWT.hint in text:
        yield from (
            Found(JWT.what, _shown(match[0], 3))
            for match in _compiled(JWT.exact).finditer(text)
            if _is_header(match[1]) and match[0] not in allowed
        )
    if PRIVATE_KEY.hint in text:
        yield from (
            Found(PRIVATE_KEY.what, f"{PRIVATE_KEY.hint} …")
            for match in _compiled(PRIVATE_KEY.exact).finditer(text)
            if _random(re.sub(r"\\n|\s", "", match[1])[:200], bits)
        )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _shown(key: str, prefix: int) -> str:
    return f"{key[: min(prefix, 11)]}…{key[-4:]}"


def _random(body: str, bits: float) -> bool:
    return entropy(body) >= bits and not _PLACEHOLDER.search(body) and not _is_words(body)


def _is_words(body: str) -> bool:
    """Whether it is made of words, as names in code and addresses are: sk-learn-models-for-text."""
    if any(sign in digits for sign in body):
        return False
    return body.islower() or (body.isupper() and ("-" in body or "_" in body))


def entropy(text: str) -> float:
    """Shannon's, in bits per character, of the text's own characters."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _is_header(encoded: str) -> bool:
    try:
        header = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header
