"""A row goes in; what is kept of it to check it among the others comes out: 36 bytes, or 100."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

from ftctl.data.encodings.mojibake import may_be_misread, misread
from ftctl.data.quality.fold import folded, key_of, words_of
from ftctl.data.quality.languages import told_in
from ftctl.data.quality.parts import Parts, parts_of, places_of
from ftctl.data.quality.personal import may_hold_personal, personal_in
from ftctl.data.quality.refusals import missing, refuses, unwritten
from ftctl.data.quality.secret_search import may_hold_secret, secrets_in
from ftctl.data.quality.similar import signature_of
from ftctl.domain.desired import Format
from ftctl.domain.quality_settings import QualitySettings

ROW = Struct("<IQQQIBBH")
"""Line, keys of the whole row, of its prompt and of its answer, characters, the languages of
question and answer, flags."""

KEYS = 1 << 64
_EVERYTHING = QualitySettings()


class Flag:
    """What a row's answer is, and what its text holds. Plain numbers: an enum's cost much more."""

    NO_ANSWER = 1
    NO_PROMPT = 2
    EMPTY = 4
    ECHO = 8
    UNWRITTEN = 16
    MISSING = 32  # a word for 'none', which may be a label
    REFUSAL = 64
    SECRET = 128
    PERSONAL = 256
    STANDING_SECRET = 512
    STANDING_PERSONAL = 1024
    MOJIBAKE = 2048
    ASKED_CERTAINLY = 4096  # the question's language is certain,
    STANDING_MOJIBAKE = 8192
    SAID_CERTAINLY = 16384  # and the answer's
    CLOSELY = 32768  # the row is one of those whose languages were looked at closely


class Detail(NamedTuple):
    """What was found in a text of the row, without its middle."""

    line: int
    flag: int
    message: str


class RowFingerprint(NamedTuple):
    """What is kept of a row."""

    row: bytes
    signature: bytes = b""
    details: tuple[Detail, ...] = ()


class _Standing(NamedTuple):
    """What stands in every row, once looked at."""

    exact: bytes
    folded: bytes
    suspect: bool
    misread: bool


def fingerprint_of(
    row: Mapping[str, Any], form: Format, line: int, settings: QualitySettings = _EVERYTHING
) -> RowFingerprint:
    """The row's fingerprint; it depends on nothing but the arguments, and nothing raises."""
    parts = parts_of(row, form)
    standing = _standing(parts.standing)
    answer = parts.answer
    text = "\x1e".join((parts.prompt, answer or "", parts.other, parts.more))
    raw = text.encode("utf-8", "surrogatepass")
    prompt = folded(parts.prompt)
    flags, folded_answer = Flag.NO_ANSWER, b""
    if answer is not None:
        folded_answer = folded(answer + parts.more if parts.acts else answer)
        flags = _flags_of(parts)
    if not prompt:
        flags |= Flag.NO_PROMPT
    details: tuple[Detail, ...] = ()
    if settings.scans and (standing.suspect or may_hold_secret(raw) or may_hold_personal(raw)):
        details = tuple(_details_of(row, form, line, settings))
    if settings.mojibake != "ignore" and (standing.misread or may_be_misread(text, raw)):
        details += tuple(_misread_details(row, form, line))
    for detail in details:
        flags |= detail.flag
    key = key_of(standing.exact + raw)
    asked_in = said_in = 0
    if settings.languages != "ignore":
        one_in = settings.languages_of_one_in
        closely = one_in > 0 and key % one_in == 0
        asked, said = (told_in(one, closely=closely) for one in (parts.question, answer or ""))
        asked_in, said_in = asked.number, said.number
        flags |= Flag.CLOSELY * closely
        flags |= Flag.ASKED_CERTAINLY * asked.certain | Flag.SAID_CERTAINLY * said.certain
    packed = ROW.pack(
        line & 0xFFFFFFFF,
        key,
        key_of(standing.folded + prompt),
        _answer_key(parts, folded_answer),
        min(len(parts.prompt) + len(answer or "") + len(parts.other), 0xFFFFFFFF),
        asked_in,
        said_in,
        flags,
    )
    if not settings.signs:
        return RowFingerprint(packed, b"", details)
    return RowFingerprint(packed, signature_of(words_of(parts.prompt or answer or "")), details)


def _answer_key(parts: Parts, answer: bytes) -> int:
    """Of a pair of outputs, the negative of the pair's with its outputs swapped."""
    if parts.answer is None:
        return 0
    if parts.other:
        return (key_of(answer) - key_of(folded(parts.other))) % KEYS
    return key_of(answer)


def _flags_of(parts: Parts) -> int:
    answer = parts.answer or ""
    if parts.acts:
        return 0
    if not answer.strip():
        return Flag.EMPTY
    if unwritten(answer):
        return Flag.UNWRITTEN
    if missing(answer):
        return Flag.MISSING
    if refuses(answer):
        return Flag.REFUSAL
    return Flag.ECHO if answer.strip() == parts.question.strip() else 0


@lru_cache(maxsize=512)
def _standing(texts: tuple[str, ...]) -> _Standing:
    """Remembered by value: one system message stands in every row of a file."""
    raw = "\x1e".join(texts).encode("utf-8", "surrogatepass")
    exact = key_of(raw).to_bytes(8, "little")
    plain = key_of(b"\x1e".join(map(folded, texts))).to_bytes(8, "little")
    suspect = may_hold_secret(raw) or may_hold_personal(raw)
    return _Standing(exact, plain, suspect, any(map(may_be_misread, texts)))


def _details_of(
    row: Mapping[str, Any], form: Format, line: int, settings: QualitySettings
) -> list[Detail]:
    found = []
    for place, text, standing in places_of(row, form):
        for flag, what, shown in _found_in(text, settings):
            flagged = flag << 2 if standing else flag
            found.append(Detail(line, flagged, f"{place} holds {what}, {shown}"))
    return list(dict.fromkeys(found))


def _misread_details(row: Mapping[str, Any], form: Format, line: int) -> Iterator[Detail]:
    for place, text, standing in places_of(row, form):
        found = _misread(text) if may_be_misread(text) else None
        if found is not None:
            flag = Flag.STANDING_MOJIBAKE if standing else Flag.MOJIBAKE
            yield Detail(line, flag, f"{place} {found.words}")


_misread = lru_cache(maxsize=512)(misread)


@lru_cache(maxsize=512)
def _found_in(text: str, settings: QualitySettings) -> tuple[tuple[int, str, str], ...]:
    raw = text.encode("utf-8", "surrogatepass")
    found = []
    if settings.secrets != "ignore" and may_hold_secret(raw):
        found += [
            (Flag.SECRET, one.what, one.shown)
            for one in secrets_in(text, settings.secret_bits, settings.allow)
        ]
    if settings.personal_data != "ignore" and may_hold_personal(raw):
        found += [
            (Flag.PERSONAL, one.what, one.shown)
            for one in personal_in(text, settings.allow, settings.regions)
        ]
    return tuple(found)
