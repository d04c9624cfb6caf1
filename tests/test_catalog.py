"""Dated facts, and the warnings that come in time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ftctl.catalog import Catalog, base_of, load_catalog, shutdown_warnings
from ftctl.services import SERVICES

BASE = "gpt-4.1-mini-2025-04-14"
END = date(2027, 1, 14)
LAST_ORDERS = date(2027, 1, 6)
KNOWN_ON = "(as known on 2026-11-21)"
KNOWN = Catalog(
    as_of=date(2026, 11, 21),
    warn_days=90,
    aliases={"gpt-4.1-mini": BASE},
    services={
        "openai": {"shutdown": {BASE: "2027-01-14"}},
        "closing": {"no_new_jobs_after": "2027-01-06"},
    },
)


def test_every_date_in_the_catalog_is_a_date() -> None:
    catalog = load_catalog()

    for service, facts in catalog.services.items():
        assert service in SERVICES
        assert facts["source"]
        for model in facts["shutdown"]:
            assert catalog.shutdown(service, model) is not None
    assert catalog.no_new_jobs_after("openai") == LAST_ORDERS
    assert catalog.shutdown("openai", BASE) == END
    assert catalog.as_of >= date(2026, 11, 21)


def test_every_alias_leads_to_a_model_that_the_catalog_knows() -> None:
    catalog = load_catalog()

    unknown = [
        alias
        for alias, snapshot in catalog.aliases.items()
        if not any(snapshot in facts["shutdown"] for facts in catalog.services.values())
    ]

    assert unknown == []


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
