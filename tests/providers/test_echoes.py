"""What a service repeats of a secret is taken out, and what a job is known by stays."""

from __future__ import annotations

from typing import Any

import pytest

from ftctl.providers.openai.echoes import without_echoes

SECRET = "let-me-in-0123"


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ({"error": {"message": f"no {SECRET}"}}, {"error": {"message": "no [redacted]"}}),
        ({"message": SECRET}, {"message": "[redacted]"}),
        (
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"a": [SECRET, 3]}}}},
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"a": ["[redacted]", 3]}}}},
        ),
        ({"error": None, "hyperparameters": 3}, {"error": None, "hyperparameters": 3}),
    ],
)
def test_a_secret_that_is_quoted_is_taken_out(raw: dict[str, Any], plain: dict[str, Any]) -> None:
    assert without_echoes(raw, [SECRET]) == plain


def test_what_a_job_is_known_by_is_not_touched() -> None:
    raw = {"id": SECRET, "metadata": {"ftctl_project": SECRET}, "fine_tuned_model": SECRET}

    assert without_echoes(raw, [SECRET]) == raw


def test_a_word_is_no_secret() -> None:
    raw = {"message": "demo is over"}

    assert without_echoes(raw, ["demo"]) is raw
