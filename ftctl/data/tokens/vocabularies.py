"""An encoding's name goes in; the vocabulary that came with the package comes out, checked.

The ranks, patterns and special tokens are those that tiktoken 0.14.0 publishes (MIT; see
`ranks/NOTICE.md`). tiktoken itself would download them at run time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ftctl.data.tokens.rank_files import unpack

RANKS = Path(__file__).with_name("ranks")


class VocabularyError(Exception):
    """A vocabulary that is unknown, missing or damaged; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Where an encoding's tokens are, how text is cut before they apply, and what is special."""

    name: str
    url: str  # the official file, never fetched
    official_sha256: str
    packed_sha256: str
    pattern: str
    special_tokens: Mapping[str, int]


VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType(
    {
        "o200k_base": Vocabulary(
            "o200k_base",
            "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            "dce434c331e2b595eab34335423e5d1924359ebb49b6d2eae3c4539c0c0ed1c0",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
        ),
        "cl100k_base": Vocabulary(
            "cl100k_base",
            "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            "1b57c7f611a970e92cfb0d6b24bba94d62b107e2fdeb89a0ef76f248e6169b88",
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
            r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
            {
                "<|endoftext|>": 100257,
                "<|fim_prefix|>": 100258,
                "<|fim_middle|>": 100259,
                "<|fim_suffix|>": 100260,
                "<|endofprompt|>": 100276,
            },
        ),
    }
)


def find_vocabulary(encoding: str) -> Vocabulary:
    """The row of an encoding; VocabularyError if there is none."""
    vocabulary = VOCABULARIES.get(encoding)
    if vocabulary is None:
        known = ", ".join(VOCABULARIES)
        raise VocabularyError(f"unknown encoding '{encoding}'; known are: {known}")
    return vocabulary


def read_tokens(vocabulary: Vocabulary, folder: Path = RANKS) -> tuple[bytes, ...]:
    """The tokens in the order of their ranks; VocabularyError if their file is not as shipped."""
    path = folder / f"{vocabulary.name}.ranks"
    try:
        packed = path.read_bytes()
    except OSError as fault:
        raise VocabularyError(f"{path}: {fault.strerror}; install ftctl again") from fault
    if hashlib.sha256(packed).hexdigest() != vocabulary.packed_sha256:
        raise VocabularyError(f"{path}: the file is damaged; install ftctl again")
    return unpack(packed)
