"""The comment on what came of an apply: whole, within its room, and without power of anybody's."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from reports.test_reports_problems import Page, github, markdown_parser, shape

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import Estimate
from ftctl.domain.review import Violation
from ftctl.domain.run_result import (
    CheckpointName,
    Ending,
    FineTuneResult,
    RunResult,
    Standing,
    ToDo,
)
from ftctl.domain.run_result_document import result_document, result_json
from ftctl.manifest.schema import load_schema
from ftctl.reports.result_markdown import curve, result_headline, result_markdown

SERVICE = ServiceInfo("openai", "https://api.openai.com/v1")
DIGEST = "sha256:" + "5" * 64
COST = Estimate(Decimal("1.98"), Decimal("2.02"), "400,000 tokens × 1 epoch at $5.00 a million")
FALLING = tuple(0.4 + 1.5 * 0.8**step for step in range(30))


def trained(name: str, text: str = "") -> FineTuneResult:
    model = f"ft:gpt-4.1-mini-2025-04-14:acme:{name}:C1{text}"
    return FineTuneResult(
        name, Standing.TRAINED, concerned=True, trains=True, job="ftjob-1", model=model,
        done=(f"uploaded data/train.jsonl as file-1 {text}", "started ftjob-1 (queued)"),
        checkpoints=(CheckpointName(60, f"{model}:ckpt-step-60"),), estimate=COST,
        cost=Decimal("2.05"), cost_words="$2.05 (410,000 trained tokens)", trained_tokens=410_000,
        train_losses=FALLING, train_loss=FALLING[-1], valid_loss=0.52, seconds=2_520.0,
    )  # fmt: skip


def failed(name: str, why: str = "no such file") -> FineTuneResult:
    return FineTuneResult(
        name, Standing.FAILED, concerned=True, trains=True, job="ftjob-2", why=why, estimate=COST,
        cost=Decimal(0), seconds=60.0,
    )  # fmt: skip


def there(name: str) -> FineTuneResult:
    return FineTuneResult(name, Standing.THERE, model=f"ft:gpt-x:acme:{name}:B7")


def result(
    ending: Ending = Ending.INCOMPLETE, text: str = "", *finetunes: FineTuneResult
) -> RunResult:
    """One with every part that there can be."""
    rows = finetunes or (
        trained(f"tone{text}", text), failed(f"voice{text}", f"no such file {text}"), there("calm"),
    )  # fmt: skip
    return RunResult(
        ending, "apply", "support", f"production{text}", SERVICE, "1a2b3c4d5e6f" + "0" * 28,
        DIGEST, 4, rows, moved=(f"tone: approved was another {text}",),
        unapproved=(f"calm{text}",),
        violations=(Violation("max_jobs", "refused", f"two {text}", f"allow {text}", f"a{text}"),),
        problems=(f"a.yaml:1:1: error[b]: c {text}",), fault=f"something {text} {DIGEST}",
        todo=(ToDo(f"Run it again with approve = {DIGEST} {text}, or", f"ftctl apply {text}"),),
    )  # fmt: skip


def as_before(path: str, text: str) -> bool:
    golden = ROOT / "tests" / "reports" / path
    if os.environ.get("UPDATE"):
        golden.write_text(f"{text}\n", "utf-8")
    return text == golden.read_text("utf-8").removesuffix("\n")


def test_the_comment_of_a_run_with_all_there_can_be() -> None:
    assert as_before("result.md", result_markdown(result()))


def test_every_result_fits_the_schema_and_gives_the_same_bytes() -> None:
    validator = Draft202012Validator(load_schema("report"))

    for ending in Ending:
        validator.validate(result_document(result(ending)))
        validator.validate(result_document(RunResult(ending)))
    assert result_json(result()) == result_json(result())


def test_keys_are_taken_out_of_every_text_of_the_json() -> None:
    text = result_json(result(text="sk-1"), lambda text: text.replace("sk-1", "***"))

    assert "sk-1" not in text
    assert "***" in text


NOT_BEGUN = replace(failed("b"), standing=Standing.NOT_DONE, job=None, why=None)
HEADLINES = [
    (Ending.APPLIED, (trained("a"), trained("b")), "applied, 2 models, $4.10"),
    (Ending.APPLIED, (FineTuneResult("a", Standing.DONE, concerned=True, done=("deleted m",)),),
     "applied"),
    (Ending.INCOMPLETE, (trained("a"), failed("b")),
     "applied in part, 1 model, 1 job without a model, $2.05"),
    (Ending.STARTED, (replace(failed("a"), standing=Standing.RUNNING),
                      replace(failed("b"), standing=Standing.WAITING, job=None)),
     "started, 1 job running, 1 still to come, estimated $3.96 to $4.04"),
    (Ending.NOTHING, (there("a"), there("b")), "nothing to do, 2 models"),
    (Ending.STALE, (there("a"), NOT_BEGUN),
     "stale, nothing was done"),
    (Ending.STALE, (trained("a"), NOT_BEGUN),
     "stale, 1 model, 1 not done, $2.05"),
    (Ending.TIMED_OUT, (replace(failed("a"), standing=Standing.RUNNING, cost=None),),
     "waited too long, 1 job running, estimated $1.98 to $2.02"),
    (Ending.ATTENTION, (there("a"), FineTuneResult("b", Standing.ATTENTION)),
     "attention, 1 model, 1 needing a decision"),
    (Ending.UNREACHABLE, (), "the service cannot be reached, nothing was done"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ending", "rows", "words"), HEADLINES, ids=[one[2] for one in HEADLINES]
)  # fmt: skip
def test_the_headline_says_how_it_ended(
    ending: Ending, rows: tuple[FineTuneResult, ...], words: str
) -> None:
    assert result_headline(RunResult(ending, finetunes=rows)) == words


def test_a_price_that_one_of_them_has_not_is_not_known_for_all() -> None:
    unpriced = replace(trained("b"), cost=None, estimate=Estimate(None, None, "no price"))

    told = RunResult(Ending.APPLIED, finetunes=(trained("a"), unpriced))

    assert told.cost is None
    assert result_headline(told) == "applied, 2 models, price not known"


def test_a_curve_falls_as_the_loss_does() -> None:
    assert curve(FALLING).startswith("█")
    assert curve(FALLING).endswith("▁")
    assert len(curve(FALLING * 10)) == 20
    assert curve((0.5, 0.5, 0.5)) == curve((1.0, 0.5)) == ""


@pytest.mark.parametrize("most", [8_000, 20_000, 60_000])
@pytest.mark.parametrize("text", ["", "*" * 5_000, "</details>" * 50], ids=["", "long", "tags"])
def test_a_comment_of_1000_fine_tunes_fits_and_is_whole(most: int, text: str) -> None:
    rows = [trained(f"a{at:04}", text) for at in range(400)]
    rows += [failed(f"b{at:04}", text) for at in range(300)]
    rows += [there(f"c{at:04}") for at in range(300)]
    whole = result(Ending.INCOMPLETE, text, *rows)
    whole = replace(whole, moved=whole.moved * 500, problems=whole.problems * 50)
    whole = replace(whole, violations=whole.violations * 500, todo=whole.todo * 300)

    rendered = result_markdown(whole, most=most)

    assert len(rendered) <= most
    assert Page(markdown_parser().render(rendered)).open == []
    assert rendered.count("<details>") == rendered.count("</details>")
    assert re.search(r"and \d+ more", rendered)
    assert rendered.startswith("### ftctl: applied in part, 400 models, ")


HOSTILE = [
    "a | b", "`code`", "<b>", "-->", "</details>", "@octocat", "#1", "**x**", "[x](http://y.z)",
    "a\nb", "$x$", "/close", "<!-- ftctl plan: a default -->", "::error::x", "~~x~~", "&amp;",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_shape_of_the_comment(text: str) -> None:
    for ending in Ending:
        rendered = result_markdown(result(ending, text))

        assert shape(rendered) == shape(result_markdown(result(ending, "word")))
        assert not re.search("^/|^ *::", rendered, re.MULTILINE)
        assert "<!--" not in rendered


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=30))
def test_no_drawn_text_changes_the_shape_of_the_comment(text: str) -> None:
    assert shape(result_markdown(result(text=f"a{text}b"))) == shape(
        result_markdown(result(text="word"))
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_the_forge_links_nothing_and_notifies_nobody(text: str) -> None:
    page = github(result_markdown(result(text=text)))

    assert "<a " not in page
    assert "@octocat" not in re.sub("<code>.*?</code>", "", page)  # code notifies nobody
