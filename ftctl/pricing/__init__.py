"""Plans, fine-tunes and jobs go in; what they cost, and how that was found, comes out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.pricing.answers import differences_of, is_dearer, told_differences
    from ftctl.pricing.estimating import (
        cost_of_tokens,
        estimate,
        estimate_of_job,
        price_plan,
    )
    from ftctl.pricing.expected import expected_costs
    from ftctl.pricing.so_far import cost_so_far
    from ftctl.pricing.spending import (
        Spent,
        Total,
        compare,
        cost_of_job,
        newest_time,
        spent,
        total,
    )

__all__ = [
    "Spent",
    "Total",
    "compare",
    "cost_of_job",
    "cost_of_tokens",
    "cost_so_far",
    "differences_of",
    "estimate",
    "estimate_of_job",
    "expected_costs",
    "is_dearer",
    "newest_time",
    "price_plan",
    "spent",
    "told_differences",
    "total",
]

_HOMES = {
    "Spent": "spending",
    "Total": "spending",
    "compare": "spending",
    "cost_of_job": "spending",
    "cost_of_tokens": "estimating",
    "cost_so_far": "so_far",
    "differences_of": "answers",
    "estimate": "estimating",
    "estimate_of_job": "estimating",
    "expected_costs": "expected",
    "is_dearer": "answers",
    "newest_time": "spending",
    "price_plan": "estimating",
    "spent": "spending",
    "told_differences": "answers",
    "total": "spending",
}

__getattr__ = lazily(__name__, _HOMES)
