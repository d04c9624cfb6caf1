"""One value of a service's JSON in; the same, as we work with it, or `OddValue`, out."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ftctl.domain.observed import JobError
from ftctl.errors import redact
from ftctl.text.escape.single_line import one_line, short
from ftctl.text.identifiers import is_identifier

Raw = Mapping[str, Any]  # an object of the service's, as JSON

_LATEST_SECONDS = 100_000_000_000  # the year 5138; what is more counts milliseconds
_LONGEST_NAME = 512
_LONGEST_CODE = 100
_LONGEST_REASON = 2_000
_READ_OF_REASON = 10_000
UNKNOWN_CODE = "unknown"  # of an error that has none
_DEEPEST = 8
_MOST_PARTS = 20
_REASON_KEYS = ("message", "msg", "detail", "details", "reason", "description", "error")
_NO_REASON = (*_REASON_KEYS, "code", "type", "param")
_LARGEST = 2**63
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class OddValue(ValueError):
    """What a service sent cannot be read. Its text says what is odd, and quotes nothing."""


def mapping(value: object) -> Raw:
    """What is one; an empty one for all else."""
    return value if isinstance(value, Mapping) else {}


def id_of(raw: Raw) -> str:
    """The record's id, as a text. A number is one; what a shell would act on is not."""
    value = raw.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise OddValue("without an id")
    if not is_identifier(value):
        raise OddValue("its id is none")
    return value


def known_id(raw: Raw) -> str | None:
    """A record's id; None where it has none that can be used."""
    try:
        return id_of(raw)
    except OddValue:
        return None


def id_or_stand_in(raw: Raw) -> str:
    """A record's id, or words that stand for it: others for a record that is marked otherwise."""
    if (known := known_id(raw)) is not None:
        return known
    told = repr([raw.get(key) for key in ("metadata", "training_file", "created_at")])
    mark = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"(a job without an id, {mark})"


def text(raw: Raw, key: str) -> str | None:
    """A text; None where it is missing, null or empty."""
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise OddValue(f"its {key} is no text")
    return value


def identifier(raw: Raw, key: str) -> str | None:
    """The name of a job, a model or a file; None where it is missing, null or empty."""
    value = text(raw, key)
    if value is not None and not is_identifier(value):
        raise OddValue(f"its {key} is no name")
    return value


def name(raw: Raw, key: str) -> str | None:
    """A name that is shown, and told to nobody else: of whatever is on one line."""
    value = text(raw, key)
    if value is not None and not is_name(value):
        raise OddValue(f"its {key} is no name")
    return value


def is_name(value: str) -> bool:
    """Whether it is on one line, and of a length that somebody reads."""
    return len(value) <= _LONGEST_NAME and not _NO_NAME.search(value)


def moment(raw: Raw, key: str) -> int | None:
    """A time in Unix seconds; None where it is missing, null, or zero.

    ISO 8601 is read as well, in UTC where it names no zone, and so are milliseconds.
    """
    value = raw.get(key)
    if value is None or value == "":
        return None
    seconds = _seconds(value)
    if seconds is None:
        raise OddValue(f"its {key} is no time")
    return seconds if seconds > 0 else None


def _seconds(value: object) -> int | None:
    if isinstance(value, str):
        try:
            return _seconds(float(value))
        except ValueError:
            return _iso_seconds(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if abs(value) >= _LATEST_SECONDS:
        value = value // 1000
    return int(value) if abs(value) < _LATEST_SECONDS else None


def _iso_seconds(value: str) -> int | None:
    try:
        at = datetime.fromisoformat(value.strip())
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def whole(value: object) -> int | None:
    """A whole number that fits anywhere; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST:
        return None
    return value


def identifiers(values: Iterable[object]) -> tuple[str, ...]:
    """Those of them that can name a job, a model or a file."""
    return tuple(one for one in values if isinstance(one, str) and is_identifier(one))


def number(value: object) -> float | None:
    """A finite number; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= _LARGEST:
        return None
    return value if math.isfinite(value) else None


def count(value: object) -> int | None:
    """How many: a whole number that is not negative; None for all else. Texts may hold one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    known = number(value)
    return int(known) if known is not None and known >= 0 and known == int(known) else None


def reason(raw: object, secrets: Iterable[str] = ()) -> JobError | None:
    """Why something failed, whatever shape that has; None where nothing is said.

    Services send an empty or all-null object where there is no error, and a text, a list or an
    object in an object where there is one.
    """
    told = mapping(raw)
    if raw is None or (told and not any(told.values())):
        return None  # as in nearly every record
    for _ in range(_DEEPEST):
        if not isinstance(told.get("error"), Mapping) or _words(told.get("message")):
            break
        told = told["error"]
    code = _words(told.get("code")) or _words(told.get("type"))
    code = _printed(code, _LONGEST_CODE, secrets)
    message = _printed(_words(told or raw), _LONGEST_REASON, secrets) or code
    if not message:
        return None
    return JobError(
        code or UNKNOWN_CODE,
        message,
        _printed(_words(told.get("param")), _LONGEST_CODE, secrets) or None,
    )


def _printed(words: str, most: int, secrets: Iterable[str]) -> str:
    # No key is cut in two before it is known for one, and nobody reads megabytes.
    return short(one_line(redact(words[:_READ_OF_REASON], secrets)), most)


def _words(value: object, depth: int = 0) -> str:
    """All that a value says, in a line; nothing of nulls and of what is nested too deep."""
    if depth > _DEEPEST:
        return ""
    match value:
        case str():
            return value.strip()
        case int() | float() if value and not isinstance(value, bool):
            return str(value) if abs(value) < _LARGEST else ""
        case Mapping():
            told = (_words(value.get(key), depth + 1) for key in _REASON_KEYS)
            others = [part for key, part in value.items() if key not in _NO_REASON]
            return next(filter(None, told), "") or _words(others, depth + 1)
        case list():
            return "; ".join(
                filter(None, (_words(part, depth + 1) for part in value[:_MOST_PARTS]))
            )
    return ""
