"""Whose a job is when names change: by its digest, or by what was bought after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import SERVICE, finetune, succeeded

from ftctl.domain.desired import Desired, FineTune
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action, DeleteModel, Plan
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.lineage import lineage
from ftctl.planner.retention import make_destroy_plan

A1, A2, A3 = (finetune("a", epochs) for epochs in (1, 2, 3))
B1, B2, B3 = (finetune("b", epochs, training="lines") for epochs in (1, 2, 3))
# Each was trained three times; a is kept five times and b once.
JOBS = tuple(
    succeeded(f"ftjob-{of.name}{of.spec['hyperparameters']['n_epochs']}", of, at)
    for at, of in enumerate((A1, B1, A2, B2, A3, B3), 1)
)


def called(of: FineTune, name: str, keep: int = 2) -> FineTune:
    return replace(of, name=name, keep=keep)


def plan_of(*finetunes: FineTune, jobs: tuple[Job, ...] = JOBS, prune: bool = False) -> Plan:
    observed = Observed(jobs, (), frozenset(f"{job.model}" for job in jobs if job.model))
    return make_plan(Desired("demo", finetunes), observed, SERVICE, PlanOptions(prune=prune))


def deleted(plan: Plan) -> list[str]:
    steps = plan.steps(DeleteModel)
    return [step.model.rpartition("-")[2] for step in steps if isinstance(step, DeleteModel)]


def test_every_job_is_its_names_as_long_as_names_stay() -> None:
    found = lineage(Desired("demo", (A3, B3)), JOBS)

    assert found == {job.id: job.finetune for job in JOBS}


def test_exchanged_names_take_their_pasts_along() -> None:
    found = lineage(Desired("demo", (called(B3, "a"), called(A3, "b"))), JOBS)

    assert found == {job.id: "b" if job.finetune == "a" else "a" for job in JOBS}


def test_a_model_that_is_kept_is_not_deleted_by_another_who_has_its_name_now() -> None:
    five, one = called(A3, "b", keep=5), called(B3, "a", keep=1)

    plan = plan_of(one, five)

    assert deleted(plan) == ["b2", "b1"]  # those of the one that keeps one, and no others
    assert [change.name for change in plan.changes if change.steps] == ["a"]


def test_after_an_exchange_what_is_trained_next_retires_its_own_past_alone() -> None:
    newest = succeeded("ftjob-b4", finetune("a", 4, training="lines"), 7)
    one = replace(finetune("a", 4, training="lines"), keep=1)

    plan = plan_of(one, called(A3, "b", keep=5), jobs=(*JOBS, newest))

    # Under the name a they go before a3, which is b's now; b1 to b3 are left, whosever they are.
    assert deleted(plan) == []


def test_while_it_cannot_be_told_whose_a_model_is_it_stays() -> None:
    changed = finetune("b", 9)  # was a, and asks for something new at once

    for prune in (False, True):
        plan = plan_of(called(B3, "a", keep=1), called(changed, "b", keep=5), prune=prune)

        assert deleted(plan) == ["b2", "b1"]


@pytest.mark.parametrize("prune", [False, True])
def test_a_fine_tune_that_was_renamed_keeps_as_many_as_it_says(*, prune: bool) -> None:
    voice = called(A3, "voice", keep=2)

    plan = plan_of(voice, called(B3, "b", keep=3), prune=prune)

    assert deleted(plan) == ["a1"]
    assert [change.name for change in plan.changes] == ["voice", "b"]


def test_until_a_renamed_fine_tune_has_its_model_its_past_is_no_orphan() -> None:
    running = tuple(
        replace(job, status="running", model=None) for job in JOBS if job.id[-2:] == "a3"
    )
    past = tuple(job for job in JOBS if job.id[-2:] in ("a1", "a2"))

    plan = plan_of(called(A3, "voice"), jobs=(*past, *running), prune=True)

    assert plan.empty


def test_what_still_runs_under_an_old_name_is_an_orphan() -> None:
    running = Job("ftjob-9", "running", 9, "a", finetune("a", 9).digest)

    plan = plan_of(called(A3, "voice", keep=3), jobs=(*JOBS[::2], running), prune=True)

    (_, orphan) = plan.changes
    assert (orphan.name, orphan.action) == ("a", Action.CANCEL)


def test_of_two_that_share_a_training_the_one_that_keeps_more_counts() -> None:
    past = (succeeded("ftjob-a2", A2, 1), succeeded("ftjob-a3", A3, 2))

    assert deleted(plan_of(called(A3, "a", 1), called(A3, "z", 5), jobs=past)) == []
    assert deleted(plan_of(called(A3, "a", 1), called(A3, "z", 1), jobs=past)) == ["a2"]


def test_a_job_without_a_name_has_no_past() -> None:
    nameless = Job("ftjob-1", "succeeded", 1, None, A1.digest, model="ft:1")

    assert lineage(Desired("demo", (A3,)), (nameless,)) == {}
    assert lineage(Desired("demo", (A1,)), (nameless,)) == {"ftjob-1": "a"}


def test_a_name_that_has_nothing_yet_has_the_past_of_its_name() -> None:
    past = (succeeded("ftjob-a1", A1, 1),)

    assert lineage(Desired("demo", (A3,)), past) == {"ftjob-a1": "a"}
    # It has a model that was trained under another name: then the past may be that one's.
    moved = (*past, replace(succeeded("ftjob-a3", A3, 2), finetune="z"))
    assert lineage(Desired("demo", (A3,)), moved) == {"ftjob-a3": "a"}


def test_what_was_bought_last_counts_where_nothing_was_bought_later() -> None:
    back = (succeeded("ftjob-a1", A1, 1), succeeded("ftjob-a2", A2, 2))

    assert lineage(Desired("demo", (A1,)), back) == {"ftjob-a1": "a", "ftjob-a2": "a"}


def test_destroy_takes_what_a_name_means_now() -> None:
    observed = Observed(JOBS, (), frozenset(f"{job.model}" for job in JOBS))
    heirs = lineage(Desired("demo", (called(B3, "a"), called(A3, "b"))), JOBS)

    plan = make_destroy_plan("demo", observed, SERVICE, frozenset({"a"}), heirs=heirs)

    assert sorted(deleted(plan)) == ["b1", "b2", "b3"]
    assert [change.name for change in plan.changes] == ["a"]


def test_what_adopts_another_job_has_no_past() -> None:
    adopts = finetune("voice", 3, adopt="ftjob-elsewhere")

    assert adopts.digest == A3.digest
    assert lineage(Desired("demo", (adopts,)), JOBS[::2]) == {}


def test_a_name_that_nobody_has_and_nobody_had_is_nobodys() -> None:
    assert lineage(Desired("demo", (A3,)), (succeeded("ftjob-b1", B1, 1),)) == {}


def test_a_model_without_a_name_takes_the_past_of_its_fine_tunes_name() -> None:
    nameless = replace(succeeded("ftjob-a3", A3, 3), finetune=None)
    past = succeeded("ftjob-a1", A1, 1)

    assert lineage(Desired("demo", (A3,)), (past, nameless)) == {"ftjob-a1": "a", "ftjob-a3": "a"}


def test_after_the_last_that_is_one_s_for_sure_it_is_that_one_s() -> None:
    anew = finetune("a", 4, training="lines")  # what was b, under the name a
    jobs = (*JOBS, succeeded("ftjob-4", anew, 7), succeeded("ftjob-9", finetune("a", 9), 9))

    found = lineage(Desired("demo", (anew, called(A3, "b"))), jobs)

    assert (found["ftjob-9"], found["ftjob-a2"]) == ("a", "b")
