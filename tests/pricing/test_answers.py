"""What the service trains otherwise than it was asked to, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ftctl.catalog import load_catalog
from ftctl.domain.desired import Dataset, Desired, FineTune, Parent, ServiceInfo, Tokens
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action, Change, Plan
from ftctl.errors import Span
from ftctl.pricing import differences_of, is_dearer, told_differences

OPENAI = ServiceInfo("openai", "https://api.example/v1")
AZURE = ServiceInfo("azure", "https://azure.example/v1")
CATALOG = load_catalog()
COUNTED = (Tokens("o200k_base", 65_536, 100_000, 100_000, 100_000),)
ROWS = Dataset("rows", "data/rows.jsonl", "ab" * 32, 480, 100, "chat", COUNTED)
THREE = {"hyperparameters": {"n_epochs": 3, "batch_size": 64}}
TONE = FineTune("tone", Span("a.yaml"), ROWS, None, THREE, "v1:0", "gpt-4.1-mini")
JOB = Job("ftjob-1", "running", 1, digest="v1:0", base_model="gpt-4.1-mini-2025-04-14")


def told(job: Job, one: FineTune = TONE, service: ServiceInfo = OPENAI) -> tuple[str, ...]:
    changes = (
        Change(one.name, Action.NO_OP, "running", job=job.id, digest=one.digest),
        Change("tone", Action.DELETE, "left", kind="Files", job=job.id),
    )
    plan = Plan("acme", service, changes)
    return told_differences(plan, Desired("acme", (one,)), Observed(jobs=(job,)), CATALOG)


def answering(**hyperparameters: Any) -> Job:
    return replace(JOB, hyperparameters=hyperparameters)


def test_a_sentence_tells_both_figures_and_what_they_cost() -> None:
    assert told(answering(n_epochs=8, batch_size=1)) == (
        (
            "ftjob-1 of tone trains with n_epochs 8, asked was 3; batch_size 1, asked was 64"
            " ($4.00 and not $1.50)"
        ),
    )


@pytest.mark.parametrize(
    ("job", "service", "sentence"),
    [
        (answering(batch_size=1), OPENAI, "trains with batch_size 1, asked was 64"),
        (replace(answering(n_epochs=8), status="succeeded", model="ft:x"), OPENAI,
         "was trained with n_epochs 8, asked was 3 ($4.00 and not $1.50)"),
        (answering(n_epochs=8), AZURE, "trains with n_epochs 8, asked was 3"),
        (replace(answering(n_epochs=8), status="cancelled"), OPENAI,
         "would have trained with n_epochs 8, asked was 3"),
        (replace(JOB, base_model="gpt-4o"), OPENAI,
         "trains with base_model gpt-4o, asked was gpt-4.1-mini"),
    ],
)  # fmt: skip
def test_what_costs_the_same_or_has_no_price_is_told_without_one(
    job: Job, service: ServiceInfo, sentence: str
) -> None:
    assert told(job, service=service) == (f"ftjob-1 of tone {sentence}",)


@pytest.mark.parametrize(
    ("job", "one"),
    [
        (answering(n_epochs=3, batch_size=64), TONE),
        (JOB, TONE),
        (replace(answering(n_epochs=8), digest="v1:1"), TONE),  # bought for an earlier spec
        (answering(n_epochs=8), replace(TONE, adopt="ftjob-1")),
    ],
)
def test_what_was_not_bought_for_this_spec_is_not_compared(job: Job, one: FineTune) -> None:
    assert told(job, one) == ()
    assert not is_dearer(job, one, CATALOG, OPENAI)


def test_the_model_that_was_sent_for_a_child_is_compared_where_it_is_known() -> None:
    child = replace(TONE, base_model=Parent("other", "last"))
    job = replace(JOB, base_model="ft:gpt-4.1:acme::a2")

    found = differences_of(job, child, CATALOG, OPENAI, "ft:gpt-4.1:acme::a1")

    assert differences_of(job, child, CATALOG, OPENAI) == ()
    assert [one.field for one in found] == ["base_model"]


@pytest.mark.parametrize(
    ("spec", "answer", "dearer"),
    [
        (THREE, {"n_epochs": 8}, True),
        (THREE, {"n_epochs": 2}, False),
        (THREE, {"batch_size": 1}, False),
        ({}, {"n_epochs": 25}, False),  # auto
        ({**THREE, "extra": {"hyperparameters": {"n_epochs": 9}}}, {"n_epochs": 8}, False),
        ({**THREE, "extra": {"epochs": 9}}, {"n_epochs": 8}, False),
        ({**THREE, "extra": {"epochs": 9}}, {"n_epochs": 10}, True),
    ],
)
def test_a_job_is_dearer_that_trains_more_epochs_than_were_priced(
    spec: dict[str, Any], answer: dict[str, Any], dearer: bool
) -> None:
    one = replace(TONE, spec=spec)

    assert is_dearer(answering(**answer), one, CATALOG, OPENAI) is dearer
