"""A text in; where keys and tokens stand in it, as they are or encoded, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ftctl.text.credential_forms import (
    FORMS,
    GOOGLE_FORM,
    GOOGLE_OAUTH,
    IN_ADDRESS,
    IN_HEADERS,
    JWT,
    PRIVATE_KEY,
    SHORT_FORMS,
    WHOLE_PRIVATE_KEY,
    CredentialForm,
    FormList,
    compiled,
    rules_in,
    secret_of,
)


def loose_pattern() -> str:
    """One pattern for whatever looks like a key: for text of others that may quote ours."""
    loose = [form.loose for form in (*FORMS, JWT) if form.loose is not None]
    return "|".join([*loose, GOOGLE_OAUTH])


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


def named_key_in(text: str) -> str | None:
    """What kind of key stands in a text that only a word before it says to be one."""
    forms = [form for form in _NAMED.in_text(text) + rules_in(text) if form.named]
    found = (key for form in forms for key in _matches(form, form.exact, text, bool))
    return next((key.what for key in found), None)


def keys_in(text: str) -> Iterator[FoundKey]:
    """Every text that looks like a key, as it is or encoded; the same place may come twice."""
    yield from _plain_keys(text)
    if any(sign in text for sign in _ENCODING):
        yield from _escaped_keys(text)
    yield from _packed_keys(text)


def _plain_keys(text: str) -> Iterator[FoundKey]:
    for form in _SETTLED.in_text(text):
        for pattern in dict.fromkeys((form.exact, form.loose or form.exact)):
            yield from _matches(form, pattern, text, _IS_KEY[form])
    for form in rules_in(text):
        yield from _matches(form, form.exact, text, _is_key)


def _matches(
    form: CredentialForm, pattern: str, text: str, is_key: Callable[[str], bool]
) -> Iterator[FoundKey]:
    for match in compiled(pattern).finditer(text):
        secret = secret_of(form, match)
        if secret is not None and is_key(match[0]):
            # What names it stays, so that a reader knows which key it was.
            yield FoundKey(form.what, *(secret if form.named else match.span()))


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
_HINTS = "|".join(
    re.escape(hint) for form in (*FORMS, *SHORT_FORMS, JWT, PRIVATE_KEY) for hint in form.hints
)


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
        if hints.search(packed.lower()):
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
    if match.startswith("fw_"):  # short, and a name in code may begin so
        return any(map(str.isdigit, match))
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
_IS_KEY: Mapping[CredentialForm, Callable[[str], bool]] = {
    **dict.fromkeys((*FORMS, JWT), _is_key),
    **dict.fromkeys((*SHORT_FORMS, *IN_HEADERS), _is_random),
    GOOGLE_FORM: bool,
    PRIVATE_KEY._replace(exact=WHOLE_PRIVATE_KEY): bool,
    IN_ADDRESS: bool,
}
_SETTLED = FormList(_IS_KEY)
_NAMED = FormList(form for form in FORMS if form.named)


_TAKEN_OUT = "[redacted]"


def looks_taken_out(text: str) -> str:
    """The words of another program without what looks like a key, for certain or not."""
    looks = (form.loose or form.exact for form in (*FORMS, JWT, PRIVATE_KEY) if not form.named)
    text = compiled("|".join((*looks, GOOGLE_OAUTH))).sub(_TAKEN_OUT, text)
    for form in rules_in(text):
        text = compiled(form.exact).sub(_TAKEN_OUT, text)
    return text
