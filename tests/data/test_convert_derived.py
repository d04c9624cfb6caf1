"""What steps make of a file is made once, whole or not at all, and believed only where it fits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ftctl.data.convert import Convert, Materialised, Recipe, Sample, Split, materialise
from ftctl.domain.desired import DataSource
from ftctl.errors import Diagnostic, Span
from ftctl.files import sha256_of

RECIPE = Recipe(Convert(), Sample(0.9, seed=1), Split(0.25, seed=7, part="train"))
PLACES = {"convert": Span("f.yaml", 5, 3), "split": Span("f.yaml", 6, 3)}


def table(count: int, answer: str = "yes") -> str:
    rows = (f'"Question {number}?",{answer} {number}\n' for number in range(count))
    return "question,answer\n" + "".join(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "derived"


@pytest.fixture
def source(tmp_path: Path) -> DataSource:
    path = tmp_path / "a.csv"
    path.write_text(table(60), "utf-8")
    return DataSource("faq", path, "a.csv", Span("f.yaml", 4, 9))


def made(source: DataSource, folder: Path, recipe: Recipe = RECIPE) -> Materialised:
    return materialise(source, recipe, folder, PLACES)


def rows(found: Materialised) -> list[str]:
    assert found.path is not None
    return found.path.read_text("utf-8").splitlines()


def test_the_file_that_is_made_bears_its_hash(source: DataSource, folder: Path) -> None:
    found = made(source, folder)

    assert found.path is not None
    assert sha256_of(found.path) == found.sha256
    assert (found.problems, found.path.parent) == ((), folder)
    assert found.path.name == f"{str(found.sha256)[:16]}.jsonl"


def test_the_same_source_and_steps_give_the_same_bytes_on_every_machine(
    source: DataSource, folder: Path
) -> None:
    """Where this changes, models are trained again: raise VERSION in data/convert/recipe.py."""
    text = "the board of this garden asks every member to bring a rake and gloves"
    words = text.split(" ")
    lines = [" ".join(words[number % 13 :] + words[: number % 13]) for number in range(60)]
    text = "".join(f'"{line}, row {number // 2}?",Yes {number}.\n'
                   for number, line in enumerate(lines))  # fmt: skip
    source.source.write_text("question,answer\n" + text + "Größe? 안녕,é\n", "utf-8")

    assert made(source, folder).sha256 == (
        "2a4e744573dc86922d3b868effaceb83ab065cf742b87e1057f42490dc368c87"
    )


def test_the_second_time_nothing_is_made(source: DataSource, folder: Path) -> None:
    first = made(source, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    second = made(source, folder)
    other = made(source, folder, replace(RECIPE, split=Split(0.25, seed=7, part="validation")))

    assert (second.path, second.notes) == (first.path, first.notes)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert set(rows(other)) & set(rows(first)) == set()


def test_problems_of_the_file_are_told_at_the_sources_rows(
    source: DataSource, folder: Path
) -> None:
    found = made(source, folder)
    line = 7
    question = json.loads(rows(found)[line - 1])["messages"][0]["content"]

    told = [
        one.at_source(Diagnostic("code", "…", Span("x.jsonl", line, 3), "hint"))
        for one in (found, made(source, folder))
    ]

    in_source = source.source.read_text("utf-8").splitlines()
    assert {one.span.path for one in told} == {"a.csv"}
    assert [question in in_source[(one.span.line or 0) - 1] for one in told] == [True, True]


@pytest.mark.parametrize("harm", ["other bytes", "cut", "gone", "no places", "entry", "no text"])
def test_what_was_damaged_is_made_again(source: DataSource, folder: Path, harm: str) -> None:
    first = made(source, folder)
    good = rows(first)
    entry = next(folder.glob("*.json"))
    assert first.path is not None
    match harm:
        case "other bytes":
            first.path.write_text(first.path.read_text("utf-8").replace("yes", "no!"), "utf-8")
        case "cut":
            os.truncate(first.path, 100)
        case "gone":
            first.path.unlink()
        case "no places":
            next(folder.glob("*-train.rows")).unlink()
        case "entry":
            entry.write_text('{"parts": {"train": 7}, "notes": []}', "utf-8")
        case "no text":
            entry.write_bytes(b"\xff\0")

    again = made(source, folder)

    assert (rows(again), again.sha256) == (good, first.sha256)


def test_another_source_or_other_steps_make_another_file(source: DataSource, folder: Path) -> None:
    first = made(source, folder).sha256

    seeded = made(source, folder, replace(RECIPE, sample=Sample(0.9, seed=2))).sha256
    source.source.write_text(table(60, "no"), "utf-8")

    assert len({first, seeded, made(source, folder).sha256}) == 3


def test_a_pin_is_of_the_source(source: DataSource, folder: Path) -> None:
    right = sha256_of(source.source)

    good = made(replace(source, sha256=right), folder)
    bad = made(replace(source, sha256="0" * 64), folder)

    assert good.path is not None
    assert bad.path is None
    assert [(one.code, one.span) for one in bad.problems] == [("sha256-differs", source.span)]


@pytest.mark.parametrize(
    ("recipe", "text", "told"),
    [
        (RECIPE, "question,answer\nA?,\n", "a.csv:2: error[bad-cell]"),
        (Recipe(Convert(template=(("user", "{q}"), ("assistant", "{answer}")))), table(9),
         "f.yaml:5:3: error[unknown-column]"),
        (Recipe(Convert(), None, Split(9, part="train")), table(9),
         "f.yaml:6:3: error[empty-part]: a.csv"),
    ],
)  # fmt: skip
def test_with_a_problem_nothing_is_kept(
    source: DataSource, folder: Path, recipe: Recipe, text: str, told: str
) -> None:
    source.source.write_text(text, "utf-8")

    found = made(source, folder, recipe)

    assert found.path is None
    assert [str(one).startswith(told) for one in found.problems] == [True]
    assert list(folder.iterdir()) == []


# Several at a time, and some that are killed.

_WORKER = """\
import sys
from pathlib import Path
from ftctl.errors import Span
from ftctl.domain.desired import DataSource
from ftctl.data.convert import Convert, Recipe, Sample, Split, materialise
root = Path(sys.argv[1])
source = DataSource("faq", root / "a.csv", "a.csv", Span("f.yaml"))
recipe = Recipe(Convert(), Sample(0.9, seed=1), Split(0.25, seed=7, part="train"))
print(materialise(source, recipe, root / "cache" / "derived", {}).sha256)
"""


def _start(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", _WORKER, str(root)],
                            stdout=subprocess.PIPE, text=True)  # fmt: skip


def test_runs_at_the_same_time_agree(source: DataSource, folder: Path, tmp_path: Path) -> None:
    source.source.write_text(table(3000), "utf-8")

    runs = [_start(tmp_path) for _ in range(4)]
    told = {run.communicate(timeout=120)[0] for run in runs}

    assert told == {f"{made(source, folder).sha256}\n"}
    assert [path for path in folder.iterdir() if path.suffix == ".tmp"] == []


def test_a_run_that_is_killed_leaves_nothing_that_is_believed(
    source: DataSource, folder: Path, tmp_path: Path
) -> None:
    source.source.write_text(table(20_000), "utf-8")
    killed = 0
    for moment in (0.0, 0.1, 0.3, 0.6):
        run = _start(tmp_path)
        until = time.monotonic() + 60
        while run.poll() is None and not list(folder.glob("*.tmp")) and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(moment)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
        killed += run.returncode == -signal.SIGKILL
        for path in folder.glob("*.jsonl"):
            assert str(sha256_of(path)).startswith(path.stem)

    found = made(source, folder)

    assert killed > 0
    assert found.path is not None
    assert sha256_of(found.path) == found.sha256


def test_drafts_of_runs_that_were_killed_are_swept_up_later(
    source: DataSource, folder: Path
) -> None:
    folder.mkdir(parents=True)
    old, new = folder / ".rows-1-a.tmp", folder / ".rows-2-b.tmp"
    for draft in (old, new):
        draft.write_bytes(b"{")
    os.utime(old, (0, 0))

    made(source, folder)

    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    ("rows", "origin"),
    [
        ([{"conversations": []}, {"id": 1}], "sharegpt"),
        ([{"text": "x"}], "sharegpt"),
        ([{"messages": [], "system": "x"}], "auto"),
        ([{"messages": None, "system_prompt": "x"}], "auto"),
        ([{"instruction": "a", "input": "b", "output": "c", "history": 1}], "auto"),
        ([{"conversations": [None, 1, {}], "chosen": 1, "rejected": 2}], "auto"),
        ([{"messages": "[", "tools": "{"}], "auto"),
    ],
)
def test_rows_that_no_version_reads_are_a_problem_and_no_crash(
    tmp_path: Path, rows: list[dict[str, object]], origin: str
) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    source = DataSource("odd", path, "odd.jsonl", Span("f.yaml", 1))
    made = materialise(source, Recipe(Convert(origin)), tmp_path, {})

    assert made.path is not None or made.problems != ()
