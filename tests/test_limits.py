"""Limits of the project's policy, and the words with which a plan is refused."""

from __future__ import annotations

import pytest
from test_plan import finetune

from ftctl.changes import Action, CancelJob, Change, DeleteFile, DeleteModel, Plan
from ftctl.errors import Refused
from ftctl.limits import check_limits
from ftctl.model import Desired, ServiceInfo
from ftctl.plan import PlanOptions, make_plan
from ftctl.world import Observed

SERVICE = ServiceInfo("openai", "https://api.example/v1")


def buying(count: int) -> Plan:
    names = [f"tone-{number}" for number in range(count)]
    wanted = tuple(finetune(name, n_epochs) for n_epochs, name in enumerate(names, 1))
    return make_plan(Desired("demo", wanted), Observed(), SERVICE, PlanOptions())


def deleting(count: int) -> Plan:
    steps = tuple(DeleteModel(f"ft:{number}") for number in range(count))
    return Plan("demo", SERVICE, (Change("gone", Action.DELETE, "left", steps),))


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_plan_may_buy_and_delete_up_to_the_limit(limit: int) -> None:
    policy = {"max_jobs_created": limit, "max_models_deleted": limit}

    for plan in (buying(limit), deleting(limit)):
        check_limits(plan, policy)
    for plan in (buying(limit + 1), deleting(limit + 1)):
        with pytest.raises(Refused):
            check_limits(plan, policy)


def test_without_a_policy_everything_is_allowed() -> None:
    check_limits(buying(30), {})
    check_limits(deleting(30), {"max_jobs_created": 0})


def test_cancels_and_deleted_files_are_counted_by_no_limit() -> None:
    steps = (CancelJob("ftjob-1", "removed"), DeleteFile("file-1", "f.jsonl"))
    plan = Plan("demo", SERVICE, (Change("gone", Action.CANCEL, "left", steps),))

    check_limits(plan, {"max_jobs_created": 0, "max_models_deleted": 0})


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            buying(1),
            "the plan starts 1 training job; policy.max_jobs_created in ftctl.yaml allows 0",
        ),
        (
            deleting(2),
            "the plan deletes 2 models; policy.max_models_deleted in ftctl.yaml allows 0",
        ),
    ],
    ids=["buying", "deleting"],
)
def test_a_refusal_tells_the_count_the_limit_and_a_way_out(plan: Plan, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_limits(plan, {"max_jobs_created": 0, "max_models_deleted": 0})

    assert str(refusal.value) == words
    assert refusal.value.hint is not None
    assert "--select NAME" in refusal.value.hint
