"""Exact token counts with no network: texts, training rows and requests go in, numbers come out.

The vocabularies are part of the package. Names load on first use: what never counts pays nothing
for the import.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.data.tokens.chat_counting import (
        EXAMPLE_PRIMING_TOKENS,
        Form,
        Parts,
        RowTokens,
        TokenBatch,
        completion_tokens,
        count_row,
        prompt_tokens,
    )
    from ftctl.data.tokens.counter import Counter, open_counter
    from ftctl.data.tokens.model_encodings import encoding_for
    from ftctl.data.tokens.vocabularies import VocabularyError

__all__ = [
    "EXAMPLE_PRIMING_TOKENS",
    "Counter",
    "Form",
    "Parts",
    "RowTokens",
    "TokenBatch",
    "VocabularyError",
    "completion_tokens",
    "count_row",
    "encoding_for",
    "open_counter",
    "prompt_tokens",
]

_HOMES = {
    "EXAMPLE_PRIMING_TOKENS": "chat_counting",
    "Counter": "counter",
    "Form": "chat_counting",
    "Parts": "chat_counting",
    "RowTokens": "chat_counting",
    "TokenBatch": "chat_counting",
    "VocabularyError": "vocabularies",
    "completion_tokens": "chat_counting",
    "count_row": "chat_counting",
    "encoding_for": "model_encodings",
    "open_counter": "counter",
    "prompt_tokens": "chat_counting",
}

__getattr__ = lazily(__name__, _HOMES)
