"""The line that says what a job is asked for: what is sent, in every form of a plan."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import Action, Change, Estimate, FileRef, Plan, StartJob
from ftctl.domain.plan_document import plan_digest
from ftctl.domain.review import Review
from ftctl.reports.html import plan_html
from ftctl.reports.markdown import plan_markdown
from ftctl.reports.phrases import training_words
from ftctl.reports.text import plan_text

OPENAI = ServiceInfo("openai", "https://api.example/v1")
NEBIUS = ServiceInfo("nebius", "https://nebius.example/v1")
ELSEWHERE = ServiceInfo("somewhere-new", "https://new.example/v1")
THREE = {"n_epochs": 3}


def start(**spec: Any) -> StartJob:
    return StartJob("tone", "v1:0", spec, "gpt-4.1", FileRef("rows", "r.jsonl", "ab" * 32), None)


@pytest.mark.parametrize(
    ("service", "spec", "words"),
    [
        (OPENAI, {"hyperparameters": THREE, "seed": 7}, "supervised, n_epochs 3, seed 7"),
        (OPENAI,
         {"hyperparameters": THREE, "seed": 7,
          "extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": 50}}}}},
         "supervised, n_epochs 50, seed 7"),
        (NEBIUS, {"hyperparameters": THREE, "extra": {"hyperparameters": {"n_epochs": 50}}},
         "supervised, n_epochs 50"),
        (ELSEWHERE, {"hyperparameters": THREE, "extra": {"hyperparameters": {"n_epochs": 50}}},
         "supervised, n_epochs 3, hyperparameters.n_epochs 50"),
        (OPENAI, {"hyperparameters": THREE,
                  "extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": None}}}}},
         "supervised, n_epochs null"),
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": {"type": "dpo"}}},
         "dpo"),  # the service reads the block of that method alone
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": 7}}, "supervised, method 7"),
        (OPENAI, {"extra": {"trainingType": "GlobalStandard", "more": {"a": [1, None], "b": {}}}},
         "supervised, trainingType GlobalStandard, more.a [1, null], more.b {}"),
        (NEBIUS, {"extra": {"hyperparameters": {"lora": {"rank": 8}}}},
         'supervised, lora {"rank": 8}'),
        (OPENAI, {"extra": {f"k{n:02}": n for n in range(14)}},
         "supervised, " + ", ".join(f"k{n:02} {n}" for n in range(12)) + ", 2 fields more of"
         " 'extra'"),
        (OPENAI, {"extra": {"note": "x" * 100, "key": "sk-abcdefghijklmnop"}},
         f"supervised, note {'x' * 59}…, key [redacted]"),
    ],
)  # fmt: skip
def test_it_says_what_is_sent_and_not_what_the_manifest_would_send(
    service: ServiceInfo, spec: dict[str, Any], words: str
) -> None:
    assert training_words(start(**spec), service) == f"gpt-4.1, {words}"


def test_every_form_of_a_plan_says_it_of_the_plans_own_service() -> None:
    step = start(hyperparameters=THREE, extra={"hyperparameters": {"n_epochs": 50}})
    cost = Estimate(Decimal(1), Decimal(2), "because")
    change = Change("tone", Action.CREATE, "not found", (step,), cost=cost)
    for service, words in ((NEBIUS, "supervised, n_epochs 50"), (OPENAI, "n_epochs 3, hyper")):
        plan = Plan("acme", service, (change,))
        review = Review(plan, plan_digest(plan))

        forms = (plan_text(review, None), plan_markdown(review), plan_html(review))

        for text in forms:
            assert words in text.replace("\\", "")
