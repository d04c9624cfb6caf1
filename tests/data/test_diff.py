"""Which rows two files do not share: against a plain multiset, and what pairs of them are found."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.diff import (
    diff_document,
    diff_markdown,
    diff_rows,
    diff_text,
    differences,
    row_matching,
)
from ftctl.data.diff.diff_words import lines_text
from ftctl.data.diff.identity import prompt_key, row_key
from ftctl.data.diff.similarity import MOST_FEATURES, features_of, similarity
from ftctl.domain.row_diff import Changed, Compared, Difference, Pair, RowDiff, Shown, Side

Row = dict[str, Any]
often = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def chat(question: str, answer: str, system: str = "Be brief.") -> Row:
    return {
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


class Rows:
    """Rows on lines 1, 2, 3, …; remembers how often they were read."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.reads: list[Collection[int] | None] = []

    def __call__(self, lines: Collection[int] | None) -> Iterator[tuple[int, Row]]:
        self.reads.append(lines)
        for number, row in enumerate(self.rows, 1):
            if lines is None or number in lines:
                yield number, row


def diff(before: Sequence[Row], after: Sequence[Row]) -> RowDiff:
    return diff_rows(Rows(before), Rows(after), lambda row: 10)


words = st.lists(st.sampled_from(list("abcdefghijklmnop")), min_size=1, max_size=8)
rows = st.builds(
    chat, words.map(" ".join), st.sampled_from(["yes", "no", "maybe"])
) | st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), max_size=2)


@often
@given(st.lists(rows, max_size=12), st.lists(rows, max_size=12))
def test_the_counts_are_those_of_a_multiset_difference(before: list[Row], after: list[Row]) -> None:
    ours, theirs = (Counter(json.dumps(row, sort_keys=True) for row in s) for s in (before, after))

    found = diff(before, after)

    assert found.unchanged == (ours & theirs).total()
    assert len(found.removed) + len(found.changed) == (ours - theirs).total()
    assert len(found.added) + len(found.changed) == (theirs - ours).total()
    assert (found.rows_before, found.rows_after) == (len(before), len(after))
    gone = {*found.removed, *(one.before for one in found.changed)}
    left = Counter(json.dumps(before[line - 1], sort_keys=True) for line in gone)
    assert left == ours - theirs
    assert found.tokens_removed == 10 * len(gone)


@often
@given(st.lists(rows, max_size=12), st.randoms(use_true_random=False))
def test_order_and_spelling_are_no_difference(before: list[Row], random_: random.Random) -> None:
    after = [json.loads(json.dumps(dict(reversed(row.items())))) for row in before]
    random_.shuffle(after)

    assert diff(before, after).empty


def test_nothing_is_read_twice_when_nothing_differs() -> None:
    before, after = Rows([chat("a", "b")]), Rows([chat("a", "b")])

    diff_rows(before, after, lambda row: pytest.fail("counted for nothing"))

    assert (before.reads, after.reads) == ([None], [None])


def test_only_rows_that_differ_are_read_again() -> None:
    same = [chat(f"{n} of many", "x") for n in range(5)]
    before, after = Rows([*same, chat("old", "x")]), Rows([chat("fresh", "x"), *same])

    found = diff_rows(before, after, lambda row: 1)

    assert (before.reads, after.reads) == ([None, {6}], [None, {1}])
    assert (found.removed, found.added) == ((6,), (1,))


def test_of_equal_rows_the_last_are_those_that_were_added() -> None:
    found = diff([chat("a", "b")], [chat("a", "b"), chat("c", "d"), chat("a", "b")])

    assert (found.unchanged, found.added, found.removed) == (1, (2, 3), ())


def test_the_same_prompt_with_another_answer_is_a_change() -> None:
    before = [chat("How are you?", "Fine."), chat("Who are you?", "Nobody.")]
    after = [chat("Who are you?", "Somebody."), chat("How are you?", "Fine.")]

    assert diff(before, after).changed == (Changed(2, 1, "answer"),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"prompt": "p", "completion": "a"}, {"prompt": "p", "completion": "b"}),
        (
            {"input": {"messages": []}, "preferred_output": [1], "non_preferred_output": [2]},
            {"input": {"messages": []}, "preferred_output": [2], "non_preferred_output": [1]},
        ),
        (
            {"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"},
            {"messages": [{"role": "user", "content": "2+2?"}], "answer": "four"},
        ),
    ],
)
def test_every_format_has_a_prompt(before: Row, after: Row) -> None:
    assert diff([before], [after]).changed == (Changed(1, 1, "answer"),)


def test_an_edited_question_is_a_near_equal_row() -> None:
    before = [chat("i feel so happy about the new house today", "joy"), chat("rain again", "sad")]
    after = [chat("snow is fun", "joy"), chat("i feel very happy about the new house today", "joy")]

    found = diff(before, after)

    assert [(one.before, one.after, one.kind) for one in found.changed] == [(1, 2, "near")]
    assert (found.removed, found.added) == ((2,), (1,))


def test_a_long_system_prompt_in_common_makes_no_two_rows_alike() -> None:
    system = "You sort sentences into six feelings and answer with a single word. " * 10
    before, after = chat("red cars", "joy", system), chat("blue boats", "fear", system)

    assert diff([before], [after]).changed == ()


def test_text_without_spaces_is_compared_too() -> None:
    found = diff(
        [chat("今日はとても天気がいいですね", "x")], [chat("今日はとても天気が悪いですね", "x")]
    )

    assert [one.kind for one in found.changed] == ["near"]


def test_too_many_rows_are_not_compared_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_matching, "MOST_COMPARED", 1)
    before = [chat(f"question {n} about the weather of the day", "x") for n in range(2)]
    after = [chat(f"question {n} about the weather of the year", "x") for n in range(2)]

    found = diff(before, after)

    assert (found.compared, found.changed, found.added) == (False, (), (1, 2))


@often
@given(st.lists(st.integers(0, 400), max_size=300), st.lists(st.integers(0, 400), max_size=300))
def test_likeness_is_near_the_jaccard_index(one: list[int], other: list[int]) -> None:
    texts = [" ".join(f"w{n}" for n in sorted(set(numbers))) for numbers in (one, other)]
    ours, theirs = (set(_phrases(text)) for text in texts)
    exact = len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0

    found = similarity(*(features_of({"prompt": text}) for text in texts))

    few = max(len(ours), len(theirs)) < MOST_FEATURES
    assert found == pytest.approx(exact, abs=1e-9 if few else 0.25)


def _phrases(text: str) -> Iterator[str]:
    before = ""
    for word in text.split():
        yield word
        yield f"{before} {word}"
        before = word


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert row_key({"weight": 1.0}) == row_key({"weight": 1}) != row_key({"weight": True})
    assert prompt_key({"zebra": 1}) is None


def test_a_row_as_deep_as_can_be_read_is_compared_by_its_texts() -> None:
    deep: Any = "leaf"
    for _ in range(900):
        deep = [deep]
    row, other = {"messages": deep}, {"messages": [deep]}

    assert row_key(row) == row_key(dict(row)) != row_key(other)
    assert differences(row, {"messages": 1})[0].place == "messages"
    assert differences(row, {"messages": [deep, 1]})
    assert diff([row], [other]).unchanged == 0


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, ()),
        ({"a": 1}, {"a": True}, (Difference("a", 1, True),)),
        ({"a": [1, 2]}, {"a": [1]}, (Difference("a[1]", 2, ...),)),
        ({}, {"a": None}, (Difference("a", ..., None),)),
        ({"my diary says": 1}, {}, (Difference("[a key]", 1, ...),)),
        ({"a": [{"c": "x"}]}, {"a": [{"c": "y"}]}, (Difference("a[0].c", "x", "y"),)),
    ],
)  # fmt: skip
def test_places_that_differ(before: Row, after: Row, found: tuple[Difference, ...]) -> None:
    assert differences(before, after) == found


def test_lines_are_told_as_ranges() -> None:
    assert lines_text([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert lines_text([]) == ""
    assert lines_text(range(1, 100, 2)).endswith(", 39 and 30 more")


# How it is printed.

HOSTILE = "```\n</details><script>@everyone | `x`"


def compared(*, show_text: bool) -> Compared:
    changed = Changed(1, 2, "answer")
    near = Changed(4, 3, "near", 0.75)
    pairs = (
        Pair(changed, (Difference("messages[1].content", "joy", HOSTILE),)),
        Pair(near, (Difference("messages[0].content", "old words", ...),)),
    )
    return Compared(
        Side("main:a.jsonl", 1),
        Side("a.jsonl"),
        RowDiff(5, 6, 2, (5,), (4, 5, 6), (changed, near), 30, 1_040, compared=False),
        "o200k_base",
        pairs,
        (Shown(5, {"prompt": "gone"}),),
        (Shown(4, {"prompt": HOSTILE}),),
        show_text,
    )


TEXT = """\
main:a.jsonl: 5 rows
a.jsonl: 6 rows

Rows: 3 added, 1 removed, 2 changed, 2 unchanged.
Tokens: +1,010 in one epoch (1,040 come, 30 go), by o200k_base.

- removed: lines 5 before

+ added: lines 4-6 after

~ changed: line before → line after
    1 → 2: same prompt, another answer: messages[1].content
    4 → 3: near-equal (75%): messages[0].content

Note: main:a.jsonl: 1 row is not readable and left out; 'ftctl dataset check' says why.
Note: too many rows differ to look for near-equal ones among them."""

SHOWN = """\
- removed: lines 5 before
    5: {"prompt":"gone"}

+ added: lines 4-6 after
    4: {"prompt":"```\\n</details><script>@everyone | `x`"}

~ changed: line before → line after
    1 → 2: same prompt, another answer: messages[1].content
        - "joy"
        + "```\\n</details><script>@everyone | `x`"
    4 → 3: near-equal (75%): messages[0].content
        - "old words"
        + nothing
"""


def test_the_whole_text() -> None:
    assert diff_text(compared(show_text=False)) == TEXT


def test_text_of_rows_is_shown_only_when_it_is_asked_for() -> None:
    texts = ("joy", "script", "old words", "gone")
    for render in (diff_text, diff_markdown, lambda one: json.dumps(diff_document(one))):
        quiet, loud = render(compared(show_text=False)), render(compared(show_text=True))
        assert [text for text in texts if text in quiet] == []
        assert [text for text in texts if text not in loud] == []
    assert SHOWN in diff_text(compared(show_text=True))


def test_no_text_breaks_out_of_the_markdown() -> None:
    text = diff_markdown(compared(show_text=True))

    outside, fence = [], None
    for line in text.splitlines():
        if fence is None and line.startswith("```"):
            fence = line.rstrip("dif")
        elif line == fence:
            fence = None
        elif fence is None:
            outside.append(line)
    assert fence is None
    assert not any("script" in line or "@" in line for line in outside)
    assert outside.count("</details>") == 1


def test_the_document_holds_every_line() -> None:
    document = diff_document(compared(show_text=False))

    assert document["rows"] == {"unchanged": 2, "added": 3, "removed": 1, "changed": 2}
    assert document["added"] == (4, 5, 6)
    assert document["tokens"]["difference"] == 1_010
    assert document["changed"][1] == {"before": 4, "after": 3, "kind": "near", "likeness": 0.75}
