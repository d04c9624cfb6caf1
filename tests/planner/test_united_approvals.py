"""Several approvals are one: where two speak of the same thing, the later counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scenes import COSMETIC, SERVICE, finetune, succeeded

from ftctl.domain.desired import Desired, FineTune, ServiceInfo
from ftctl.domain.observed import AccountId, Job, Observed
from ftctl.domain.plan import NO_OPTIONS, Action, Plan, StartJob
from ftctl.domain.plan_document import Approval, approval_of
from ftctl.errors import Stale, UsageError
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.approval import reconcile, unite

TONE, WARM, DRY = finetune("tone"), finetune("warm", 4), finetune("dry", 5)
NEWER_TONE = finetune("tone", 6)


def planned(*finetunes: FineTune, jobs: tuple[Job, ...] = (), **options: Any) -> Plan:
    document = {**NO_OPTIONS, "retry_failed": options.get("retry_failed", False)}
    document |= {"replace": sorted(options.get("replace", {}))}
    asked = PlanOptions(cosmetic=COSMETIC, document=document, **options)
    models = frozenset(job.model for job in jobs if job.model)
    return make_plan(Desired("demo", finetunes), Observed(jobs, models=models), SERVICE, asked)


def of(plan: Plan, name: str = "", **options: Any) -> Approval:
    approval = approval_of(plan)
    quiet = {c.key: c.digest for c in plan.changes if not c.pending and c.digest}
    return replace(approval, source=name, options={**approval.options, **options}, quiet=quiet)


def bought(approvals: list[Approval], now: Plan) -> list[tuple[str, str]]:
    remaining, moved = reconcile(unite(approvals), now)
    assert moved == ()
    starts = remaining.plan.steps(StartJob)
    return [(step.finetune, step.digest) for step in starts if isinstance(step, StartJob)]


def test_two_plans_approve_what_either_of_them_shows() -> None:
    approvals = [of(planned(TONE)), of(planned(WARM))]

    assert bought(approvals, planned(TONE, WARM)) == [("tone", TONE.digest), ("warm", WARM.digest)]


def test_what_none_of_them_shows_is_stale() -> None:
    approvals = [of(planned(TONE)), of(planned(WARM))]

    _remaining, moved = reconcile(unite(approvals), planned(TONE, WARM, DRY))

    assert moved == ("dry: was not in the approved plan, and would now be bought (not found)",)


def test_of_two_purchases_of_one_fine_tune_the_later_counts_and_one_is_made() -> None:
    approvals = [of(planned(TONE)), of(planned(NEWER_TONE))]

    assert bought(approvals, planned(NEWER_TONE)) == [("tone", NEWER_TONE.digest)]


def test_the_order_counts() -> None:
    approvals = [of(planned(NEWER_TONE)), of(planned(TONE))]

    _remaining, moved = reconcile(unite(approvals), planned(NEWER_TONE))

    assert len(moved) == 1
    assert moved[0].startswith("tone: approved was the training v")


def test_a_later_plan_that_has_nothing_to_do_there_takes_back_nothing() -> None:
    before = (succeeded("ftjob-1", TONE, 1),)
    approvals = [
        of(planned(NEWER_TONE, jobs=before)),
        of(planned(TONE, WARM, jobs=before)),
    ]

    assert bought(approvals, planned(NEWER_TONE, WARM, jobs=before)) == [
        ("tone", NEWER_TONE.digest),
        ("warm", WARM.digest),
    ]


def test_a_later_plan_that_goes_back_buys_nothing_and_is_not_stale() -> None:
    before = (succeeded("ftjob-1", TONE, 1),)
    there, back = of(planned(NEWER_TONE, jobs=before)), of(planned(TONE, WARM, jobs=before))

    assert bought([there, back], planned(TONE, WARM, jobs=before)) == [("warm", WARM.digest)]
    _remaining, moved = reconcile(unite([back, there]), planned(TONE, WARM, jobs=before))
    assert "tone: approved was the training" in moved[0]


def test_a_fine_tune_that_a_later_plan_shows_untouched_is_not_bought_by_that() -> None:
    """No digest covers what a plan does nothing about: a forged line there buys nothing."""
    back = replace(of(planned(WARM)), quiet={("FineTune", "tone"): TONE.digest})

    _remaining, moved = reconcile(unite([of(planned(NEWER_TONE)), back]), planned(TONE, WARM))

    assert "tone: approved was the training" in moved[0]


def test_what_one_plan_tries_again_is_not_tried_again_for_the_other() -> None:
    failed = tuple(
        Job(f"ftjob-{at}", "failed", at, one.name, one.digest)
        for at, one in enumerate((TONE, WARM), start=1)
    )
    again = of(planned(TONE, jobs=failed, retry_failed=True))
    calm = of(planned(WARM, DRY, jobs=failed))

    united = unite([again, calm])

    assert united.options["retry_only"] == ["tone"]
    now = planned(TONE, WARM, DRY, jobs=failed, retry_failed=True, retry_only=frozenset({"tone"}))
    assert [name for name, _ in bought([again, calm], now)] == ["tone", "dry"]
    assert [c.action for c in now.changes if c.name == "warm"] == [Action.ATTENTION]


def test_options_that_agree_are_as_they_are() -> None:
    failed = (Job("ftjob-1", "failed", 1, "tone", TONE.digest),)
    again = of(planned(TONE, jobs=failed, retry_failed=True))

    assert unite([again, again]).options == again.options
    assert "retry_only" not in unite([of(planned(TONE)), of(planned(WARM))]).options


def test_names_are_chosen_by_both_or_all() -> None:
    tone, warm = of(planned(TONE), select=["tone"]), of(planned(WARM), select=["warm"])

    assert unite([warm, tone]).options["select"] == ["tone", "warm"]
    assert unite([warm, of(planned(TONE))]).options["select"] is None


def test_a_replacement_is_asked_for_where_its_plan_counts() -> None:
    before = (succeeded("ftjob-1", TONE, 1),)
    asked = of(planned(TONE, jobs=before, replace={"tone": None}))
    other = of(planned(WARM, replace={"warm": "ftjob-7"}), replace=["warm=ftjob-7"])

    assert unite([asked, other]).options["replace"] == ["tone", "warm=ftjob-7"]
    assert unite([asked, of(planned(NEWER_TONE))]).options["replace"] == []
    assert unite([of(planned(NEWER_TONE)), asked]).options["replace"] == ["tone"]


def test_what_is_promoted_is_deleted_only_where_all_of_them_say_so() -> None:
    forced, calm = of(planned(TONE), force_destroy=True), of(planned(WARM), prune=True)

    united = unite([forced, calm]).options
    assert (united["force_destroy"], united["prune"]) == (False, True)
    assert unite([forced, forced]).options["force_destroy"] is True


FIRST = replace(of(planned(TONE), "a.json"), account=AccountId("org-a", "proj_a"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(FIRST, project="other"), "the project other, and a.json for demo"),
        (
            replace(FIRST, options={**FIRST.options, "environment": "prod"}),
            "the environment prod, and a.json for no environment",
        ),
        (
            replace(FIRST, service={"type": "openai", "base_url": "https://b.example"}),
            "https://b.example, and a.json for https://api.example/v1",
        ),
        (
            replace(FIRST, account=AccountId("org-a", "proj_b")),
            "the account org-a / proj_b, and a.json for org-a / proj_a",
        ),
    ],
)
def test_plans_for_two_places_are_refused_by_name(other: Approval, words: str) -> None:
    with pytest.raises(Stale) as caught:
        unite([FIRST, replace(other, source="b.json")])

    assert caught.value.message.startswith(f"b.json is for {words}: plans that are applied")


def test_an_account_that_only_one_tells_is_the_account_of_all() -> None:
    untold, first = replace(FIRST, account=AccountId()), FIRST

    assert unite([untold, first]).account == first.account
    with pytest.raises(Stale):
        unite([untold, first, replace(FIRST, account=AccountId("org-b"))])


def test_one_is_itself_and_none_is_wrong_usage() -> None:
    assert unite([FIRST]) is FIRST
    with pytest.raises(UsageError):
        unite([])


def test_the_service_of_the_first_is_that_of_all() -> None:
    elsewhere = replace(planned(TONE), service=ServiceInfo("openai", "https://evil.example/v1"))

    _remaining, moved = reconcile(unite([FIRST, FIRST]), elsewhere)

    assert moved
