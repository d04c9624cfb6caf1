"""Plans, fine-tunes and jobs go in; what they cost, and how that was found, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.pricing.estimating import cost_of_tokens, estimate, price_plan
    from ftctl.pricing.spending import Spent, Total, compare, spent, total
    from ftctl.pricing.terms import Terms, terms_of
    from ftctl.pricing.words import range_words, usd

__all__ = [
    "Spent",
    "Terms",
    "Total",
    "compare",
    "cost_of_tokens",
    "estimate",
    "price_plan",
    "range_words",
    "spent",
    "terms_of",
    "total",
    "usd",
]

_HOMES = {
    "Spent": "spending",
    "Terms": "terms",
    "Total": "spending",
    "compare": "spending",
    "cost_of_tokens": "estimating",
    "estimate": "estimating",
    "price_plan": "estimating",
    "range_words": "words",
    "spent": "spending",
    "terms_of": "terms",
    "total": "spending",
    "usd": "words",
}

__getattr__ = lazily(__name__, _HOMES)
