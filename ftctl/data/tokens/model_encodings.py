"""A model's name goes in; the vocabulary that it reads and writes with comes out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "gpt-4.1": "o200k_base",
        "gpt-4o": "o200k_base",
        "chatgpt-4o": "o200k_base",
        "gpt-4.5": "o200k_base",
        "gpt-5": "o200k_base",
        "o1": "o200k_base",
        "o3": "o200k_base",
        "o4-mini": "o200k_base",
        # Its own o200k_harmony adds special tokens only: text comes to the same tokens.
        "gpt-oss": "o200k_base",
        "gpt-4": "cl100k_base",
        "gpt-3.5-turbo": "cl100k_base",
        "gpt-35-turbo": "cl100k_base",  # the same model as Azure spells it
        "babbage-002": "cl100k_base",
        "davinci-002": "cl100k_base",
    }
)
"""By family: a name belongs to one if it is that name, or that name, a hyphen and more."""

_VENDORS = ("openai/", "openai.")  # how gateways and Bedrock lead in the same names


def encoding_for(model: str) -> str | None:
    """The encoding of a base model, an alias, a snapshot or a fine-tuned model.

    None for a model that is not in the table (another vendor's, or a newer one). Counting with
    o200k_base is then an estimate, and must be shown as one. A fine-tuned model (`ft:BASE:…`) has
    its base's encoding; tiktoken's own table is wrong there, since it takes `ft:gpt-4.1-…` for a
    `gpt-4`.
    """
    base = model.split(":")[1] if model.startswith("ft:") else model
    for vendor in _VENDORS:
        base = base.removeprefix(vendor)
    words = base.split("-")
    for count in range(1, min(len(words), 3) + 1):  # no family has more than three words
        encoding = ENCODINGS.get("-".join(words[:count]))
        if encoding is not None:
            return encoding
    return None
