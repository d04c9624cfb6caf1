"""What training costs: every figure against one that was reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ftctl.catalog import Catalog, load_catalog
from ftctl.data.scanning.file_scan import scan_file
from ftctl.data.scanning.scan_request import Counting, ScanRequest
from ftctl.domain.config import catalog_overrides
from ftctl.domain.desired import Dataset, Desired, FineTune, Parent, ServiceInfo, Tokens
from ftctl.domain.observed import File, Job, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteModel,
    Estimate,
    FileRef,
    Plan,
    StartJob,
)
from ftctl.errors import Span
from ftctl.pricing import (
    Spent,
    Total,
    compare,
    cost_of_tokens,
    estimate,
    estimate_of_job,
    expected_costs,
    newest_time,
    price_plan,
    spent,
    total,
)

OPENAI = ServiceInfo("openai", "https://api.example/v1")
AZURE = ServiceInfo("azure", "https://azure.example/v1")
NEBIUS = ServiceInfo("nebius", "https://nebius.example/v1")
EMBEDDED = ServiceInfo("emulator", "emulator://.ftctl", billed=False)
MINI = "gpt-4.1-mini-2025-04-14"
CATALOG = load_catalog()
REAL = Path(__file__).parents[3] / "shared" / "data" / "emotion" / "train.jsonl"
PUBLIC_RULE = "by the public rule, which the service need not follow"

often = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def data(low: int, high: int | None = None, *, rows: int = 480, name: str = "rows") -> Dataset:
    """A file that was counted with both vocabularies, at every limit."""
    counted = tuple(
        Tokens(encoding, limit, low, low, low if high is None else high)
        for encoding, limit in [
            ("o200k_base", 65_536), ("cl100k_base", 65_536), ("cl100k_base", 16_385),
            ("cl100k_base", 16_384),
        ]
    )  # fmt: skip
    return Dataset(name, f"data/{name}.jsonl", "ab" * 32, rows, 100, "chat", counted)


def finetune(
    base: str | Parent = MINI,
    tokens: Dataset | None = None,
    *,
    name: str = "emotion",
    validation: Dataset | None = None,
    **spec: Any,
) -> FineTune:
    training = tokens or data(100_000)
    return FineTune(name, Span("a.yaml", 1, 1), training, validation, spec, "v1:0", base)


def epochs(number: int | str) -> dict[str, Any]:
    return {"n_epochs": number}


def reckoned(
    one: FineTune,
    service: ServiceInfo = OPENAI,
    catalog: Catalog = CATALOG,
    among: tuple[FineTune, ...] = (),
) -> Estimate:
    return estimate(one, Desired("acme", (one, *among)), catalog, service)


def own(service: str, model: str, **facts: Any) -> Catalog:
    return CATALOG.with_overrides(catalog_overrides({service: {model: facts}}))


# By the token.


@pytest.mark.parametrize(
    ("base", "cost"), [("gpt-4o-mini-2024-07-18", "0.90"), ("gpt-3.5-turbo-0125", "2.40")]
)
def test_the_worked_example_of_the_guide(base: str, cost: str) -> None:
    found = reckoned(finetune(base, hyperparameters=epochs(3)))

    assert (found.low, found.high) == (Decimal(cost), Decimal(cost))
    assert found.tokens == (300_000, 300_000)
    assert found.billed


@pytest.mark.parametrize(
    ("base", "low", "high"),
    [  # 98,319 and 102,639 tokens, or 100,203 and 104,523 by the older vocabulary
        ("gpt-4.1-2025-04-14", "2.457975", "2.565975"),
        ("gpt-4.1-mini-2025-04-14", "0.491595", "0.513195"),
        ("gpt-4.1-nano-2025-04-14", "0.1474785", "0.1539585"),
        ("gpt-4o-2024-08-06", "2.457975", "2.565975"),
        ("gpt-4o-mini-2024-07-18", "0.294957", "0.307917"),
        ("gpt-3.5-turbo-0125", "0.801624", "0.836184"),
        ("davinci-002", "0.601218", "0.627138"),
        ("babbage-002", "0.0400812", "0.0418092"),
    ],
)
@pytest.mark.skipif(not REAL.is_file(), reason="the shared data is not here")
def test_the_emotion_data_on_every_base_model(base: str, low: str, high: str) -> None:
    facts = CATALOG.facts("openai", base)
    assert facts.encoding is not None
    assert facts.training_context is not None
    request = ScanRequest(countings=(Counting(facts.encoding, facts.training_context),))
    emotion = scan_file("emotion", REAL, "train.jsonl", request).dataset
    assert emotion is not None

    found = reckoned(finetune(base, emotion))

    assert (found.low, found.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("base", "low", "high"),
    [
        ("gpt-4.1-2025-04-14", "464.557275", "484.969275"),
        ("gpt-4.1-mini-2025-04-14", "92.911455", "96.993855"),
        ("gpt-4o-mini-2024-07-18", "55.746873", "58.196313"),
    ],
)
def test_the_emotion_data_567_times_over_is_100_mb(base: str, low: str, high: str) -> None:
    found = reckoned(finetune(base, data(32_773 * 567, 34_213 * 567, rows=480 * 567)))

    assert (found.low, found.high) == (Decimal(low), Decimal(high))
    assert found.tokens == (18_582_291, 19_398_771)


def test_the_basis_says_the_whole_calculation_and_how_old_the_price_is() -> None:
    emotion = data(32_773, 34_213)

    assert reckoned(finetune(MINI, emotion)) == Estimate(
        Decimal("0.491595"),
        Decimal("0.513195"),
        "32,773 to 34,213 tokens × 3 epochs at $5.00 a million tokens (openai, 2025-11);"
        f" auto: 3 epochs {PUBLIC_RULE}",
        tokens=(98_319, 102_639),
    )
    assert reckoned(finetune(MINI, data(7, rows=10), hyperparameters=epochs(1))).basis == (
        "7 tokens × 1 epoch at $5.00 a million tokens (openai, 2025-11)"
    )


@pytest.mark.parametrize("name", ["gpt-4o-mini", "openai/gpt-4o-mini", "ft:gpt-4o-mini:a:b:c"])
def test_a_name_costs_what_its_snapshot_costs(name: str) -> None:
    assert reckoned(finetune(name)) == reckoned(finetune("gpt-4o-mini-2024-07-18"))


def test_preference_pairs_cost_as_much_a_token_as_chats() -> None:
    assert reckoned(finetune(method="dpo")) == reckoned(finetune())


def test_a_chain_of_three_is_priced_by_its_root() -> None:
    root = finetune("gpt-4.1", name="root")
    middle = finetune(Parent("root", "last"), name="middle")
    leaf = finetune(Parent("middle", 12), name="leaf")

    found = reckoned(leaf, among=(root, middle))

    assert found.low == Decimal("7.5")
    assert found == reckoned(root)


def test_a_chain_that_leads_nowhere_has_no_price_and_says_so() -> None:
    found = reckoned(finetune(Parent("gone", "last")))

    assert (found.low, found.high, found.tokens) == (None, None, (300_000, 300_000))
    assert found.basis.startswith("the fine-tune that it continues from is not known")


# Tokens.


def test_each_model_is_counted_in_its_own_way() -> None:
    counted = (
        Tokens("o200k_base", 65_536, 1_000, 1_000, 1_000),
        Tokens("cl100k_base", 65_536, 3_000, 3_000, 3_000),
        Tokens("cl100k_base", 16_385, 2_000, 2_000, 2_000),
    )
    rows = replace(data(1), tokens=counted)

    found = [reckoned(finetune(base, rows)).tokens for base in (MINI, "gpt-3.5-turbo", "o9")]

    assert found == [(3_000, 3_000), (6_000, 6_000), (3_000, 3_000)]


@pytest.mark.parametrize(
    ("base", "counted", "note"),
    [
        ("gpt-3.5-turbo", ("cl100k_base", 65_536),
         "counted with rows cut at 65,536 tokens, not at the model's 16,385"),
        ("gpt-3.5-turbo", ("o200k_base", 65_536),
         "counted with o200k_base, not with the model's cl100k_base"),
    ],
)  # fmt: skip
def test_a_count_that_is_not_the_models_own_says_so(
    base: str, counted: tuple[str, int], note: str
) -> None:
    rows = replace(data(1), tokens=(Tokens(*counted, 1_000, 1_000, 1_000),))

    found = reckoned(finetune(base, rows, hyperparameters=epochs(2)))

    assert found.low == Decimal("0.016")
    assert found.basis.split("; ")[1:] == [note]


def test_the_right_vocabulary_goes_before_the_right_context() -> None:
    catalog = own("openai", MINI, training_context=16_385)
    counted = (
        Tokens("cl100k_base", 16_385, 3_000, 3_000, 3_000),
        Tokens("o200k_base", 65_536, 1_000, 1_000, 1_000),
    )

    found = reckoned(finetune(MINI, replace(data(1), tokens=counted)), catalog=catalog)

    assert found.tokens == (3_000, 3_000)
    assert "rows cut at 65,536 tokens" in found.basis


def test_a_model_of_unknown_vocabulary_is_counted_with_another_and_says_so() -> None:
    catalog = own("nebius", "llama-3", usd_per_million_tokens=0.4)

    found = reckoned(finetune("llama-3", hyperparameters=epochs(2)), NEBIUS, catalog)

    assert found.low == Decimal("0.08")
    assert found.basis == (
        "100,000 tokens × 2 epochs at $0.40 a million tokens (ftctl.yaml);"
        " counted with o200k_base, since the model's vocabulary is not known"
    )


def test_data_that_was_not_counted_has_no_price() -> None:
    found = reckoned(finetune(MINI, replace(data(1), tokens=())))

    basis = "the data was not counted; $5.00 a million tokens (openai, 2025-11)"
    assert found == Estimate(None, None, basis)


def test_validation_is_billed_where_the_service_bills_it_once_in_every_epoch() -> None:
    catalog = own("compatible", "llama", usd_per_million_tokens=2, bills_validation=True)
    there = ServiceInfo("compatible", "https://x.example/v1")
    validation = data(10_000, 11_000, name="held-out")
    one = finetune("llama", validation=validation, hyperparameters=epochs(4))

    found, free = reckoned(one, there, catalog), reckoned(replace(one, base_model=MINI))

    assert (found.low, found.high) == (Decimal("0.88"), Decimal("0.888"))
    assert found.tokens == (400_000, 400_000)
    assert found.basis.startswith("(100,000 tokens and 10,000 to 11,000 of validation) × 4 epochs")
    assert free.low == Decimal(2)


# Epochs.


@pytest.mark.parametrize(
    ("rows", "number"),
    [(5, 20), (10, 10), (33, 3), (34, 3), (480, 3), (8_333, 3), (8_334, 2), (25_001, 1),
     (100_000, 1)],
)  # fmt: skip
def test_auto_costs_what_the_public_rule_says(rows: int, number: int) -> None:
    for hyperparameters in ({}, epochs("auto")):
        found = reckoned(
            finetune(MINI, data(1_000_000, rows=rows), hyperparameters=hyperparameters)
        )

        plural = "epoch" if number == 1 else "epochs"
        assert (found.low, found.high) == (5 * number, 5 * number)
        assert found.basis.endswith(f"auto: {number} {plural} {PUBLIC_RULE}")


def test_where_no_rule_is_known_auto_is_anything_that_the_api_takes() -> None:
    catalog = own("azure", MINI, usd_per_million_tokens=5, as_of="2026-10")

    found = reckoned(finetune(), AZURE, catalog)

    assert (found.low, found.high, found.tokens) == (
        Decimal("0.5"),
        Decimal(25),
        (100_000, 5_000_000),
    )
    assert found.basis == (
        "100,000 tokens × 1 to 50 epochs at $5.00 a million tokens (ftctl.yaml, 2026-10);"
        " auto: 1 to 50 epochs, since no rule of azure is on record;"
        " n_epochs in the manifest settles it"
    )


@pytest.mark.parametrize(
    ("service", "extra", "low", "high"),
    [  # where a service reads n_epochs, that of `extra` replaces the manifest's 2
        ("openai", {"method": {"supervised": {"hyperparameters": {"n_epochs": 40}}}}, 40, 40),
        ("openai", {"hyperparameters": {"n_epochs": 40}}, 2, 40),
        ("openai", {"hyperparameters": {"n_epochs": 1}}, 1, 2),
        ("openai", {"method": {"supervised": {"hyperparameters": {"n_epochs": "7"}}}}, 1, 50),
        ("openai", {"method": {"supervised": {"hyperparameters": {"n_epochs": -1}}}}, 1, 50),
        ("openai", {"method": {"supervised": {"hyperparameters": {"n_epochs": True}}}}, 1, 50),
        ("openai", {"method": {"dpo": {"hyperparameters": {"n_epochs": 40}}}}, 2, 2),
        # A null leaves it to the service, as does a request that loses the manifest's number.
        ("openai", {"method": {"supervised": {"hyperparameters": {"n_epochs": None}}}}, 3, 3),
        ("openai", {"method": {"supervised": {"hyperparameters": None}}}, 3, 3),
        ("openai", {"method": "supervised", "hyperparameters": []}, 3, 3),
        ("openai", {"hyperparameters": {"n_epochs": None}}, 2, 3),
        ("nebius", {"hyperparameters": {"n_epochs": None}}, 1, 50),
        # What no place of the wire has, a service may heed all the same.
        ("openai", {"n_epochs": 40}, 2, 40),
        ("openai", {"training": [{"num-train_Epochs": 40}]}, 2, 40),
        ("openai", {"tuning": {"hyperparameters": {"n_epochs": 40}}}, 2, 40),
        ("openai", {"method": {"supervised": {"n_epochs": 40}}}, 2, 40),
        ("openai", {"hyperparameters": [{"n_epochs": 40}]}, 2, 40),
        ("openai", {"epochs": "many", "warmup_epochs": 40, "epochs_per_check": 40}, 2, 2),
        ("openai", {"epochs": True, "max_epochs": 0}, 2, 2),
        ("openai", {"epochs": {"env": "EPOCHS"}}, 1, 50),
        ("openai", {"epochs": "40"}, 1, 50),
        ("openai", {"epochs": {"warmup": 40}}, 2, 2),
        ("nebius", {"hyperparameters": {"n_epochs": 40}}, 40, 40),
        ("nebius", {"hyperparameters": {"lora": True}}, 2, 2),
    ],
)
def test_epochs_that_the_request_is_given_beside_the_manifest_are_paid_too(
    service: str, extra: dict[str, Any], low: int, high: int
) -> None:
    catalog = own("nebius", MINI, usd_per_million_tokens=5)
    one = finetune(MINI, data(1_000_000), hyperparameters=epochs(2), extra=extra)

    found = reckoned(one, ServiceInfo(service, "https://x.example"), catalog)

    assert (found.low, found.high) == (5 * low, 5 * high)


def test_the_basis_says_that_a_request_names_its_epochs_more_than_once() -> None:
    extra = {"hyperparameters": {"n_epochs": 40}}

    found = reckoned(finetune(MINI, hyperparameters=epochs(2), extra=extra))

    assert found.basis == (
        "100,000 tokens × 2 to 40 epochs at $5.00 a million tokens (openai, 2025-11);"
        " the request names its epochs more than once"
    )


def test_rows_more_or_fewer_are_paid_in_the_epochs_that_are_sent() -> None:
    extra = {"method": {"supervised": {"hyperparameters": {"n_epochs": 40}}}}
    one = finetune(MINI, hyperparameters=epochs(2), extra=extra)

    found = cost_of_tokens(10**6, one, Desired("acme", (one,)), CATALOG, OPENAI)

    assert found == (Decimal(200), Decimal(200))


@pytest.mark.parametrize(
    ("told", "low"),
    [({"n_epochs": 8}, "4"), ({"n_epochs": "auto"}, "1"), ({}, "1"), ({"n_epochs": 2.5}, "1")],
)
def test_a_job_costs_the_epochs_that_the_service_says_it_trains(
    told: dict[str, Any], low: str
) -> None:
    one = finetune(MINI, hyperparameters=epochs(2), extra={"hyperparameters": {"n_epochs": 9}})

    found = estimate_of_job(
        job(1, hyperparameters=told), one, Desired("acme", (one,)), CATALOG, OPENAI
    )

    assert found.low == Decimal(low)
    assert found.high == (Decimal(low) if low == "4" else Decimal("4.5"))


def test_a_method_that_the_request_is_given_beside_the_manifest_is_the_one_that_counts() -> None:
    one = finetune("o4-mini", extra={"method": {"type": "reinforcement"}})

    assert reckoned(one).usd_per_hour == 100


# By the hour, or not known.


def test_reinforcement_is_billed_by_the_hour_and_cannot_be_known() -> None:
    assert reckoned(finetune("o4-mini", method="reinforcement")) == Estimate(
        None,
        None,
        "billed by the hour: $100.00 an hour of training (openai, 2025-11);"
        " how long it takes cannot be known beforehand",
        usd_per_hour=Decimal(100),
    )


@pytest.mark.parametrize(
    ("base", "method", "service", "basis"),
    [
        ("o9", "supervised", OPENAI,
         ("no price of o9 at openai is on record; give one in ftctl.yaml:"
         " catalog: {openai: {o9: {usd_per_million_tokens: …}}}")),
        (MINI, "supervised", AZURE,
         (f"no price of {MINI} at azure is on record; give one in ftctl.yaml:"
         f" catalog: {{azure: {{{MINI}: {{usd_per_million_tokens: …}}}}}}")),
        ("o4-mini", "reinforcement", AZURE,
         ("no price of o4-mini-2025-04-16 at azure is on record; give one in ftctl.yaml:"
         " catalog: {azure: {o4-mini-2025-04-16: {usd_per_hour: …}}}")),
        (MINI, "reinforcement", OPENAI,
         (f"openai is not known to train {MINI} by method reinforcement; give one in ftctl.yaml:"
         f" catalog: {{openai: {{{MINI}: {{methods: [reinforcement], usd_per_hour: …}}}}}}")),
        ("o9", "supervised", EMBEDDED, "no price of o9 at openai is on record"),
    ],
)  # fmt: skip
def test_what_has_no_price_says_which_edit_gives_one(
    base: str, method: str, service: ServiceInfo, basis: str
) -> None:
    found = reckoned(finetune(base, method=method), service)

    assert (found.low, found.high, found.usd_per_hour) == (None, None, None)
    assert found.basis == basis
    assert found.billed is service.billed


@pytest.mark.parametrize(
    ("base", "method", "service", "facts"),
    [
        ("o9", "supervised", OPENAI, {"usd_per_million_tokens": 5}),
        (MINI, "supervised", AZURE, {"usd_per_million_tokens": 5}),
        ("o4-mini", "reinforcement", AZURE, {"usd_per_hour": 5}),
        (MINI, "reinforcement", OPENAI, {"methods": ["reinforcement"], "usd_per_hour": 5}),
    ],
)
def test_the_edit_that_is_named_gives_a_price(
    base: str, method: str, service: ServiceInfo, facts: dict[str, Any]
) -> None:
    name = CATALOG.facts(service.type, base).name
    catalog = own(service.type, name, **facts)
    one = finetune(base, data(1_000_000), method=method, hyperparameters=epochs(1))

    found = reckoned(one, service, catalog)

    assert 5 in (found.low, found.usd_per_hour)


# The embedded API.


def test_the_embedded_api_bills_nothing_and_says_what_openai_would() -> None:
    free, elsewhere = reckoned(finetune(), EMBEDDED), reckoned(finetune())

    assert free == replace(elsewhere, billed=False)
    assert free.low == Decimal("1.5")


def test_a_price_for_the_embedded_api_makes_it_a_rehearsal() -> None:
    catalog = own("emulator", "gpt-4.1-mini", usd_per_million_tokens=7)

    found = reckoned(finetune(), EMBEDDED, catalog)

    assert (found.billed, found.low) == (True, Decimal("2.1"))
    assert found.basis == (
        "100,000 tokens × 3 epochs at $7.00 a million tokens (ftctl.yaml);"
        f" auto: 3 epochs {PUBLIC_RULE}"
    )
    assert not reckoned(finetune("gpt-4o"), EMBEDDED, catalog).billed


def test_the_embedded_api_counts_as_the_project_says() -> None:
    counted = (
        Tokens("o200k_base", 65_536, 1_000, 1_000, 1_000),
        Tokens("cl100k_base", 65_536, 3_000, 3_000, 3_000),
        Tokens("cl100k_base", 2_048, 2_000, 2_000, 2_000),
    )
    catalog = own("emulator", MINI, encoding="cl100k_base", training_context=2_048)

    found = reckoned(finetune(MINI, replace(data(1), tokens=counted)), EMBEDDED, catalog)

    assert (found.billed, found.tokens, found.low) == (False, (6_000, 6_000), Decimal("0.03"))


# Plans.


def change(name: str, action: Action, *steps: Any, **more: Any) -> Change:
    return Change(name, action, "because", tuple(steps), **more)


def start(name: str) -> StartJob:
    return StartJob(name, "v1:0", {}, MINI, FileRef("rows", "rows.jsonl", "ab" * 32), None)


def plan(*changes: Change, service: ServiceInfo = OPENAI) -> Plan:
    return Plan("acme", service, changes)


def test_what_trains_now_or_later_has_a_cost_and_nothing_else() -> None:
    names = ("new", "again", "later", "kept", "stopped")
    desired = Desired("acme", tuple(finetune(name=name) for name in names))
    changes = (
        change("new", Action.CREATE, start("new")),
        change("again", Action.REPLACE, start("again"), CancelJob("ftjob-1", "outdated")),
        change("later", Action.DEFER),
        change("kept", Action.NO_OP, DeleteModel("ft:x")),
        change("stopped", Action.CANCEL, CancelJob("ftjob-2", "duplicate")),
        change("left", Action.DELETE, DeleteModel("ft:y")),
        change("new", Action.DELETE, kind="Files"),
    )

    found = price_plan(plan(*changes), desired, CATALOG)

    cost = reckoned(finetune())
    assert [one.cost for one in found.changes] == [cost, cost, cost, None, None, None, None]
    assert tuple(replace(one, cost=None) for one in found.changes) == changes
    assert total(found) == Total(Decimal("4.5"), Decimal("4.5"), 0, 0)


def costing(*costs: Estimate) -> Plan:
    return plan(*(change("x", Action.CREATE, cost=cost) for cost in costs))


KNOWN = Estimate(Decimal("1.10"), Decimal("1.30"), "")
UNKNOWN = Estimate(None, None, "")
HOURLY = Estimate(None, None, "", usd_per_hour=Decimal(100))
FREE = replace(KNOWN, billed=False)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ((), Total(Decimal(0), Decimal(0), 0, 0)),
        ((KNOWN, KNOWN), Total(Decimal("2.20"), Decimal("2.60"), 0, 0)),
        ((KNOWN, UNKNOWN, HOURLY), Total(Decimal("1.10"), Decimal("1.30"), 1, 1)),
        ((UNKNOWN, HOURLY, HOURLY), Total(None, None, 1, 2)),
        ((FREE, FREE), Total(Decimal(0), Decimal(0), 0, 0)),
        ((KNOWN, FREE), Total(Decimal("1.10"), Decimal("1.30"), 0, 0)),
    ],
)
def test_a_total_counts_what_it_cannot_tell(costs: tuple[Estimate, ...], expected: Total) -> None:
    assert total(costing(*costs)) == expected


@pytest.mark.parametrize(
    ("tokens", "expected"), [(1_000_000, (5, 250)), (0, (0, 0)), (-1_000_000, (-250, -5))]
)
def test_rows_more_or_fewer_cost_their_tokens_in_every_epoch(
    tokens: int, expected: tuple[int, int]
) -> None:
    catalog = own("azure", MINI, usd_per_million_tokens=5)
    one = finetune()
    desired = Desired("acme", (one,))

    assert cost_of_tokens(tokens, one, desired, catalog, AZURE) == expected
    assert cost_of_tokens(tokens, one, desired, CATALOG, AZURE) is None


# What was paid.


def job(number: int, **facts: Any) -> Job:
    known = {"status": "succeeded", "created_at": 100, "finished_at": 200, "model": "ft:x"}
    return Job(**{"id": f"ftjob-{number}", "base_model": MINI, **known, **facts})


def test_jobs_are_paid_by_the_tokens_that_they_trained() -> None:
    jobs = [
        job(1, trained_tokens=1_000_000),
        job(2, trained_tokens=500_000, base_model="ft:gpt-4.1:acme::a1"),
        job(3, trained_tokens=1_000_000, status="cancelled", base_model="gpt-4o-mini"),
    ]

    assert spent(jobs, CATALOG, OPENAI, 0) == Spent(Decimal("20.5"), 3, 0)


def test_a_job_counts_in_the_time_in_which_it_finished() -> None:
    jobs = [job(number, trained_tokens=10**6, finished_at=200 + number) for number in range(4)]

    assert spent(jobs, CATALOG, OPENAI, 202) == Spent(Decimal(10), 2, 0)


def test_a_job_that_runs_counts_whenever_it_was_made_with_what_it_is_expected_to_cost() -> None:
    running = [
        job(1, status="running", finished_at=None),
        job(2, status="paused", finished_at=None),
    ]

    known = spent(running, CATALOG, OPENAI, 150, expected={"ftjob-1": Decimal("1.25")})

    assert known == Spent(Decimal("1.25"), 2, 1)


@pytest.mark.parametrize(("tokens", "cost"), [(0, "1.25"), (10_000, "1.25"), (10**6, "5")])
def test_tokens_that_are_counted_while_a_job_runs_lower_nothing(tokens: int, cost: str) -> None:
    running = [job(1, status="running", finished_at=None, trained_tokens=tokens)]

    found = spent(running, CATALOG, OPENAI, 150, expected={"ftjob-1": Decimal("1.25")})

    assert found == Spent(Decimal(cost), 1, 0)


def test_a_job_that_is_over_without_its_tokens_counts_as_expected() -> None:
    jobs = [
        job(1, status="cancelled", model=None),
        job(2),
        job(3, status="failed", model=None),
        job(4, trained_tokens=10**6),
    ]
    expected = {f"ftjob-{number}": Decimal(7) for number in (1, 2, 3, 4)}

    assert spent(jobs, CATALOG, OPENAI, 0, expected=expected) == Spent(Decimal(19), 4, 0)


TRAINED_ON = File("file-1", "rows.jsonl", 900_000, 1, sha256="ab" * 32)
OTHER_FILE = File("file-2", "older.jsonl", 900_000, 1, sha256="cd" * 32)


@pytest.mark.parametrize(
    ("facts", "base", "cost"),
    [
        # Of a spec that is asked for: its estimate, by the epochs that the service tells.
        ({"digest": "v1:0"}, MINI, "1.5"),
        ({"digest": "v1:0", "hyperparameters": {"n_epochs": 8}}, MINI, "4"),
        # Of an earlier one: by the file, at the tokens that were counted or one for each byte.
        ({"training_file": "file-1", "spec": {"hyperparameters": {"n_epochs": 2}}}, MINI, "1"),
        ({"training_file": "file-1",
          "spec": {"hyperparameters": {"n_epochs": 2},
                   "extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": 8}}}}}},
         MINI, "4"),
        ({"training_file": "file-1",
          "spec": {"hyperparameters": {"n_epochs": 2}, "extra": {"hyperparameters":
                   {"n_epochs": None}}}}, MINI, "1.5"),
        ({"training_file": "file-1"}, MINI, "1.5"),
        ({"training_file": "file-1", "hyperparameters": {"n_epochs": 9}}, MINI, "4.5"),
        ({"training_file": "file-2", "hyperparameters": {"n_epochs": 2}}, MINI, "9"),
        ({"training_file": "file-2"}, MINI, "112.5"),  # 25 epochs, the most of the rule
        ({"training_file": "file-3", "hyperparameters": {"n_epochs": 2}}, MINI, None),
        ({"training_file": "file-2", "base_model": "o9"}, MINI, None),
        ({"training_file": "file-2", "base_model": "o4-mini",
          "spec": {"method": "reinforcement"}}, MINI, None),
        ({"digest": "v1:0"}, "o9", None),
    ],
)  # fmt: skip
def test_what_a_job_is_expected_to_cost_at_most(
    facts: dict[str, Any], base: str, cost: str | None
) -> None:
    one = finetune(base, replace(data(100_000), bytes=500_000))
    observed = Observed(files=(TRAINED_ON, OTHER_FILE))

    found = expected_costs([job(1, **facts)], Desired("acme", (one,)), observed, CATALOG, OPENAI)

    assert found == ({} if cost is None else {"ftjob-1": Decimal(cost)})


def test_a_file_does_not_tell_what_is_billed_of_validation_too() -> None:
    catalog = own("openai", MINI, usd_per_million_tokens=5, bills_validation=True)
    observed = Observed(files=(OTHER_FILE,))

    found = expected_costs(
        [job(1, training_file="file-2")], Desired("acme", ()), observed, catalog, OPENAI
    )

    assert found == {}


def test_rows_with_more_tokens_than_bytes_say_nothing_of_another_file() -> None:
    one = finetune(tokens=data(101))  # 100 bytes: images that are there by their address
    observed = Observed(files=(OTHER_FILE,))

    found = expected_costs(
        [job(1, training_file="file-2")], Desired("acme", (one,)), observed, CATALOG, OPENAI
    )

    assert found == {}


@pytest.mark.parametrize(
    ("observed", "newest"),
    [
        (Observed(), None),
        (Observed(told_at=500), 500),
        (Observed((job(1), job(2, finished_at=700)), told_at=500), 700),
        (Observed(others=(job(1, created_at=900),)), 900),
        (Observed(files=(replace(TRAINED_ON, created_at=800),)), 800),
        (Observed((job(1, created_at=1_790_000_000_000, finished_at=-5),), told_at=500), 500),
    ],
)
def test_the_time_is_the_newest_that_the_service_told(
    observed: Observed, newest: int | None
) -> None:
    assert newest_time(observed) == newest


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [
        ({"status": "failed", "model": None}, 0),
        ({"status": "cancelled", "model": None}, 1),
        ({"status": "succeeded"}, 1),
        ({"trained_tokens": 5, "base_model": "o9"}, 1),
        ({"trained_tokens": 5, "base_model": None}, 1),
        ({"trained_tokens": 5, "base_model": "o4-mini", "spec": {"method": "reinforcement"}}, 1),
        ({"status": "failed", "base_model": "o4-mini", "spec": {"method": "reinforcement"}}, 1),
        (
            {
                "trained_tokens": 5,
                "base_model": "o4-mini",
                "spec": {"extra": {"method": {"type": "reinforcement"}}},
            },
            1,
        ),
        ({"trained_tokens": 0, "spec": {"extra": [{"method": 3}], "method": "dpo"}}, 0),
    ],
)
def test_what_a_job_cost_may_not_be_known(facts: dict[str, Any], unknown: int) -> None:
    assert spent([job(1, **facts)], CATALOG, OPENAI, 0) == Spent(Decimal(0), 1, unknown)


def test_jobs_at_the_embedded_api_cost_nothing_unless_it_has_a_price() -> None:
    jobs = [job(1, trained_tokens=10**6), job(2, base_model="o9")]
    catalog = own("emulator", MINI, usd_per_million_tokens=7)

    assert spent(jobs, CATALOG, EMBEDDED, 0) == Spent(Decimal(0), 2, 0)
    assert spent(jobs, catalog, EMBEDDED, 0) == Spent(Decimal(7), 2, 0)


@pytest.mark.parametrize(
    ("facts", "service", "expected"),
    [
        ({"trained_tokens": 98_310}, OPENAI,
         "cost $0.49 (98,310 tokens; estimated $0.49 to $0.51; prices of 2025-11)"),
        ({"status": "running"}, OPENAI, "estimated $0.49 to $0.51"),
        ({"status": "failed"}, OPENAI, None),
        ({"trained_tokens": 98_310}, EMBEDDED, "98,310 tokens (estimated 98,319 to 102,639)"),
        ({"status": "running"}, EMBEDDED, None),
        ({"trained_tokens": 98_310}, AZURE, "98,310 tokens (estimated 98,319 to 102,639)"),
    ],
)  # fmt: skip
def test_status_says_what_was_expected_beside_what_it_cost(
    facts: dict[str, Any], service: ServiceInfo, expected: str | None
) -> None:
    one = finetune(MINI, data(32_773, 34_213), hyperparameters=epochs(3))

    assert compare(job(1, **facts), reckoned(one, service), CATALOG, service) == expected


def test_status_says_what_a_job_cost_that_nobody_estimated() -> None:
    ended = job(1, trained_tokens=100_000)
    catalog = own("openai", MINI, usd_per_million_tokens=4)

    assert compare(ended, None, CATALOG, OPENAI) == (
        "cost $0.50 (100,000 tokens; prices of 2025-11)"
    )
    assert compare(ended, None, catalog, OPENAI) == (
        "cost $0.40 (100,000 tokens; prices of ftctl.yaml)"
    )
    assert compare(ended, None, CATALOG, EMBEDDED) == "100,000 tokens"


# Words.


@pytest.mark.parametrize(("price", "words"), [(0.075, "$0.075"), (0.4, "$0.40"), (0, "$0.00")])
def test_a_price_is_told_in_full(price: float, words: str) -> None:
    found = reckoned(finetune(), catalog=own("openai", MINI, usd_per_million_tokens=price))

    assert f" at {words} a million tokens (ftctl.yaml)" in found.basis


def test_a_price_that_nobody_asks_is_still_reckoned_with() -> None:
    catalog = own("openai", MINI, usd_per_million_tokens=10**400)

    found = reckoned(finetune(MINI, data(10**6), hyperparameters=epochs(1)), catalog=catalog)

    assert found.low == Decimal(10) ** 400
    assert "$1.00e+400 a million tokens" in found.basis
