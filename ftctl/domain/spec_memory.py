"""A spec in, what a job remembers of it in one metadata value out; and back. It only explains."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from ftctl.domain.digest import canonical_json

SPEC_LENGTH = 512  # characters of a metadata value
# Stands in a spec that was too long to be remembered with its cosmetic fields.
PARTIAL = "…"
_LONG = 40  # characters of a value that a short spec repeats; longer text is named by its hash


def short_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec cut down for remembering: hashes and long texts shortened, the user's pairs left out.

    The pairs stand on the job already.
    """
    return {key: _short(value) for key, value in spec.items() if key != "metadata"}


def packed_spec(spec: Mapping[str, Any], droppable: frozenset[str]) -> str | None:
    """The short spec as text; without its cosmetic fields, or None, where it would be too long."""
    short = short_spec(spec)
    material = {key: value for key, value in short.items() if key not in droppable}
    for part in (short, {**material, PARTIAL: True}):
        packed = canonical_json(part)
        if len(packed) <= SPEC_LENGTH:
            return packed
    return None


def unpacked_spec(text: str | None) -> Mapping[str, Any] | None:
    """What a job remembers; None for what `packed_spec` cannot have written."""
    if text is None or len(text) > SPEC_LENGTH:
        return None
    try:
        spec = json.loads(text, parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return spec if isinstance(spec, dict) else None


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _finite(number: str) -> float:
    if math.isinf(value := float(number)):
        raise ValueError(number)
    return value


def _short(value: Any) -> Any:
    match value:
        case str() if len(value) > _LONG:
            is_hash = len(value.removeprefix("v1:")) == 64
            digest = value if is_hash else hashlib.sha256(value.encode()).hexdigest()
            return f"{digest.removeprefix('v1:')[:12]}…"
        case Mapping():
            return {key: _short(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_short(inner) for inner in value]
    return value
