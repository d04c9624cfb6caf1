"""A reinforcement row goes in; what is wrong with it comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.conversation import check_messages
from ftctl.dataset.findings import Finding
from ftctl.dataset.tools import check_declarations


def check_reinforcement(row: dict[str, Any]) -> Iterator[Finding]:
    """Keys beside the messages and tools are free: they are what the grader reads."""
    declared = yield from check_declarations(row)
    messages = yield from check_messages(row, declared)
    if messages and messages[-1]["role"] != "user":
        message = f"messages ends with the role {messages[-1]['role']}, not user"
        hint = "end with the question; the model answers it and the grader judges the answer"
        yield Finding("last-not-user", message, hint)
