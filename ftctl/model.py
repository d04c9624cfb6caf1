"""The nouns that the stages hand to one another: frozen values without behaviour beyond counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ftctl.errors import Span

Format = Literal["chat", "completion", "preference", "reinforcement"]
Method = Literal["supervised", "dpo", "reinforcement"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file that passed its checks. Its identity is the SHA-256 of the bytes to be uploaded."""

    name: str
    path: str  # as people know it, relative to the project's folder
    sha256: str
    examples: int
    bytes: int
    format: Format
