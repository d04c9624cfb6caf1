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
from itertools import pairwise
from string import digits
from typing import NamedTuple

from ftctl.text.credential_forms import (
    JWT,
    PRIVATE_KEY,
    PRIVATE_KEY_BEGINS,
    CredentialForm,
    compiled,
    may_hold_key,
    row_forms,
    secret_of,
)


class Found(NamedTuple):
    """What was found, in words with its article, and as much of it as may be shown."""

    what: str
    shown: str


_PLACEHOLDER = re.compile(
    r"example|your|placeholder|dummy|sample|redacted|changeme|insert|fake|"
    r"0123456|1234567|abcdefg|replace_?me",
    re.IGNORECASE,
)


_LONG = 16  # characters of a secret whose ends may be shown
_REPEATED = re.compile(r"(.)\1{5}", re.IGNORECASE)
_CHANCE = 64  # characters: a longer one may have a short word in it by chance
_NAME = re.compile(
    r"p(?:a|@|%40)ss|secret|token|key|test|demo|some|user|name|value|data|from|bytes|[$*<>{}\\]"
    r"|\.\.\.",
    re.IGNORECASE,
)
_HEX = re.compile(r"[0-9a-f]{24,}|[0-9A-F]{24,}")
_PACKED = re.compile(r"[A-Za-z0-9+/=]{32}")
_ZEROS = re.compile(r"A{10,}")  # as tokens have that are packed
_ADDRESS = re.compile(rb"://[^/\s@:]{1,64}:[^/\s@]{8,128}@")


def may_hold_secret(raw: bytes) -> bool:
    """Whether the text, as UTF-8, is worth a closer look: False is certain."""
    return (
        may_hold_key(raw)
        or PRIVATE_KEY_BEGINS.encode() in raw
        or (b"://" in raw and _ADDRESS.search(raw) is not None)
    )


def secrets_in(text: str, bits: float, allowed: Collection[str] = ()) -> Iterator[Found]:
    """Each key or token whose random part has at least so many bits of entropy per character.

    Those in `allowed` are let by.
    """
    taken = bytearray(len(text))
    for form in row_forms().in_text(text):
        for match in compiled(form.exact).finditer(text):
            start, end = secret_of(form, match) or (0, 0)
            if taken.find(1, start, end) >= 0 or not _is_secret(form, match, text[start:end], bits):
                continue
            taken[start:end] = b"\1" * (end - start)
            if allowed and not {match[0], text[start:end]}.isdisjoint(allowed):
                continue
            yield Found(form.what, _shown(form, match, start, end))
    if JWT.hints[0] in text.lower():
        yield from (
            Found(JWT.what, f"{match[0][:3]}…{match[0][-4:]}")
            for match in compiled(JWT.exact).finditer(text)
            if _is_header(match[1]) and match[0] not in allowed
        )
    if PRIVATE_KEY_BEGINS in text:
        yield from (
            Found(PRIVATE_KEY.what, f"{PRIVATE_KEY_BEGINS} …")
            for match in compiled(PRIVATE_KEY.exact).finditer(text)
            if _PACKED.search(match[1], 0, 400)
            and _random(re.sub(r"\\n|\s", "", match[1])[:200], bits)
        )


def _is_secret(form: CredentialForm, match: re.Match[str], secret: str, bits: float) -> bool:
    if not secret or entropy(secret) <= form.bits:
        return False
    whole = secret if form.named or form.placed else match[0]
    if any(compiled(pattern).search(whole) for pattern in form.allowed):
        return False
    # Where an address has a password, little else stands.
    if form.placed and not _is_made_up(secret, 0.25 if "://" in form.hints else 0.4):
        return False
    prefix = next((hint for hint in form.hints if secret.lower().startswith(hint)), "")
    return _random(secret[len(prefix) :], bits)


def _is_made_up(secret: str, share: float) -> bool:
    """Whether it is a value that somebody, or a program, made up: no name and no words.

    It is hexadecimal, or letters of both cases and digits follow each other, so often for a share
    of its characters.
    """
    if _NAME.search(secret):
        return False
    if _HEX.fullmatch(secret):
        return any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
    signs = [sign for sign in secret if sign.isalnum()]
    changes = sum(_class(one) != _class(other) for one, other in pairwise(signs))
    return changes >= share * len(signs) > 0


def _class(sign: str) -> int:
    return 0 if sign.isdigit() else 1 if sign.isupper() else 2


def _shown(form: CredentialForm, match: re.Match[str], start: int, end: int) -> str:
    """The secret's last four characters, and as much as is no secret of what stands before it."""
    if end - start < _LONG:  # a password: its ends would be half of it
        return f"{match.string[start]}…{match.string[end - 1]}"
    first = start if form.named or form.placed else match.start()
    prefix = next(
        (len(hint) for hint in form.hints if match.string[start:end].lower().startswith(hint)), 0
    )
    head = match.string[first : start + prefix] or match.string[start : start + 2]
    return f"{head[:11]}…{match.string[end - 4 : end]}"


def _random(body: str, bits: float) -> bool:
    body = _ZEROS.sub("", body)
    if not body or _REPEATED.search(body) or _is_words(body):
        return False
    if len(body) < _CHANCE and _PLACEHOLDER.search(body):
        return False
    # A short one cannot have as much, however random it is.
    return entropy(body) >= min(bits, 0.8 * math.log2(len(body)))


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
