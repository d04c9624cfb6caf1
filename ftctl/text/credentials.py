"""What keys and tokens look like, each form once: for those who redact, and those who search rows.

`exact` is for where a false alarm costs: its last group must look random besides. `loose` is for
where a key that stays costs more. Forms are those that the issuers document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple


class CredentialForm(NamedTuple):
    """A kind of key, in words with its article. A text without `hint` holds none."""

    what: str
    hint: str
    exact: str
    loose: str | None = None


# Longer prefixes first: the first form that fits names the key.
FORMS = (
    CredentialForm("an Anthropic key", "sk-ant-", r"\bsk-ant-[a-z0-9]{2,12}-([A-Za-z0-9_-]{20,})"),
    CredentialForm(
        "an OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-|admin-|None-)?([A-Za-z0-9_-]{20,})"
    ),
    CredentialForm("an AWS access key", "AKIA", r"\bAKIA([A-Z2-7]{16})\b", r"\bAKIA[A-Z0-9]{12,}"),
    CredentialForm(
        "a temporary AWS access key", "ASIA", r"\bASIA([A-Z2-7]{16})\b", r"\bASIA[A-Z0-9]{12,}"
    ),
    CredentialForm(
        "a Bedrock API key",
        "bedrock-api-key-",
        r"\bbedrock-api-key-([A-Za-z0-9+/_-]{40,}={0,2})",
        r"\bbedrock-api-key-[A-Za-z0-9+/_-]{16,}={0,2}",
    ),
    CredentialForm(
        "an AWS secret key",
        "aws_secret_access_key",
        r"aws_secret_access_key[\"']?\s{0,9}[=:]\s{0,9}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    CredentialForm(
        "a GitHub token", "github_pat_", r"\bgithub_pat_([A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b"
    ),
    *(
        CredentialForm(
            "a GitHub token",
            prefix,
            rf"\b{prefix}([A-Za-z0-9]{{36,}})\b",
            rf"\b{prefix}[A-Za-z0-9]{{16,}}",
        )
        for prefix in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")
    ),
    CredentialForm("a GitLab token", "glpat-", r"\bglpat-([A-Za-z0-9_-]{20,})"),
    CredentialForm("a Slack token", "xox", r"\bxox[abeoprs]-([A-Za-z0-9-]{16,})"),
    CredentialForm(
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/([A-Za-z0-9]{20,})",
    ),
    CredentialForm("a Google key", "AIza", r"\bAIza([A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    CredentialForm("a Stripe key", "k_live_", r"\b[sr]k_live_([A-Za-z0-9]{20,})"),
    CredentialForm(
        "a Hugging Face token", "hf_", r"\bhf_([A-Za-z]{34})\b", r"\bhf_[A-Za-z0-9]{8,}"
    ),
    CredentialForm("an npm token", "npm_", r"\bnpm_([A-Za-z0-9]{36})\b"),
    CredentialForm("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.([A-Za-z0-9_-]{43})"),
    CredentialForm("a PyPI token", "pypi-", r"\bpypi-(AgE[A-Za-z0-9_-]{50,})"),
)

_GOOGLE_OAUTH = r"\bya29\.[\w.\-]+"  # of no fixed length: in rows it would be a guess
_GOOGLE_FORM = CredentialForm("a Google token", "ya29.", _GOOGLE_OAUTH)
JWT = CredentialForm(
    "a signed token (JWT)",
    "eyJ",
    r"\b(eyJ[A-Za-z0-9_-]{8,})\.(eyJ[A-Za-z0-9_-]{8,})\.([A-Za-z0-9_-]{20,})",
    r"\beyJ[\w\-]{8,}\.[\w\-]+(?:\.[\w\-]+)?",
)
_WHOLE_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{40,}(?:-----END [A-Z ]+-----)?"
)
PRIVATE_KEY = CredentialForm(
    "a private key",
    "-----BEGIN",
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----([^-]{40,})",
)

# Of those who speak OpenAI's wire: any length, so that only what looks random counts. A made-up key
# of words, as local services take, and a name such as sk-support-2025 (Slovak) are none.
_SHORT_FORMS = tuple(
    CredentialForm("a key", f"{prefix}-", rf"\b{prefix}-[A-Za-z0-9_\-]{{8,}}")
    for prefix in ("sk", "ek", "rk")
)
# In the words of HTTP: `Authorization: Bearer …`, `x-api-key: …`. Case does not count.
_IN_HEADERS = (
    CredentialForm("a key in a header", "bearer", r"(?i:(?<=\bbearer )[A-Za-z0-9._~+/=-]{16,})"),
    CredentialForm("a password in a header", "basic", r"(?i:(?<=\bbasic )[A-Za-z0-9+/_-]{12,}=*)"),
    CredentialForm(
        "a key in a header",
        "key",
        r"(?i:(?<=\bapi[-_]key: )[A-Za-z0-9._~+/=-]{16,}|(?<=\bsubscription-key: )[a-f0-9]{32})",
    ),
)
_IN_ADDRESS = CredentialForm(
    "a password in an address", "://", r"(?<=://)[^/\s@:\"'<>]*:[^/\s@\"'<>]+(?=@)"
)


def loose_pattern() -> str:
    """One pattern for whatever looks like a key: for text of others that may quote ours."""
    loose = [form.loose for form in (*FORMS, JWT) if form.loose is not None]
    return "|".join([*loose, _GOOGLE_OAUTH])


# Words in the name of a header, parameter or field whose value lets its bearer in.
_SECRET_WORDS = frozenset({
    "key", "apikey", "accesskey", "subscriptionkey", "token", "accesstoken", "authtoken", "secret",
    "password", "passwd", "pwd", "auth", "authorization", "credential", "credentials", "signature",
    "sig", "jwt", "bearer", "cookie",
})  # fmt: skip
_WORDS = re.compile(r"[^a-z0-9]+")
_SHORTEST_KEY = 16  # characters; what is shorter is a name


def names_secret(name: str) -> bool:
    """Whether what is called so is a secret, such as `x-api-key`."""
    return not _SECRET_WORDS.isdisjoint(_WORDS.split(name.lower()))


class FoundKey(NamedTuple):
    """What kind of key stands in a text, in words with its article, and where."""

    what: str
    start: int
    end: int


def key_in(text: str) -> str | None:
    """What kind of key a setting holds, in words with its article; None for plain text.

    Stricter than a search of rows: no setting needs a text that looks so, not even a made-up one.
    What it lets by, `redact` lets by: what stands in a manifest is shown as it stands there.
    """
    found = next(keys_in(text), None)
    return None if found is None else found.what


def keys_in(text: str) -> Iterator[FoundKey]:
    """Every text that looks like a key, as it is or encoded; the same place may come twice."""
    yield from _plain_keys(text)
    if any(sign in text for sign in _ENCODING):
        yield from _escaped_keys(text)
    yield from _packed_keys(text)


def _plain_keys(text: str) -> Iterator[FoundKey]:
    lowered = text.lower()
    for form, is_key in _SETTLED:
        if form.hint in (text if form not in _IN_HEADERS else lowered):
            for pattern in dict.fromkeys((form.exact, form.loose or form.exact)):
                for match in _compiled(pattern).finditer(text):
                    if is_key(match[0]):
                        yield FoundKey(form.what, *match.span())


_ENCODING = frozenset("%\\&")
_WORD = r"[^\s\"'<>(){}\[\],]{11,}"  # what is shorter is no key, however it is written


def _escaped_keys(text: str) -> Iterator[FoundKey]:
    """Words with escapes that spell a key: in an address, in JSON, in HTML."""
    for match in _compiled(_WORD).finditer(text):
        word = match[0]
        if _ENCODING.isdisjoint(word) or (plain := unescaped(word)) == word:
            continue
        found = next(_plain_keys(plain), None)
        if found is not None and next(_plain_keys(word), None) is None:
            yield FoundKey(found.what, *match.span())


def unescaped(text: str) -> str:
    """The text without escapes of addresses, JSON, Python and HTML, in layers too."""
    from html import unescape  # noqa: PLC0415 - few texts have any
    from urllib.parse import unquote  # noqa: PLC0415

    for _layer in range(4):
        before = text
        text = unquote(text) if "%" in text else text
        text = unescape(text) if "&" in text else text
        text = _whole(_compiled(_BACKSLASH).sub(_character, text)) if "\\" in text else text
        if text == before:
            break
    return text


_BACKSLASH = r"(?<!\\)\\{1,8}(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(?=[^\w\s\\]))"


def _whole(text: str) -> str:
    """With the halves of characters put together that JSON escapes one by one."""
    if _compiled("[\ud800-\udfff]").search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(match: re.Match[str]) -> str:
    number = match[1] or match[2]
    return chr(int(number, 16)) if number else ""


# Packed so, a key is a run of these. What is shorter holds none.
_RUN = b"w" * 24
PACKED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_RUNS = bytes(ord("w") if sign in PACKED.encode() else ord(" ") for sign in range(256))
_HEX = frozenset("0123456789abcdefABCDEF")
_HINTS = "|".join(re.escape(form.hint) for form in (*FORMS, *_SHORT_FORMS, JWT, PRIVATE_KEY))


def _packed_runs(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Each run that may be base64 or hexadecimal, with what it unpacks to, from each alignment."""
    if len(text) < len(_RUN):
        return
    # In Latin-1 with a sign for all else, an index of bytes is one of the text.
    runs = text.encode("latin-1", "replace").translate(_RUNS)
    start = runs.find(_RUN)
    while start >= 0:
        end = runs.find(b" ", start)
        end = len(runs) if end < 0 else end
        run = text[start:end]
        for packed in _unpacked(run):
            yield start, end, packed
        start = runs.find(_RUN, end)


def _unpacked(run: str) -> Iterator[bytes]:
    if _HEX.issuperset(run):
        yield bytes.fromhex(run[: len(run) // 2 * 2])
        yield bytes.fromhex(run[1 : len(run) - (len(run) + 1) % 2])
        return
    from base64 import b64decode  # noqa: PLC0415 - few texts have such runs

    plain = run.replace("-", "+").replace("_", "/")
    for skipped in range(4):
        whole = plain[skipped:]
        yield b64decode(whole[: len(whole) // 4 * 4] + _ENDS[len(whole) % 4](whole))


_ENDS: Sequence[Callable[[str], str]] = (
    lambda _run: "",
    lambda _run: "",  # no number of bytes ends so
    lambda run: f"{run[-2:]}==",
    lambda run: f"{run[-3:]}=",
)


def _packed_keys(text: str) -> Iterator[FoundKey]:
    """Runs of base64 or hexadecimal digits that unpack to a key."""
    hints = _compiled_bytes(_HINTS)
    for start, end, packed in _packed_runs(text):
        if hints.search(packed):
            found = next(_plain_keys(packed.decode("latin-1")), None)
            if found is not None:
                yield FoundKey(found.what, start, padded_end(text, end))


def padded_end(text: str, end: int) -> int:
    """Where base64 ends with its padding."""
    return end + len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _compiled_bytes(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


def _is_key(match: str) -> bool:
    """Whether it is more than words, as names in code are: sk-learn-models-for-text."""
    if match.startswith("sk-"):
        return _is_random(match)
    return len(match) >= _SHORTEST_KEY and not (
        match.islower() and not any(sign.isdigit() for sign in match)
    )


def _is_random(match: str) -> bool:
    """Whether a part of it is no word and no number: it mixes letters and digits, or is too long.

    Cases count as well, but for a capital at the beginning.
    """
    parts = _compiled(r"[A-Za-z0-9]{8,}").findall(match)
    return any(not part.isdigit() and (len(part) >= 16 or not _is_word(part)) for part in parts)


def _is_word(part: str) -> bool:
    return part.isalpha() and (part.islower() or part.isupper() or part.istitle())


# Each form, and what tells a key from honest text that looks like it.
_SETTLED: Sequence[tuple[CredentialForm, Callable[[str], bool]]] = (
    *((form, _is_key) for form in (*FORMS, JWT)),
    *((form, _is_random) for form in (*_SHORT_FORMS, *_IN_HEADERS)),
    (_GOOGLE_FORM, bool),
    (PRIVATE_KEY._replace(exact=_WHOLE_PRIVATE_KEY), bool),
    (_IN_ADDRESS, bool),
)


def looks_taken_out(text: str) -> str:
    """The words of another program without what looks like a key, for certain or not."""
    looks = (form.loose or form.exact for form in (*FORMS, JWT, PRIVATE_KEY))
    return re.sub("|".join((*looks, _GOOGLE_OAUTH)), "[redacted]", text)
