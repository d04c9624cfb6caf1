"""Plain values in, YAML out that every reader reads alike: whatever could be a trap is quoted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftctl.errors import redact
from ftctl.manifest.scalars import plainly, read_scalar
from ftctl.text.escape import backslashed

_PLAIN = re.compile(r"(?:\.\./)*[A-Za-z][A-Za-z0-9_./-]+")
_LONGEST_COMMENT = 300  # characters


def block(key: str, value: Any, indent: str = "") -> Iterator[str]:
    """The lines of `key: value`; mappings stand one key a line."""
    if isinstance(value, Mapping) and value:
        yield f"{indent}{_scalar(key)}:"
        for inner, entry in value.items():
            yield from block(inner, entry, f"{indent}  ")
    else:
        yield f"{indent}{_scalar(key)}: {_flow(value)}"


def comment(text: str) -> str:
    """A comment of one line, whatever the text holds."""
    line = backslashed(text)
    short = line if len(line) <= _LONGEST_COMMENT else f"{line[:_LONGEST_COMMENT]}…"
    return f"# {short}"


def cannot_stand(value: Any) -> str | None:
    """Why a value cannot stand in a manifest; None where it can."""
    match value:
        case str():
            if "\0" in value or re.search("[\ud800-\udfff]", value):
                return "it holds a character that YAML has no word for"
            if redact(value) != value:
                return "it looks like a key"
        case float() if not math.isfinite(value):
            return "it is no finite number"
        case Mapping():
            inner = (cannot_stand(one) for pair in value.items() for one in pair)
            return next((reason for reason in inner if reason), None)
        case list():
            return next((reason for one in value if (reason := cannot_stand(one))), None)
    return None


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            pairs = (f"{_scalar(str(key))}: {_flow(entry)}" for key, entry in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(_flow(one) for one in value)}]"
        case str():
            return _scalar(value)
        case float():
            return str(int(value)) if value.is_integer() else plainly(value)
        case _:
            return json.dumps(value)


def _scalar(text: str) -> str:
    """The text as it is where nobody can take it for anything else, else in double quotes."""
    if _PLAIN.fullmatch(text) and read_scalar(text) == text:
        return text
    return backslashed(json.dumps(text, ensure_ascii=False))
