"""Each witness stops a purchase by itself, and none of them causes one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from scenes import BASE, SERVICE, Scene, dataset, finetune, often, scenes, starts, succeeded

from ftctl.domain.desired import Desired, ServiceInfo
from ftctl.domain.digest import file_name
from ftctl.domain.observed import AccountId, File, Job, Observed
from ftctl.domain.plan import Action, CancelJob, Change, DeleteModel, StartJob
from ftctl.domain.witness import Witness
from ftctl.planner import EVIDENCE, PlanOptions, Scope, make_plan
from ftctl.planner.evidence import differences

TONE = finetune("tone")
FILE = File("file-1", file_name("demo", "rows", dataset("rows").sha256), 100, 0,
            dataset("rows").sha256)  # fmt: skip
HERE = {"service_type": SERVICE.type, "base_url": SERVICE.base_url}
RECORD = Witness("ftctl.lock", "tone", TONE.digest, "ftjob-1", "ft:1", **HERE)
A, B = AccountId("org-a", "proj_a"), AccountId("org-a", "proj_b")


def change_of(
    observed: Observed, *witnesses: Witness, service: ServiceInfo = SERVICE, **options: object
) -> Change:
    asked = PlanOptions(witnesses=witnesses, **options)  # type: ignore[arg-type]
    plan = make_plan(Desired("demo", (TONE,)), observed, service, asked)
    return next(change for change in plan.changes if change.name == "tone")


def outcome(observed: Observed, *witnesses: Witness, **options: object) -> Action:
    change = change_of(observed, *witnesses, **options)  # type: ignore[arg-type]
    assert bool([step for step in change.steps if isinstance(step, StartJob)]) is (
        change.action in (Action.CREATE, Action.REPLACE)
    )
    return change.action


def test_the_table_of_evidence_is_documented_in_its_order() -> None:
    text = Path(ROOT, "docs", "planner.md").read_text("utf-8")
    table = text.partition("<!-- evidence -->")[2].partition("<!-- end -->")[0]
    documented = [line.split("|")[1].strip() for line in table.splitlines() if "|" in line][2:]

    assert documented == [row.witness for row in EVIDENCE]


def test_what_nobody_has_seen_is_bought() -> None:
    assert outcome(Observed()) is Action.CREATE
    assert outcome(Observed(files=(FILE,), account=A)) is Action.CREATE


def test_a_record_that_the_service_does_not_know_stops_a_purchase() -> None:
    gone = Observed(missing=frozenset({"ftjob-1"}))

    assert outcome(gone, RECORD) is Action.ATTENTION
    assert outcome(Observed(), RECORD) is Action.CREATE  # it was not asked for: no plan to buy by
    assert outcome(gone, RECORD, replace={"tone": None}) is Action.REPLACE
    assert outcome(gone, RECORD, retry_failed=True) is Action.ATTENTION


def test_a_record_of_an_earlier_spec_stops_a_purchase_in_its_own_environment() -> None:
    gone = Observed(missing=frozenset({"ftjob-1"}))
    earlier = replace(RECORD, digest="v1:" + "0" * 64)

    change = change_of(gone, earlier)

    assert change.action is Action.ATTENTION
    assert "for an earlier spec" in change.reason
    assert outcome(gone, replace(earlier, finetune="voice")) is Action.CREATE
    assert outcome(gone, replace(earlier, environment="dev")) is Action.CREATE


def test_an_embedded_store_that_was_made_anew_is_no_doubt() -> None:
    embedded = ServiceInfo("emulator", "emulator://.ftctl", billed=False)
    place = {"service_type": "emulator", "base_url": "emulator://.ftctl"}
    old = Witness("ftctl.lock", "tone", TONE.digest, "ftjob-1", "ft:1", **place)
    gone = Observed(missing=frozenset({"ftjob-1"}))

    assert outcome(gone, old, service=embedded) is Action.CREATE
    change = change_of(replace(gone, account=B), replace(old, account=A), service=embedded)
    assert change.reason == "not found (ftctl.lock knows ft:1 at emulator://.ftctl)"
    assert outcome(replace(gone, account=A), replace(old, account=A), service=embedded) is (
        Action.ATTENTION
    )


@pytest.mark.parametrize("other", [B, AccountId("org-b"), AccountId("org-b", "proj_a")])
def test_a_record_of_another_account_at_the_same_address_stops_a_purchase(
    other: AccountId,
) -> None:
    assert outcome(Observed(account=A), replace(RECORD, account=other)) is Action.ATTENTION
    assert outcome(Observed(account=A), replace(RECORD, account=A)) is Action.CREATE
    assert outcome(Observed(), replace(RECORD, account=other)) is Action.CREATE


def test_a_record_of_another_address_is_told_and_buys() -> None:
    elsewhere = replace(RECORD, base_url="https://elsewhere.example/v1", account=B)

    change = change_of(Observed(account=A, missing=frozenset({"ftjob-1"})), elsewhere)

    assert (change.action, change.reason) == (
        Action.CREATE, "not found (ftctl.lock knows ft:1 at https://elsewhere.example/v1)"
    )  # fmt: skip


@pytest.mark.parametrize("url", [f"{SERVICE.base_url}/", "HTTPS://API.Example/v1"])
def test_another_spelling_makes_no_other_address(url: str) -> None:
    gone = Observed(missing=frozenset({"ftjob-1"}))

    assert outcome(gone, replace(RECORD, base_url=url)) is Action.ATTENTION
    assert not SERVICE.is_at("https://api.example/V1")


def test_a_recorded_job_of_a_renamed_project_stops_a_purchase() -> None:
    theirs = replace(succeeded("ftjob-1", TONE), project="old-name")
    seen = Observed(others=(theirs,), models=frozenset({theirs.model or ""}))

    assert outcome(seen, RECORD, reuse=False) is Action.ATTENTION
    assert outcome(seen, RECORD, reuse=True) is Action.NO_OP
    noted = change_of(seen, reuse=False)
    assert noted.action is Action.CREATE
    assert "ftjob-1 has it under the project old-name" in noted.reason


UNMARKED = Job(
    "ftjob-9",
    "running",
    5,
    base_model=BASE,
    training_file="file-1",
    hyperparameters={"n_epochs": 3},
)


@pytest.mark.parametrize("status", ["running", "succeeded", "queued", "moon"])
def test_an_unmarked_job_that_trains_the_same_stops_a_purchase(status: str) -> None:
    seen = Observed(files=(FILE,), strangers=(replace(UNMARKED, status=status),))

    assert outcome(seen) is Action.ATTENTION
    assert outcome(seen, retry_failed=True) is Action.ATTENTION
    assert outcome(seen, replace={"tone": None}) is Action.REPLACE


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_unmarked_job_that_came_to_nothing_is_tried_again_on_request(status: str) -> None:
    seen = Observed(files=(FILE,), strangers=(replace(UNMARKED, status=status),))

    assert outcome(seen) is Action.ATTENTION
    assert outcome(seen, retry_failed=True) is Action.CREATE
    (start,) = [s for s in change_of(seen, retry_failed=True).steps if isinstance(s, StartJob)]
    assert start.follows == "ftjob-9"


@pytest.mark.parametrize(
    "other",
    [
        {"base_model": "gpt-4o-2024-08-06"},
        {"base_model": "gpt-4.1-2025-04-14"},
        {"training_file": "file-2"},
        {"project": "other"},
    ],
)
def test_an_unmarked_job_for_something_else_stops_nothing(other: dict[str, object]) -> None:
    stranger = replace(UNMARKED, **other)  # type: ignore[arg-type]

    assert outcome(Observed(files=(FILE,), strangers=(stranger,))) is Action.CREATE


def test_an_unmarked_job_with_other_numbers_stops_a_purchase_unless_another_asks_for_them() -> None:
    stranger = replace(UNMARKED, hyperparameters={"n_epochs": 8})
    seen = Observed(files=(FILE,), strangers=(stranger,))
    rival = finetune("other", 8)

    alone = change_of(seen)
    beside = make_plan(Desired("demo", (rival, TONE)), seen, SERVICE, PlanOptions())
    elsewhere = finetune("far", 8, training="lines")
    apart = make_plan(Desired("demo", (elsewhere, TONE)), seen, SERVICE, PlanOptions())

    assert alone.action is Action.ATTENTION
    assert "without our mark, with n_epochs 8 (asked: 3)" in alone.reason
    assert [change.action for change in beside.changes] == [Action.ATTENTION, Action.CREATE]
    assert [change.action for change in apart.changes] == [Action.CREATE, Action.ATTENTION]


def test_where_the_service_keeps_our_marks_other_numbers_are_anothers_job() -> None:
    """A change of a spec is a purchase like any other, whoever trained on the file by hand."""
    stranger = replace(UNMARKED, hyperparameters={"n_epochs": 8})
    ours = succeeded("ftjob-1", finetune("tone", 2))
    seen = Observed((ours,), (FILE,), frozenset({f"{ours.model}"}), strangers=(stranger,))

    assert outcome(seen) is Action.REPLACE
    assert outcome(replace(seen, strangers=(UNMARKED,))) is Action.ATTENTION


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_job_with_other_numbers_that_came_to_nothing_stops_nothing(status: str) -> None:
    stranger = replace(UNMARKED, status=status, hyperparameters={"n_epochs": 8})

    assert outcome(Observed(files=(FILE,), strangers=(stranger,))) is Action.CREATE


@pytest.mark.parametrize(
    "same",
    [
        {"hyperparameters": {}},
        {"hyperparameters": {"n_epochs": "auto"}},
        {"hyperparameters": {"n_epochs": 3.0, "batch_size": 7}},
        {"base_model": f"openai/{BASE.upper()}"},
        {"base_model": BASE.removesuffix("-2025-04-14")},
        {"hyperparameters": {"n_epochs": 3.0000000149}},
        {"base_model": None},
        {"seed": 11},
    ],
)
def test_what_a_job_does_not_tell_is_no_difference(same: dict[str, object]) -> None:
    stranger = replace(UNMARKED, **same)  # type: ignore[arg-type]

    assert outcome(Observed(files=(FILE,), strangers=(stranger,))) is Action.ATTENTION


def test_a_job_that_a_manifest_adopts_is_no_doubt_against_another() -> None:
    other = finetune("other", 5, adopt="ftjob-9")
    seen = Observed(files=(FILE,), strangers=(UNMARKED,), adopted=(UNMARKED,))

    plan = make_plan(Desired("demo", (other, TONE)), seen, SERVICE, PlanOptions())

    assert [step.finetune for step in starts(plan)] == ["tone"]


@pytest.mark.parametrize(
    ("status", "cure"),
    [
        ("running", "'adopt: ftjob-1' takes it"),
        ("succeeded", "'adopt: ftjob-1' takes it"),
        ("failed", "--retry-failed buys it"),
        ("cancelled", "--retry-failed buys it"),
    ],
)
def test_a_recorded_job_without_a_tag_is_nobodys_and_stops_a_purchase(
    status: str, cure: str
) -> None:
    stranger = Job("ftjob-1", status, 5, base_model="gpt-4o", model="ft:stranger")
    seen = Observed(strangers=(stranger,), models=frozenset({"ft:stranger"}))

    change = change_of(seen, RECORD)

    assert (change.action, change.model is None, change.steps) == (Action.ATTENTION, False, ())
    assert cure in change.reason
    assert outcome(seen, replace(RECORD, digest="v1:" + "0" * 64)) is Action.CREATE


def test_a_child_waits_for_the_replacement_of_its_parent() -> None:
    base, child = finetune("base"), finetune("child", training="lines", parent=finetune("base"))
    jobs = (succeeded("ftjob-1", base, 1), replace(succeeded("ftjob-2", child, 2),
            base_model=succeeded("ftjob-1", base).model))  # fmt: skip
    models = frozenset(f"{job.model}" for job in jobs)
    both = PlanOptions(replace={"base": None, "child": None}, commit="c0ffee")
    desired = Desired("demo", (base, child))

    first = make_plan(desired, Observed(jobs, models=models), SERVICE, both)
    running = Job("ftjob-3", "running", 3, "base", base.digest, replaces="ftjob-1", commit="c0ffee")
    then = make_plan(desired, Observed((running, *jobs), models=models), SERVICE, both)

    assert [step.finetune for step in starts(first)] == ["base"]
    assert [change.action for change in first.changes] == [Action.REPLACE, Action.DEFER]
    assert [change.action for change in then.changes] == [Action.NO_OP, Action.DEFER]


def test_a_parent_that_is_adopted_is_not_replaced_and_keeps_no_child_waiting() -> None:
    base = finetune("base", adopt="ftjob-1")
    child = finetune("child", training="lines", parent=base)
    job = Job("ftjob-1", "succeeded", 1, model="ft:1")
    seen = Observed(adopted=(job,), models=frozenset({"ft:1"}))
    options = PlanOptions(replace={"base": None})

    plan = make_plan(Desired("demo", (base, child)), seen, SERVICE, options)

    assert [step.finetune for step in starts(plan)] == ["child"]


def test_a_parent_whose_newest_model_is_late_makes_no_older_one_the_one_to_follow() -> None:
    base, child = finetune("base"), finetune("child", training="lines", parent=finetune("base"))
    old, new = succeeded("ftjob-1", base, 1), replace(succeeded("ftjob-2", base, 2), replaces="x")
    on_new = replace(succeeded("ftjob-3", child, 3), base_model=new.model)
    late = Observed((on_new, new, old), models=frozenset({f"{old.model}", f"{on_new.model}"}))

    plan = make_plan(Desired("demo", (base, child)), late, SERVICE, PlanOptions())

    assert plan.changes[1].action is Action.NO_OP


def test_a_child_that_was_replaced_on_the_old_parent_is_replaced_again_at_the_same_commit() -> None:
    base, child = finetune("base"), finetune("child", training="lines", parent=finetune("base"))
    old, new = succeeded("ftjob-1", base, 1), replace(succeeded("ftjob-4", base, 4), replaces="x")
    first = replace(
        succeeded("ftjob-3", child, 3), replaces="ftjob-2", commit="c0ffee", base_model=old.model
    )
    again = replace(
        succeeded("ftjob-5", child, 5), replaces="ftjob-3", commit="c0ffee", base_model=new.model
    )
    options = PlanOptions(replace={"child": None}, commit="c0ffee")

    def bought(*jobs: Job) -> int:
        models = frozenset(f"{job.model}" for job in jobs)
        desired = Desired("demo", (base, child))
        return len(starts(make_plan(desired, Observed(jobs, models=models), SERVICE, options)))

    assert bought(new, first, old) == 1
    assert bought(again, new, first, old) == 0


def test_a_retried_failure_does_not_hide_a_model_that_is_not_visible() -> None:
    made = succeeded("ftjob-1", TONE, 1)
    twin = Job("ftjob-2", "cancelled", 2, "tone", TONE.digest)
    chosen = replace(twin, status="failed", replaces="ftjob-1")

    assert outcome(Observed((twin, made)), retry_failed=True) is Action.ATTENTION
    assert outcome(Observed((chosen, made)), retry_failed=True) is Action.CREATE
    assert outcome(Observed((chosen, made))) is Action.ATTENTION


def test_replace_is_done_once_at_a_commit() -> None:
    first = succeeded("ftjob-1", TONE, 1)
    second = replace(succeeded("ftjob-2", TONE, 2), replaces="ftjob-1", commit="c0ffee")
    both = Observed((second, first), models=frozenset({f"{first.model}", f"{second.model}"}))
    asked = {"replace": {"tone": None}}

    assert outcome(both, **asked, commit="c0ffee") is Action.NO_OP
    assert outcome(both, **asked, commit="decade") is Action.REPLACE
    assert outcome(both, replace={"tone": "ftjob-2"}, commit="c0ffee") is Action.REPLACE
    assert outcome(both, replace={"tone": "ftjob-1"}, commit="decade") is Action.NO_OP


@pytest.mark.parametrize("commits", [(None, None), ("c0ffee", None), (None, "c0ffee")])
def test_without_a_commit_a_second_replace_names_the_job(
    commits: tuple[str | None, str | None],
) -> None:
    """Of a job that a file's name marks no commit is told."""
    first = succeeded("ftjob-1", TONE, 1)
    second = replace(succeeded("ftjob-2", TONE, 2), replaces="ftjob-1", commit=commits[0])
    both = Observed((second, first), models=frozenset({f"{first.model}", f"{second.model}"}))

    change = change_of(both, replace={"tone": None}, commit=commits[1])

    assert change.action is Action.NO_OP
    assert "--replace tone=ftjob-2 buys another" in change.reason


def test_what_replace_bought_as_new_is_not_bought_again_at_the_same_commit() -> None:
    asked = {"replace": {"tone": None}, "commit": "c0ffee"}
    (start,) = [s for s in change_of(Observed(), **asked).steps if isinstance(s, StartJob)]
    bought = replace(succeeded("ftjob-1", TONE), replaces=start.replaces, commit="c0ffee")

    seen = Observed((bought,), models=frozenset({f"{bought.model}"}))

    assert outcome(seen, **asked) is Action.NO_OP
    assert start.stands_in_for is None  # beside a plain apply it is the same purchase


def test_a_job_to_replace_that_is_not_the_newest_is_told_so() -> None:
    job = succeeded("ftjob-1", TONE, 1)
    seen = Observed((job,), models=frozenset({f"{job.model}"}))

    change = change_of(seen, replace={"tone": "ftjob-99"})

    assert (change.action, change.reason) == (
        Action.NO_OP,
        "ftjob-1 is the newest of it, and not ftjob-99: --replace tone=ftjob-1 replaces that",
    )


@pytest.mark.parametrize(
    ("mark", "job", "recorded", "governed"),
    [
        (None, None, (), True), (None, "dev", (), False), ("prod", "prod", (), True),
        ("prod", "dev", (), False), ("prod", None, (), False), ("prod", None, ("ftjob-1",), True),
        ("prod", "dev", ("ftjob-1",), False),
    ],
)  # fmt: skip
def test_an_environment_stops_and_retires_its_own_alone(
    mark: str | None, job: str | None, recorded: tuple[str, ...], governed: bool
) -> None:
    older = finetune("tone", 2)
    running = Job("ftjob-1", "running", 1, "tone", older.digest, environment=job)
    scope = Scope(mark, mark, frozenset(recorded))

    change = change_of(Observed((running,)), scope=scope)

    assert change.action is (Action.REPLACE if governed else Action.CREATE)
    assert [s.job for s in change.steps if isinstance(s, CancelJob)] == ["ftjob-1"] * governed


def test_equal_digests_share_a_job_whatever_its_environment() -> None:
    job = replace(succeeded("ftjob-1", TONE), environment="dev")

    seen = Observed((job,), models=frozenset({f"{job.model}"}))

    assert outcome(seen, scope=Scope("prod", "prod")) is Action.NO_OP


def test_prune_takes_nothing_of_another_environment() -> None:
    left = finetune("gone", training="lines")
    theirs = replace(succeeded("ftjob-1", left), environment="dev")
    seen = Observed((theirs,), models=frozenset({f"{theirs.model}"}))

    plan = make_plan(
        Desired("demo", (TONE,)),
        seen,
        SERVICE,
        PlanOptions(prune=True, scope=Scope("prod", "prod")),
    )

    assert plan.steps(DeleteModel) == ()


def test_an_older_checkout_leaves_what_a_newer_one_bought() -> None:
    running = Job("ftjob-2", "running", 2, "tone", finetune("tone", 9).digest, commit="c0ffee11")
    left = finetune("gone", training="lines")
    gone = replace(succeeded("ftjob-1", left), commit="c0ffee11")
    seen = Observed((running, gone), models=frozenset({f"{gone.model}"}))
    options = PlanOptions(prune=True, scope=Scope(newer=frozenset({"c0ffee11"})))

    plan = make_plan(Desired("demo", (TONE,)), seen, SERVICE, options)

    assert plan.steps(DeleteModel) == plan.steps(CancelJob) == ()
    assert all("(of commit c0ffee1) alone" in change.reason for change in plan.changes)
    assert len(plan.changes) == 2


WITNESSES = st.lists(
    st.builds(
        Witness,
        st.sampled_from(["ftctl.lock", "intent"]),
        st.sampled_from(["alpha", "beta"]),
        st.sampled_from([finetune("alpha", 1).digest, finetune("alpha", 2).digest]),
        st.sampled_from([None, "ftjob-0", "ftjob-8"]),
        service_type=st.just(SERVICE.type),
        base_url=st.sampled_from([None, SERVICE.base_url]),
        account=st.sampled_from([AccountId(), A, B]),
        retired=st.booleans(),
    ),
    max_size=4,
)


@given(scenes(), WITNESSES, st.booleans())
@often
def test_no_witness_causes_a_purchase(
    scene: Scene, witnesses: list[Witness], missing: bool
) -> None:
    observed = replace(
        scene.observed, account=A, missing=frozenset({"ftjob-8"}) if missing else frozenset()
    )
    without = replace(scene, observed=observed)
    options = replace(scene.options, witnesses=tuple(witnesses), replace={})
    plain = replace(without, options=replace(scene.options, replace={}))

    bought = {step.digest for step in starts(replace(without, options=options).plan())}

    assert bought <= {step.digest for step in starts(plain.plan())}


@pytest.mark.parametrize(
    ("model", "numbers", "seed", "found"),
    [
        (BASE, {"n_epochs": 3}, None, ()),
        (BASE, {"n_epochs": 2}, None, ("n_epochs 2 (asked: 3)",)),
        (BASE, {"n_epochs": "auto", "batch_size": 9}, 4, ()),
        (None, {}, None, ()),
        ("gpt-4.1-mini", {}, None, ()),
        (f"OpenAI/{BASE}", {}, None, ()),
        ("gpt-4.1-2025-04-14", {}, None, (f"base_model gpt-4.1-2025-04-14 (asked: {BASE})",)),
    ],
)
def test_what_an_adopted_job_has_otherwise_is_told(
    model: str | None, numbers: dict[str, object], seed: int | None, found: tuple[str, ...]
) -> None:
    job = Job("ftjob-1", "succeeded", 1, base_model=model, hyperparameters=numbers, seed=seed)

    assert differences(TONE, BASE, job, SERVICE, {}) == found


def test_an_adopted_job_that_continues_may_tell_of_the_base_alone() -> None:
    ours = f"ft:{BASE}:acme::m1"
    for told, found in (
        (BASE, ()),
        (ours, ()),
        ("gpt-4.1-2025-04-14", (f"base_model gpt-4.1-2025-04-14 (asked: {ours})",)),
    ):
        job = Job("ftjob-1", "succeeded", 1, base_model=told)
        assert differences(TONE, ours, job, SERVICE, {}) == found


def test_a_seed_that_was_asked_for_is_compared() -> None:
    seeded = replace(TONE, spec={**TONE.spec, "seed": 7})

    assert differences(seeded, BASE, Job("ftjob-1", "succeeded", 1, seed=7), SERVICE, {}) == ()
    assert differences(seeded, BASE, Job("ftjob-1", "succeeded", 1, seed=1), SERVICE, {}) == (
        "seed 1 (asked: 7)",
    )


@pytest.mark.parametrize(
    ("other", "action"),
    [
        ({"hyperparameters": {"n_epochs": 8}}, Action.ATTENTION),
        ({"base_model": "gpt-4o-2024-08-06"}, Action.CREATE),
        ({}, Action.NO_OP),
    ],
)
def test_a_job_on_a_file_that_is_our_mark_stands_only_if_it_trains_what_is_asked_for(
    other: dict[str, object], action: Action
) -> None:
    job = replace(
        UNMARKED,
        status="succeeded",
        model="ft:9",
        digest=TONE.digest,
        by_file=True,
        finetune="tone",
    )
    marked = replace(FILE, digest=TONE.digest)
    seen = Observed((replace(job, **other),), (marked,), frozenset({"ft:9"}))  # type: ignore[arg-type]
    by_name = {"tag_in_file_name": True}

    change = change_of(seen, **by_name)
    recorded = change_of(seen, replace(RECORD, job="ftjob-9"), **by_name)

    assert change.action is action
    assert recorded.action is Action.NO_OP
    assert not [s for s in change.steps if isinstance(s, CancelJob | DeleteModel)]


def test_a_strangers_job_on_a_file_that_is_our_mark_is_no_duplicate() -> None:
    ours = replace(UNMARKED, id="ftjob-1", digest=TONE.digest, by_file=True, finetune="tone")
    stranger = replace(ours, id="ftjob-9", created_at=9, hyperparameters={"n_epochs": 8})
    seen = Observed((stranger, ours), (replace(FILE, digest=TONE.digest),))

    change = change_of(seen, tag_in_file_name=True)

    assert (change.action, change.job, change.steps) == (Action.NO_OP, "ftjob-1", ())


def test_only_the_retired_model_itself_is_taken_for_retired() -> None:
    made = succeeded("ftjob-1", TONE)
    retired = replace(RECORD, retired=True)

    assert outcome(Observed((made,)), retired) is Action.NO_OP
    assert outcome(Observed((made,)), RECORD) is Action.ATTENTION
    assert outcome(Observed((made,)), replace(retired, job="ftjob-2")) is Action.ATTENTION
