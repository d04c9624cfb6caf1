"""Who overtakes a cancelled job: a newer checkout in the same environment, and nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import COSMETIC, SERVICE, finetune

from ftctl.domain.desired import Desired
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action
from ftctl.planner import PlanOptions, Scope, make_plan

TONE, NEWER, OTHER = finetune("tone"), finetune("tone", 6), finetune("other", 6)
HERE, LATER = "a" * 40, "b" * 40
OURS = Job("ftjob-1", "cancelled", 1, "tone", TONE.digest, commit=HERE)
THEIRS = Job("ftjob-2", "running", 2, "tone", NEWER.digest, commit=LATER)
AHEAD, ASIDE = Scope(newer=frozenset({LATER})), Scope(aside=frozenset({LATER}))


def superseded(ours: Job, theirs: Job, scope: Scope, *more: object) -> bool:
    finetunes = (TONE, *(one for one in more if one is not None))
    options = PlanOptions(cosmetic=COSMETIC, scope=scope, commit=HERE)
    desired = Desired("demo", finetunes)  # type: ignore[arg-type]
    observed = Observed((theirs, ours), models=frozenset())
    change = make_plan(desired, observed, SERVICE, options).changes[0]
    if change.superseded:
        assert change.action is Action.ATTENTION
        assert change.steps == ()
        assert change.reason == (
            "ftjob-1 was superseded by ftjob-2 (of commit bbbbbbb);"
            " --retry-failed buys it all the same"
        )
    return change.superseded


@pytest.mark.parametrize("scope", [AHEAD, ASIDE], ids=["ahead", "nobody can tell"])
def test_a_job_of_another_commit_that_was_bought_since_supersedes(scope: Scope) -> None:
    assert superseded(OURS, THEIRS, scope)
    assert superseded(OURS, replace(THEIRS, status="succeeded", model="ft:2"), scope)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (replace(OURS, status="failed"), THEIRS),
        (OURS, replace(THEIRS, created_at=0)),
        (OURS, replace(THEIRS, commit=HERE)),
        (OURS, replace(THEIRS, commit=None)),
        (OURS, replace(THEIRS, status="failed")),
        (OURS, replace(THEIRS, status="cancelled")),
        (OURS, replace(THEIRS, finetune="other")),
        (OURS, replace(THEIRS, environment="prod")),
        (OURS, replace(THEIRS, digest=None)),
    ],
)
@pytest.mark.parametrize("scope", [AHEAD, ASIDE])
def test_what_tells_less_supersedes_nothing(ours: Job, theirs: Job, scope: Scope) -> None:
    assert not superseded(ours, theirs, scope)


def test_what_this_checkout_asks_for_supersedes_nothing_of_it() -> None:
    named_tone = replace(THEIRS, digest=OTHER.digest)

    assert superseded(OURS, named_tone, AHEAD)
    assert not superseded(OURS, named_tone, AHEAD, OTHER)


def test_where_git_cannot_tell_the_cancelled_one_must_be_of_this_commit() -> None:
    assert not superseded(replace(OURS, commit=None), THEIRS, ASIDE)
    assert not superseded(replace(OURS, commit="c" * 40), THEIRS, ASIDE)
    assert superseded(replace(OURS, commit="c" * 40), THEIRS, AHEAD)
