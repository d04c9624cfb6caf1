"""An approved plan may be applied until it would do something else, and never more than it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from scenes import COSMETIC, SERVICE, Scene, finetune, often, scenes, succeeded

from ftctl.domain.desired import Desired, FineTune, ServiceInfo
from ftctl.domain.observed import File, Job, Observed
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
from ftctl.domain.review import Review
from ftctl.errors import FtctlError
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.approval import (
    Approved,
    Settled,
    approved_of,
    plan_digest,
    read_approved,
    settle,
)
from ftctl.reports.plan_json import plan_document

TONE, WARM = finetune("tone"), finetune("warm", 4)
CHILD = finetune("child", parent=TONE)


def planned(
    *finetunes: FineTune, jobs: tuple[Job, ...] = (), options: PlanOptions | None = None
) -> Plan:
    models = frozenset(job.model for job in jobs if job.model)
    options = options or PlanOptions(cosmetic=COSMETIC)
    return make_plan(Desired("demo", finetunes), Observed(jobs, models=models), SERVICE, options)


def written(plan: Plan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        json.dumps(plan_document(Review(plan, plan_digest(plan))))
    )
    return document


def left(approved: Plan | Approved, now: Plan) -> Settled:
    settled, moved = settle(
        approved if isinstance(approved, Approved) else approved_of(approved), now
    )
    assert moved == ()
    return settled


def moved(approved: Plan, now: Plan) -> str:
    _settled, told = settle(approved_of(approved), now)
    assert told
    return "\n".join(told)


@given(scenes())
@often
def test_a_plan_that_is_still_the_same_runs_whole(scene: Scene) -> None:
    plan = scene.plan()

    settled = left(plan, plan)

    assert settled.plan.changes == plan.changes
    assert settled.done == settled.unapproved == ()


@given(scenes())
@often
def test_its_document_approves_the_same(scene: Scene) -> None:
    plan = scene.plan()

    read = read_approved(written(plan), "plan.json")

    assert replace(read, options={}) == approved_of(plan)


def test_what_is_done_already_is_left_out() -> None:
    approved = planned(TONE, WARM)
    running = Job("ftjob-1", "running", 1, "tone", TONE.digest)

    settled = left(approved, planned(TONE, WARM, jobs=(running,)))

    assert [step.finetune for step in settled.plan.steps(StartJob)] == ["warm"]
    assert settled.done == ("tone",)


def test_a_job_that_was_bought_and_failed_is_not_bought_again() -> None:
    approved = planned(TONE)
    failed = Job("ftjob-1", "failed", 1, "tone", TONE.digest)

    settled = left(approved, planned(TONE, jobs=(failed,)))

    assert settled.plan.empty
    assert settled.done == ("tone",)


def test_a_child_that_waited_when_it_was_approved_may_start() -> None:
    approved = planned(TONE, CHILD)
    assert approved.count()[Action.DEFER] == 1

    settled = left(approved, planned(TONE, CHILD, jobs=(succeeded("ftjob-1", TONE, 1),)))

    assert [step.finetune for step in settled.plan.steps(StartJob)] == ["child"]


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


def test_a_model_that_was_deleted_meanwhile_is_not_bought_silently() -> None:
    approved = planned(TONE, WARM, jobs=(succeeded("ftjob-1", TONE, 1),))
    lost = replace(succeeded("ftjob-1", TONE, 1))
    now = make_plan(
        Desired("demo", (TONE, WARM)), Observed((lost,)), SERVICE, PlanOptions(cosmetic=COSMETIC)
    )

    assert "tone: was not in the approved plan" in moved(approved, now)


def test_a_child_of_another_model_of_its_parent_is_stale() -> None:
    approved = planned(TONE, CHILD, jobs=(succeeded("ftjob-1", TONE, 1),))
    now = planned(TONE, CHILD, jobs=(succeeded("ftjob-2", TONE, 2),))

    assert "child: base_model of its training changed" in moved(approved, now)


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

    settled = left(approved, Plan("demo", SERVICE, (more, files)))

    assert settled.plan.steps(DeleteModel) == (DeleteModel("ft:1"),)
    assert settled.plan.steps(DeleteFile) == ()
    assert settled.unapproved == ("gone", "files")


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(digest="sha256:" + "0" * 64), "was changed after ftctl wrote it"),
        (lambda d: d["changes"][0].update(digest="v1:" + "0" * 64), "was changed after"),
        (lambda d: d["changes"][0]["steps"].pop(), "was changed after"),
        (lambda d: d.update(project="other"), "was changed after"),
        (lambda d: d["service"].update(base_url="https://evil.example/v1"), "was changed after"),
        (lambda d: d.pop("changes"), "is not a plan of ftctl"),
        (lambda d: d.update(changes=3), "is not a plan of ftctl"),
        (lambda d: d.pop("service"), "is not a plan of ftctl"),
        (lambda d: d.update(offline=True), "was made offline"),
        (lambda d: d.pop("digest"), "was changed after"),
        (lambda d: d.pop("options"), "is not a plan of ftctl"),
        (lambda d: d["options"].pop("prune"), "is not a plan of ftctl"),
        (lambda d: d["options"].update(select="tone"), "is not a plan of ftctl"),
        (lambda d: d["options"].update(replace=[3]), "is not a plan of ftctl"),
    ],
)
def test_a_document_that_is_no_plan_or_was_changed_is_refused(change: Any, words: str) -> None:
    document = written(planned(TONE))
    change(document)

    with pytest.raises(FtctlError, match=words):
        read_approved(document, "plan.json")


@pytest.mark.parametrize("document", [None, [], "plan", 3, {}, {"changes": [1]}])
def test_any_json_is_read_without_a_crash(document: object) -> None:
    with pytest.raises(FtctlError, match="is not a plan of ftctl"):
        read_approved(document, "plan.json")
