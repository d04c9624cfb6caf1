"""A text goes in; the keys and tokens in it come out, by kind and with their middle left out.

A shape alone is not enough: what stands behind the prefix must look random, so that placeholders
such as sk-XXXX or 'your key here' are let by. Shapes are those that the issuers document.
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


class Found(NamedTuple):
    """What was found, in words with its article, and as much of it as may be shown."""

    what: str
    shown: str


class _Shape(NamedTuple):
    what: str
    hint: str  # a text without it holds none
    pattern: str  # with the part that must look random as its last group


# Longer prefixes first: the first shape that fits names the key.
_SHAPES = (
    _Shape("an Anthropic key", "sk-ant-", r"\bsk-ant-[a-z0-9]{2,12}-([A-Za-z0-9_-]{20,})"),
    _Shape("an OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-|admin-|None-)?([A-Za-z0-9_-]{20,})"),
    _Shape("an AWS access key", "AKIA", r"\bAKIA([A-Z2-7]{16})\b"),
    _Shape("a temporary AWS access key", "ASIA", r"\bASIA([A-Z2-7]{16})\b"),
    _Shape(
        "an AWS secret key",
        "aws_secret_access_key",
        r"aws_secret_access_key[\"']?\s{0,9}[=:]\s{0,9}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    _Shape("a GitHub token", "github_pat_", r"\bgithub_pat_([A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b"),
    *(
        _Shape("a GitHub token", prefix, rf"\b{prefix}([A-Za-z0-9]{{36,}})\b")
        for prefix in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")
    ),
    _Shape("a GitLab token", "glpat-", r"\bglpat-([A-Za-z0-9_-]{20,})"),
    _Shape("a Slack token", "xox", r"\bxox[abeoprs]-([A-Za-z0-9-]{16,})"),
    _Shape(
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/([A-Za-z0-9]{20,})",
    ),
    _Shape("a Google key", "AIza", r"\bAIza([A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    _Shape("a Stripe key", "k_live_", r"\b[sr]k_live_([A-Za-z0-9]{20,})"),
    _Shape("a Hugging Face token", "hf_", r"\bhf_([A-Za-z]{34})\b"),
    _Shape("an npm token", "npm_", r"\bnpm_([A-Za-z0-9]{36})\b"),
    _Shape("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.([A-Za-z0-9_-]{43})"),
    _Shape("a PyPI token", "pypi-", r"\bpypi-(AgE[A-Za-z0-9_-]{50,})"),
)
_JWT = r"\b(eyJ[A-Za-z0-9_-]{8,})\.(eyJ[A-Za-z0-9_-]{8,})\.([A-Za-z0-9_-]{20,})"
_PRIVATE_KEY = r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----([^-]{40,})"
_BLOCK = "-----BEGIN"

_RUN = b"w" * 20  # every shape has so long a run of these characters
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
    return _BLOCK.encode() in raw


def secrets_in(text: str, bits: float, allowed: Collection[str] = ()) -> Iterator[Found]:
    """Each key or token whose random part has at least so many bits of entropy per character.

    Those in `allowed` are let by.
    """
    taken: set[int] = set()
    for index, shape in enumerate(_SHAPES):
        if shape.hint not in text:
            continue
        for match in _compiled(index).finditer(text):
            if match.start() in taken or not _random(match[1], bits):
                continue
            taken.add(match.start())
            if match[0] not in allowed:
                yield Found(shape.what, _shown(match[0], match.start(1) - match.start()))
    if "eyJ" in text:
        yield from (
            Found("a signed token (JWT)", _shown(match[0], 3))
            for match in re.finditer(_JWT, text)
            if _is_header(match[1]) and match[0] not in allowed
        )
    if _BLOCK in text:
        yield from (
            Found("a private key", f"{_BLOCK} …")
            for match in re.finditer(_PRIVATE_KEY, text)
            if _random(re.sub(r"\\n|\s", "", match[1])[:200], bits)
        )


@cache
def _compiled(index: int) -> re.Pattern[str]:
    return re.compile(_SHAPES[index].pattern)


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
