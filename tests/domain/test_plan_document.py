"""A plan's document is its approval, and one that was changed or is none approves nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from scenes import COSMETIC, SERVICE, Scene, finetune, often, scenes

from ftctl.domain.desired import Desired
from ftctl.domain.observed import AccountId, Observed
from ftctl.domain.plan import NO_OPTIONS, Plan
from ftctl.domain.plan_document import approval_of, plan_digest, plan_document, read_approval
from ftctl.domain.review import Review
from ftctl.errors import FtctlError
from ftctl.planner import PlanOptions, make_plan


def planned() -> Plan:
    desired = Desired("demo", (finetune("tone"),))
    return make_plan(desired, Observed(), SERVICE, PlanOptions(cosmetic=COSMETIC))


def written(plan: Plan, **options: Any) -> dict[str, Any]:
    review = Review(plan, plan_digest(plan), **options)
    document: dict[str, Any] = json.loads(json.dumps(plan_document(review)))
    return document


@given(scenes())
@often
def test_its_document_approves_the_same(scene: Scene) -> None:
    plan = scene.plan()

    read = read_approval(written(plan), "plan.json")

    assert read == approval_of(plan)


def test_the_options_that_shaped_a_plan_come_back_as_they_were() -> None:
    options = {
        "select": ["tone"],
        "replace": ["tone"],
        "prune": True,
        "retry_failed": True,
        "force_destroy": True,
        "environment": "production",
    }

    plan = replace(planned(), options=options)

    read = read_approval(written(plan, options=options), "plan.json")

    assert read.options == options


@pytest.mark.parametrize("option", ["prune", "retry_failed", "force_destroy"])
def test_two_command_lines_that_do_different_things_have_different_digests(option: str) -> None:
    plan = planned()

    other = replace(plan, options={**NO_OPTIONS, option: True})

    assert plan_digest(other) != plan_digest(plan)


@pytest.mark.parametrize("account", [AccountId("org-a"), AccountId(None, "proj_a")])
def test_a_plan_for_another_account_has_another_digest(account: AccountId) -> None:
    plan = replace(planned(), account=account)

    read = read_approval(written(plan), "plan.json")

    assert plan_digest(plan) != plan_digest(planned())
    assert read.account == account


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_plan_of_an_earlier_version_is_refused_with_a_cure(version: str) -> None:
    document = {**written(planned()), "format_version": version}

    with pytest.raises(FtctlError) as fault:
        read_approval(document, "plan.json")

    assert "was written by an earlier ftctl" in fault.value.message
    assert fault.value.hint == "make it again with 'ftctl plan --out FILE'"


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
    document = written(planned())
    change(document)

    with pytest.raises(FtctlError, match=words):
        read_approval(document, "plan.json")


@pytest.mark.parametrize("document", [None, [], "plan", 3, {}, {"changes": [1]}])
def test_any_json_is_read_without_a_crash(document: object) -> None:
    with pytest.raises(FtctlError, match="is not a plan of ftctl"):
        read_approval(document, "plan.json")
