"""A slip is told from a word that means something else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ftctl.text.suggest import SURE, did_you_mean, nearest

KNOWN = ("support-tone", "triage", "n_epochs")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("suport-tone", "support-tone"), ("support", "support-tone"), ("trage", "triage"),
        ("epochs", "n_epochs"), ("colour", None), ("", None),
    ],
)  # fmt: skip
def test_the_nearest_known_word_is_named_if_it_is_near(word: str, near: str | None) -> None:
    assert nearest(word, KNOWN) == near
    assert did_you_mean(word, KNOWN) == (f"did you mean '{near}'?" if near else None)


def test_of_several_near_ones_the_nearest_is_named() -> None:
    assert nearest("tone-c", ["tone-b", "tone-cc", "other"]) == "tone-cc"


def test_where_other_words_are_allowed_too_only_a_slip_is_named() -> None:
    assert nearest("mesages", ["messages"], SURE) == "messages"
    assert nearest("message_id", ["messages"]) == "messages"
    assert nearest("message_id", ["messages"], SURE) is None


def test_a_word_of_any_length_is_compared_at_once() -> None:
    assert nearest("x" * 10_000_000, [f"{number}x" for number in range(1_000)]) is None


def test_the_comparison_is_loaded_only_for_a_fault() -> None:
    code = "import sys, ftctl.text.suggest; assert 'difflib' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)
