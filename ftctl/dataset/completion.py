"""A prompt/completion row goes in; what is wrong with it comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.findings import Finding
from ftctl.dataset.shape import check_text, unknown_keys

KEYS = ("prompt", "completion")


def check_completion(row: dict[str, Any]) -> Iterator[Finding]:
    yield from unknown_keys(row, KEYS)
    yield from check_text(row, "prompt")
    yield from check_text(row, "completion", filled=True)
