"""An object of the service's and the secrets in; the same without those that it repeats out.

A service may quote what it was sent: a token in a job's error, or among its hyperparameters.
Elsewhere nothing is touched: what a job is known by must not change by a variable's value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ftctl.errors import redact

_QUOTING = ("error", "message", "hyperparameters", "method", "integrations")
_DEEPEST = 50  # levels: nobody says anything below, and Python goes no deeper than a thousand
_SHORTEST = 8  # characters; what is shorter may be a word of the service's own


def without_echoes(raw: Mapping[str, Any], secrets: Collection[str]) -> Mapping[str, Any]:
    """The object with each secret taken out of where a service may quote what it was sent."""
    known = [secret for secret in secrets if len(secret) >= _SHORTEST]
    if not known:
        return raw
    return {key: _cleaned(value, known) if key in _QUOTING else value for key, value in raw.items()}


def _cleaned(value: Any, secrets: Collection[str], depth: int = 0) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if not isinstance(value, Mapping | list):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {key: _cleaned(inner, secrets, depth + 1) for key, inner in value.items()}
    return [_cleaned(inner, secrets, depth + 1) for inner in value]
