"""Rows that steps have made are told by their Dataset and source, whatever tells of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Shell, cache_of

from ftctl.data.convert import Convert, Recipe, materialise
from ftctl.domain.desired import DataSource
from ftctl.domain.plan_document import read_approval
from ftctl.errors import Span
from ftctl.lockfile.lock import Lock
from ftctl.lockfile.lock_codec import lock_text, read_lock
from ftctl.lockfile.merging import merged

Write = Callable[[Mapping[str, str]], Path]

FACE = "qa-train (data/qa.csv, 29 of 40 rows)"
TABLE = "question,answer\n" + "".join(f"Where is {n}?,Row {n % 7}.\n" for n in range(40))
MANIFEST = """\
apiVersion: ftctl/v1
kind: Dataset
name: qa-train
source: ../data/qa.csv
convert: {from: csv}
sample: {rows: 29, seed: 3}
---
apiVersion: ftctl/v1
kind: FineTune
name: lockers
base_model: gpt-4.1-mini-2025-04-14
training: qa-train
hyperparameters: {n_epochs: 1}
"""
ORIGIN = {
    "path": "data/qa.csv",
    "sha256": hashlib.sha256(TABLE.encode()).hexdigest(),
    "rows": 40,
    "rows_taken": 29,
    "steps": [{"step": "convert", "from": "csv"}, {"step": "sample", "rows": 29, "seed": 3}],
}


@pytest.fixture
def sampled(shell: Shell, write_project: Write) -> Shell:
    write_project(
        {"ftctl.yaml": "project: demo\n", "finetunes/qa.yaml": MANIFEST, "data/qa.csv": TABLE}
    )
    return shell


def test_every_command_tells_the_dataset_and_no_place_in_the_cache(sampled: Shell) -> None:
    told = {
        name: sampled(*arguments)
        for name, arguments in {
            "validate": ("validate", "--verbose"),
            "plan": ("plan",),
            "markdown": ("plan", "--format", "markdown"),
            "html": ("plan", "--format", "html"),
            "json": ("plan", "--format", "json"),
            "apply": ("apply", "--auto-approve", "--wait", "--report", "report.json"),
            "status": ("status",),
            "status-json": ("status", "--format", "json"),
            "output": ("output", "--format", "json"),
            "doctor": ("doctor",),
            "again": ("plan", "--replace", "lockers"),
        }.items()
    }
    written = ("report.json", "ftctl.lock")
    texts = {name: result.out + result.err for name, result in told.items()} | {
        name: (sampled.folder / name).read_text("utf-8") for name in written
    }

    cache = cache_of(sampled.folder)
    assert [path.suffix for path in (cache / "derived").glob("*.jsonl")] == [".jsonl"]
    in_the_cache = [path.name for path in (cache / "derived").iterdir()]
    places = [str(cache / "derived"), "derived:", *in_the_cache]
    assert [(name, one) for name, text in texts.items() for one in places if one in text] == []
    for name in ("plan", "markdown", "html", "apply", "ftctl.lock", "again"):
        assert FACE in texts[name], name


def test_a_plans_document_has_where_its_rows_come_from(sampled: Shell) -> None:
    steps = sampled("plan", "--format", "json").json["changes"][0]["steps"]

    (upload, start) = steps
    assert (upload["dataset"], upload["path"], upload["origin"]) == (
        "qa-train", "data/qa.csv", ORIGIN,
    )  # fmt: skip
    assert (start["training"]["dataset"], start["training"]["origin"]) == ("qa-train", ORIGIN)


def test_the_name_of_the_upload_is_what_it_was(sampled: Shell) -> None:
    upload = sampled("plan", "--format", "json").json["changes"][0]["steps"][0]

    assert upload["filename"] == f"ftctl.demo.qa-train.{upload['sha256']}.jsonl"


def test_the_record_has_where_its_rows_come_from(sampled: Shell) -> None:
    sampled.ok("apply", "--auto-approve", "--wait")

    lock = json.loads((sampled.folder / "ftctl.lock").read_text("utf-8"))

    training = lock["environments"]["default"]["finetunes"]["lockers"]["data"]["training"]
    assert lock["lock_version"] == "1.3"
    assert training == {
        "dataset": "qa-train",
        "name": FACE,
        "origin": ORIGIN,
        "path": "data/qa.csv",
        "rows": 29,
        "sha256": training["sha256"],
    }


def test_a_record_of_before_gets_it_with_the_next_apply_and_buys_nothing(sampled: Shell) -> None:
    sampled.ok("apply", "--auto-approve", "--wait")
    path = sampled.folder / "ftctl.lock"
    now = path.read_text("utf-8")
    lock = json.loads(now)
    training = lock["environments"]["default"]["finetunes"]["lockers"]["data"]["training"]
    for key in ("dataset", "name", "origin"):
        del training[key]
    training["path"] = f"derived:{training['sha256'][:16]}.jsonl"
    lock["lock_version"] = "1.2"
    path.write_text(json.dumps(lock), "utf-8")

    assert sampled("plan", "--detailed-exitcode").status == 0
    sampled.ok("apply", "--auto-approve")

    assert path.read_text("utf-8") == now


@pytest.mark.parametrize(
    "damage",
    [
        {"origin": "data/qa.csv"},
        {"origin": {**ORIGIN, "steps": {}}},
        {"origin": {**ORIGIN, "steps": [{}]}},
        {"origin": {**ORIGIN, "rows": "40"}},
        {"dataset": 7},
    ],
)
def test_an_origin_that_cannot_be_is_a_damaged_record(
    sampled: Shell, damage: Mapping[str, object]
) -> None:
    sampled.ok("apply", "--auto-approve", "--wait")
    path = sampled.folder / "ftctl.lock"
    lock = json.loads(path.read_text("utf-8"))
    lock["environments"]["default"]["finetunes"]["lockers"]["data"]["training"].update(damage)
    path.write_text(json.dumps(lock), "utf-8")

    result = sampled("plan")

    assert result.status == 1
    assert "ftctl.lock" in result.err


def test_a_plan_that_was_written_without_origins_can_be_carried_out(sampled: Shell) -> None:
    document = sampled("plan", "--format", "json").json
    for step in document["changes"][0]["steps"]:
        step.pop("origin", None)
        for role in ("training", "validation"):
            if step.get(role):
                del step[role]["origin"]
                step[role]["path"] = "derived:0123456789abcdef.jsonl"
    document["format_version"] = "1.3"

    assert read_approval(document, "plan.json").digest == document["digest"]


def test_a_source_of_which_all_rows_are_taken_says_so(shell: Shell, write_project: Write) -> None:
    manifest = MANIFEST.replace("sample: {rows: 29, seed: 3}\n", "")
    write_project(
        {"ftctl.yaml": "project: demo\n", "finetunes/qa.yaml": manifest, "data/qa.csv": TABLE}
    )

    assert "qa-train (data/qa.csv, 40 rows)" in shell.ok("plan").out


LABELLED = {"messages": [{"role": "user", "content": "Where?"}], "label": False}


def test_rows_that_no_version_could_train_on_are_told_by_what_is_wrong_with_them(
    shell: Shell, write_project: Write
) -> None:
    """An earlier ftctl left the label out, and the rows of that have no answer to learn."""
    manifest = MANIFEST.replace("{from: csv}\nsample: {rows: 29, seed: 3}", "{}")
    write_project(
        {
            "ftctl.yaml": "project: demo\n",
            "finetunes/qa.yaml": manifest.replace("qa.csv", "qa.jsonl"),
            "data/qa.jsonl": "".join(json.dumps(LABELLED) + "\n" for _ in range(12)),
        }
    )

    results = [shell("validate"), shell("plan")]

    for result in results:
        told = [line for line in (result.out + result.err).splitlines() if "error[" in line]
        (line,) = told
        assert line == (
            "data/qa.jsonl: error[unread-key]: 'label' says which answers are good, and the bad"
            " ones would be learnt with them (12 of 12 rows)"
        )


def test_the_key_of_a_row_is_cut_and_commands_nobody(shell: Shell, write_project: Write) -> None:
    """What a row is called by may be anything, and a reason goes into comments."""
    key = "x" * 500 + "\n::error::`@all`"
    talk = [
        {"role": "user", "content": "Where?", key: 1},
        {"role": "assistant", "content": "There."},
    ]
    rows = [{"messages": talk, "system": "Short.", key: n} for n in range(12)]
    before = Recipe(Convert())
    path = shell.folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    made = materialise(
        DataSource("rows", path, "rows.jsonl", Span("a.yaml")), before, path.parent, {}
    )

    assert made.before is not None
    assert len(made.before.why) + len(made.before.keeps) < 500
    assert "\n" not in made.before.why + made.before.keeps


def test_records_that_are_merged_keep_where_rows_come_from(sampled: Shell) -> None:
    sampled.ok("apply", "--auto-approve", "--wait")
    ours = read_lock(json.loads((sampled.folder / "ftctl.lock").read_text("utf-8")))

    both = merged(Lock(), ours, Lock()).lock

    assert both == ours
    assert json.loads(lock_text(both))["lock_version"] == "1.3"


def test_two_datasets_that_make_the_same_have_each_their_own_face(
    shell: Shell, write_project: Write
) -> None:
    """They share an upload; a rule of the policy is held against each of them."""
    other = MANIFEST.replace("qa-train", "qa-copy").replace("qa.csv", "copy.csv")
    repeated = TABLE + TABLE.partition("\n")[2]
    write_project(
        {
            "ftctl.yaml": "project: demo\npolicy: {max_duplicate_share: 0.1}\n",
            "finetunes/qa.yaml": MANIFEST.replace("rows: 29", "rows: 78"),
            "finetunes/copy.yaml": other.replace("rows: 29", "rows: 78")
            .replace("name: lockers", "name: drawers")
            .replace("n_epochs: 1", "n_epochs: 2"),
            "data/qa.csv": repeated,
            "data/copy.csv": repeated,
        }
    )

    plan = shell("plan", "--format", "json").json

    starts = {one["name"]: one["steps"][-1]["training"] for one in plan["changes"]}
    assert {name: data["origin"]["path"] for name, data in starts.items()} == {
        "drawers": "data/copy.csv",
        "lockers": "data/qa.csv",
    }
    assert len({data["sha256"] for data in starts.values()}) == 1
    uploads = [step for one in plan["changes"] for step in one["steps"] if step["step"] == "upload"]
    assert len(uploads) == 1
    refused = {one["finetune"] for one in plan["policy"]["verdicts"]}
    assert refused == {"drawers", "lockers"}
