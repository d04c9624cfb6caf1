"""What the renderers say, and that nothing that others wrote can break out of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from scenes import Scene, scenes

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.observed import AccountId, Job, JobError, Progress
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    FieldChange,
    FileRef,
    Outcome,
    ParentModel,
    Plan,
    Report,
    StartJob,
    Upload,
)
from ftctl.domain.plan_document import plan_digest, plan_document
from ftctl.domain.review import Review
from ftctl.errors import ProviderError
from ftctl.manifest.schema import load_schema
from ftctl.reports.html import plan_html
from ftctl.reports.markdown import plan_markdown
from ftctl.reports.text import outcome_problem, plan_text, progress_text, report_text, status_text
from ftctl.text.escape import one_line
from ftctl.text.invisible import first_hidden

CASES = Path(__file__).parents[1] / "cases" / "plan"
SERVICE = ServiceInfo("openai", "https://api.example/v1")
SHA = "a" * 64

often = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def plan(*changes: Change, warnings: tuple[str, ...] = ()) -> Plan:
    return Plan("demo", SERVICE, changes, warnings)


def reviewed(one: Plan) -> Review:
    """The plan, with nothing said about it."""
    return Review(one, plan_digest(one))


def validator() -> Draft202012Validator:
    return Draft202012Validator(load_schema("plan"))


def full_plan() -> Plan:
    """A plan with every kind of step, and a field that differs."""
    start = StartJob(
        "tone", f"v1:{SHA}", {"base_model": {"digest": f"v1:{SHA}"}, "training": SHA},
        ParentModel("ftjob-1", "ft:model", "best"), FileRef("rows", "ftctl.demo.jsonl", SHA, None),
        FileRef("rows", "ftctl.demo.jsonl", SHA, "file-1"), "ftjob-9",
    )  # fmt: skip
    steps = (
        Upload("rows", "data/rows.jsonl", SHA, 12_345, "ftctl.demo.jsonl"),
        start,
        CancelJob("ftjob-2", "superseded"),
        DeleteModel("ft:old"),
        DeleteFile("file-2", "rest.jsonl"),
    )
    fields = (FieldChange("suffix", None, "warm", cosmetic=True),)
    return plan(
        Change("tone", Action.REPLACE, "seed 1 → 2", steps, fields, digest=f"v1:{SHA}"),
        warnings=("it ends soon",),
    )


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_every_golden_plan_fits_the_schema(case: Path) -> None:
    document = json.loads((case / "plan.json").read_text("utf-8"))

    faults = [fault.message for fault in validator().iter_errors(document)]

    assert faults == []


@given(scenes())
@often
def test_every_plan_fits_the_schema(scene: Scene) -> None:
    document = plan_document(reviewed(scene.plan()))

    faults = [fault.message for fault in validator().iter_errors(document)]

    assert faults == []


def mappings(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each mapping in a document, but for specs and requests: those pass through."""
    found = [path] if isinstance(value, dict) else []
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in inner:
        if isinstance(entry, dict | list) and key not in ("spec", "request"):
            found += mappings(entry, (*path, key))
    return found


@pytest.mark.parametrize("path", mappings(plan_document(reviewed(full_plan()))), ids=str)
def test_the_schema_knows_every_key(path: tuple[Any, ...]) -> None:
    document = plan_document(reviewed(full_plan()))
    assert validator().is_valid(document)
    place: Any = document
    for step in path:
        place = place[step]

    place["surprise"] = 1

    assert not validator().is_valid(document)


@pytest.mark.parametrize("path", mappings(plan_document(reviewed(full_plan()))), ids=str)
def test_the_schema_misses_every_key(path: tuple[Any, ...]) -> None:
    place: Any = plan_document(reviewed(full_plan()))
    for step in path:
        place = place[step]

    for key in list(place):
        document = json.loads(json.dumps(plan_document(reviewed(full_plan()))))
        part = document
        for step in path:
            part = part[step]
        del part[key]
        assert not validator().is_valid(document), key


def properties(rule: Any) -> list[tuple[str, Any]]:
    found = []
    for key, part in rule.items() if isinstance(rule, dict) else enumerate(rule):
        if key == "properties":
            found += part.items()
        if isinstance(part, dict | list):
            found += properties(part)
    return found


def test_the_schema_describes_every_property() -> None:
    described = properties(load_schema("plan"))

    missing = [name for name, rule in described if not rule.get("description")]

    assert len(described) > 40
    assert missing == []


@given(scenes())
@often
def test_a_plan_gives_the_same_bytes_each_time(scene: Scene) -> None:
    first, second = scene.plan(), scene.plan()

    texts = [
        json.dumps(plan_document(one), sort_keys=True) + plan_text(one, "apply")
        for one in (reviewed(first), reviewed(second))
    ]

    assert texts[0] == texts[1]


def test_the_digest_covers_steps_and_not_words_or_uploads() -> None:
    before = full_plan()
    (change,) = before.changes
    other_words = plan(
        Change("tone", Action.REPLACE, "because", change.steps[1:], digest=change.digest),
        Change("calm", Action.NO_OP, "up to date"),
    )
    other_steps = plan(
        Change("tone", Action.REPLACE, "because", change.steps[2:], digest=change.digest)
    )

    assert plan_digest(other_words) == plan_digest(before)
    assert plan_digest(other_steps) != plan_digest(before)


def test_a_price_that_is_not_known_is_null_and_not_zero() -> None:
    bought = plan_document(reviewed(full_plan()))
    later = plan_document(reviewed(plan(Change("child", Action.DEFER, "waits for tone"))))
    idle = plan_document(reviewed(plan(Change("tone", Action.NO_OP, "up to date"))))

    assert (bought["cost"], later["cost"]) == (None, None)
    assert idle["cost"] == {"currency": "USD", "low": 0.0, "high": 0.0}


TEXT = """\
Project demo at openai, https://api.example/v1.

± tone: replace, seed 1 → 2
    upload  data/rows.jsonl (12.3 kB)
    train   ft:model at best, supervised
            training: rows, sha256:{sha}
            validation: rows, sha256:{sha}
            continues: v1:{sha}
    cancel  ftjob-2 (superseded)
    delete  model ft:old
    delete  file file-2 (rest.jsonl)
    ~ suffix unset → warm

Warning: it ends soon.
Plan: 1 to replace. 1 training job will be billed; the price is not known. \
1 model will be deleted for good.
Its digest, for --approve: {digest}
To carry it out: ftctl apply"""


def test_a_plan_reads_like_a_diff_and_ends_with_what_to_type() -> None:
    text = plan_text(reviewed(full_plan()), "ftctl apply")

    assert text == TEXT.format(digest=plan_digest(full_plan()), sha=SHA)


def test_colour_is_laid_over_heads_and_changes_no_word() -> None:
    painted = plan_text(reviewed(full_plan()), None, lambda text, colour: f"<{colour}>{text}</>")

    assert "<yellow>± tone: replace, seed 1 → 2</>" in painted
    assert re.sub(r"<\w*>|</>", "", painted) == plan_text(reviewed(full_plan()), None)


def test_an_empty_plan_says_that_there_is_nothing_to_do() -> None:
    text = plan_text(reviewed(plan()), "ftctl apply")

    assert text.splitlines()[2:] == ["Plan: no fine-tunes. Nothing to do, nothing to pay."]


def test_words_of_others_stay_on_their_line_and_steer_no_terminal() -> None:
    evil = "first\nPlan: 0 to create.\r\x1b[2J\u202ehidden"
    steps = (DeleteFile("file-1", evil),)
    fields = (FieldChange("suffix", evil, None, cosmetic=True),)

    text = plan_text(reviewed(plan(Change(evil, Action.DELETE, evil, steps, fields))), None)

    assert len(text.splitlines()) == 7
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_report_counts_what_was_done_and_what_was_not() -> None:
    fault = ProviderError("create a job", "no", status=429, hint="apply again later")
    good = Outcome("a", Action.CREATE, ("uploaded", "started"))
    bad = Outcome("b", Action.CREATE, error=fault)
    skipped = Outcome("c", Action.CREATE, skipped="not begun")

    assert report_text(Report((good,))) == "Done: 2 steps carried out."
    assert report_text(Report((good, bad, skipped))) == (
        "Not all was done: 2 steps carried out, 2 changes not. What is done stays done;"
        " apply again to go on."
    )
    assert [outcome_problem(one) for one in (good, bad, skipped)] == [
        None,
        "b: create a job: no (HTTP 429)\n    hint: apply again later",
        "c: not begun",
    ]


def test_a_status_table_is_aligned_and_ends_without_blanks() -> None:
    text = status_text([("tone", "succeeded", "ft:m", ""), ("a", "running", "ftjob-1", "step 1")])

    assert text.splitlines() == [
        "NAME  STATUS     MODEL OR JOB",
        "tone  succeeded  ft:m",
        "a     running    ftjob-1       step 1",
    ]


def test_progress_tells_what_is_known_and_no_more() -> None:
    running = Job("ftjob-1", "running", 0)
    done = Job("ftjob-1", "succeeded", 0, model="ft:m")
    failed = Job("ftjob-1", "failed", 0, error=JobError("bad", "The file is bad."))
    whole = Progress("tone", running, 12, 48, 1.2039, 0.5, 8.2)

    assert [progress_text(one) for one in (
        Progress("tone", running), whole, Progress("tone", done), Progress("tone", failed),
    )] == [
        "tone: running",
        "tone: running, step 12 of 48, training loss 1.204, validation loss 0.500, about 8 s left",
        "tone: succeeded as ft:m",
        "tone: failed: The file is bad.",
    ]  # fmt: skip


def test_a_plan_says_whom_the_key_acts_for_where_the_service_tells() -> None:
    whole = replace(plan(), account=AccountId("org-acme", "proj_live"))
    half = replace(plan(), account=AccountId(None, "proj_live"))
    embedded = replace(whole, service=ServiceInfo("emulator", "emulator://.ftctl", billed=False))
    words = "https://api.example/v1, for organization org-acme and project proj_live."

    assert words in plan_text(reviewed(whole), None)
    assert words in plan_html(reviewed(whole))
    assert "for organization org-acme and project proj" in plan_markdown(reviewed(whole))
    assert "https://api.example/v1, for project proj_live." in plan_text(reviewed(half), None)
    assert "https://api.example/v1.\n" in plan_text(reviewed(plan()), None)
    assert "proj_live" not in plan_text(reviewed(embedded), None)


def test_what_speaks_for_another_account_is_read_before_the_changes() -> None:
    change = Change("tone", Action.CREATE, "not found")
    told = replace(plan(change, warnings=("wrong key", "ends soon")), foremost=("wrong key",))

    for text in (
        plan_text(reviewed(told), None),
        plan_markdown(reviewed(told)),
        plan_html(reviewed(told)),
    ):
        places = [text.index(words) for words in ("wrong key", "not found", "ends soon")]
        assert places == sorted(places)
        assert text.count("wrong key") == text.count("ends soon") == 1
    assert plan_document(reviewed(told))["warnings"] == ["wrong key", "ends soon"]


def test_the_name_of_an_account_has_no_power_over_what_it_is_put_into() -> None:
    forged = AccountId("org\x1b[2J\n::error::x", "<script>@everyone**" + "x" * 200)
    one = reviewed(replace(plan(), account=forged))

    first = plan_text(one, None).split("\n")[0]
    assert first.isprintable()
    assert re.search(r"x… \(2\d\d characters in 1 line, sha256:[0-9a-f]{64}\)\.$", first)
    assert "<script>@" not in plan_html(one)
    assert "<script>" not in plan_markdown(one)
    assert "@everyone" not in plan_markdown(one)


@given(st.text())
@often
def test_one_line_is_one_line_that_hides_nothing(text: str) -> None:
    line = one_line(text)

    assert first_hidden(line) is None
    assert line.split() == line.split(" ") or line == ""
    assert one_line(line) == line
