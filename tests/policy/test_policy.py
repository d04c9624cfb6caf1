"""The policy's rules: what each refuses, in which words, and the nearest plan that it lets by."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, get_type_hints

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from scenes import (
    BASE,
    COSMETIC,
    Scene,
    dataset,
    desireds,
    finetune,
    scenes,
    succeeded,
)

from ftctl.domain.config import DEFAULT_DAYS, PolicySettings
from ftctl.domain.desired import Desired, FineTune, Parent, ServiceInfo
from ftctl.domain.digest import file_name
from ftctl.domain.observed import File, Job, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Estimate,
    Plan,
)
from ftctl.domain.review import PolicyResult, Violation
from ftctl.errors import Refused, UsageError
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.retention import make_destroy_plan
from ftctl.policy import (
    RULES,
    PolicyInput,
    check_allowed,
    check_policy,
    command_violation,
    policy_text,
    raise_refused,
    with_violations,
)

SERVICE = ServiceInfo("openai", "https://api.example/v1")
EMBEDDED = ServiceInfo("emulator", "emulator:///tmp/demo", billed=False)
TODAY = date(2026, 11, 22)
PRUNE = PlanOptions(prune=True)

often = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def costs(high: str, low: str | None = None) -> Estimate:
    return Estimate(Decimal(low or high), Decimal(high), "at a price of 2025-11")


UNKNOWN = Estimate(None, None, "no price is on record")
BY_THE_HOUR = Estimate(None, None, "billed by the hour", usd_per_hour=Decimal(100))
ELSEWHERE = Estimate(Decimal(90), Decimal(90), "free of charge here", billed=False)


def asking(
    *finetunes: FineTune,
    observed: Observed = Observed(),  # noqa: B008 - frozen
    policy: Mapping[str, Any] | None = None,
    cost: Mapping[str, Estimate | None] | None = None,
    options: PlanOptions = PlanOptions(),  # noqa: B008 - frozen
    service: ServiceInfo = SERVICE,
    **more: Any,
) -> PolicyInput:
    """What is asked about the plan for these fine-tunes; a run costs a dollar unless told."""
    desired = Desired("demo", finetunes)
    plan = make_plan(desired, observed, service, options)
    priced = [
        replace(change, cost=(cost or {}).get(change.name, costs("1.00")))
        if change.action in (Action.CREATE, Action.REPLACE, Action.DEFER)
        else change
        for change in plan.changes
    ]
    plan = replace(plan, changes=tuple(priced))
    more = {"today": TODAY, **more}
    return PolicyInput(plan, desired, observed, set_by(policy or {}), service, **more)


def set_by(policy: Mapping[str, Any]) -> PolicySettings:
    """The settings of a policy that fits its schema, as every policy does that gets so far."""
    assert [*_VALIDATOR.iter_errors(policy)] == []
    return PolicySettings.from_config(policy)


def _schema() -> Any:
    return json.loads((ROOT / "schemas" / "project.json").read_text("utf-8"))


_VALIDATOR = Draft202012Validator({**_schema()["$defs"]["policy"], "$defs": _schema()["$defs"]})


def on(base_model: str, name: str = "tone") -> FineTune:
    return replace(finetune(name), base_model=base_model)


def measured(one: FineTune) -> FineTune:
    return replace(one, validation=dataset("others"))


def existing(*finetunes: FineTune) -> Observed:
    """Each of them has a model."""
    jobs = tuple(succeeded(f"ftjob-{one.name}", one) for one in finetunes)
    return Observed(jobs, (), frozenset(job.model for job in jobs if job.model))


def model_of(one: FineTune) -> str:
    return f"ft:{BASE}:acme::ftjob-{one.name}"


TONE = finetune("tone")
CALM = finetune("calm", 4)
CHILD = finetune("tone-two", 2, parent=TONE)
TEN = tuple(finetune(f"tone-{letter}", number) for number, letter in enumerate("abcdefghij", 1))
SOON = {BASE: TODAY + timedelta(days=20)}
OLDER = finetune("tone", 9)


def leaving(count: int, policy: Mapping[str, Any] | None = None) -> PolicyInput:
    """Ten fine-tunes have models; so many of them left the manifests."""
    return asking(*TEN[count:], observed=existing(*TEN), options=PRUNE, policy=policy)


def again(count: int, policy: Mapping[str, Any] | None = None) -> PolicyInput:
    """Ten fine-tunes have models; so many of them are replaced as they are."""
    options = PlanOptions(replace=dict.fromkeys(one.name for one in TEN[:count]))
    return asking(*TEN, observed=existing(*TEN), options=options, policy=policy)


@dataclass(frozen=True)
class Case:
    """A plan that is refused, what is said, and the nearest one that is not."""

    refused: PolicyInput
    rule: str
    message: str
    hint: str
    kept: PolicyInput
    finetune: str | None = None


CASES = {
    "one job where none may start": Case(
        asking(TONE, policy={"max_jobs_created": 0}),
        "max_jobs_created",
        "the plan starts 1 training job (tone); policy.max_jobs_created allows 0",
        "narrow the plan with --select NAME, set policy.max_jobs_created: 1 in ftctl.yaml,"
        " or pass --allow max_jobs_created",
        asking(TONE, policy={"max_jobs_created": 1}),
    ),
    "too many jobs": Case(
        asking(*TEN, policy={"max_jobs_created": 9}),
        "max_jobs_created",
        "the plan starts 10 training jobs (tone-a, tone-b, tone-c, tone-d, tone-e and 5 more);"
        " policy.max_jobs_created allows 9",
        "narrow the plan with --select NAME, set policy.max_jobs_created: 10 in ftctl.yaml,"
        " or pass --allow max_jobs_created",
        asking(*TEN[1:], policy={"max_jobs_created": 9}),
    ),
    "too many models deleted": Case(
        leaving(2, {"max_models_deleted": 1}),
        "max_models_deleted",
        f"the plan deletes 2 models ({model_of(TEN[0])}, {model_of(TEN[1])});"
        " policy.max_models_deleted allows 1",
        "narrow the plan with --select NAME, set policy.max_models_deleted: 2 in ftctl.yaml,"
        " or pass --allow max_models_deleted",
        leaving(1, {"max_models_deleted": 1}),
    ),
    "more than three tenths go, although no policy says so": Case(
        leaving(4),
        "max_share_deleted",
        "the plan takes the last model from 4 of 10 fine-tunes (40 %: tone-a, tone-b, tone-c,"
        " tone-d); policy.max_share_deleted allows 30 %",
        "put their manifests back, set policy.max_share_deleted: 0.4 in ftctl.yaml,"
        " or pass --allow max_share_deleted",
        leaving(3),
    ),
    "everything goes": Case(
        leaving(10, {"max_share_deleted": 0.95}),
        "max_share_deleted",
        "the plan takes the last model from 10 of 10 fine-tunes (100 %: tone-a, tone-b, tone-c,"
        " tone-d, tone-e and 5 more); policy.max_share_deleted allows 95 %",
        "put their manifests back, set policy.max_share_deleted: 1 in ftctl.yaml,"
        " or pass --allow max_share_deleted",
        leaving(9, {"max_share_deleted": 0.95}),
    ),
    "two go where none may": Case(
        leaving(2, {"max_share_deleted": 0}),
        "max_share_deleted",
        "the plan takes the last model from 2 of 10 fine-tunes (20 %: tone-a, tone-b);"
        " policy.max_share_deleted allows 0 %",
        "put their manifests back, set policy.max_share_deleted: 0.2 in ftctl.yaml,"
        " or pass --allow max_share_deleted",
        leaving(1, {"max_share_deleted": 0}),
    ),
    "more than three tenths are bought again, although no policy says so": Case(
        again(4),
        "max_share_bought_again",
        "the plan buys 4 of 10 fine-tunes again that were trained before (40 %: tone-a, tone-b,"
        " tone-c, tone-d); policy.max_share_bought_again allows 30 %",
        "see first whether the models are gone ('ftctl doctor' says for whom the key acts),"
        " set policy.max_share_bought_again: 0.4 in ftctl.yaml,"
        " or pass --allow max_share_bought_again",
        again(3),
    ),
    "two are bought again where none may": Case(
        again(2, {"max_share_bought_again": 0}),
        "max_share_bought_again",
        "the plan buys 2 of 10 fine-tunes again that were trained before (20 %: tone-a, tone-b);"
        " policy.max_share_bought_again allows 0 %",
        "see first whether the models are gone ('ftctl doctor' says for whom the key acts),"
        " set policy.max_share_bought_again: 0.2 in ftctl.yaml,"
        " or pass --allow max_share_bought_again",
        again(1, {"max_share_bought_again": 0}),
    ),
    "a job that may cost a cent's part too much": Case(
        asking(TONE, cost={"tone": costs("10.001", "9.90")}, policy={"max_cost_per_job": 10}),
        "max_cost_per_job",
        "tone may cost $10.01; policy.max_cost_per_job allows $10.00",
        "set policy.max_cost_per_job: 10.01 in ftctl.yaml, or pass --allow max_cost_per_job",
        asking(TONE, cost={"tone": costs("10.00", "9.90")}, policy={"max_cost_per_job": 10}),
        "tone",
    ),
    "a job whose price nobody knows": Case(
        asking(TONE, cost={"tone": UNKNOWN}, policy={"max_cost_per_job": 5}),
        "max_cost_per_job",
        "nobody can tell beforehand what tone costs: no price of gpt-4.1-mini-2025-04-14 at openai"
        " is on record; policy.max_cost_per_job allows $5.00",
        "give its price in ftctl.yaml (catalog: {openai: {gpt-4.1-mini-2025-04-14:"
        " {usd_per_million_tokens: …}}}), or pass --allow max_cost_per_job",
        asking(TONE, cost={"tone": UNKNOWN}),
        "tone",
    ),
    "a job that is billed by the hour": Case(
        asking(TONE, cost={"tone": BY_THE_HOUR}, policy={"max_cost_per_job": 0.5}),
        "max_cost_per_job",
        "nobody can tell beforehand what tone costs: gpt-4.1-mini-2025-04-14 at openai is billed by"
        " the hour, $100.00; policy.max_cost_per_job allows $0.50",
        "train it on a base model that is billed by tokens, or pass --allow max_cost_per_job",
        asking(TONE, cost={"tone": BY_THE_HOUR}),
        "tone",
    ),
    "a child that waits for its parent and costs too much": Case(
        asking(TONE, CHILD, cost={"tone-two": costs("6")}, policy={"max_cost_per_job": 5}),
        "max_cost_per_job",
        "tone-two may cost $6.00; policy.max_cost_per_job allows $5.00",
        "set policy.max_cost_per_job: 6 in ftctl.yaml, or pass --allow max_cost_per_job",
        asking(TONE, CHILD, cost={"tone-two": costs("5")}, policy={"max_cost_per_job": 5}),
        "tone-two",
    ),
    "jobs that cost too much together": Case(
        asking(TONE, CALM, cost={"tone": costs("6.01")}, policy={"max_cost_per_apply": 7}),
        "max_cost_per_apply",
        "the plan's 2 training jobs (tone, calm) may cost $7.01;"
        " policy.max_cost_per_apply allows $7.00",
        "narrow the plan with --select NAME, set policy.max_cost_per_apply: 7.01 in ftctl.yaml,"
        " or pass --allow max_cost_per_apply",
        asking(TONE, CALM, cost={"tone": costs("6")}, policy={"max_cost_per_apply": 7}),
    ),
    "a sum with a part that nobody knows": Case(
        asking(TONE, CALM, cost={"calm": UNKNOWN}, policy={"max_cost_per_apply": 7}),
        "max_cost_per_apply",
        "nobody can tell beforehand what 1 of the plan's 2 training jobs cost (calm): no price of"
        " gpt-4.1-mini-2025-04-14 at openai is on record; policy.max_cost_per_apply allows $7.00",
        "give its price in ftctl.yaml (catalog: {openai: {gpt-4.1-mini-2025-04-14:"
        " {usd_per_million_tokens: …}}}), or pass --allow max_cost_per_apply",
        asking(TONE, policy={"max_cost_per_apply": 7}),
        "calm",
    ),
    "a month that costs too much": Case(
        asking(TONE, policy={"max_cost_per_month": 100}, spent=Decimal("99.004")),
        "max_cost_per_month",
        "the project's jobs of 2026-11 cost $99.01, and this plan's (tone) may cost $1.00,"
        " $100.01 in all; policy.max_cost_per_month allows $100.00",
        "set policy.max_cost_per_month: 100.01 in ftctl.yaml, or pass --allow max_cost_per_month",
        asking(TONE, policy={"max_cost_per_month": 100}, spent=Decimal(99)),
    ),
    "a month with jobs whose cost nobody knows": Case(
        asking(TONE, policy={"max_cost_per_month": 100}, spent=Decimal(5), spent_unknown=2),
        "max_cost_per_month",
        "nobody can tell what 2 jobs of the project in 2026-11 cost, beside $5.00 and the $1.00 of"
        " this plan (tone); policy.max_cost_per_month allows $100.00",
        "wait until they are over, or give their base models a price below 'catalog' in"
        " ftctl.yaml, or pass --allow max_cost_per_month",
        asking(TONE, policy={"max_cost_per_month": 100}, spent=Decimal(5)),
    ),
    "a base model that is not on the list": Case(
        asking(on("gpt-4o-2024-08-06"), policy={"base_models": ["gpt-4.1-*", "gpt-4o-mini-*"]}),
        "base_models",
        "tone trains gpt-4o-2024-08-06; policy.base_models allows gpt-4.1-*, gpt-4o-mini-*",
        "add 'gpt-4o-2024-08-06' to policy.base_models in ftctl.yaml, or pass --allow base_models",
        asking(on("gpt-4o-mini-2024-07-18"), policy={"base_models": ["gpt-4o-mini-*"]}),
        "tone",
    ),
    "somebody else's model on a base that is not on the list": Case(
        asking(on("ft:gpt-4o:acme:gpt-4.1-x:1"), policy={"base_models": ["gpt-4.1-*", "*x:1"]}),
        "base_models",
        "tone trains ft:gpt-4o:acme:gpt-4.1-x:1; policy.base_models allows gpt-4.1-*, *x:1",
        "add 'ft:gpt-4o:acme:gpt-4.1-x:1' to policy.base_models in ftctl.yaml,"
        " or pass --allow base_models",
        asking(on("ft:gpt-4.1-mini-2025-04-14:acme::1"), policy={"base_models": ["gpt-4.1-*"]}),
        "tone",
    ),
    "a service that is not on the list": Case(
        asking(policy={"services": ["emulator", "azure"]}),
        "services",
        "the plan is for openai; policy.services allows emulator, azure",
        "add 'openai' to policy.services in ftctl.yaml, or pass --allow services",
        asking(policy={"services": ["openai"]}),
    ),
    "an alias where snapshots are asked for": Case(
        asking(
            on("gpt-4.1-mini"),
            policy={"pinned_snapshots": True},
            moving=frozenset({"gpt-4.1-mini"}),
        ),
        "pinned_snapshots",
        "tone trains gpt-4.1-mini, an alias that moves; policy.pinned_snapshots asks for a dated"
        " snapshot",
        "name the snapshot in its manifest, set policy.pinned_snapshots: false in ftctl.yaml,"
        " or pass --allow pinned_snapshots",
        asking(TONE, policy={"pinned_snapshots": True}, moving=frozenset({"gpt-4.1-mini"})),
        "tone",
    ),
    "no validation data": Case(
        asking(TONE, policy={"require_validation": True}),
        "require_validation",
        "tone has no validation data; policy.require_validation asks for it",
        "name a file with 'validation' in its manifest, set policy.require_validation: false in"
        " ftctl.yaml, or pass --allow require_validation",
        asking(measured(TONE), policy={"require_validation": True}),
        "tone",
    ),
    "a base model that is gone in 29 days": Case(
        asking(TONE, shutdowns={BASE: TODAY + timedelta(days=29)}),
        "min_days_to_shutdown",
        "tone trains gpt-4.1-mini-2025-04-14, which shuts down on 2026-12-21, in 29 days;"
        " policy.min_days_to_shutdown asks for 30 days",
        "train it on a base model that stays longer, set policy.min_days_to_shutdown: 29 in"
        " ftctl.yaml, or pass --allow min_days_to_shutdown",
        asking(TONE, shutdowns={BASE: TODAY + timedelta(days=30)}),
        "tone",
    ),
    "a base model on its last day": Case(
        asking(TONE, shutdowns={BASE: TODAY}),
        "min_days_to_shutdown",
        "tone trains gpt-4.1-mini-2025-04-14, which shuts down on 2026-11-22, in 0 days;"
        " policy.min_days_to_shutdown asks for 30 days",
        "train it on a base model that stays longer, set policy.min_days_to_shutdown: 0 in"
        " ftctl.yaml, or pass --allow min_days_to_shutdown",
        asking(TONE, shutdowns={BASE: TODAY + timedelta(days=30)}),
        "tone",
    ),
    "a base model that is gone already": Case(
        asking(
            TONE,
            shutdowns={BASE: TODAY - timedelta(days=1)},
            policy={"min_days_to_shutdown": 0},
        ),
        "min_days_to_shutdown",
        "tone trains gpt-4.1-mini-2025-04-14, which was shut down on 2026-11-21, 1 day ago;"
        " policy.min_days_to_shutdown asks for 0 days",
        "train it on a base model that stays longer, or pass --allow min_days_to_shutdown",
        asking(TONE, shutdowns={BASE: TODAY}, policy={"min_days_to_shutdown": 0}),
        "tone",
    ),
    "a model in service that is gone soon": Case(
        asking(TONE, observed=existing(TONE), shutdowns={model_of(TONE): SOON[BASE]}),
        "min_days_to_shutdown",
        "tone is in service as ft:gpt-4.1-mini-2025-04-14:acme::ftjob-tone, which shuts down on"
        " 2026-12-12, in 20 days; policy.min_days_to_shutdown asks for 30 days",
        "train it on a base model that stays longer, set policy.min_days_to_shutdown: 20 in"
        " ftctl.yaml, or pass --allow min_days_to_shutdown",
        asking(
            on("gpt-next"),
            observed=existing(OLDER),
            shutdowns={model_of(TONE): SOON[BASE], **SOON},
        ),
        "tone",
    ),
    "validation rows that training has seen": Case(
        asking(measured(TONE), policy={"max_leakage_share": 0.1}, leaks={"tone": (3, 20)}),
        "max_leakage_share",
        "3 of 20 validation rows of tone (15 %) stand in its training file;"
        " policy.max_leakage_share allows 10 %",
        "take them out of one of the files ('ftctl validate' says where they stand),"
        " set policy.max_leakage_share: 0.15 in ftctl.yaml, or pass --allow max_leakage_share",
        asking(measured(TONE), policy={"max_leakage_share": 0.1}, leaks={"tone": (2, 20)}),
        "tone",
    ),
    "rows that repeat others": Case(
        asking(
            TONE,
            CALM,
            policy={"max_duplicate_share": 0.33},
            duplicates={"data/rows.jsonl": (1, 3)},
        ),
        "max_duplicate_share",
        "1 of 3 rows of data/rows.jsonl (33.34 %; data of tone, calm) are repetitions;"
        " policy.max_duplicate_share allows 33 %",
        "take them out ('ftctl validate' says where they stand),"
        " set policy.max_duplicate_share: 0.3334 in ftctl.yaml,"
        " or pass --allow max_duplicate_share",
        asking(TONE, CALM, policy={"max_duplicate_share": 0.33},
               duplicates={"data/rows.jsonl": (33, 100)}),
    ),
}  # fmt: skip

each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@each_case
def test_a_plan_is_refused_in_these_words(case: Case) -> None:
    refused = check_policy(case.refused)

    assert refused.violations == (
        Violation(case.rule, "refused", case.message, case.hint, case.finetune),
    )
    assert case.rule in refused.rules


@each_case
def test_the_nearest_plan_that_keeps_the_limit_is_not_refused(case: Case) -> None:
    assert check_policy(case.kept).refused == ()


@each_case
def test_the_edit_that_the_hint_names_is_enough(case: Case) -> None:
    edits = re.findall(r"set policy\.(\w+): (\S+) in", case.hint)
    additions = re.findall(r"add '(\S+)' to policy\.(\w+) ", case.hint)
    before = case.refused.settings
    policy = {rule: json.loads(value) for rule, value in edits}
    policy |= {rule: [*getattr(before, rule), value] for value, rule in additions}
    after = replace(before, **{rule: getattr(set_by(policy), rule) for rule in policy})

    if policy:
        assert check_policy(replace(case.refused, settings=after)).refused == ()
    else:
        assert "ftctl.yaml (catalog: " in case.hint or "base model" in case.hint


@each_case
def test_the_flag_that_the_hint_names_is_enough(case: Case) -> None:
    flag = case.hint.rpartition("--allow ")[2]

    result = check_policy(replace(case.refused, allow=check_allowed([flag])))

    assert result.violations == (
        Violation(case.rule, "allowed", case.message, None, case.finetune),
    )
    raise_refused(result)


def test_every_rule_has_a_refusal_here_and_the_schema_names_it() -> None:
    assert {case.rule for case in CASES.values()} == {*RULES} - {"warn_days_to_shutdown"}
    assert len(CASES) >= 20
    # What comes last is no rule on plans: it is for the job that an apply has just made.
    others = ["commands", "exact_hyperparameters"]
    assert [*RULES, *others] == [*_schema()["$defs"]["policy"]["properties"]]


DEFAULTS = {
    "max_share_deleted": PolicySettings().max_share_deleted,
    "max_share_bought_again": PolicySettings().max_share_bought_again,
    **DEFAULT_DAYS,
}


def test_defaults_are_those_that_the_schema_tells() -> None:
    rules = _schema()["$defs"]["policy"]["properties"]
    told = {name: rule["default"] for name, rule in rules.items() if rule.get("default")}

    kept = {name: float(limit) for name, limit in DEFAULTS.items()}

    assert kept == told
    off = {key: value for key, value in asdict(PolicySettings()).items() if key not in DEFAULTS}
    assert set(off.values()) == {None, False, ()}


def test_a_rule_takes_its_limit_in_the_type_that_its_setting_has() -> None:
    types = get_type_hints(PolicySettings)

    for name, rule in RULES.items():
        _given, limit = [hint for key, hint in get_type_hints(rule).items() if key != "return"]
        expected = bool if limit == Literal[True] else limit
        assert types[name] in (expected, expected | None), name


# TokenBatch


def test_all_refusals_are_told_at_once_in_the_schemas_order() -> None:
    policy_input = asking(
        on("gpt-4o"), CALM, cost={"tone": costs("9"), "calm": UNKNOWN},
        policy={
            "require_validation": True, "max_jobs_created": 1, "base_models": ["gpt-4.1-*"],
            "max_cost_per_job": 5, "max_cost_per_apply": 6, "services": ["azure"],
        },
        shutdowns=SOON,
    )  # fmt: skip

    told = [
        (violation.rule, violation.finetune) for violation in check_policy(policy_input).violations
    ]

    assert told == [
        ("max_jobs_created", None),
        ("max_cost_per_job", "tone"),
        ("max_cost_per_job", "calm"),
        ("max_cost_per_apply", None),
        ("max_cost_per_apply", "calm"),
        ("base_models", "tone"),
        ("services", None),
        ("require_validation", "tone"),
        ("require_validation", "calm"),
        ("min_days_to_shutdown", "calm"),
    ]


def test_only_what_is_set_or_holds_by_default_is_looked_at() -> None:
    shares = ("max_share_deleted", "max_share_bought_again")
    days = ("warn_days_to_shutdown", "min_days_to_shutdown")
    policy = {"pinned_snapshots": False, "require_validation": True, "max_jobs_created": 0}

    assert check_policy(asking()) == PolicyResult((*shares, *days))
    assert check_policy(asking(policy=policy)).rules == (
        "max_jobs_created",
        *shares,
        "require_validation",
        *days,
    )


def test_verdicts_read_like_diagnostics() -> None:
    policy_input = asking(
        TONE, CALM,
        policy={"max_jobs_created": 1, "services": ["azure"]},
        shutdowns={BASE: TODAY + timedelta(days=53)},
        allow=frozenset({"services"}),
    )  # fmt: skip

    assert policy_text(check_policy(policy_input)) == [
        (
            "refused[max_jobs_created]: the plan starts 2 training jobs (tone, calm);"
            " policy.max_jobs_created allows 1"
        ),
        (
            "    hint: narrow the plan with --select NAME, set policy.max_jobs_created: 2 in"
            " ftctl.yaml, or pass --allow max_jobs_created"
        ),
        "allowed[services]: the plan is for openai; policy.services allows azure",
        (
            "warning[warn_days_to_shutdown]: tone trains gpt-4.1-mini-2025-04-14, which shuts down"
            " on 2027-01-14, in 53 days; policy.warn_days_to_shutdown warns below 90 days"
        ),
        (
            "    hint: train it on a base model that stays longer, or set"
            " policy.warn_days_to_shutdown: 53 in ftctl.yaml to be told later"
        ),
        (
            "warning[warn_days_to_shutdown]: calm trains gpt-4.1-mini-2025-04-14, which shuts down"
            " on 2027-01-14, in 53 days; policy.warn_days_to_shutdown warns below 90 days"
        ),
        (
            "    hint: train it on a base model that stays longer, or set"
            " policy.warn_days_to_shutdown: 53 in ftctl.yaml to be told later"
        ),
    ]


def test_text_of_others_in_a_verdict_stays_on_its_line() -> None:
    hostile = on("gpt\x1b[2J\n::set-env name=A::b\u202e")

    lines = policy_text(check_policy(asking(hostile, policy={"base_models": ["x"]})))

    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("refused[base_models]: tone trains gpt")


def test_one_refusal_is_a_fault_with_its_cure() -> None:
    with pytest.raises(Refused) as refusal:
        raise_refused(check_policy(asking(policy={"services": ["azure"]})))

    assert refusal.value.message == "the plan is for openai; policy.services allows azure"
    assert refusal.value.hint is not None
    assert "--allow services" in refusal.value.hint


def test_several_refusals_are_one_fault_that_tells_them_all() -> None:
    with pytest.raises(Refused) as refusal:
        raise_refused(
            check_policy(asking(TONE, policy={"services": ["azure"], "max_jobs_created": 0}))
        )

    assert refusal.value.message == (
        "the policy in ftctl.yaml stands against this plan in 2 points:\n"
        "    refused[max_jobs_created]: the plan starts 1 training job (tone);"
        " policy.max_jobs_created allows 0\n"
        "        hint: narrow the plan with --select NAME, set policy.max_jobs_created: 1 in"
        " ftctl.yaml, or pass --allow max_jobs_created\n"
        "    refused[services]: the plan is for openai; policy.services allows azure\n"
        "        hint: add 'openai' to policy.services in ftctl.yaml, or pass --allow services"
    )


# What may be allowed


def test_a_rule_that_does_not_exist_cannot_be_allowed() -> None:
    assert check_allowed(["services", "commands"]) == {"services", "commands"}
    with pytest.raises(UsageError) as close:
        check_allowed(["MAX-COST-PER-JOBS"])
    with pytest.raises(UsageError) as far:
        check_allowed(["services", "all"])

    assert str(close.value) == "--allow: there is no rule 'MAX-COST-PER-JOBS'"
    assert close.value.hint == "did you mean 'max_cost_per_job'?"
    assert far.value.hint == f"known: {', '.join((*RULES, 'commands'))}"


def test_allowing_one_rule_allows_no_other() -> None:
    policy = {"services": ["azure"], "max_jobs_created": 0}

    result = check_policy(asking(TONE, policy=policy, allow=frozenset({"max_jobs_created"})))

    assert [(one.rule, one.severity) for one in result.violations] == [
        ("max_jobs_created", "allowed"),
        ("services", "refused"),
    ]


# Counts and shares


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_plan_may_buy_and_delete_up_to_the_limit(limit: int) -> None:
    policy = {"max_jobs_created": limit, "max_models_deleted": limit}

    def rules(count: int) -> list[str]:
        bought = check_policy(asking(*TEN[:count], policy=policy)).refused
        return [one.rule for one in (*bought, *check_policy(leaving(count, policy)).refused)]

    assert rules(limit) == []
    assert rules(limit + 1) == ["max_jobs_created", "max_models_deleted"]


def test_cancels_and_deleted_files_are_counted_by_no_limit() -> None:
    steps = (CancelJob("ftjob-1", "removed"), DeleteFile("file-1", "f.jsonl"))
    plan = Plan("demo", SERVICE, (Change("gone", Action.CANCEL, "left", steps),))
    policy = {"max_jobs_created": 0, "max_models_deleted": 0, "max_share_deleted": 0}

    assert check_policy(replace(asking(policy=policy), plan=plan)).violations == ()


def test_a_child_that_waits_is_counted_by_the_apply_that_starts_it() -> None:
    policy = {"max_jobs_created": 1}

    assert check_policy(asking(TONE, CHILD, policy=policy)).refused == ()
    assert check_policy(asking(TONE, CHILD, observed=existing(TONE), policy=policy)).refused == ()


def twice(*finetunes: FineTune) -> Observed:
    """Each of them has its model, and an older one of a spec that nobody asks for."""
    newest = [replace(job, created_at=5) for job in existing(*finetunes).jobs]
    older = [replace(succeeded(f"ftjob-old-{one.name}", one), digest=f"v1:{number:064x}")
             for number, one in enumerate(finetunes)]  # fmt: skip
    jobs = (*newest, *older)
    return Observed(jobs, (), frozenset(job.model for job in jobs if job.model))


def test_models_that_retention_or_a_new_training_takes_away_are_no_share() -> None:
    kept_one = [replace(one, keep=1) for one in TEN]

    retention = asking(*kept_one, observed=twice(*TEN))
    anew = asking(*[finetune(one.name, 30 + n) for n, one in enumerate(TEN)], observed=twice(*TEN))

    assert len(retention.deleted) == 10
    assert check_policy(retention).violations == ()
    assert check_policy(anew).violations == ()


def test_a_fine_tune_that_was_renamed_is_not_gone() -> None:
    renamed = [replace(one, name=f"new-{one.name}", keep=1) for one in TEN]

    policy_input = asking(*renamed, observed=twice(*TEN), options=PRUNE)

    assert len(policy_input.deleted) == 10
    assert check_policy(policy_input).violations == ()


def test_a_fine_tune_that_uses_a_model_of_another_name_is_not_gone_with_its_own() -> None:
    observed = twice(*TEN)
    jobs = tuple(
        replace(job, finetune=f"old-{job.finetune}") if job.created_at else job
        for job in observed.jobs
    )
    policy_input = asking(*TEN, observed=replace(observed, jobs=jobs))
    own = [job for job in jobs if not job.created_at]
    deletions = tuple(
        Change(job.finetune or "", Action.DELETE, "by hand", (DeleteModel(job.model or ""),))
        for job in own
    )

    taking = replace(policy_input, plan=replace(policy_input.plan, changes=deletions))

    assert len(taking.deleted) == 10
    assert [one for one in check_policy(taking).refused if one.rule == "max_share_deleted"] == []


def test_destroying_everything_is_no_accident() -> None:
    observed = existing(*TEN)
    plan = make_destroy_plan("demo", observed, SERVICE, None)
    policy_input = replace(asking(*TEN, observed=observed, shutdowns=SOON), plan=plan, destroy=True)

    assert len(policy_input.deleted) == 10
    assert check_policy(policy_input) == PolicyResult(
        ("max_share_bought_again", "warn_days_to_shutdown", "min_days_to_shutdown")
    )
    limited = check_policy(replace(policy_input, settings=set_by({"max_models_deleted": 9})))
    assert [one.rule for one in limited.refused] == ["max_models_deleted"]


# What is bought again


def test_a_first_apply_and_changed_specs_are_nothing_that_is_bought_again() -> None:
    earlier = tuple(finetune(one.name, 50 - number) for number, one in enumerate(TEN))

    first, changed = asking(*TEN), asking(*TEN, observed=existing(*earlier))

    assert len(first.bought) == len(changed.bought) == 10
    assert (first.bought_again, first.trained_before) == ((), frozenset())
    assert (changed.bought_again, len(changed.trained_before)) == ((), 10)
    assert check_policy(first).refused == check_policy(changed).refused == ()


def test_fine_tunes_that_are_new_lower_no_share() -> None:
    options = PlanOptions(replace=dict.fromkeys(("tone-a", "tone-b")))

    policy_input = asking(*TEN, observed=existing(*TEN[:5]), options=options)

    assert len(policy_input.bought) == 7
    assert [one.message for one in check_policy(policy_input).refused] == [
        (
            "the plan buys 2 of 5 fine-tunes again that were trained before (40 %: tone-a, tone-b);"
            " policy.max_share_bought_again allows 30 %"
        )
    ]


def test_what_left_the_manifests_lowers_no_share() -> None:
    options = PlanOptions(replace=dict.fromkeys(("tone-a", "tone-b")))

    policy_input = asking(*TEN[:4], observed=existing(*TEN), options=options)

    assert len(policy_input.trained_before) == 4
    assert [one.rule for one in check_policy(policy_input).refused] == ["max_share_bought_again"]


def test_what_was_adopted_lowers_no_share() -> None:
    options = PlanOptions(replace=dict.fromkeys(("tone-a", "tone-b")))
    adopting = tuple(replace(one, adopt=f"ftjob-{one.name}") for one in TEN[4:])

    policy_input = asking(*TEN[:4], *adopting, observed=existing(*TEN), options=options)

    assert policy_input.trained_before == {one.name for one in TEN[:4]}


def test_what_only_the_record_remembers_counts_as_trained_before() -> None:
    remembered = frozenset({TONE.digest, CALM.digest})

    assert check_policy(asking(TONE, CALM)).refused == ()
    refused = check_policy(asking(TONE, CALM, remembered=remembered)).refused
    assert [one.rule for one in refused] == ["max_share_bought_again"]


def test_one_fine_tune_may_always_be_bought_again() -> None:
    options = PlanOptions(replace={"tone": None})

    policy_input = asking(TONE, observed=existing(TONE), options=options)

    assert policy_input.bought_again == ("tone",)
    assert check_policy(policy_input).refused == ()


def test_jobs_that_came_to_nothing_are_no_training_that_has_succeeded() -> None:
    jobs = tuple(replace(job, status="failed", model=None) for job in existing(TONE, CALM).jobs)
    options = PlanOptions(retry_failed=True)

    policy_input = asking(TONE, CALM, observed=Observed(jobs), options=options)

    assert len(policy_input.bought) == 2
    assert check_policy(policy_input).refused == ()


def test_where_only_files_tell_the_names_every_fine_tune_still_counts_once() -> None:
    jobs, files = [], []
    for one in TEN:
        for version in (one, replace(one, digest=one.digest[:-1] + "0")):
            number = len(jobs)
            name = file_name("demo", one.name, dataset("rows").sha256, version.digest)
            files.append(File(f"file-{number}", name, 100, 0, dataset("rows").sha256))
            jobs.append(
                Job(f"ftjob-{number}", "succeeded", number, digest=version.digest,
                    model=f"ft:{number}", training_file=f"file-{number}")
            )  # fmt: skip
    models = frozenset(job.model for job in jobs if job.model)
    observed = Observed(tuple(jobs), tuple(files), models)

    assert sorted(asking(observed=observed).live) == [one.name for one in TEN]
    assert check_policy(asking(*TEN[3:], observed=observed, options=PRUNE)).refused == ()
    four = check_policy(asking(*TEN[4:], observed=observed, options=PRUNE)).refused
    assert [one.message.partition(":")[0] for one in four] == [
        "the plan takes the last model from 4 of 10 fine-tunes (40 %"
    ]


def test_what_nothing_names_counts_for_itself_and_what_is_adopted_by_its_adopter() -> None:
    shared = file_name("demo", "rows", dataset("rows").sha256)
    files = (File("file-1", shared, 100, 0, dataset("rows").sha256),)
    nameless = Job("ftjob-1", "succeeded", 0, digest="v1:a", model="ft:1", training_file="file-1")
    bare = Job("ftjob-2", "succeeded", 0, model="ft:2")
    adopted = Job("ftjob-3", "succeeded", 0, model="ft:3")
    gone = Job("ftjob-4", "succeeded", 0, "gone", model="ft:4")
    models = frozenset({"ft:1", "ft:2", "ft:3"})
    observed = Observed((nameless, bare, gone), files, models, (adopted,))

    policy_input = asking(finetune("tone", adopt="ftjob-3"), observed=observed)

    assert policy_input.live == {"v1:a": {"ft:1"}, "ftjob-2": {"ft:2"}, "tone": {"ft:3"}}


def test_where_models_are_not_listed_a_job_without_one_has_still_none() -> None:
    nameless = Job("ftjob-1", "succeeded", 0, "tone", TONE.digest)

    assert asking(TONE, observed=Observed((nameless,), models=None)).live == {}


def test_what_was_not_looked_for_in_the_rows_is_not_held_against_a_plan() -> None:
    policy = {"max_leakage_share": 0, "max_duplicate_share": 0}

    assert check_policy(asking(measured(TONE), policy=policy)).refused == ()


# Money


def test_what_is_not_billed_is_not_judged_by_its_price() -> None:
    policy = {"max_cost_per_job": 0, "max_cost_per_apply": 0, "max_cost_per_month": 0}
    rehearsed = {"tone": costs("0.01")}

    free = asking(TONE, cost={"tone": ELSEWHERE}, policy=policy, service=EMBEDDED)
    unpriced = asking(TONE, cost={"tone": None}, policy=policy, service=EMBEDDED)
    priced = asking(TONE, cost=rehearsed, policy=policy, service=EMBEDDED)

    assert check_policy(free).violations == ()
    assert check_policy(unpriced).violations == ()
    assert [one.rule for one in check_policy(priced).refused] == list(policy)


def test_a_billed_run_that_nobody_priced_is_refused() -> None:
    policy = {"max_cost_per_job": 1000, "max_cost_per_apply": 1000, "max_cost_per_month": 1000}

    result = check_policy(asking(TONE, cost={"tone": None}, policy=policy))

    assert [one.rule for one in result.refused] == list(policy)


def test_a_month_that_is_spent_stops_nothing_that_costs_nothing() -> None:
    spent: Any = {"policy": {"max_cost_per_month": 10}, "spent": Decimal(11), "spent_unknown": 3}

    assert check_policy(asking(TONE, observed=existing(TONE), **spent)).violations == ()
    assert check_policy(asking(TONE, cost={"tone": ELSEWHERE}, **spent)).violations == ()
    assert len(check_policy(asking(TONE, **spent)).refused) == 2


def test_a_month_in_which_nothing_is_known_to_be_spent_has_all_of_its_limit() -> None:
    policy = {"max_cost_per_month": 1}

    assert check_policy(asking(TONE, cost={"tone": costs("1.00")}, policy=policy)).refused == ()


def test_children_that_wait_are_in_the_sums_that_reviewers_are_shown() -> None:
    policy = {"max_cost_per_apply": 1.5, "max_cost_per_month": 1.5}

    result = check_policy(asking(TONE, CHILD, policy=policy))

    assert [one.rule for one in result.refused] == list(policy)


@pytest.mark.parametrize("limit", [0, 0.005, 1e-12, 10**50, 1.0e300, 0.1])
def test_a_limit_of_any_size_is_kept_exactly(limit: float) -> None:
    exactly = Decimal(str(limit))
    policy = {"max_cost_per_job": limit}
    above = exactly + Decimal("1e-15") if exactly < 1 else exactly * 2

    assert (
        check_policy(asking(TONE, cost={"tone": costs(str(exactly))}, policy=policy)).refused == ()
    )
    (told,) = check_policy(asking(TONE, cost={"tone": costs(str(above))}, policy=policy)).refused
    amounts = [Decimal(one.replace(",", "")) for one in re.findall(r"\$([\d,.]+\d)", told.message)]
    assert amounts[0] > amounts[1] == exactly


# Base models


def test_a_chain_is_judged_by_its_root() -> None:
    root = on("gpt-4o", "root")
    child = replace(finetune("child", 2, parent=root), base_model=Parent("root", "last"))
    grandchild = replace(finetune("last", 1, parent=child), base_model=Parent("child", 5))
    policy = {"base_models": ["gpt-4.1-*"], "max_cost_per_job": 1, "require_validation": True}

    result = check_policy(
        asking(root, child, measured(grandchild), cost={"last": costs("2")}, policy=policy)
    )

    assert [(one.rule, one.finetune) for one in result.refused] == [
        ("max_cost_per_job", "last"),
        ("base_models", "root"),
        ("base_models", "child"),
        ("base_models", "last"),
        ("require_validation", "root"),
        ("require_validation", "child"),
    ]


def test_a_chain_from_an_adopted_job_is_judged_by_what_that_job_trained() -> None:
    root = finetune("root", adopt="ftjob-1")
    child = finetune("child", 2, parent=root)
    job = Job("ftjob-1", "succeeded", 0, model="ft:gpt-4o:acme::1", base_model="gpt-4o")
    observed = Observed(models=frozenset({"ft:gpt-4o:acme::1"}), adopted=(job,))

    result = check_policy(
        asking(root, child, observed=observed, policy={"base_models": ["gpt-4.1-*"]})
    )

    assert [one.message for one in result.refused] == [
        "child trains gpt-4o; policy.base_models allows gpt-4.1-*"
    ]


def test_a_pattern_for_tuned_models_allows_those_alone() -> None:
    policy = {"base_models": [f"ft:{BASE}:acme:*"]}

    assert check_policy(asking(on(f"ft:{BASE}:acme::1"), policy=policy)).refused == ()
    assert len(check_policy(asking(on(f"ft:{BASE}:other::1"), policy=policy)).refused) == 1
    assert len(check_policy(asking(TONE, policy=policy)).refused) == 1


# Shutdown


@pytest.mark.parametrize(
    ("left", "severities"),
    [(-1, ["refused"]), (0, ["refused"]), (29, ["refused"]), (30, ["warning"]), (89, ["warning"]),
     (90, [])],
)  # fmt: skip
def test_a_model_is_refused_below_30_days_and_warned_of_below_90(
    left: int, severities: list[str]
) -> None:
    day = {BASE: TODAY + timedelta(days=left)}

    bought = check_policy(asking(TONE, shutdowns=day))
    in_service = check_policy(asking(TONE, observed=existing(TONE), shutdowns=day))

    assert [one.severity for one in bought.violations] == severities
    assert [one.severity for one in in_service.violations] == severities


def test_what_the_service_says_of_a_model_goes_before_what_is_known_of_its_base() -> None:
    later = {**SOON, model_of(TONE): TODAY + timedelta(days=365)}

    assert check_policy(asking(TONE, observed=existing(TONE), shutdowns=later)).violations == ()


def test_a_model_whose_name_does_not_tell_its_base_stops_with_that_of_its_manifest() -> None:
    job = Job("ftjob-1", "succeeded", 0, "tone", TONE.digest, model="deployment-7")
    observed = Observed((job,), (), frozenset({"deployment-7"}))

    (told,) = check_policy(asking(TONE, observed=observed, shutdowns=SOON)).violations

    assert told.message.startswith("tone is in service as deployment-7, which shuts down on")


def test_a_model_that_is_replaced_is_not_counted() -> None:
    policy_input = asking(on("gpt-next"), observed=existing(OLDER))
    (change,) = policy_input.plan.changes
    change = replace(change, action=Action.REPLACE, model=model_of(TONE))

    plan = replace(policy_input.plan, changes=(change,))

    assert check_policy(replace(policy_input, plan=plan, shutdowns=SOON)).violations == ()


def test_what_failed_or_was_removed_has_no_shutdown_to_fear() -> None:
    failed = Job("ftjob-1", "failed", 0, "tone", TONE.digest)
    left_over = asking(observed=existing(TONE), shutdowns=SOON)
    pruned = asking(observed=existing(TONE), shutdowns=SOON, options=PRUNE)

    assert check_policy(asking(TONE, observed=Observed((failed,)), shutdowns=SOON)).violations == ()
    assert check_policy(left_over).violations == ()
    assert check_policy(pruned).violations == ()


def test_the_embedded_api_has_days_only_where_the_policy_names_them() -> None:
    warned = {BASE: TODAY - timedelta(days=1)}

    silent = asking(TONE, service=EMBEDDED, shutdowns=warned)
    asked = {"warn_days_to_shutdown": 5}
    strict = {"min_days_to_shutdown": 5}

    assert check_policy(silent).violations == ()
    assert [
        one.severity for one in check_policy(replace(silent, settings=set_by(asked))).violations
    ] == ["warning"]
    assert [
        one.severity for one in check_policy(replace(silent, settings=set_by(strict))).violations
    ] == ["refused"]


# Data


def test_data_of_what_is_not_trained_is_not_judged() -> None:
    policy = {"max_leakage_share": 0, "max_duplicate_share": 0}
    rows: Any = {"leaks": {"tone": (1, 2)}, "duplicates": {"data/others.jsonl": (1, 2)}}

    up_to_date = asking(measured(TONE), observed=existing(TONE), policy=policy, **rows)
    bought = asking(measured(TONE), policy=policy, **rows)

    assert check_policy(up_to_date).violations == ()
    assert [(one.rule, one.finetune) for one in check_policy(bought).refused] == [
        ("max_leakage_share", "tone"),
        ("max_duplicate_share", "tone"),
    ]


def test_a_file_without_rows_has_no_share() -> None:
    policy = {"max_leakage_share": 0, "max_duplicate_share": 0}

    policy_input = asking(
        TONE, policy=policy, leaks={"tone": (0, 0)}, duplicates={"data/rows.jsonl": (0, 0)}
    )

    assert check_policy(policy_input).violations == ()


# Whatever the plan


def everything(scene: Scene, policy: Mapping[str, Any], **more: Any) -> PolicyInput:
    plan = scene.plan()
    return PolicyInput(plan, scene.desired, scene.observed, set_by(policy), SERVICE, TODAY, **more)


POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "max_jobs_created": st.integers(0, 3),
        "max_models_deleted": st.integers(0, 3),
        "max_share_deleted": st.floats(0, 1),
        "max_share_bought_again": st.floats(0, 1),
        "max_cost_per_job": st.floats(0, 10),
        "max_cost_per_apply": st.floats(0, 10),
        "max_cost_per_month": st.floats(0, 10),
        "base_models": st.lists(st.sampled_from(["gpt-4o", "gpt-4.1-*", "*"]), min_size=1),
        "services": st.lists(st.sampled_from(["openai", "azure"]), min_size=1),
        "pinned_snapshots": st.booleans(),
        "require_validation": st.booleans(),
        "warn_days_to_shutdown": st.integers(0, 200),
        "min_days_to_shutdown": st.integers(0, 200),
        "max_leakage_share": st.floats(0, 1),
        "max_duplicate_share": st.floats(0, 1),
    },
)


@often
@given(scenes(), POLICIES)
def test_a_plan_that_does_nothing_is_refused_by_its_service_alone(
    scene: Scene, policy: Mapping[str, Any]
) -> None:
    """Whatever else the policy says, and however much was spent."""
    scene = replace(scene, options=replace(scene.options, replace={}, prune=False))
    policy_input = everything(scene, policy, spent=Decimal(10**6), spent_unknown=9, moving={BASE},
                          shutdowns={BASE: TODAY + timedelta(days=200)})  # fmt: skip
    idle = [one for one in policy_input.plan.changes
            if not one.steps and one.action is not Action.DEFER]  # fmt: skip
    policy_input = replace(policy_input, plan=replace(policy_input.plan, changes=tuple(idle)))

    assert {one.rule for one in check_policy(policy_input).refused} <= {"services"}


@often
@given(scenes(), POLICIES, st.integers(-10, 100))
def test_no_rule_fails_or_is_silent_on_both_figures(
    scene: Scene, policy: Mapping[str, Any], left: int
) -> None:
    policy_input = everything(scene, policy, shutdowns={BASE: TODAY + timedelta(days=left)},
                          moving={BASE}, duplicates={"data/rows.jsonl": (1, 3)},
                          leaks={"alpha": (1, 3)})  # fmt: skip

    result = check_policy(policy_input)
    allowed = check_policy(replace(policy_input, allow=frozenset(RULES)))

    assert allowed.refused == ()
    assert [one.message for one in allowed.violations] == [one.message for one in result.violations]
    order = [*RULES]
    assert sorted(result.violations, key=lambda one: order.index(one.rule)) == [*result.violations]
    for violation in result.refused:
        assert f"policy.{violation.rule} " in violation.message
        assert violation.hint is not None
        assert violation.hint.endswith(f"or pass --allow {violation.rule}")


@often
@given(scenes())
def test_without_a_policy_only_a_share_can_stand_against_a_plan(scene: Scene) -> None:
    result = check_policy(everything(scene, {}))

    assert {one.rule for one in result.violations} <= {
        "max_share_deleted",
        "max_share_bought_again",
    }


@often
@given(desireds())
def test_a_plan_into_an_empty_account_is_never_refused_without_a_policy(desired: Desired) -> None:
    plan = make_plan(desired, Observed(), SERVICE, PlanOptions(cosmetic=COSMETIC))

    assert (
        check_policy(
            PolicyInput(plan, desired, Observed(), PolicySettings(), SERVICE, TODAY)
        ).violations
        == ()
    )


# Programs


def test_a_program_that_ends_well_says_nothing() -> None:
    assert command_violation(["conftest", "test", "-"], 0, "1 test, 1 passed") is None


@pytest.mark.parametrize(
    ("status", "output", "message"),
    [
        (1, "FAIL - no owner\n\n2 tests\n",
         "'conftest test -' refused the plan with status 1: FAIL - no owner; 2 tests"),
        (-9, "", "'conftest test -' refused the plan with signal 9"),
        (None, "it took longer than 60 s",
         "'conftest test -' gave no verdict on the plan: it took longer than 60 s"),
        (2, "\x1b[31mFAIL\x1b[0m\r\n::set-env name=A::b\n\x1b]0;title\x07##[group]x\u202e",
         ("'conftest test -' refused the plan with status 2: FAIL; : :set-env name=A::b;"
         " # #[group]x<U+202E>")),
        (1, "key sk-abcdefghijklmnop", ("'conftest test -' refused the plan with status 1:"
         " key [redacted]")),
        (1, "\ud800lone\x00 zero", "'conftest test -' refused the plan with status 1: lone zero"),
    ],
    ids=["status", "signal", "none", "steering", "key", "damaged"],
)  # fmt: skip
def test_a_programs_words_are_told_on_one_harmless_line(
    status: int | None, output: str, message: str
) -> None:
    violation = command_violation(["conftest", "test", "-"], status, output)

    assert violation is not None
    assert violation.message == message
    assert (violation.rule, violation.severity) == ("commands", "refused")
    assert violation.hint is not None
    assert violation.hint.endswith("or pass --allow commands")


def test_a_programs_words_are_told_in_2000_characters() -> None:
    violation = command_violation(["x" * 9_000], 1, "long " * 1_000_000)

    assert violation is not None
    assert violation.message.endswith("…")
    assert 2_000 < len(violation.message) < 2_300


def test_a_programs_refusal_is_added_to_the_others_and_can_be_allowed() -> None:
    violation = command_violation(["check"], 1, "no")
    assert violation is not None
    before = check_policy(asking(policy={"services": ["azure"]}))

    after = with_violations(before, [violation], frozenset())
    allowed = with_violations(before, [violation], frozenset({"commands"}))

    assert after.rules == (*before.rules, "commands")
    assert after.refused == (*before.refused, violation)
    assert allowed.refused == before.refused
    assert allowed.violations[-1] == replace(violation, severity="allowed", hint=None)


# The page

PAGE = (ROOT / "docs" / "policy.md").read_text("utf-8")


def test_the_page_has_every_rule_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\w.]+) \|$", PAGE, re.MULTILINE)

    defaults = {rule: str(DEFAULTS.get(rule, "off")) for rule in RULES}

    assert rows == [*defaults.items(), ("commands", "none")]


def test_the_page_shows_what_is_printed() -> None:
    policy_input = asking(
        TONE,
        policy={"max_cost_per_job": 10},
        cost={"tone": costs("12.35")},
        shutdowns={BASE: date(2027, 1, 14)},
    )

    shown = "\n".join(policy_text(check_policy(policy_input)))

    assert f"```text\n{shown}\n```" in PAGE


# The example

Program = Callable[[Mapping[str, Any]], subprocess.CompletedProcess[str]]


@pytest.fixture
def owner_program() -> Program:
    path = ROOT / "examples" / "policy" / "policy" / "owner.py"

    def run(plan: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(path)]
        return subprocess.run(
            command, input=json.dumps(plan), capture_output=True, text=True, check=False
        )

    return run


def _plan(*specs: Mapping[str, Any], version: str = "1.0") -> Mapping[str, Any]:
    """What the example reads of a plan, for fine-tunes that are trained with these specs."""
    changes = [
        {"name": f"tone-{number}",
         "steps": [{"step": "upload"}, {"step": "start-job", "request": spec}], "later": None}
        for number, spec in enumerate(specs)
    ]  # fmt: skip
    idle = {"name": "idle", "steps": [], "later": None}
    return {"format_version": version, "changes": [*changes, idle]}


def _later(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A plan of which one fine-tune waits for its parent."""
    change = {"name": "child", "steps": [], "later": {"request": spec}}
    return {"format_version": "1.4", "changes": [change]}


@pytest.mark.parametrize(
    ("plan", "status", "said"),
    [
        (_plan({"metadata": {"owner": "cx"}}), 0, []),
        (_plan({}, {"metadata": {"owner": ""}}, {"metadata": {"owner": "cx"}}), 1,
         ["tone-0 has no owner: add 'metadata: {owner: TEAM}' to its manifest",
          "tone-1 has no owner: add 'metadata: {owner: TEAM}' to its manifest"]),
        (_plan(version="2.0"), 2, ["this program does not know plans of version 2.0"]),
        (_plan(version="1.7"), 0, []),
        (_later({"metadata": {"owner": "cx"}}), 0, []),
        (_later({}), 1, ["child has no owner: add 'metadata: {owner: TEAM}' to its manifest"]),
    ],
    ids=["owned", "unowned", "newer", "compatible", "owned-later", "unowned-later"],
)  # fmt: skip
def test_the_examples_program_refuses_what_nobody_owns(
    plan: Mapping[str, Any], status: int, said: list[str], owner_program: Program
) -> None:
    ended = owner_program(plan)

    assert (ended.returncode, ended.stdout.splitlines(), ended.stderr) == (status, said, "")


@pytest.mark.parametrize(
    "plan",
    [
        _plan({"metadata": {"owner": "cx"}}),
        _plan({}, {"metadata": {}}),
        _plan(),
        _later({}),
        _later({"metadata": {"owner": "cx"}}),
    ],
)
def test_the_examples_rego_says_the_same_as_its_program(
    plan: Mapping[str, Any], owner_program: Program
) -> None:
    regopy = pytest.importorskip("regopy")
    rego = regopy.Interpreter()
    rules = (ROOT / "examples" / "policy" / "policy" / "owner.rego").read_text("utf-8")
    rego.add_module("owner", rules)
    rego.set_input(plan)

    denied = json.loads(str(rego.query("data.main.deny")))["expressions"][0]

    assert sorted(denied) == owner_program(plan).stdout.splitlines()
