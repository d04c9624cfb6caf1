"""What is asked for and a provider in, one snapshot of what exists out, safe to buy by."""

from __future__ import annotations

from dataclasses import replace

from ftctl.domain.desired import Desired
from ftctl.domain.observed import Observed
from ftctl.planner import models_taken_for_deleted
from ftctl.providers.protocol import Reader


def observe(desired: Desired, provider: Reader, *, others: bool = False) -> Observed:
    """Everything that is the project's, and with `others` what other projects bought.

    A model that would be bought again is asked for by its name: lists lag and leave things out,
    and one that is there after all must not cost a second run.
    """
    adopted = frozenset(one.adopt for one in desired.finetunes if one.adopt is not None)
    observed = provider.observe(desired.project, adopted, others=others)
    doubtful = models_taken_for_deleted(desired, observed)
    found = frozenset(model for model in doubtful if provider.model_visible(model))
    if found and observed.models is not None:
        return replace(observed, models=observed.models | found)
    return observed
