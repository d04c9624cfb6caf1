"""A row's keys go in; which shape of other tools `ftctl dataset convert` knows them for comes out.

The formats say of such rows how they are converted; the conversions say what they mean.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

KnownShape = Literal["chat", "completion", "preference", "sharegpt", "alpaca", "pairs"]

# Columns that need no template: (question, answer), by their names in lower case.
_KNOWN_PAIRS = (
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("prompt", "response"),
    ("input", "output"),
    ("user", "assistant"),
    ("text", "label"),
)


def shape_of(keys: Collection[str]) -> KnownShape | None:
    """The shape that the keys speak of."""
    known = set(keys)
    if "messages" in known:
        return "chat"
    if "conversations" in known:
        return "sharegpt"
    if "preferred_output" in known:
        return "preference"
    if {"chosen", "rejected"} <= known:
        return "pairs"
    if {"instruction", "output"} <= known:
        return "alpaca"
    return "completion" if {"prompt", "completion"} <= known else None


def known_pair(columns: Collection[str]) -> tuple[str, str] | None:
    """The columns of the question and its answer, as they are written."""
    by_name = {name.lower(): name for name in columns}
    for question, answer in _KNOWN_PAIRS:
        if question in by_name and answer in by_name:
            return by_name[question], by_name[answer]
    return None
