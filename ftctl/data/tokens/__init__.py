"""Exact token counts with no network: texts, training rows and requests go in, numbers come out.

The vocabularies are part of the package. Names load on first use: what never counts pays nothing
for the import.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from ftctl.data.tokens.billing import (
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
    from ftctl.data.tokens.models import encoding_for
    from ftctl.data.tokens.vocabulary import VocabularyError

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
    "EXAMPLE_PRIMING_TOKENS": "billing",
    "Counter": "counter",
    "Form": "billing",
    "Parts": "billing",
    "RowTokens": "billing",
    "TokenBatch": "billing",
    "VocabularyError": "vocabulary",
    "completion_tokens": "billing",
    "count_row": "billing",
    "encoding_for": "models",
    "open_counter": "counter",
    "prompt_tokens": "billing",
}

__getattr__ = lazily(__name__, _HOMES)
