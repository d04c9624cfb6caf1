"""A fine-tune whose rows an earlier ftctl made otherwise: what its jobs are to a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scenes import BASE, SERVICE, finetune, succeeded

from ftctl.domain.desired import Before, Desired, FineTune, Parent
from ftctl.domain.observed import File, Job, JobError, Observed
from ftctl.domain.plan import Action, CancelJob, Change, DeleteModel
from ftctl.domain.witness import Witness
from ftctl.planner import PlanOptions, make_plan

THEN = finetune("tone", 1)  # as it was bought
ROWS = replace(
    THEN.training, before=Before("b" * 64, Path("then"), "in row 1, 'tools' was left out")
)
NOW = replace(finetune("tone", 2), training=ROWS, earlier=THEN.digest)
DROP = "drop: [tools] below 'convert'"


def change_of(*jobs: Job, of: FineTune = NOW, observed: Observed | None = None,
              **options: object) -> Change:  # fmt: skip
    models = frozenset(job.model for job in jobs if job.model)
    seen = observed or Observed(jobs, (), models)
    return make_plan(Desired("demo", (of,)), seen, SERVICE, PlanOptions(**options)).changes[0]


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_a_job_that_runs_is_left_alone(status: str) -> None:
    job = replace(succeeded("ftjob-1", THEN), status=status, model=None)

    change = change_of(job)

    assert (change.action, change.steps, change.job) == (Action.ATTENTION, (), "ftjob-1")
    assert change.reason.startswith(f"ftjob-1 ({status}) trains on rows that an earlier ftctl made")


@pytest.mark.parametrize(("keeps", "cure"), [(DROP, DROP), ("", "'adopt: ftjob-1'")])
def test_a_model_stands_and_the_cure_is_the_best_that_there_is(keeps: str, cure: str) -> None:
    rows = replace(ROWS, before=replace(ROWS.before, keeps=keeps))
    job = succeeded("ftjob-1", THEN)

    change = change_of(job, of=replace(NOW, training=rows))

    assert (change.action, change.model) == (Action.ATTENTION, job.model)
    assert change.reason == (
        f"{job.model} was trained on rows that an earlier ftctl made ({rows.path}: in row 1,"
        f" 'tools' was left out); {cure} keeps it, --replace tone trains on those of now"
    )


def test_a_job_that_failed_is_bought_again_by_the_flag_for_that_alone() -> None:
    job = replace(
        succeeded("ftjob-1", THEN), status="failed", model=None, error=JobError("full", "no room")
    )

    change = change_of(job)

    assert change.action is Action.ATTENTION
    assert change.reason == (
        f"ftjob-1 failed: no room, and ftctl makes other rows now ({ROWS.path}: in row 1, 'tools'"
        " was left out); --retry-failed trains on those"
    )
    again = change_of(job, retry_failed=True)
    assert (again.action, again.reason) == (Action.CREATE, "tries again: ftjob-1 failed: no room")
    assert change_of(job, replace={"tone": None}).action is Action.REPLACE


def test_once_the_rows_of_now_are_trained_on_the_older_job_is_one_of_another_spec() -> None:
    new = replace(succeeded("ftjob-2", NOW), created_at=9)
    old = replace(succeeded("ftjob-1", THEN), status="running", model=None)

    assert change_of(new).reason == f"up to date as {new.model}"
    assert change_of(new, old).reason == f"back to {new.model}"


def test_a_second_replace_of_the_same_commit_buys_nothing() -> None:
    old = succeeded("ftjob-1", THEN)
    new = replace(succeeded("ftjob-2", NOW), created_at=9, replaces="ftjob-1")

    assert change_of(old, replace={"tone": None}).steps[-1].replaces == "ftjob-1"  # type: ignore[union-attr]
    assert change_of(old, new, replace={"tone": None}).action is Action.NO_OP


def test_a_record_of_such_a_job_that_is_not_seen_stops_the_purchase() -> None:
    record = Witness(
        "ftctl.lock", "voice", THEN.digest, "ftjob-1", "ft:1", base_url=SERVICE.base_url
    )
    gone = Observed(missing=frozenset({"ftjob-1"}))

    assert change_of(observed=gone, witnesses=(record,)).action is Action.ATTENTION


def test_an_unmarked_job_on_a_file_of_then_stops_the_purchase() -> None:
    file = File("file-1", "rows.jsonl", 10, 0, sha256="b" * 64)
    job = Job("ftjob-9", "running", 5, base_model=BASE, training_file="file-1")
    seen = Observed(files=(file,), strangers=(job,))

    assert change_of(observed=seen).action is Action.ATTENTION
    assert change_of(of=replace(NOW, training=THEN.training), observed=seen).action is Action.CREATE


def test_another_projects_job_on_rows_of_then_is_not_bought_again_where_it_may_be_used() -> None:
    theirs = replace(succeeded("ftjob-1", THEN), project="other")
    seen = Observed(others=(theirs,), models=frozenset({theirs.model or ""}))

    assert change_of(observed=seen, reuse=True).action is Action.ATTENTION
    assert change_of(observed=seen, reuse=False).action is Action.CREATE


def test_what_is_adopted_stands_whatever_its_rows() -> None:
    job = replace(succeeded("ftjob-1", THEN), project=None)
    seen = Observed(jobs=(job,), adopted=(job,), models=frozenset({job.model or ""}))

    assert change_of(of=replace(NOW, adopt="ftjob-1"), observed=seen).action is Action.NO_OP


def test_a_child_is_told_of_its_parents_rows() -> None:
    child_then = finetune("child", 3)
    child = replace(finetune("child", 4), base_model=Parent("tone", "last"),
                    earlier=child_then.digest)  # fmt: skip
    jobs = succeeded("ftjob-1", THEN), succeeded("ftjob-2", child_then)
    models = frozenset(job.model or "" for job in jobs)

    plan = make_plan(Desired("demo", (NOW, child)), Observed(jobs, (), models), SERVICE,
                     PlanOptions())  # fmt: skip

    assert [change.action for change in plan.changes] == [Action.ATTENTION] * 2
    assert "(those of tone changed)" in plan.changes[1].reason


def test_rows_to_measure_on_are_no_reason_to_decide_anything() -> None:
    job = succeeded("ftjob-1", THEN)
    rows = replace(ROWS, before=replace(ROWS.before, refused=True))

    assert change_of(job, of=replace(THEN, validation=rows)).action is Action.NO_OP
    refused = change_of(job, of=replace(THEN, training=replace(rows, sha256=THEN.training.sha256)))
    assert refused.action is Action.ATTENTION


OLD_NAME = replace(THEN, name="a")  # it was bought as


@pytest.mark.parametrize("prune", [False, True])
def test_a_renamed_one_keeps_its_model_whatever_is_cleaned_up(prune: bool) -> None:
    job = succeeded("ftjob-1", OLD_NAME)
    seen = Observed((job,), (), frozenset({job.model or ""}))

    plan = make_plan(Desired("demo", (NOW,)), seen, SERVICE, PlanOptions(prune=prune))

    assert [(one.action, one.steps) for one in plan.changes] == [(Action.ATTENTION, ())]


def test_another_that_has_its_name_now_and_keeps_one_model_leaves_it_alone() -> None:
    new = finetune("a", 7, keep=1)
    jobs = succeeded("ftjob-1", OLD_NAME), succeeded("ftjob-2", new, 9)
    seen = Observed(jobs, (), frozenset(job.model or "" for job in jobs))

    plan = make_plan(Desired("demo", (new, NOW)), seen, SERVICE, PlanOptions(prune=True))

    assert {one.name: (one.action, one.steps) for one in plan.changes} == {
        "a": (Action.NO_OP, ()),
        "tone": (Action.ATTENTION, ()),
    }


def test_one_that_runs_for_another_name_is_stopped_by_nobody() -> None:
    other = finetune("a", 7)
    job = replace(succeeded("ftjob-1", OLD_NAME), status="running", model=None)
    seen = Observed((job,), (), frozenset())

    plan = make_plan(Desired("demo", (other, NOW)), seen, SERVICE, PlanOptions(prune=True))

    assert [step for one in plan.changes for step in one.steps if isinstance(step, CancelJob)] == []


def test_once_the_rows_of_now_are_trained_on_keep_counts_the_model_of_then() -> None:
    kept = replace(NOW, keep=1)
    jobs = succeeded("ftjob-1", THEN), succeeded("ftjob-2", NOW, 9)
    seen = Observed(jobs, (), frozenset(job.model or "" for job in jobs))

    (change,) = make_plan(Desired("demo", (kept,)), seen, SERVICE, PlanOptions()).changes

    assert change.steps == (DeleteModel(jobs[0].model or ""),)


def test_replace_stops_the_one_that_runs() -> None:
    job = replace(succeeded("ftjob-1", THEN), status="running", model=None)

    steps = change_of(job, replace={"tone": None}).steps

    assert [step.job for step in steps if isinstance(step, CancelJob)] == ["ftjob-1"]
