"""The planner's promises, held against random histories and a tiny simulation of a service."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import (
    BASE,
    NOW,
    SERVICE,
    Scene,
    finetune,
    finish,
    often,
    scenes,
    simulate,
    starts,
    succeeded,
)

from ftctl.domain.desired import Desired, FineTune
from ftctl.domain.digest import file_name
from ftctl.domain.observed import TERMINAL, File, Job, JobError, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    ParentModel,
    StartJob,
    Upload,
)
from ftctl.domain.witness import Witness
from ftctl.planner import TABLE, PlanOptions, make_plan, models_not_visible

CASES = Path(__file__).parents[1] / "cases" / "plan"
SIGNS_OF_ROWS = (  # of the table, in its order: words that only the row's reason has
    "adopted ", "one job serves", "by --replace already", "asked for with --replace",
    "on rows that ftctl makes no more", "back to ",
    " duplicates ", "its parent was trained again", "up to date as ", "running as ",
    " cannot be read: ", "trained by project", "was retired", "which this key cannot see",
    "buys it all the same",
    "tries again: ", "--retry-failed buys", "on rows that an earlier ftctl made",
    "by a newer ftctl", " → ", "not found",
)  # fmt: skip


@given(scenes(), st.randoms(use_true_random=False))
@often
def test_the_order_in_which_a_service_lists_things_does_not_matter(
    scene: Scene, random: Random
) -> None:
    shuffled = [list(scene.observed.jobs), list(scene.observed.files), list(scene.observed.adopted)]
    for listed in shuffled:
        random.shuffle(listed)
    jobs, files, adopted = map(tuple, shuffled)

    plan = replace(scene, observed=Observed(jobs, files, scene.observed.models, adopted)).plan()

    assert plan == scene.plan()


@given(scenes())
@often
def test_a_plan_buys_no_digest_twice(scene: Scene) -> None:
    plan = scene.plan()

    bought = Counter(step.digest for step in starts(plan))
    assert all(count == 1 for count in bought.values()), bought


@given(scenes())
@often
def test_what_runs_or_has_its_model_is_not_bought_again(scene: Scene) -> None:
    plan = scene.plan()

    there = {
        job.digest
        for job in scene.observed.jobs
        if job.in_progress or (job.model is not None and scene.observed.has_model(job.model))
    }
    asked_for = {one.digest for one in scene.desired.finetunes if one.name in scene.options.replace}
    assert not {step.digest for step in starts(plan)} & (there - asked_for)


@given(scenes())
@often
def test_what_failed_is_bought_again_only_on_request(scene: Scene) -> None:
    scene = replace(scene, options=replace(scene.options, retry_failed=False, replace={}))

    plan = scene.plan()

    for step in starts(plan):
        same = [job for job in scene.observed.jobs if job.digest == step.digest]
        newest = max(same, key=lambda job: job.age_order, default=None)
        assert newest is None or newest.status == "succeeded"


@given(scenes())
@often
def test_only_what_is_there_is_cancelled_or_deleted(scene: Scene) -> None:
    plan = scene.plan()

    running = {job.id for job in scene.observed.jobs if job.status not in TERMINAL}
    models = scene.observed.models
    if models is None:
        models = frozenset(job.model for job in scene.observed.jobs if job.model)
    assert {step.job for step in plan.steps(CancelJob)} <= running
    assert {step.model for step in plan.steps(DeleteModel)} <= models
    assert {step.id for step in plan.steps(DeleteFile)} <= {f.id for f in scene.observed.files}


@given(scenes())
@often
def test_nothing_is_cancelled_or_deleted_twice(scene: Scene) -> None:
    plan = scene.plan()

    for kind in (CancelJob, DeleteModel, DeleteFile, Upload):
        counted = Counter(plan.steps(kind))
        assert all(count == 1 for count in counted.values()), counted


@given(scenes())
@often
def test_what_stands_for_a_fine_tune_stays(scene: Scene) -> None:
    plan = scene.plan()

    deleted = {step.model for step in plan.steps(DeleteModel)}
    cancelled = {step.job for step in plan.steps(CancelJob)}
    for one in scene.desired.finetunes:
        if one.adopt is not None:
            standing = [job for job in scene.observed.adopted if job.id == one.adopt]
            assert not {job.id for job in standing} & cancelled
        else:
            standing = [job for job in scene.observed.jobs if job.digest == one.digest]
        models = [
            job.model
            for job in sorted(standing, key=lambda job: job.age_order)
            if job.status == "succeeded" and job.model and scene.observed.has_model(job.model)
        ]
        assert not set(models[-1:]) & deleted
    named = {change.name for change in plan.changes if change.kind == "FineTune"}
    stand = {change.job for change in plan.changes if change.name in named and change.job}
    assert not stand & cancelled


@given(scenes())
@often
def test_the_model_that_a_job_starts_from_stays(scene: Scene) -> None:
    plan = scene.plan()

    parents = {s.base_model.model for s in starts(plan) if isinstance(s.base_model, ParentModel)}
    assert not parents & {step.model for step in plan.steps(DeleteModel)}


@given(scenes())
@often
def test_every_change_has_a_reason_and_steps_if_and_only_if_it_acts(scene: Scene) -> None:
    plan = scene.plan()

    for change in plan.changes:
        assert change.reason.strip()
        idle = change.action in (Action.NO_OP, Action.DEFER, Action.ATTENTION)
        assert bool(change.steps) is not idle, change


@given(scenes())
@often
def test_every_fine_tune_that_is_selected_has_one_change(scene: Scene) -> None:
    plan = scene.plan()

    select = scene.options.select
    chosen = [f.name for f in scene.desired.finetunes if select is None or f.name in select]
    assert [change.name for change in plan.changes][: len(chosen)] == chosen


@given(scene=scenes(models_listed=True), time_passes=st.booleans())
@settings(often, max_examples=250)
def test_applying_again_and_again_comes_to_rest_and_buys_once(
    scene: Scene, *, time_passes: bool
) -> None:
    bought: Counter[str] = Counter()
    observed, options = scene.observed, scene.options

    for number in range(12):
        plan = make_plan(scene.desired, observed, SERVICE, options)
        bought.update(step.digest for step in starts(plan))
        if plan.empty and (not time_passes or observed == finish(observed)):
            break
        observed = simulate(plan, observed, NOW + number, tagged_by_file=options.tag_in_file_name)
        observed = finish(observed) if time_passes else observed
        options = replace(options, replace={})

    assert plan.empty
    assert all(count == 1 for count in bought.values()), bought


@given(scenes(models_listed=True))
@often
def test_with_patience_every_fine_tune_gets_its_model(scene: Scene) -> None:
    observed = scene.observed
    options = replace(scene.options, select=None, retry_failed=True, replace={})
    for number in range(6):
        plan = make_plan(scene.desired, observed, SERVICE, options)
        observed = finish(
            simulate(plan, observed, NOW + number, tagged_by_file=options.tag_in_file_name)
        )

    plan = make_plan(scene.desired, observed, SERVICE, options)

    models = {change.name: change.model for change in plan.changes}
    for one in scene.desired.finetunes:
        waits_for_strangers = any(link.adopt is not None for link in line_of(one, scene.desired))
        assert waits_for_strangers or models[one.name] in (observed.models or ())


def line_of(finetune: FineTune, desired: Desired) -> list[FineTune]:
    """A fine-tune, its parent, the parent's parent and so on."""
    line: list[FineTune] = [finetune]
    while (parent := line[-1].parent) is not None:
        line += [one for one in desired.finetunes if one.name == parent.finetune]
    return line


def only_change(desired: FineTune, *jobs: Job, **options: bool) -> tuple[Action, str]:
    models = frozenset(job.model for job in jobs if job.model)
    plan = make_plan(
        Desired("demo", (desired,)), Observed(jobs, (), models), SERVICE, PlanOptions(**options)
    )
    return plan.changes[0].action, plan.changes[0].reason


def test_each_row_of_the_table_says_when_it_holds() -> None:
    given_when = [row.given for row in TABLE]

    assert len(set(given_when)) == len(given_when)
    assert all(given_when)


def test_the_table_is_documented_in_its_order() -> None:
    text = (ROOT / "docs" / "planner.md").read_text("utf-8")
    table = text.partition("<!-- table -->")[2].partition("<!-- end -->")[0]
    documented = [line.split("|")[1].strip() for line in table.splitlines() if "|" in line][2:]

    assert documented == [row.given for row in TABLE]


def test_every_row_of_the_table_is_reached_by_a_golden_case() -> None:
    reasons = [
        change["reason"]
        for path in CASES.glob("*/plan.json")
        for change in json.loads(path.read_text("utf-8"))["changes"]
    ]

    for row, sign in zip(TABLE, SIGNS_OF_ROWS, strict=True):
        assert any(sign in reason for reason in reasons), row.given


def test_a_job_under_an_old_name_is_the_same_job() -> None:
    voice = finetune("voice")

    assert only_change(voice, succeeded("ftjob-1", finetune("tone"))) == (
        Action.NO_OP,
        f"up to date as ft:{BASE}:acme::ftjob-1 (trained as tone)",
    )


def test_a_cosmetic_field_makes_no_other_training() -> None:
    plain, suffixed = finetune("tone"), finetune("tone", suffix="warm")

    assert plain.digest == suffixed.digest
    assert only_change(suffixed, succeeded("ftjob-1", plain))[0] is Action.NO_OP


def test_a_file_of_the_right_size_is_used_although_an_older_one_is_cut_off() -> None:
    tone = finetune("tone")
    name = file_name("demo", "rows", tone.training.sha256)
    cut = File("file-1", name, 7, 1, tone.training.sha256)
    whole = File("file-2", name, 100, 2, tone.training.sha256)

    plan = make_plan(Desired("demo", (tone,)), Observed((), (cut, whole)), SERVICE, PlanOptions())

    (start,) = plan.changes[0].steps
    assert isinstance(start, StartJob)
    assert start.training.id == "file-2"


def test_a_replacement_that_failed_leaves_the_first_job_running() -> None:
    tone = finetune("tone")
    first = Job("ftjob-1", "running", 1, "tone", tone.digest)
    second = Job("ftjob-2", "failed", 2, "tone", tone.digest, replaces="ftjob-1")

    assert only_change(tone, second, first) == (
        Action.NO_OP,
        "running as ftjob-1 (running)",
    )


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_replacement_that_came_to_nothing_replaces_nothing(status: str) -> None:
    """A second --replace was bought and stopped: the first one still trains."""
    tone = finetune("tone")
    live = succeeded("ftjob-1", tone, 1)
    first = Job("ftjob-2", "running", 2, "tone", tone.digest, replaces="ftjob-1")
    second = Job("ftjob-3", status, 3, "tone", tone.digest, replaces="ftjob-2")

    assert only_change(tone, second, first, live) == (
        Action.NO_OP,
        f"up to date as {live.model}; ftjob-2 trains its replacement",
    )


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_of_two_in_progress_the_oldest_stays_although_a_replacement_was_stopped(
    status: str,
) -> None:
    tone = finetune("tone")
    first, second = (Job(f"ftjob-{n}", "running", n, "tone", tone.digest) for n in (1, 2))
    third = Job("ftjob-3", status, 3, "tone", tone.digest, replaces="ftjob-1")

    assert only_change(tone, third, second, first) == (
        Action.CANCEL,
        "ftjob-2 duplicates ftjob-1",
    )


def test_only_a_replacement_that_failed_is_told_as_one() -> None:
    tone = finetune("tone")
    live = succeeded("ftjob-1", tone, 1)
    failed = Job("ftjob-2", "failed", 2, "tone", tone.digest)

    assert only_change(tone, failed, live)[1] == f"up to date as {live.model}"
    assert only_change(tone, replace(failed, replaces="ftjob-1"), live)[1] == (
        f"up to date as {live.model}; its replacement ftjob-2 failed"
    )


@pytest.mark.parametrize(("status", "stops"), [("running", ["ftjob-1"]), ("succeeded", [])])
def test_a_replacement_stops_what_can_be_stopped(status: str, stops: list[str]) -> None:
    """A job that succeeded and gets its model's name late is not to be cancelled."""
    tone = finetune("tone")
    job = Job("ftjob-1", status, 1, "tone", tone.digest)
    options = PlanOptions(replace={"tone": None})

    plan = make_plan(Desired("demo", (tone,)), Observed((job,)), SERVICE, options)

    assert [step.job for step in plan.steps(CancelJob)] == stops
    assert [step.replaces for step in starts(plan)] == ["ftjob-1"]


def test_what_is_bought_without_being_asked_to_replace_replaces_nothing() -> None:
    tone, older = finetune("tone"), finetune("tone", 2)
    jobs = (succeeded("ftjob-1", older, 1), Job("ftjob-2", "failed", 2, "tone", tone.digest))
    for observed in (jobs, jobs[:1], jobs[1:], ()):
        models = frozenset(job.model for job in observed if job.model)
        plan = make_plan(
            Desired("demo", (tone,)), Observed(observed, (), models), SERVICE,
            PlanOptions(retry_failed=True),
        )  # fmt: skip

        assert [step.replaces for step in starts(plan)] == [None]


def test_a_model_that_is_not_visible_is_not_explained_by_an_older_spec() -> None:
    tone, older = finetune("tone"), finetune("tone", 2)
    gone = succeeded("ftjob-2", tone, 2)
    before = replace(succeeded("ftjob-1", older, 1), spec={"seed": 1})

    plan = make_plan(Desired("demo", (tone,)), Observed((gone, before)), SERVICE, PlanOptions())

    (change,) = plan.changes
    assert (change.action, change.fields) == (Action.ATTENTION, ())
    assert change.reason == (
        f"ftjob-2 made {gone.model}, which this key cannot see: deleted, or hidden; --replace tone"
        " buys it again"
    )
    assert plan.changes[0].fields == ()


def test_only_a_model_that_is_missed_is_looked_for() -> None:
    tone = finetune("tone")
    old, new = succeeded("ftjob-1", tone, 1), succeeded("ftjob-2", tone, 2)
    desired = Desired("demo", (tone,))

    def missed(*models: str | None) -> tuple[str, ...]:
        observed = Observed((new, old), (), frozenset(m for m in models if m))
        return models_not_visible(desired, observed)

    assert missed(new.model, old.model) == ()
    assert missed(old.model) == ()
    assert missed() == (new.model,)


def test_jobs_that_claim_to_replace_each_other_are_still_told_apart() -> None:
    tone = finetune("tone")
    first = Job("ftjob-1", "running", 1, "tone", tone.digest, replaces="ftjob-2")
    second = Job("ftjob-2", "running", 2, "tone", tone.digest, replaces="ftjob-1")

    assert only_change(tone, second, first) == (Action.CANCEL, "ftjob-2 duplicates ftjob-1")


def unreadable(**facts: Any) -> Job:
    return Job(
        "ftjob-odd", "unreadable", 0, error=JobError("unreadable", "its id is none"), **facts
    )


def test_a_job_that_cannot_be_read_stops_what_it_may_be_of() -> None:
    tone = finetune("tone")
    said = (
        Action.ATTENTION,
        "ftjob-odd cannot be read: its id is none; --replace tone buys it all the same",
    )

    assert only_change(tone, unreadable(digest=tone.digest, finetune="other")) == said
    assert only_change(tone, unreadable(finetune="tone")) == said
    assert only_change(tone, unreadable()) == said
    assert only_change(tone, unreadable(digest=tone.digest), retry_failed=True) == said
    other = f"v1:{'e' * 64}"
    assert only_change(tone, unreadable(finetune="tone", digest=other))[0] is Action.REPLACE
    assert only_change(tone, unreadable(finetune="other"))[0] is Action.CREATE
    assert only_change(tone, unreadable(finetune="other", digest="v1:x"))[0] is Action.CREATE


def test_a_job_that_cannot_be_read_takes_no_other_ones_place_and_is_not_stopped() -> None:
    tone = finetune("tone")
    odd = unreadable(digest=tone.digest, finetune="tone")
    runs = Job("ftjob-2", "running", 9, "tone", tone.digest)
    earlier = replace(odd, digest=f"v1:{'e' * 64}")

    assert only_change(tone, odd, runs) == (Action.NO_OP, "running as ftjob-2 (running)")
    assert only_change(tone, odd, succeeded("ftjob-3", tone))[0] is Action.NO_OP
    assert only_change(tone, earlier, succeeded("ftjob-3", tone))[0] is Action.NO_OP
    plan = make_plan(Desired("demo", ()), Observed((odd,)), SERVICE, PlanOptions(prune=True))
    assert plan.empty


@pytest.mark.parametrize(
    ("status", "waiting"),
    [
        ("running", True),
        ("queued", True),
        ("paused", False),
        ("failed", False),
        ("cancelled", False),
        (None, False),
    ],
)
def test_what_waits_for_a_job_that_runs_has_nothing_to_be_done_about(
    status: str | None, *, waiting: bool
) -> None:
    parent = finetune("tone")
    child = finetune("child", parent=parent)
    grandchild = finetune("grandchild", parent=child)
    jobs = () if status is None else (Job("ftjob-1", status, 1, "tone", parent.digest),)
    observed = Observed(jobs, models=frozenset())

    plan = make_plan(Desired("demo", (parent, child, grandchild)), observed, SERVICE, PlanOptions())
    alone = make_plan(
        Desired("demo", (parent, child, grandchild)),
        observed,
        SERVICE,
        PlanOptions(select=frozenset({"child"})),
    )

    deferred = [change for change in plan.changes if change.action is Action.DEFER]
    assert [change.name for change in deferred] == ["child", "grandchild"]
    assert [change.waiting for change in deferred] == [waiting, waiting]
    assert [change.waiting for change in alone.changes] == [waiting]


@pytest.mark.parametrize("retired", [False, True], ids=["hidden", "retired"])
def test_what_is_said_to_buy_a_replacement_again_does_buy_it(*, retired: bool) -> None:
    """Of a job that --replace bought already, --replace NAME would buy nothing."""
    tone = finetune("tone")
    job = replace(succeeded("ftjob-2", tone, 2), replaces="ftjob-1", follows="ftjob-1")
    witness = Witness("ftctl.lock", "tone", tone.digest, job.id, job.model, retired=True)
    witnesses = (witness,) if retired else ()

    def plan(**options: Any) -> Change:
        asked = PlanOptions(witnesses=witnesses, **options)
        observed = Observed((job,), models=frozenset())
        return make_plan(Desired("demo", (tone,)), observed, SERVICE, asked).changes[0]

    reason = plan().reason
    assert "--replace tone=ftjob-2 " in reason
    assert plan(replace={"tone": "ftjob-2"}).action is Action.REPLACE
    assert plan(replace={"tone": None}).steps == ()
