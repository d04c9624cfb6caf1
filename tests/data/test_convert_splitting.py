"""Samples and splits: drawn from content and seed, never from the place in the file."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.convert import Sample, Split, sample_file, split_file

Row = dict[str, Any]

WORDS = [f"word{number}" for number in range(400)]


def chat(question: str, answer: str = "yes", system: str | None = None) -> Row:
    first = [{"role": "system", "content": system}] if system else []
    return {"messages": [*first, {"role": "user", "content": question},
                         {"role": "assistant", "content": answer}]}  # fmt: skip


def chats(count: int, answers: int = 3, start: int = 0) -> list[Row]:
    """Questions that share no phrases, with answers that repeat."""
    rows = []
    for number in range(start, start + count):
        draw = random.Random(number)
        rows.append(chat(" ".join(draw.choices(WORDS, k=20)), f"label {number % answers}"))
    return rows


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def sampled(tmp_path: Path, rows: list[Row], sample: Sample) -> list[Row]:
    stream = io.BytesIO()
    result = sample_file(write(tmp_path / "a.jsonl", rows), "a.jsonl", stream, sample)
    assert result.ok, result.problems
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def parted(tmp_path: Path, rows: list[Row], split: Split) -> dict[str, list[Row]]:
    targets = {part: tmp_path / f"{part}.out" for part in split.parts}
    source = write(tmp_path / "a.jsonl", rows)
    result = split_file(source, "a.jsonl", targets, split, replace=True)
    assert result.ok, result.problems
    return {
        part: [json.loads(line) for line in path.read_bytes().splitlines()]
        for part, path in targets.items()
    }


def texts(rows: list[Row]) -> set[str]:
    return {json.dumps(row) for row in rows}


def answer_of(row: Row) -> str:
    answer: str = row["messages"][-1]["content"]
    return answer


# Samples.


@pytest.mark.parametrize(
    ("amount", "count"), [(1, 1), (10, 10), (0.25, 25), (0.001, 1), (900, 100)]
)
def test_a_sample_has_as_many_rows_as_asked_in_their_order(
    tmp_path: Path, amount: float, count: int
) -> None:
    rows = chats(100)

    found = sampled(tmp_path, rows, Sample(amount, seed=7))

    assert len(found) == count
    assert found == [row for row in rows if row in found]


def test_a_sample_depends_on_the_seed_and_not_on_the_order(tmp_path: Path) -> None:
    rows = chats(100)
    mixed = random.Random(5).sample(rows, len(rows))

    first = sampled(tmp_path, rows, Sample(20, seed=7))

    assert texts(sampled(tmp_path, mixed, Sample(20, seed=7))) == texts(first)
    assert texts(sampled(tmp_path, rows, Sample(20, seed=8))) != texts(first)


def test_a_smaller_sample_is_part_of_a_larger_one(tmp_path: Path) -> None:
    rows = chats(100)

    assert texts(sampled(tmp_path, rows, Sample(10))) < texts(sampled(tmp_path, rows, Sample(40)))


def test_by_answer_every_answer_keeps_its_share(tmp_path: Path) -> None:
    rows = [*(chat(f"joyful {n}", "joy") for n in range(70)),
            *(chat(f"angry {n}", "anger") for n in range(20)),
            *(chat(f"odd {n}", f"own {n}") for n in range(10))]  # fmt: skip

    found = sampled(tmp_path, rows, Sample(20, by_answer=True))

    kinds = Counter(answer_of(row).partition(" ")[0] for row in found)
    assert kinds == {"joy": 14, "anger": 4, "own": 2}


# Splits.


@pytest.mark.parametrize(
    "split",
    [Split(0.2, seed=7), Split(0.2, 0.1, seed=7), Split(20), Split(20, 10, by_answer=True)],
)
def test_every_row_is_in_one_part_and_the_order_is_kept(tmp_path: Path, split: Split) -> None:
    rows = chats(200)

    parts = parted(tmp_path, rows, split)

    assert sum(len(part) for part in parts.values()) == 200
    assert set().union(*map(texts, parts.values())) == texts(rows)
    for part in parts.values():
        assert part == [row for row in rows if row in part]


def test_with_a_share_new_rows_move_no_other_row(tmp_path: Path) -> None:
    split = Split(0.2, 0.2, seed=3)
    before = parted(tmp_path, chats(150), split)

    more = random.Random(1).sample([*chats(150), *chats(150, start=1000)], 300)
    after = parted(tmp_path, more, split)

    for part, rows in before.items():
        assert texts(rows) <= texts(after[part])


def test_with_a_number_a_new_row_moves_at_most_one_other(tmp_path: Path) -> None:
    split = Split(30, seed=3)
    rows = chats(150)
    before = texts(parted(tmp_path, rows, split)["validation"])

    moved = [
        len(before - texts(parted(tmp_path, [*rows, new], split)["validation"]))
        for new in chats(15, start=1000)
    ]

    assert max(moved) == 1
    assert len(before) == 30


def test_a_number_is_exact_and_answers_keep_their_shares(tmp_path: Path) -> None:
    rows = [row for row in chats(300) if answer_of(row) != "label 2"]
    rows += chats(50, answers=1, start=5000)

    parts = parted(tmp_path, rows, Split(25, by_answer=True))

    whole = Counter(map(answer_of, rows))
    assert len(parts["validation"]) == 25
    for answer, count in Counter(map(answer_of, parts["validation"])).items():
        assert abs(count - 25 * whole[answer] / len(rows)) < 1


def _copies(question: str) -> list[Row]:
    return [
        chat(question),
        chat(question, "another answer"),
        chat(f"  {question.upper()}!! "),
        chat(question, "yes", system="Be kind."),
    ]


@pytest.mark.parametrize("split", [Split(0.3), Split(60), Split(60, by_answer=True)])
def test_rows_that_ask_the_same_are_never_parted(tmp_path: Path, split: Split) -> None:
    questions = [f"how do I mend {word}" for word in WORDS[:50]]
    rows = [row for question in questions for row in _copies(question)]
    random.Random(2).shuffle(rows)

    parts = parted(tmp_path, rows, split)

    def asked(part: str) -> set[str]:
        return {row["messages"][-2]["content"].strip(" !").lower() for row in parts[part]}

    assert len(parts["validation"]) > 20
    assert asked("train") & asked("validation") == set()


def test_near_duplicates_are_kept_together(tmp_path: Path) -> None:
    rows = []
    for row in chats(60):
        question = row["messages"][0]["content"]
        rows += [row, chat(f"{question} please", "label x")]

    parts = parted(tmp_path, rows, Split(0.3, seed=1))

    starts = [{row["messages"][0]["content"][:40] for row in part} for part in parts.values()]
    assert all(starts)
    assert starts[0] & starts[1] == set()


def test_instructions_in_every_question_do_not_make_one_group_of_all(tmp_path: Path) -> None:
    task = "Say which of the labels below fits the following text best and nothing else " * 5
    rows = [chat(f"{task}: {word}") for word in WORDS[:100]]
    targets = {part: tmp_path / part for part in Split(0.3).parts}

    result = split_file(write(tmp_path / "a.jsonl", rows), "a.jsonl", targets, Split(0.3))

    sizes = [one.rows for one in result.written.values()]
    assert result.notes == (
        "near duplicates are not kept together: 100 rows are alike",
        f"train {sizes[0]}, validation {sizes[1]} rows",
    )
    assert sizes[1] > 15


def test_a_conversation_stays_with_those_that_go_on_from_it(tmp_path: Path) -> None:
    rows = []
    for row in chats(60, answers=60):
        more = [{"role": "user", "content": "And why?"}, {"role": "assistant", "content": "So."}]
        rows += [row, {"messages": [*row["messages"], *more]}]

    parts = parted(tmp_path, rows, Split(30))

    starts = [{row["messages"][0]["content"] for row in part} for part in parts.values()]
    assert len(parts["validation"]) == 30
    assert starts[0] & starts[1] == set()


def test_a_part_without_rows_is_a_problem(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", [chat("Same?")] * 12)
    targets = {part: tmp_path / part for part in Split(3).parts}

    result = split_file(source, "a.jsonl", targets, Split(3))

    assert [str(problem) for problem in result.problems] == [
        (
            "a.jsonl: error[empty-part]: the division leaves no rows for validation\n"
            "    hint: ask for another number of rows, or another seed"
        )
    ]
    assert not any(path.exists() for path in targets.values())


def test_a_row_that_cannot_be_read_is_told_by_its_line(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", chats(3))
    source.write_bytes(source.read_bytes() + b'\n{"messages": NaN}\n')

    result = sample_file(source, "a.jsonl", io.BytesIO(), Sample(2))

    assert [str(one.span) for one in result.problems] == ["a.jsonl:5"]
    assert not result.ok
