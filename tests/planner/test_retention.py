"""What is cleaned up, and above all what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from scenes import BASE, NOW, SERVICE, Scene, dataset, finetune, scenes, simulate, succeeded

from ftctl.domain.desired import Desired, FineTune
from ftctl.domain.digest import file_name
from ftctl.domain.observed import AccountId, File, Job, Observed
from ftctl.domain.plan import Action, CancelJob, Change, DeleteFile, DeleteModel
from ftctl.domain.witness import Witness
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.retention import make_destroy_plan, plan_orphans, stoppable

often = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@given(scenes(models_listed=True))
@often
def test_destroying_twice_finds_nothing_the_second_time(scene: Scene) -> None:
    first = make_destroy_plan("demo", scene.observed, SERVICE, None)

    after = simulate(first, scene.observed, NOW)

    assert make_destroy_plan("demo", after, SERVICE, None).changes == ()


@given(scenes(models_listed=True))
@often
def test_destroy_leaves_no_job_running_no_model_and_no_file(scene: Scene) -> None:
    plan = make_destroy_plan("demo", scene.observed, SERVICE, None)

    after = simulate(plan, scene.observed, NOW)

    ours = {job.model for job in after.jobs}
    assert not any(stoppable(job) for job in after.jobs)
    assert not ours & (after.models or frozenset())
    assert after.files == ()


@given(scenes(models_listed=True))
@often
def test_destroying_a_selection_leaves_the_others_alone(scene: Scene) -> None:
    plan = make_destroy_plan("demo", scene.observed, SERVICE, frozenset({"alpha"}))

    others = [job for job in scene.observed.jobs if job.finetune != "alpha"]
    kept = {step for job in others for step in (job.id, job.model, job.training_file)}
    touched = {step.job for step in plan.steps(CancelJob) if isinstance(step, CancelJob)}
    touched |= {step.model for step in plan.steps(DeleteModel) if isinstance(step, DeleteModel)}
    touched |= {step.id for step in plan.steps(DeleteFile) if isinstance(step, DeleteFile)}
    assert not kept & touched


@given(scenes())
@often
def test_without_prune_nothing_that_left_the_manifests_is_touched(scene: Scene) -> None:
    orphans = plan_orphans(scene.desired, scene.observed, prune=False, settled=True)

    assert all(change.action is Action.NO_OP and not change.steps for change in orphans)


@given(scenes())
@often
def test_files_that_a_running_job_reads_stay(scene: Scene) -> None:
    plan = scene.plan()

    deleted = {step.id for step in plan.steps(DeleteFile) if isinstance(step, DeleteFile)}
    cancelled = {step.job for step in plan.steps(CancelJob) if isinstance(step, CancelJob)}
    for job in scene.observed.jobs:
        if stoppable(job) and job.id not in cancelled:
            assert job.training_file not in deleted


@pytest.mark.parametrize("status", ["running", "Glowing", "unreadable"])
def test_what_a_job_wrote_stays_while_nobody_knows_that_it_is_over(status: str) -> None:
    job = Job(
        "ftjob-1", status, NOW, "tone", TONE.digest, training_file="file-1",
        result_files=("file-2",),
    )  # fmt: skip
    metrics, others = (File(f"file-{one}", "metrics.csv", 10, NOW) for one in (2, 3))
    observed = Observed((job,), (metrics, others))

    plan = make_plan(Desired("demo", (TONE,)), observed, SERVICE, PlanOptions(prune=True))

    deleted = [step.id for step in plan.steps(DeleteFile) if isinstance(step, DeleteFile)]
    assert deleted == ["file-3"]


TONE = finetune("tone")
OLDER = finetune("tone", 2)
OLDEST = finetune("tone", 1)


def plan_of(*jobs: Job, tone: FineTune = TONE, models: frozenset[str] | None = None) -> Change:
    exist = frozenset(job.model for job in jobs if job.model) if models is None else models
    plan = make_plan(Desired("demo", (tone,)), Observed(jobs, (), exist), SERVICE, PlanOptions())
    return plan.changes[0]


@pytest.mark.parametrize(("keep", "deleted"), [(1, [2, 1]), (2, [1]), (3, [])])
def test_as_many_models_as_asked_for_are_kept(keep: int, deleted: list[int]) -> None:
    jobs = [
        succeeded(f"ftjob-{number}", of, number)
        for number, of in enumerate((OLDEST, OLDER, TONE), 1)
    ]

    change = plan_of(*jobs, tone=replace(TONE, keep=keep))

    assert change.steps == tuple(
        DeleteModel(f"ft:{BASE}:acme::ftjob-{number}") for number in deleted
    )
    assert change.model == f"ft:{BASE}:acme::ftjob-3"


def test_old_models_stay_until_the_new_one_is_there() -> None:
    running = Job("ftjob-2", "running", 2, "tone", TONE.digest)

    change = plan_of(succeeded("ftjob-1", OLDER, 1), running, tone=replace(TONE, keep=1))

    assert (change.action, change.steps) == (Action.NO_OP, ())


def test_checkpoints_go_with_their_model_and_others_of_a_like_name_stay() -> None:
    old, new = succeeded("ftjob-1", OLDER, 1), succeeded("ftjob-2", TONE, 2)
    models = frozenset(
        {
            f"{old.model}", f"{new.model}", f"{old.model}:ckpt-step-9", f"{new.model}:ckpt-step-9",
            f"{old.model}0", f"{old.model}0:ckpt-step-9",
        }
    )  # fmt: skip

    change = plan_of(old, new, tone=replace(TONE, keep=1), models=models)

    assert change.steps == (
        DeleteModel(f"{old.model}:ckpt-step-9"),
        DeleteModel(f"{old.model}"),
    )


def test_a_model_that_another_fine_tune_asks_for_is_kept() -> None:
    other = replace(OLDER, name="other")
    jobs = (succeeded("ftjob-1", OLDER, 1), succeeded("ftjob-2", TONE, 2))
    models = frozenset(f"{job.model}" for job in jobs)
    desired = Desired("demo", (other, replace(TONE, keep=1)))

    plan = make_plan(desired, Observed(jobs, (), models), SERVICE, PlanOptions())

    assert plan.empty


@pytest.mark.parametrize("prune", [False, True])
def test_a_job_of_ours_that_a_manifest_adopts_is_no_orphan(*, prune: bool) -> None:
    job = succeeded("ftjob-1", OLDER, 1)
    voice = finetune("voice", 7, adopt="ftjob-1")
    observed = Observed((job,), (), frozenset({f"{job.model}"}), (job,))

    plan = make_plan(Desired("demo", (voice,)), observed, SERVICE, PlanOptions(prune=prune))

    (change,) = plan.changes
    assert (change.action, change.model, change.steps) == (Action.NO_OP, job.model, ())


def marked(file: str, of: FineTune) -> File:
    name = file_name("demo", "rows", of.training.sha256, of.digest)
    return File(file, name, 100, 0, of.training.sha256, of.digest)


def test_the_file_by_which_a_job_is_known_is_kept_with_the_job() -> None:
    other_rows = finetune("tone", training="lines")
    jobs = (
        Job("ftjob-1", "succeeded", 1, None, other_rows.digest, model="ft:1", training_file="f-1"),
        Job("ftjob-2", "running", 2, None, TONE.digest, training_file="f-2"),
    )
    observed = Observed(jobs, (marked("f-1", other_rows), marked("f-2", TONE)), frozenset({"ft:1"}))

    plan = make_plan(
        Desired("demo", (TONE,)), observed, SERVICE, PlanOptions(prune=True, tag_in_file_name=True)
    )

    assert plan.empty


def test_models_without_a_name_go_once_every_fine_tune_has_its_own() -> None:
    jobs = (
        Job("ftjob-1", "succeeded", 1, None, OLDER.digest, model="ft:1", training_file="f-1"),
        Job("ftjob-2", "succeeded", 2, None, TONE.digest, model="ft:2", training_file="f-2"),
    )
    observed = Observed(
        jobs, (marked("f-1", OLDER), marked("f-2", TONE)), frozenset({"ft:1", "ft:2"})
    )

    plan = make_plan(
        Desired("demo", (TONE,)), observed, SERVICE, PlanOptions(prune=True, tag_in_file_name=True)
    )

    assert plan.steps(DeleteModel) == (DeleteModel("ft:1"),)


def test_a_job_that_succeeded_is_not_cancelled_while_its_name_is_awaited() -> None:
    late = Job("ftjob-1", "succeeded", 1, "gone", OLDER.digest)

    orphans = plan_orphans(Desired("demo", ()), Observed((late,), ()), prune=True, settled=True)

    assert orphans == []


def test_where_models_are_not_listed_destroy_deletes_those_that_jobs_name() -> None:
    job = succeeded("ftjob-1", TONE)

    plan = make_destroy_plan("demo", Observed((job,), (), None), SERVICE, None)

    assert plan.changes == (
        Change("tone", Action.DELETE, "destroy", (DeleteModel(f"{job.model}"),)),
    )


def test_a_file_that_a_fine_tune_would_upload_stays_even_if_nobody_reads_it_now() -> None:
    rows, rest = dataset("rows"), dataset("rest")
    files = tuple(
        File(f"file-{data.name}", file_name("demo", data.name, data.sha256), 100, 0, data.sha256)
        for data in (rows, rest)
    )
    observed = Observed((succeeded("ftjob-1", TONE),), files, frozenset())

    plan = make_plan(Desired("demo", (TONE,)), observed, SERVICE, PlanOptions(prune=True))

    assert plan.steps(DeleteFile) == (DeleteFile("file-rest", files[1].name),)


def copies(of: FineTune, *ids: str) -> tuple[File, ...]:
    """The same content, uploaded several times, the first one first."""
    name = file_name("demo", "rows", of.training.sha256)
    return tuple(File(id_, name, 100, n, of.training.sha256) for n, id_ in enumerate(ids))


@pytest.mark.parametrize("prune", [False, True])
def test_copies_stay_until_every_fine_tune_has_its_model(*, prune: bool) -> None:
    """An apply elsewhere may be about to use any of them."""
    files = copies(TONE, "file-1", "file-2")
    queued = Job("ftjob-1", "queued", 1, "tone", TONE.digest, training_file="file-1")
    done = succeeded("ftjob-1", TONE, 1)
    options = PlanOptions(prune=prune)
    desired = Desired("demo", (TONE,))

    before = make_plan(desired, Observed((queued,), files), SERVICE, options)
    after = make_plan(
        desired, Observed((done,), files, frozenset({f"{done.model}"})), SERVICE, options
    )

    assert before.steps(DeleteFile) == ()
    assert after.steps(DeleteFile) == (DeleteFile("file-2", files[1].name),)


def test_of_copies_the_one_that_a_job_uses_stays() -> None:
    files = copies(TONE, "file-1", "file-2", "file-3")
    done = succeeded("ftjob-1", TONE, 1)
    again = Job(
        "ftjob-2", "running", 2, "tone", TONE.digest, training_file="file-2", replaces="ftjob-1"
    )
    observed = Observed((again, done), files, frozenset({f"{done.model}"}))

    plan = make_plan(Desired("demo", (TONE,)), observed, SERVICE, PlanOptions())

    assert [step.id for step in plan.steps(DeleteFile)] == ["file-1", "file-3"]


def test_what_two_fine_tunes_share_is_retired_once() -> None:
    jobs = (succeeded("ftjob-1", TONE, 1), succeeded("ftjob-2", TONE, 2))
    models = frozenset(f"{job.model}" for job in jobs)
    tone, twin = replace(TONE, keep=1), replace(TONE, name="twin", keep=1)

    plan = make_plan(
        Desired("demo", (tone, twin)), Observed(jobs, (), models), SERVICE, PlanOptions()
    )

    assert plan.steps(DeleteModel) == (DeleteModel(f"{jobs[0].model}"),)


@pytest.mark.parametrize("by", ["job", "model"])
def test_what_is_promoted_outlives_every_cleanup(by: str) -> None:
    """A record may know the job, or the model alone."""
    old, new = succeeded("ftjob-1", OLDER, 1), succeeded("ftjob-2", TONE, 2)
    observed = Observed((new, old), (), frozenset({f"{old.model}", f"{new.model}"}))
    protected = {old.id if by == "job" else f"{old.model}": "promoted as prod"}
    tone, other = Desired("demo", (replace(TONE, keep=1),)), Desired("demo", ())
    options = PlanOptions(prune=True, protected=protected)

    retired = make_plan(tone, observed, SERVICE, options)
    pruned = make_plan(other, observed, SERVICE, options)
    destroyed = make_destroy_plan("demo", observed, SERVICE, None, protected=protected)

    assert retired.steps(DeleteModel) == ()
    assert pruned.steps(DeleteModel) == (DeleteModel(f"{new.model}"),)
    assert destroyed.steps(DeleteModel) == (DeleteModel(f"{new.model}"),)


def test_destroy_takes_what_is_selected_and_no_more() -> None:
    tone, calm = succeeded("ftjob-1", TONE), succeeded("ftjob-2", finetune("calm", 2))
    observed = Observed((tone, calm), (), frozenset({f"{tone.model}", f"{calm.model}"}))

    plan = make_destroy_plan("demo", observed, SERVICE, frozenset({"calm"}))

    assert plan.steps(DeleteModel) == (DeleteModel(f"{calm.model}"),)


@pytest.mark.parametrize("status", ["failed", "cancelled", "running"])
def test_only_a_job_that_succeeded_has_a_model_to_delete(status: str) -> None:
    job = replace(succeeded("ftjob-1", TONE), status=status)
    observed = Observed((job,), (), frozenset({f"{job.model}"}))

    plan = make_destroy_plan("demo", observed, SERVICE, None)

    assert plan.steps(DeleteModel) == ()


def test_a_plan_to_destroy_says_whose_account_it_is() -> None:
    account = AccountId("org-a", "proj_a")

    assert make_destroy_plan("demo", Observed(account=account), SERVICE, None).account == account


# Files that are not to be lost.


def pruned(
    *finetunes: FineTune,
    jobs: tuple[Job, ...] = (),
    files: tuple[str, ...] = (),
    prune: bool = True,
    witnesses: tuple[Witness, ...] = (),
    **more: Any,
) -> list[str]:
    """The files that a plan deletes; all models of the jobs are there."""
    there = tuple(File(file, f"{file}.csv", 1, 0) for file in files)
    models = frozenset(job.model for job in jobs if job.model)
    observed = Observed(**{"jobs": jobs, "files": there, "models": models, **more})
    plan = make_plan(
        Desired("demo", finetunes), observed, SERVICE, PlanOptions(prune=prune, witnesses=witnesses)
    )
    return [step.id for step in plan.steps(DeleteFile) if isinstance(step, DeleteFile)]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_a_failed_job_wrote_stays_until_its_fine_tune_has_a_model(status: str) -> None:
    failed = Job(
        "ftjob-1", status, 1, "tone", TONE.digest, training_file="f-1", result_files=("f-2",)
    )
    later = succeeded("ftjob-2", TONE, 2)

    assert pruned(TONE, jobs=(failed,), files=("f-2",)) == []
    assert pruned(TONE, jobs=(failed, later), files=("f-2",)) == ["f-2"]
    assert pruned(TONE, jobs=(failed, later), files=("f-2",), prune=False) == ["f-2"]


def test_what_a_failed_job_wrote_goes_once_its_fine_tune_left_the_manifests() -> None:
    failed = Job("ftjob-1", "failed", 1, "tone", TONE.digest, result_files=("f-2",))
    other = finetune("other", 7)
    made = succeeded("ftjob-2", other, 2)

    assert pruned(other, jobs=(failed, made), files=("f-2",)) == ["f-2"]


@pytest.mark.parametrize("whose", ["strangers", "others"])
@pytest.mark.parametrize("status", ["running", "succeeded"])
def test_a_file_that_a_job_of_others_was_made_with_stays(whose: str, status: str) -> None:
    theirs = Job("ftjob-9", status, 9, training_file="f-1", validation_file="f-2")
    made = succeeded("ftjob-1", TONE, 1)
    files = ("f-1", "f-2", "f-3")

    assert pruned(TONE, jobs=(made,), files=files, **{whose: (theirs,)}) == ["f-3"]

    observed = Observed(
        (made,), tuple(File(one, one, 1, 0) for one in files), frozenset({f"{made.model}"}),
        **{whose: (theirs,)},
    )  # fmt: skip
    plan = make_destroy_plan("demo", observed, SERVICE, None)
    assert plan.steps(DeleteFile) == (DeleteFile("f-3", "f-3"),)


def test_the_files_of_a_model_that_cannot_be_seen_stay_unless_we_retired_it() -> None:
    unseen = replace(
        succeeded("ftjob-9", finetune("gone", 9), 9), training_file="f-1", result_files=("f-2",)
    )
    made = succeeded("ftjob-1", TONE, 1)
    retired = Witness("ftctl.lock", "gone", f"{unseen.digest}", "ftjob-9", retired=True)
    seen = {"models": frozenset({f"{made.model}"})}

    def deleted(*witnesses: Witness) -> list[str]:
        jobs = (made, unseen)
        return pruned(TONE, jobs=jobs, files=("f-1", "f-2"), witnesses=witnesses, **seen)

    assert deleted() == []
    assert deleted(replace(retired, retired=False)) == []
    assert deleted(replace(retired, job="ftjob-8")) == []
    assert deleted(retired) == ["f-1", "f-2"]


def test_where_models_are_not_listed_what_we_retired_is_gone() -> None:
    made = succeeded("ftjob-1", TONE, 1)
    retired = Witness("ftctl.lock", "tone", TONE.digest, "ftjob-1", made.model, retired=True)

    def plan(*witnesses: Witness) -> Change:
        options = PlanOptions(witnesses=witnesses)
        observed = Observed((made,), (), None)
        return make_plan(Desired("demo", (TONE,)), observed, SERVICE, options).changes[0]

    assert plan().reason == f"up to date as {made.model}"
    assert plan(retired).reason == f"{made.model} was retired; --replace tone trains it again"
    assert (plan(retired).action, plan(retired).steps) == (Action.NO_OP, ())


@pytest.mark.parametrize(
    ("age", "prune", "used", "stays"),
    [(60, False, False, True), (90_000, False, False, False), (60, True, False, False),
     (60, False, True, False)],
)  # fmt: skip
def test_a_file_that_another_apply_may_be_about_to_train_on_stays_for_a_day(
    age: int, *, prune: bool, used: bool, stays: bool
) -> None:
    done = succeeded("ftjob-1", TONE)
    other = dataset("lines")
    name = file_name("demo", other.name, other.sha256)
    file = File("file-9", name, other.bytes, 1_000_000 - age, other.sha256)
    gone = Job("ftjob-9", "failed", 1, "tone", OLDER.digest, training_file="file-9")
    observed = Observed(
        (done, gone) if used else (done,), (file,), frozenset({f"{done.model}"}), told_at=1_000_000
    )

    plan = make_plan(Desired("demo", (TONE,)), observed, SERVICE, PlanOptions(prune=prune))

    assert (plan.steps(DeleteFile) == ()) is stays


@pytest.mark.parametrize(("made", "deleted"), [(10**9, 0), (10**9 - 90_000, 1)])
def test_where_the_service_tells_no_time_the_newest_that_it_has_counts(
    made: int, deleted: int
) -> None:
    done = succeeded("ftjob-1", TONE, 10**9)
    other = dataset("lines")
    file = File("file-9", file_name("demo", "lines", other.sha256), 1, made, other.sha256)

    observed = Observed((done,), (file,), frozenset({f"{done.model}"}))

    plan = make_plan(Desired("demo", (TONE,)), observed, SERVICE, PlanOptions())
    assert len(plan.steps(DeleteFile)) == deleted


def test_what_tidies_up_is_housekeeping_and_what_left_the_manifests_is_more() -> None:
    made = [succeeded(f"ftjob-{at}", one, at) for at, one in enumerate((OLDER, TONE), start=1)]
    gone = succeeded("ftjob-9", finetune("gone", 9), 3)
    other = dataset("lines")
    file = File("file-9", file_name("demo", "lines", other.sha256), 1, 0, other.sha256)
    observed = Observed(
        (*made, gone), (file,), frozenset(str(job.model) for job in (*made, gone)), told_at=10**9
    )
    tone = finetune("tone", keep=1)

    plan = make_plan(Desired("demo", (tone,)), observed, SERVICE, PlanOptions(prune=True))
    whole = make_destroy_plan("demo", observed, SERVICE, None)

    kinds = {change.name: (change.action, change.housekeeping) for change in plan.changes}
    assert kinds == {
        "tone": (Action.DELETE, True),
        "gone": (Action.DELETE, False),
        "files": (Action.DELETE, True),
    }
    assert {change.name for change in whole.changes} == {"tone", "gone", "files"}
    assert not any(change.housekeeping for change in whole.changes)
