"""A value of a row in; its JSON for others to read, without keys and persons' data, out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ftctl.data.diff.diff_words import shown_value
from ftctl.data.quality.personal import personal_in
from ftctl.data.quality.secret_search import secrets_in
from ftctl.domain.digest import canonical_json
from ftctl.domain.quality_settings import QualitySettings
from ftctl.errors import redact
from ftctl.text.escape import json_in_log, short

MOST_SHOWN = 600  # characters of a value
_MOST_READ = 5_000  # characters of a value that are looked through
_MOST_MASKED = 20  # findings in one of its texts; one with more is left out
_LONGEST = 200  # what the end of a text that was cut may hold the beginning of

_KEY = r"[A-Za-z0-9_.+/=-]*"
_ADDRESS = r"[A-Za-z0-9._%+-]{0,64}"
_NUMBER = r"[A-Za-z0-9 .()/-]{0,60}?"  # some numbers have letters


def masked_text(value: Any) -> str:
    """The value on one line, `nothing` for none, cut after 600 characters.

    What `ftctl dataset check` finds to be a key, an address or a person's number is taken out; a
    text from which it cannot be taken is left out as a whole.
    """
    if value is ...:
        return "nothing"
    masked = _masked(canonical_json(_parts_masked(shown_value(value))))
    return short(json_in_log(masked), MOST_SHOWN)


def _parts_masked(value: Any) -> Any:
    """The value with each of its texts masked: within JSON a line's end would hide what follows."""
    if isinstance(value, str):
        return _masked(value)
    if isinstance(value, dict):
        return {_masked(key): _parts_masked(part) for key, part in value.items()}
    return [_parts_masked(part) for part in value] if isinstance(value, list) else value


def _masked(text: str) -> str:
    read = redact(text[:_MOST_READ])
    for what, form in islice(_forms(read), _MOST_MASKED):
        read = re.sub(form, f"[{what}]", read)
    if left := next(_forms(read), None):
        return f"[a text with {left[0]}]"
    return read if len(text) <= _MOST_READ else f"{read[:-_LONGEST]}…"


def _forms(text: str) -> Iterator[tuple[str, str]]:
    """Of each finding, what it is, and a pattern for what it shows only the ends of."""
    for found in secrets_in(text, QualitySettings().secret_bits):
        head, _, tail = found.shown.partition("…")
        block = head.startswith("-----BEGIN")
        ends = re.escape(head) + _KEY + re.escape(tail)
        yield found.what, r"(?s)-----BEGIN.*" if block else ends
    for found in personal_in(text, ()):
        head, _, tail = found.shown.partition("…")
        if tail.startswith("@"):
            yield found.what, re.escape(head) + _ADDRESS + re.escape(tail)
        else:
            yield found.what, _parted(head) + _NUMBER + _parted(tail) + r"(?![A-Za-z0-9])"


def _parted(ends: str) -> str:
    """The ends of a number, however people part it."""
    return r"[ .()/-]{0,3}".join(map(re.escape, ends))
