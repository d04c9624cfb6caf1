"""Dated facts, and the warnings that come in time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from ftctl.catalog import (
    OWN,
    BaseModelFacts,
    Catalog,
    KnownService,
    Price,
    base_of,
    load_catalog,
    shutdown_warnings,
)
from ftctl.catalog.services import SERVICES
from ftctl.data.tokens import encoding_for
from ftctl.domain.config import catalog_overrides
from ftctl.errors import FtctlError
from ftctl.manifest import read_documents
from ftctl.manifest.schema import check_document

BASE = "gpt-4.1-mini-2025-04-14"
END = date(2027, 1, 14)
LAST_ORDERS = date(2027, 1, 6)
KNOWN_ON = "(as known on 2026-11-21)"
KNOWN = Catalog(
    as_of=date(2026, 11, 21),
    warn_days=90,
    aliases={"gpt-4.1-mini": BASE},
    services={
        "openai": KnownService({BASE: BaseModelFacts(BASE, shutdown=END)}),
        "closing": KnownService(no_new_jobs_after=LAST_ORDERS),
    },
)


# What comes with this version.


def with_own(catalog: Mapping[str, Any]) -> Catalog:
    """What came with ftctl, under a project's own facts."""
    return load_catalog().with_overrides(catalog_overrides(catalog))


def test_every_service_in_the_catalog_is_one_of_ours_and_names_its_sources() -> None:
    catalog = load_catalog()

    assert catalog.services.keys() <= SERVICES.keys()
    assert [name for name, known in catalog.services.items() if not known.sources] == []
    assert catalog.as_of >= date(2026, 11, 21)
    assert catalog.no_new_jobs_after("openai") == LAST_ORDERS


def test_every_price_says_how_old_it_is_and_where_it_comes_from() -> None:
    prices = [
        facts.price
        for known in load_catalog().services.values()
        for facts in known.models.values()
        if facts.price is not None
    ]

    assert len(prices) == 10
    assert {price.as_of for price in prices} == {"2025-11"}
    assert all("pricing page" in price.source for price in prices)
    assert not any(price.bills_validation for price in prices)


def test_the_prices_are_those_of_the_copy_of_the_pricing_page() -> None:
    known = load_catalog().services["openai"].models

    found = {
        name: (str(facts.price.usd), facts.price.per)
        for name, facts in known.items()
        if facts.price is not None
    }

    assert found == {
        "gpt-4.1-2025-04-14": ("25.00", "million-tokens"),
        "gpt-4.1-mini-2025-04-14": ("5.00", "million-tokens"),
        "gpt-4.1-nano-2025-04-14": ("1.50", "million-tokens"),
        "gpt-4o-2024-08-06": ("25.00", "million-tokens"),
        "gpt-4o-mini-2024-07-18": ("3.00", "million-tokens"),
        "o4-mini-2025-04-16": ("100.00", "hour"),
        "gpt-3.5-turbo-0125": ("8.00", "million-tokens"),
        "gpt-3.5-turbo-1106": ("8.00", "million-tokens"),
        "davinci-002": ("6.00", "million-tokens"),
        "babbage-002": ("0.40", "million-tokens"),
    }


def test_the_catalog_counts_as_the_tokenizer_does() -> None:
    wrong = [
        name
        for known in load_catalog().services.values()
        for name, facts in known.models.items()
        if facts.encoding != encoding_for(name)
    ]

    assert wrong == []


def test_every_alias_leads_to_a_model_that_the_catalog_knows() -> None:
    catalog = load_catalog()

    unknown = [
        alias
        for alias, snapshot in catalog.aliases.items()
        if snapshot not in catalog.services["openai"].models
    ]

    assert unknown == []


def test_all_that_is_known_of_a_model() -> None:
    catalog = load_catalog()
    source = "a copy of OpenAI's pricing page, standard tier; later copies leave the rows out"
    price = Price(Decimal("5.00"), "million-tokens", "2025-11", source)

    assert catalog.facts("openai", "gpt-4.1-mini") == BaseModelFacts(
        BASE, 65_536, "o200k_base", frozenset({"supervised", "dpo"}), END, price,
        formats=frozenset({"chat"}), images=False, tools=True,
    )  # fmt: skip
    assert catalog.facts("azure", BASE).price is None
    assert catalog.facts("azure", BASE).shutdown == date(2027, 10, 14)


@pytest.mark.parametrize(
    ("model", "snapshot"),
    [
        (BASE, BASE),
        ("gpt-4.1-mini", BASE),
        ("openai/gpt-4.1-mini", BASE),
        (f"ft:{BASE}:acme:tone:a1", BASE),
        ("ft:gpt-4.1-mini:acme::a1:ckpt-step-5", BASE),
        ("openai.gpt-oss-20b", "gpt-oss-20b"),
        ("gpt-35-turbo-0613", "gpt-3.5-turbo-0613"),
        ("own-model", "own-model"),
        ("", ""),
    ],
)
def test_names_lead_to_the_snapshot_that_they_mean(model: str, snapshot: str) -> None:
    assert load_catalog().facts("openai", model).name == snapshot


@pytest.mark.parametrize("service", ["openai", "azure", "compatible", "emulator", "elsewhere"])
def test_of_an_unknown_model_nothing_is_known(service: str) -> None:
    assert load_catalog().facts(service, "own-model") == BaseModelFacts("own-model")


def test_of_a_model_that_is_not_listed_counts_what_is_known_of_all() -> None:
    assert load_catalog().facts("nebius", "own-model") == BaseModelFacts(
        "own-model", formats=frozenset({"chat", "completion"})
    )


@pytest.mark.parametrize(
    ("model", "pinned"),
    [
        ("gpt-4.1-mini", False),
        ("openai/gpt-4.1-mini", False),
        ("gpt-3.5-turbo", False),
        ("mistral-small-latest", False),
        (BASE, True),
        (f"ft:{BASE}:acme::a1", True),
        ("gpt-3.5-turbo-0125", True),
        ("gpt-35-turbo-0125", True),
        ("gpt-9-2030-01-31", True),
        ("qwen-0131", True),
        ("babbage-002", True),
        ("gpt-oss-20b", True),
        ("own-model", True),
    ],
)
def test_a_name_that_moves_is_no_snapshot(model: str, *, pinned: bool) -> None:
    assert load_catalog().is_snapshot("openai", model) is pinned


def test_a_name_with_dated_kin_moves() -> None:
    catalog = with_own({"azure": {"gpt-5-2025-08-07": {}}})

    assert load_catalog().is_snapshot("azure", "gpt-5")
    assert not catalog.is_snapshot("azure", "gpt-5")
    assert catalog.is_snapshot("azure", "gpt-5-2025-08-07")


# What a project says itself.


def test_what_a_project_says_goes_before_what_came_with_ftctl() -> None:
    catalog = with_own(
        {"openai": {"gpt-4.1-mini": {"usd_per_million_tokens": 4.5, "as_of": "2026-11"}}}
    )

    facts, shipped = catalog.facts("openai", BASE), load_catalog().facts("openai", BASE)
    assert facts.price == Price(Decimal("4.5"), "million-tokens", "2026-11", OWN)
    assert (facts.training_context, facts.methods) == (65_536, shipped.methods)
    assert shipped.price is not None
    assert shipped.price.usd == Decimal(5)


def test_a_new_model_at_a_new_service_may_be_told_all_about() -> None:
    own = {
        "usd_per_million_tokens": 0.4, "bills_validation": True, "training_context": 8_192,
        "encoding": "cl100k_base", "methods": ["supervised"], "shutdown": "2028-01-01",
        "formats": ["chat"], "images": True, "tools": False,
    }  # fmt: skip

    facts = with_own({"compatible": {"llama": own}}).facts("compatible", "llama")

    assert facts == BaseModelFacts(
        "llama",
        8_192,
        "cl100k_base",
        frozenset({"supervised"}),
        date(2028, 1, 1),
        Price(Decimal("0.4"), "million-tokens", OWN, OWN, bills_validation=True),
        formats=frozenset({"chat"}),
        images=True,
        tools=False,
    )


def test_a_date_alone_says_that_the_price_is_still_the_same() -> None:
    catalog = with_own({"openai": {BASE: {"as_of": "2026-11-20"}}})

    price = catalog.facts("openai", BASE).price

    assert price == Price(Decimal("5.00"), "million-tokens", "2026-11-20", OWN)


def test_a_new_price_leaves_it_as_it_was_whether_validation_is_billed() -> None:
    catalog = with_own({"openai": {BASE: {"bills_validation": True}}})

    for known, billed in ((catalog, True), (load_catalog(), False)):
        again = known.with_overrides(
            catalog_overrides({"openai": {BASE: {"usd_per_million_tokens": 1}}})
        )
        price = again.facts("openai", BASE).price
        assert price == Price(Decimal(1), "million-tokens", OWN, OWN, bills_validation=billed)


@pytest.mark.parametrize("alias", ["gpt-4.1-mini", "openai/gpt-4.1-mini"])
def test_what_is_said_of_a_snapshot_goes_before_what_is_said_of_its_alias(alias: str) -> None:
    told = {BASE: {"usd_per_million_tokens": 1}, alias: {"usd_per_million_tokens": 2}}

    for order in (told, dict(reversed(told.items()))):
        price = with_own({"openai": order}).facts("openai", BASE).price
        assert price is not None
        assert price.usd == 1


def test_a_model_may_be_billed_by_the_token_and_for_reinforcement_by_the_hour() -> None:
    own = {"usd_per_million_tokens": 2, "usd_per_hour": 50}
    facts = with_own({"azure": {"gpt-6": own}}).facts("azure", "gpt-6")

    token, hour = facts.price_of("supervised"), facts.price_of("reinforcement")

    assert token == Price(Decimal(2), "million-tokens", OWN, OWN)
    assert hour == Price(Decimal(50), "hour", OWN, OWN)


def test_there_is_no_price_for_a_method_that_does_not_train_the_model() -> None:
    catalog = load_catalog()

    assert catalog.facts("openai", BASE).price_of("reinforcement") is None
    assert catalog.facts("openai", "o4-mini").price_of("supervised") is None
    assert catalog.facts("openai", "o4-mini").price_of("reinforcement") is not None


def test_the_catalog_that_came_with_ftctl_stays_as_it_is() -> None:
    before = load_catalog().services["openai"].models[BASE]

    with_own({"openai": {BASE: {"shutdown": "2030-01-01"}}})

    assert load_catalog().services["openai"].models[BASE] == before


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"shutdown": "2027-02-30"}, "catalog.openai.x.shutdown in ftctl.yaml is '2027-02-30'"),
        ({"usd_per_hour": float("inf")}, "catalog.openai.x.usd_per_hour in ftctl.yaml is inf"),
    ],
)
def test_what_is_no_fact_is_refused_with_its_place(own: dict[str, Any], message: str) -> None:
    with pytest.raises(FtctlError, match=message):
        with_own({"openai": {"x": own}})


def test_prices_for_comparison_leave_out_what_can_no_longer_be_trained() -> None:
    known = load_catalog().training_prices("openai", date(2026, 11, 22))

    assert known is not None
    assert known.as_of == "2025-11"
    assert {name: str(usd) for name, usd in known.usd_per_million.items()} == {
        "gpt-4.1-2025-04-14": "25.00",
        "gpt-4.1-mini-2025-04-14": "5.00",
        "gpt-4o-2024-08-06": "25.00",
        "gpt-4o-mini-2024-07-18": "3.00",
    }
    assert load_catalog().training_prices("azure", date(2026, 11, 22)) is None


# What is told of it.

PRICES = (ROOT / "docs" / "prices.md").read_text("utf-8")


def test_the_table_of_prices_says_what_the_catalog_says() -> None:
    told = re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| ([\d,]+) \| (\w+) \|$", PRICES, re.MULTILINE)

    assert sorted(told) == sorted(
        (name, str(facts.price.usd), f"{facts.training_context:,}", facts.encoding)
        for name, facts in load_catalog().services["openai"].models.items()
        if facts.price is not None and facts.price.per == "million-tokens"
    )


def test_the_settings_that_are_shown_are_valid_and_do_what_is_said(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(catalog:.*?)```", PRICES, re.DOTALL)
    assert block
    path = tmp_path / "ftctl.yaml"
    path.write_text(f"project: acme\n{block[1]}", "utf-8")
    (document,), problems = read_documents(path, "ftctl.yaml")

    catalog = with_own(document.value["catalog"])

    assert (problems, check_document(document, "project")) == ((), ())
    price = catalog.facts("openai", "gpt-4o").price
    llama = catalog.facts("nebius", "meta-llama/Llama-3.1-8B-Instruct")
    assert price == Price(Decimal("25.00"), "million-tokens", "2026-11-20", OWN)
    assert (llama.encoding, llama.training_context) == ("o200k_base", 131_072)
    assert catalog.facts("emulator", BASE).price is not None


# What ends.


@pytest.mark.parametrize("model", [BASE, "gpt-4.1-mini", f"ft:{BASE}:acme:tone:a1", f"ft:{BASE}:x"])
def test_aliases_and_fine_tuned_models_end_with_their_base(model: str) -> None:
    assert KNOWN.shutdown("openai", model) == END


@pytest.mark.parametrize("model", ["own-model", "ft:own", "", "ft:", ":::"])
def test_what_is_not_known_has_no_end(model: str) -> None:
    assert KNOWN.shutdown("openai", model) is None
    assert KNOWN.shutdown("elsewhere", BASE) is None
    assert KNOWN.no_new_jobs_after("openai") is None


def test_the_base_is_the_second_part_of_a_fine_tuned_name() -> None:
    names = [f"ft:{BASE}:acme:tone:a1", f"ft:{BASE}:acme::a1:ckpt-step-5", BASE, "org/model:free"]

    assert [base_of(name) for name in names] == [BASE, BASE, BASE, "org/model:free"]


@pytest.mark.parametrize(("days", "warned"), [(91, False), (90, True), (1, True), (0, True)])
def test_warnings_begin_ninety_days_before(days: int, *, warned: bool) -> None:
    model = shutdown_warnings(KNOWN, "openai", [BASE], END - timedelta(days))
    service = shutdown_warnings(KNOWN, "closing", [], LAST_ORDERS - timedelta(days))

    assert model == (
        (f"openai shuts {BASE} down, with its fine-tunes, on 2027-01-14 (as known on 2026-11-21)",)
        if warned
        else ()
    )
    assert service == (
        ("closing takes no new training jobs after 2027-01-06 (as known on 2026-11-21)",)
        if warned
        else ()
    )


def test_what_has_ended_is_told_in_the_past() -> None:
    after = END + timedelta(1)

    assert shutdown_warnings(KNOWN, "openai", ["gpt-4.1-mini"], after) == (
        f"openai shut gpt-4.1-mini down, with its fine-tunes, on 2027-01-14 {KNOWN_ON}",
    )
    assert shutdown_warnings(KNOWN, "closing", [], after) == (
        "closing has taken no new training jobs after 2027-01-06 (as known on 2026-11-21)",
    )


def test_a_model_is_named_once_in_alphabetical_order() -> None:
    warnings = shutdown_warnings(KNOWN, "openai", [BASE, "gpt-4.1-mini", BASE, "other"], END)

    assert [warning.split()[2] for warning in warnings] == ["gpt-4.1-mini", BASE]
