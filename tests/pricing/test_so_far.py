"""What a job has cost so far: each answer in the words that people read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ftctl.catalog import load_catalog
from ftctl.domain.config import catalog_overrides
from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import Job, Progress
from ftctl.domain.plan import Estimate
from ftctl.pricing import cost_so_far

OPENAI = ServiceInfo("openai", "https://api.example/v1")
EMBEDDED = ServiceInfo("emulator", "emulator://.ftctl", billed=False)
CATALOG = load_catalog()
MADE = 1_790_000_000
JOB = Job("ftjob-1", "running", MADE, base_model="gpt-4.1-mini-2025-04-14")
WHOLE = Estimate(Decimal(4), Decimal(5), "800,000 to 1,000,000 tokens × 1 epoch")


def words(
    job: Job = JOB,
    estimate: Estimate | None = WHOLE,
    service: ServiceInfo = OPENAI,
    *,
    steps_told: bool = True,
    **progress: Any,
) -> str:
    return cost_so_far(
        Progress("tone", job, **progress), estimate, CATALOG, service, MADE + 9000.0,
        steps_told=steps_told,
    )  # fmt: skip


def test_the_part_of_the_estimate_that_the_steps_are() -> None:
    assert words(step=25, total_steps=100) == (
        "about $1.00 to $1.25 (step 25 of 100; at most $5.00 in all)"
    )
    assert words(step=7, total_steps=0) == "at most $5.00: the service tells no steps of it"
    # More than all of it is never claimed, whatever a service counts.
    assert "about $4.00 to $5.00 (" in words(step=130, total_steps=100)
    assert "about $0.00 (" in words(step=-3, total_steps=100)


def test_tokens_that_the_service_tells_go_before_any_estimate() -> None:
    told = replace(JOB, trained_tokens=300_000)

    assert words(told, step=1, total_steps=100) == "$1.50 (300,000 trained tokens)"
    unknown = replace(told, base_model="someone-elses-7b")
    assert words(unknown) == "not known: 300,000 trained tokens, whose price is not on record"


@pytest.mark.parametrize("status", ["validating_files", "queued"])
def test_nothing_while_it_does_not_train(status: str) -> None:
    waiting = replace(JOB, status=status)

    assert words(waiting) == f"none yet, as it does not train ({status})"
    # One that was paused is queued again: what it trained before has its price.
    assert words(waiting, step=25, total_steps=100).startswith("about $1.00")
    # Where nobody tells steps, nothing of the kind is claimed.
    assert words(waiting, steps_told=False).startswith("at most $5.00")


def test_a_paused_job_has_cost_what_it_trained() -> None:
    assert words(replace(JOB, status="paused"), step=25, total_steps=100).startswith("about $1.00")


def test_hours_since_it_was_made_are_the_most_that_it_can_be() -> None:
    job = replace(JOB, base_model="o4-mini-2025-04-16", spec={"method": "reinforcement"})

    assert words(job, None) == "at most $250.00 (2.5 h since it was made, at $100.00 an hour)"
    early = cost_so_far(Progress("tone", job), None, CATALOG, OPENAI, MADE - 60.0)
    assert early.startswith("at most $0.00 (")  # our clock may be behind the service's


def test_what_nobody_can_tell_is_said_with_its_reason() -> None:
    assert words(estimate=None).startswith("not known: it was bought for an earlier spec")
    assert words(estimate=Estimate(None, None, "the data was not counted")) == (
        "not known: the data was not counted"
    )


def test_nothing_where_nothing_is_billed_but_for_a_price_of_ones_own() -> None:
    own = CATALOG.with_overrides(
        catalog_overrides({"emulator": {"gpt-4.1-mini-2025-04-14": {"usd_per_million_tokens": 2}}})
    )
    progress = Progress("tone", replace(JOB, trained_tokens=500_000))

    assert words(service=EMBEDDED) == "none, as nothing is billed here"
    assert cost_so_far(progress, None, own, EMBEDDED, MADE) == "$1.00 (500,000 trained tokens)"
