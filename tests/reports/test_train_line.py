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
from ftctl.reports.text import plan_text
from ftctl.reports.training import training_facts, training_words

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
         "supervised, n_epochs 3"),
        (OPENAI, {"hyperparameters": THREE,
                  "extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": None}}}}},
         "supervised, n_epochs null"),
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": {"type": "dpo"}}},
         "dpo"),  # the service reads the block of that method alone
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": 7}}, "supervised"),
        (NEBIUS, {"extra": {"hyperparameters": {"lora": {"rank": 8}}}},
         'supervised, lora {"rank": 8}'),
        (OPENAI, {"hyperparameters": {"n_epochs": "3"}, "suffix": "a"},
         'supervised, n_epochs "3", suffix a'),
    ],
)  # fmt: skip
def test_it_says_what_is_sent_and_not_what_the_manifest_would_send(
    service: ServiceInfo, spec: dict[str, Any], words: str
) -> None:
    assert training_words(start(**spec), service) == f"gpt-4.1, {words}"


def facts(service: ServiceInfo, **spec: Any) -> dict[str, str]:
    """All that is told below the line, but for the rows."""
    told = training_facts(start(**spec), service)
    return {fact.label: ", ".join(fact.items) for fact in told if fact.label != "training"}


@pytest.mark.parametrize(
    ("service", "spec", "told"),
    [
        (OPENAI, {"hyperparameters": THREE}, {}),
        (OPENAI,
         {"hyperparameters": THREE,
          "extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": 50}}}}},
         {"extra": "method.supervised.hyperparameters.n_epochs 50 instead of 3"}),
        (NEBIUS, {"hyperparameters": THREE, "extra": {"hyperparameters": {"n_epochs": 50}}},
         {"extra": "hyperparameters.n_epochs 50 instead of 3"}),
        (ELSEWHERE, {"hyperparameters": THREE, "extra": {"hyperparameters": {"n_epochs": 50}}},
         {"extra": "hyperparameters.n_epochs 50"}),
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": {"type": "dpo"}}},
         {"not read": "n_epochs 3", "extra": "method.type dpo instead of supervised"}),
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": 7}},
         {"not read": "n_epochs 3", "extra": "method 7 instead of 2 fields"}),
        (OPENAI, {"hyperparameters": THREE, "extra": {"method": {"type": {"a": 1}}}},
         {"extra": "method.type.a 1 instead of all of supervised"}),
        (OPENAI, {"extra": {"trainingType": "GlobalStandard", "more": {"a": [1, None], "b": {}}}},
         {"extra": "trainingType GlobalStandard, more.a [1, null], more.b {}"}),
        (OPENAI, {"extra": {f"k{n:02}": n for n in range(14)}},
         {"extra": ", ".join(f"k{n:02} {n}" for n in range(14))}),
        (OPENAI, {"metadata": {"owner": "cx", "a note": "two words"}},
         {"metadata": 'owner cx, "a note" "two words"'}),
        (OPENAI, {"integrations": {"wandb": {"project": "tone", "tags": ["ci", "v 2"]}}},
         {"integrations": 'wandb.project tone, wandb.tags ["ci", "v 2"]'}),
        (OPENAI, {"grader": {"type": "python", "source": "def grade():\n  return 1\n"}},
         {"grader": "type python",
          "grader.source": "24 characters in 2 lines, "
          "sha256:53dd7f750bbdaa141e3b6a7e34c051bfedbc1a460381f19fae257a34f35bda8e"}),
        (OPENAI, {"something-new": True}, {"something-new": "true"}),
    ],
)  # fmt: skip
def test_all_else_is_told_by_its_name(
    service: ServiceInfo, spec: dict[str, Any], told: dict[str, str]
) -> None:
    assert facts(service, **spec) == told


def test_a_key_in_a_value_is_taken_out() -> None:
    key = "sk-proj-4f9Kq2LmX7wZ1bVt"

    assert facts(OPENAI, metadata={"note": key}) == {"metadata": 'note "[redacted]"'}


def test_every_form_of_a_plan_says_it_of_the_plans_own_service() -> None:
    step = start(hyperparameters=THREE, extra={"hyperparameters": {"n_epochs": 50}})
    cost = Estimate(Decimal(1), Decimal(2), "because")
    change = Change("tone", Action.CREATE, "not found", (step,), cost=cost)
    for service, words in (
        (NEBIUS, "n_epochs 50 instead of 3"),
        (OPENAI, "hyperparameters.n_epochs 50"),
    ):
        plan = Plan("acme", service, (change,))
        review = Review(plan, plan_digest(plan))

        forms = (plan_text(review, None), plan_markdown(review), plan_html(review))

        for text in forms:
            assert words in text.replace("\\", "")
