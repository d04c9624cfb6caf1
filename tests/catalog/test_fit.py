"""What base models are known to be trained on, and what of rows and names goes against it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ftctl.catalog import Catalog, load_catalog
from ftctl.catalog.fit import (
    Misfit,
    Training,
    likely_service,
    model_misfits,
    pair_misfits,
    row_misfits,
)
from ftctl.domain.config import catalog_overrides
from ftctl.domain.desired import Dataset, Format, Method

MINI = "gpt-4.1-mini-2025-04-14"
NOVEMBER = date(2026, 11, 30)


def training(
    model: str,
    service: str = "openai",
    method: Method = "supervised",
    today: date = NOVEMBER,
    **own: Any,
) -> Training:
    catalog = load_catalog().with_overrides(
        catalog_overrides({service: {model: own} if own else {}})
    )
    return Training(catalog, service, model, method, today)


def rows(form: Format = "chat", images: int = 0, *, tools: bool = False) -> Dataset:
    return Dataset("d", "data/d.jsonl", "00", 12, 900, form, (), images, tools)


def short(misfits: Iterator[Misfit]) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in misfits]


WRONG, DOUBT = ("wrong-format", "error"), ("wrong-format", "warning")


@pytest.mark.parametrize(
    ("service", "model", "form", "found"),
    [
        ("openai", MINI, "chat", []),
        ("openai", MINI, "completion", [WRONG]),
        ("openai", "gpt-4.1-mini", "completion", [WRONG]),
        ("openai", f"ft:{MINI}:acme:tone:a1", "completion", [WRONG]),
        ("openai", "gpt-3.5-turbo", "completion", [WRONG]),
        ("openai", "babbage-002", "completion", []),
        ("openai", "davinci-002", "chat", [WRONG]),
        ("openai", "ft:davinci-002:acme::a1", "chat", [WRONG]),
        ("openai", "gpt-4.1-mni", "completion", []),  # of an unknown name nothing is known
        ("azure", MINI, "completion", [WRONG]),
        ("azure", "Ministral-3B", "completion", []),
        ("nebius", "meta-llama/Llama-3.3-70B-Instruct", "completion", []),
        ("emulator", MINI, "completion", [WRONG]),
        ("emulator", "babbage-002", "chat", [WRONG]),
        ("compatible", MINI, "completion", [DOUBT]),
        ("compatible", "llama", "completion", []),
    ],
)
def test_rows_of_another_format_are_refused_where_that_is_known(
    service: str, model: str, form: Format, found: list[tuple[str, str]]
) -> None:
    assert short(row_misfits(training(model, service), rows(form))) == found


def test_rows_are_converted_to_what_the_base_model_takes() -> None:
    (chat,) = row_misfits(training(MINI), rows("completion"))
    (asked,) = row_misfits(training("davinci-002"), rows("chat"))

    assert chat == Misfit(
        "wrong-format",
        f"these are prompt/completion rows; openai trains {MINI} on chat rows",
        None,
        "error",
        "chat",
    )
    assert asked.to == "completion"
    assert asked.hint == (
        "gpt-4.1-2025-04-14, gpt-4.1-mini-2025-04-14, gpt-4o-2024-08-06, gpt-4o-mini-2024-07-18"
        " are trained on chat rows"
    )


@pytest.mark.parametrize(
    ("service", "model", "images", "tools"),
    [
        ("openai", MINI, True, False),
        ("openai", "gpt-4o", False, False),
        ("azure", "gpt-4.1", False, False),
        ("azure", MINI, True, False),
        ("azure", "gpt-oss-20b", True, True),
        ("nebius", "own", True, True),
        ("emulator", "gpt-4.1", True, False),
        ("compatible", "gpt-4.1", True, False),
        ("compatible", "own", False, False),
        ("openai", "own", False, False),
    ],
)
def test_images_and_tools_are_doubted_where_nobody_names_them(
    service: str, model: str, *, images: bool, tools: bool
) -> None:
    seen = short(row_misfits(training(model, service), rows(images=3)))
    called = short(row_misfits(training(model, service), rows(tools=True)))

    assert seen == [("images-not-trained", "warning")] * images
    assert called == [("tools-not-trained", "warning")] * tools


def test_a_projects_own_facts_count() -> None:
    images = training("gpt-4.1-mini", images=True)
    both = training(MINI, formats=["chat", "completion"])
    own = training("llama", "compatible", formats=["chat"], tools=False)

    assert short(row_misfits(images, rows(images=3))) == []
    assert short(row_misfits(both, rows("completion"))) == []
    assert short(row_misfits(own, rows("completion"))) == [DOUBT]
    assert short(model_misfits(training("gpt-9", methods=["supervised"]))) == []


@pytest.mark.parametrize(
    ("service", "model", "method", "found"),
    [
        ("openai", MINI, "dpo", []),
        ("openai", MINI, "reinforcement", [("not-trained", "warning")]),
        ("emulator", MINI, "reinforcement", [("not-trained", "error")]),
        ("openai", "gpt-5", "supervised", [("not-trained", "warning")]),
        ("openai", "gpt-4o-2024-11-20", "supervised", [("not-trained", "warning")]),
        ("openai", "gpt-3.5-turbo", "supervised", [("retired-base-model", "warning")]),
        (
            "emulator",
            "ft:gpt-3.5-turbo-0125:a::b",
            "supervised",
            [("retired-base-model", "warning")],
        ),
        ("openai", "gpt-4.1-mni", "supervised", [("unknown-base-model", "warning")]),
        ("emulator", "gpt-4.1-mni", "supervised", [("unknown-base-model", "warning")]),
        ("azure", "gpt-4.1-mni", "supervised", [("unknown-base-model", "warning")]),
        ("nebius", MINI, "supervised", [("unknown-base-model", "warning")]),
        ("nebius", "Qwen/Qwen9", "supervised", []),
        ("bedrock", "openai.gpt-oss-20b", "reinforcement", []),
        ("compatible", "gpt-4.1-mni", "supervised", []),
        ("compatible", MINI, "supervised", []),
    ],
)
def test_a_base_model_that_cannot_be_trained_is_told(
    service: str, model: str, method: Method, found: list[tuple[str, str]]
) -> None:
    assert short(model_misfits(training(model, service, method))) == found


@pytest.mark.parametrize(
    ("service", "model", "hint"),
    [
        (
            "openai", "gpt-4.1-mni",
            (f"did you mean '{MINI}'? openai shuts it down on 2027-01-14 and takes no new jobs"
             " after 2027-01-06"),
        ),
        (
            "openai", "gpt-3.5-turbo-0126",
            ("did you mean 'gpt-3.5-turbo-0125'? openai shut it down on 2026-10-23 and takes no new"
            " jobs after 2027-01-06"),
        ),
        (
            "openai", "meta-llama/Llama-3.3-70B-Instruct",
            "nebius trains it: choose the service with 'provider' in ftctl.yaml",
        ),
        (
            "openai", "gpt-oss-20b",
            "azure and bedrock train it: choose the service with 'provider' in ftctl.yaml",
        ),
        (
            "openai", "own",
            ("train gpt-4.1-2025-04-14, gpt-4.1-mini-2025-04-14, gpt-4o-2024-08-06,"
            " gpt-4o-mini-2024-07-18; openai takes no new jobs after 2027-01-06"),
        ),
        (
            "openai", "GPT-4o-Mini",
            ("did you mean 'gpt-4o-mini-2024-07-18'? openai shuts it down on 2027-01-14 and takes"
             " no new jobs after 2027-01-06"),
        ),
        ("azure", "gpt-4.1-mni", f"did you mean '{MINI}'? azure shuts it down on 2027-10-14"),
    ],
)  # fmt: skip
def test_an_unknown_name_comes_with_the_nearest_and_its_dates(
    service: str, model: str, hint: str
) -> None:
    (misfit,) = model_misfits(training(model, service))

    assert misfit.hint == hint


def test_the_day_itself_still_counts() -> None:
    last = training(MINI, today=date(2027, 1, 14))
    after = training(MINI, today=date(2027, 1, 15))

    assert short(model_misfits(last)) == []
    assert [one.message for one in model_misfits(after)] == [
        f"openai shut {MINI} down on 2027-01-14"
    ]
    assert [one.hint for one in model_misfits(after)] == [
        "openai has no base model left for method supervised"
    ]


@pytest.mark.parametrize(
    ("learnt", "measured", "message"),
    [
        (rows(), rows(), None),
        (rows(), rows("completion"), ("these are prompt/completion rows; those of training are chat"
         " rows")),
        (rows(images=2), rows(), "the validation rows have no images; those of training have some"),
        (rows(), rows(images=2), "the validation rows have images; those of training have none"),
        (rows(tools=True), rows(), ("the validation rows have no tools; those of training have"
         " some")),
    ],
)  # fmt: skip
def test_rows_to_measure_on_are_like_those_that_are_learnt(
    learnt: Dataset, measured: Dataset, message: str | None
) -> None:
    found = [(one.code, one.message) for one in pair_misfits(learnt, measured)]

    assert found == ([] if message is None else [("unlike-validation", message)])


@pytest.mark.parametrize(
    ("model", "service"),
    [
        (MINI, "openai"),
        ("gpt-4.1-mni", "openai"),
        ("gpt-oss-20b", "azure"),
        ("Qwen/Qwen3-0.6B", "nebius"),
        ("somebody/own", None),
    ],
)
def test_a_name_alone_says_which_service_is_meant(model: str, service: str | None) -> None:
    catalog: Catalog = load_catalog()

    assert likely_service(catalog, model) == service
