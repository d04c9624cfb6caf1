"""Plans, fine-tunes and jobs go in; what they cost, and how that was found, comes out."""

from ftctl.cost.estimate import cost_of_tokens, estimate, price_plan
from ftctl.cost.spending import Spent, Total, compare, spent, total
from ftctl.cost.terms import Terms, terms_of
from ftctl.cost.words import range_words, usd

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
