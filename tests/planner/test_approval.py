"""An approved plan may be applied until it would do something else, and never more than it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from scenes import COSMETIC, SERVICE, Scene, finetune, often, scenes, succeeded

from ftctl.domain.desired import Desired, FineTune, ServiceInfo
from ftctl.domain.observed import AccountId, File, Job, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Plan,
    StartJob,
    Upload,
)
from ftctl.domain.plan_document import Approval, approval_of, plan_digest
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.approval import Remaining, reconcile

TONE, WARM = finetune("tone"), finetune("warm", 4)
CHILD = finetune("child", parent=TONE)


def planned(
    *finetunes: FineTune, jobs: tuple[Job, ...] = (), options: PlanOptions | None = None
) -> Plan:
    models = frozenset(job.model for job in jobs if job.model)
    options = options or PlanOptions(cosmetic=COSMETIC)
    return make_plan(Desired("demo", finetunes), Observed(jobs, models=models), SERVICE, options)


def left(approved: Plan | Approval, now: Plan) -> Remaining:
    remaining, moved = reconcile(
        approved if isinstance(approved, Approval) else approval_of(approved), now
    )
    assert moved == ()
    return remaining


def moved(approved: Plan, now: Plan) -> str:
    _remaining, told = reconcile(approval_of(approved), now)
    assert told
    return "\n".join(told)


@given(scenes())
@often
def test_a_plan_that_is_still_the_same_runs_whole(scene: Scene) -> None:
    plan = scene.plan()

    remaining = left(plan, plan)

    assert remaining.plan.changes == plan.changes
    assert remaining.done == remaining.unapproved == ()


def test_what_is_done_already_is_left_out() -> None:
    approved = planned(TONE, WARM)
    running = Job("ftjob-1", "running", 1, "tone", TONE.digest)

    remaining = left(approved, planned(TONE, WARM, jobs=(running,)))

    assert [step.finetune for step in remaining.plan.steps(StartJob)] == ["warm"]
    assert remaining.done == ("tone",)


def test_a_job_that_was_bought_and_failed_is_not_bought_again() -> None:
    approved = planned(TONE)
    failed = Job("ftjob-1", "failed", 1, "tone", TONE.digest)

    remaining = left(approved, planned(TONE, jobs=(failed,)))

    assert remaining.plan.empty
    assert remaining.done == ("tone",)


def test_a_child_that_waited_when_it_was_approved_may_start() -> None:
    approved = planned(TONE, CHILD)
    assert approved.count()[Action.DEFER] == 1

    remaining = left(approved, planned(TONE, CHILD, jobs=(succeeded("ftjob-1", TONE, 1),)))

    assert [step.finetune for step in remaining.plan.steps(StartJob)] == ["child"]


def test_another_spec_is_not_what_was_approved() -> None:
    told = moved(planned(TONE), planned(finetune("tone", 5)))

    assert told.startswith("tone: approved was the training v")
    assert "the manifest or its data is another" in told


def test_what_left_the_manifests_meanwhile_is_not_taken_for_done() -> None:
    running = Job("ftjob-1", "running", 1, "warm", WARM.digest)

    assert moved(planned(TONE, WARM), planned(WARM)) == (
        "tone: the manifests do not ask for it any more"
    )
    assert "warm: the manifests do not ask for it any more" in moved(
        planned(TONE, WARM), planned(TONE, jobs=(running,))
    )


def test_a_purchase_that_nobody_saw_is_stale() -> None:
    told = moved(planned(TONE), planned(TONE, WARM))

    assert told == "warm: was not in the approved plan, and would now be bought (not found)"


def test_a_model_that_was_deleted_meanwhile_is_not_bought() -> None:
    approved = planned(TONE, WARM, jobs=(succeeded("ftjob-1", TONE, 1),))
    lost = replace(succeeded("ftjob-1", TONE, 1))
    now = make_plan(
        Desired("demo", (TONE, WARM)), Observed((lost,)), SERVICE, PlanOptions(cosmetic=COSMETIC)
    )

    remaining = left(approved, now)

    assert [step.finetune for step in remaining.plan.steps(StartJob)] == ["warm"]
    assert remaining.plan.count()[Action.ATTENTION] == 1


@pytest.mark.parametrize("status", ["running", "failed", "cancelled", "succeeded"])
@pytest.mark.parametrize("how", ["retry", "replace"])
def test_a_plan_that_is_applied_again_buys_nothing_again(how: str, status: str) -> None:
    failed = Job("ftjob-1", "failed", 1, "tone", TONE.digest)
    first = failed if how == "retry" else succeeded("ftjob-1", TONE, 1)
    asked = (
        PlanOptions(retry_failed=True) if how == "retry" else PlanOptions(replace={"tone": None})
    )
    approved = planned(TONE, jobs=(first,), options=asked)
    assert [step.follows for step in approved.steps(StartJob)] == ["ftjob-1"]
    bought = Job(
        "ftjob-2", status, 2, "tone", TONE.digest, follows="ftjob-1",
        replaces=None if how == "retry" else "ftjob-1",
        model="ft:2" if status == "succeeded" else None,
    )  # fmt: skip

    remaining = left(approved, planned(TONE, jobs=(bought, first), options=asked))

    assert remaining.plan.empty
    assert remaining.done == ("tone",)


@pytest.mark.parametrize("status", ["running", "failed", "cancelled"])
@pytest.mark.parametrize("how", ["retry", "replace"])
def test_a_child_that_waited_in_a_plan_is_bought_once_by_it(how: str, status: str) -> None:
    parent = succeeded("ftjob-1", TONE, 1)
    before = Job("ftjob-2", "failed", 2, "child", CHILD.digest)
    asked = (
        PlanOptions(retry_failed=True) if how == "retry" else PlanOptions(replace={"child": None})
    )
    waiting = planned(TONE, CHILD, jobs=(before,), options=asked)
    assert waiting.changes[1].action is Action.DEFER

    now = left(waiting, planned(TONE, CHILD, jobs=(before, parent), options=asked))
    bought = Job(
        "ftjob-3", status, 3, "child", CHILD.digest, follows="ftjob-2",
        replaces="ftjob-2" if how == "replace" else None,
    )  # fmt: skip
    later = left(waiting, planned(TONE, CHILD, jobs=(bought, before, parent), options=asked))

    assert [step.finetune for step in now.plan.steps(StartJob)] == ["child"]
    assert later.plan.empty


def test_a_fresh_retry_may_buy_after_a_newer_failure() -> None:
    failures = tuple(Job(f"ftjob-{at}", "failed", at, "tone", TONE.digest) for at in (2, 1))

    now = planned(TONE, jobs=failures, options=PlanOptions(retry_failed=True))

    assert [step.follows for step in now.steps(StartJob)] == ["ftjob-2"]


def test_a_job_that_is_followed_and_not_shown_any_more_makes_a_plan_stale() -> None:
    failed = Job("ftjob-1", "failed", 1, "tone", TONE.digest)
    approved = planned(TONE, jobs=(failed,), options=PlanOptions(retry_failed=True))

    assert "follows of its training changed" in moved(approved, planned(TONE))


def test_a_plan_for_another_account_is_stale() -> None:
    mine = replace(planned(TONE), account=AccountId("org-a", "proj_a"))
    other = replace(mine, account=AccountId("org-a", "proj_b"))

    assert moved(mine, other) == (
        "it was made for the account org-a / proj_a, and not for org-a / proj_b"
    )
    assert left(mine, replace(mine, account=AccountId("org-a"))).plan.changes == mine.changes


def test_a_child_of_another_model_of_its_parent_is_stale() -> None:
    approved = planned(TONE, CHILD, jobs=(succeeded("ftjob-1", TONE, 1),))
    now = planned(TONE, CHILD, jobs=(succeeded("ftjob-2", TONE, 2),))

    assert "child: base_model of its training changed" in moved(approved, now)


def test_what_was_approved_without_training_is_not_bought() -> None:
    twins = tuple(Job(f"ftjob-{at}", "running", at, "tone", TONE.digest) for at in (1, 2))
    approved = planned(TONE, jobs=twins)
    assert approved.steps(CancelJob)

    told = moved(approved, planned(TONE))

    assert told == "tone: approved was no training, and it would now be bought (not found)"


def test_a_parent_that_lost_its_model_is_stale() -> None:
    approved = planned(TONE, CHILD, jobs=(succeeded("ftjob-1", TONE, 1),))
    running = Job("ftjob-2", "running", 2, "tone", TONE.digest)

    assert "child: approved was to train it" in moved(
        approved, planned(TONE, CHILD, jobs=(running,))
    )


def test_another_service_is_stale() -> None:
    plan = planned(TONE)
    elsewhere = replace(plan, service=ServiceInfo("openai", "https://evil.example/v1"))

    assert "it was made for openai at https://api.example/v1" in moved(plan, elsewhere)


GONE = Change("gone", Action.DELETE, "left", (CancelJob("ftjob-1", "removed"), DeleteModel("ft:1")))


def test_a_cancelled_job_is_not_cancelled_again() -> None:
    approved = Plan("demo", SERVICE, (GONE,))
    now = Plan("demo", SERVICE, (replace(GONE, steps=GONE.steps[1:]),))

    assert left(approved, now).plan == now


def test_only_the_deletes_that_were_approved_are_done() -> None:
    approved = Plan("demo", SERVICE, (GONE,))
    more = replace(GONE, steps=(*GONE.steps, DeleteModel("ft:2")))
    files = Change("files", Action.DELETE, "unused", (DeleteFile("file-1", "x"),), kind="Files")

    remaining = left(approved, Plan("demo", SERVICE, (more, files)))

    assert remaining.plan.steps(DeleteModel) == (DeleteModel("ft:1"),)
    assert remaining.plan.steps(DeleteFile) == ()
    assert remaining.unapproved == ("gone", "files")


def test_an_upload_that_was_made_already_needs_no_approval() -> None:
    approved = planned(TONE)
    upload = approved.steps(Upload)[0]
    assert isinstance(upload, Upload)
    file = File("file-1", upload.filename, upload.bytes, 1, upload.sha256)
    now = make_plan(
        Desired("demo", (TONE,)), Observed(files=(file,)), SERVICE, PlanOptions(cosmetic=COSMETIC)
    )

    assert plan_digest(now) == plan_digest(approved)
    assert left(approved, now).plan.changes == now.changes


def test_a_child_that_was_bought_since_is_not_bought_once_more_while_its_parent_is_trained() -> (
    None
):
    """Its parent lost its model meanwhile, so it waits again, and behind a job of its own."""
    asked = PlanOptions(retry_failed=True)
    waiting = planned(TONE, CHILD, options=asked)
    failed = Job("ftjob-2", "failed", 2, "child", CHILD.digest)
    running = Job("ftjob-3", "running", 3, "tone", TONE.digest)

    now = planned(TONE, CHILD, jobs=(running, failed), options=asked)
    assert [change.action for change in now.changes] == [Action.NO_OP, Action.DEFER]
    remaining = left(waiting, now)

    assert remaining.plan.count()[Action.DEFER] == 0
    assert remaining.done == ("tone", "child")


def test_what_nobody_approved_to_stop_or_delete_is_shown_as_it_stands() -> None:
    empty = Plan("demo", SERVICE, ())
    cancel, delete = CancelJob("ftjob-9", "superseded"), DeleteModel("ft:9")
    running = Change("runs", Action.CANCEL, "running", (cancel,), digest="v1:a", job="ftjob-1")
    failed = replace(running, name="failed", in_vain=True)
    behind = replace(failed, name="behind", model="ft:1")
    old = Change(
        "old", Action.DELETE, "up to date", (delete,), digest="v1:b", model="ft:2",
        housekeeping=True,
    )  # fmt: skip
    orphan = Change("orphan", Action.DELETE, "not in the manifests", (delete,))
    files = Change("files", Action.DELETE, "unused", (DeleteFile("f", "x"),), kind="Files")
    now = replace(empty, changes=(running, failed, behind, old, orphan, files))

    remaining = left(empty, now)

    assert remaining.plan.changes == (
        replace(running, action=Action.NO_OP, steps=()),
        replace(failed, action=Action.ATTENTION, steps=()),
        replace(behind, action=Action.NO_OP, steps=()),
        replace(old, action=Action.NO_OP, steps=(), housekeeping=False),
    )
    assert remaining.unapproved == ("runs", "failed", "behind", "old", "orphan", "files")
