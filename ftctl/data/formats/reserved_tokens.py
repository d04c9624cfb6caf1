"""A row goes in; where its texts hold a model's own marks, and which a service refuses, comes out.

A model's vocabulary has tokens that stand for no text: where a message begins, where a document
ends. Written out they look like `<|im_start|>`. Whoever pastes a log or code of a language model
into a row has them in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ftctl.data.formats.shape import strings
from ftctl.errors import Finding

# "The job failed due to a file format error in the training file. Invalid file format. Example 6174
# message contains an invalid token: <|fim_suffix|>." (github johny-b/llmcomp#59, 2026-02-12). No
# other name was found in any report, so the others are warned of.
REFUSED = frozenset({"<|fim_suffix|>"})
# Rows for a code model are made of it elsewhere: whoever knows the service makes it an error.
REFUSED_CODE = "refused-token"

_BOTH = frozenset({"cl100k_base", "o200k_base"})
# gpt-oss reads with o200k_harmony, which is o200k_base and these (tiktoken 0.14.0).
_HARMONY = frozenset({"o200k_base"})

RESERVED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "<|endoftext|>": _BOTH,
        "<|endofprompt|>": _BOTH,
        "<|fim_prefix|>": _BOTH,
        "<|fim_middle|>": _BOTH,
        "<|fim_suffix|>": _BOTH,
        "<|im_start|>": _BOTH,  # these three frame the messages of a chat
        "<|im_end|>": _BOTH,
        "<|im_sep|>": _BOTH,
        "<|startoftext|>": _HARMONY,
        "<|start|>": _HARMONY,
        "<|end|>": _HARMONY,
        "<|message|>": _HARMONY,
        "<|channel|>": _HARMONY,
        "<|constrain|>": _HARMONY,
        "<|return|>": _HARMONY,
        "<|call|>": _HARMONY,
    }
)
"""Each token, with the encodings of the models to which it is one."""

_TOKEN = re.compile("|".join(map(re.escape, RESERVED)))
# A pattern with a fixed start is found three times as fast as by `in`: 4 GB a second.
_PLAIN = re.compile(rb"<\|")
# JSON may write any character as an escape. Whether what precedes a backslash is another one is
# left to the values.
_ESCAPE = re.compile(rb"\\u00[37]")
_START = re.compile(rb"(?:<|\\u003[cC])(?:\||\\u007[cC])")


def may_hold_reserved(raw: bytes) -> bool:
    """False only for JSON in which no text has a reserved token: nearly all, at a glance."""
    if _PLAIN.search(raw):
        return True
    return _ESCAPE.search(raw) is not None and _START.search(raw) is not None


def check_reserved(row: dict[str, Any], encodings: Collection[str] = ()) -> Iterator[Finding]:
    """The tokens in the row's texts and keys. No encodings: the base model is not known."""
    for place, text in strings(row):
        if "<|" not in text:
            continue
        tokens = [
            token
            for token in dict.fromkeys(_TOKEN.findall(text))
            if not encodings or token in REFUSED or not RESERVED[token].isdisjoint(encodings)
        ]
        if refused := [token for token in tokens if token in REFUSED]:
            yield _finding(REFUSED_CODE, place, refused, "which OpenAI refuses in a text")
        if rest := [token for token in tokens if token not in REFUSED]:
            why = "which models read as a mark and not as text: services may refuse it"
            yield _finding("reserved-token", place, rest, why)


def _finding(code: str, place: str, tokens: list[str], why: str) -> Finding:
    names = " and ".join(repr(token) for token in tokens)
    hint = f"take it out, or write it otherwise, such as '{tokens[0].replace('|', '')}'"
    return Finding(code, f"{place} has {names}, {why}", hint)
