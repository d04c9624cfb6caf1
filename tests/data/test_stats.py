"""What is said of a file's rows: every number against one that was found another way."""

from __future__ import annotations

import json
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.stats import (
    LONGEST_LABEL,
    Answer,
    Answers,
    BaseModel,
    Bin,
    Collector,
    Distribution,
    Price,
    Statistics,
    TokensOfRow,
    Training,
    default_epochs,
    histogram,
    histogram_svg,
    prices,
    statistics_document,
    statistics_text,
    training_context,
)
from ftctl.data.stats import answers as answers_module
from ftctl.data.stats.collect import MOST_NAMES, OTHER, NameCounts
from ftctl.data.stats.distribution import MOST_BINS, distribution_of, percentile
from ftctl.data.tokens import count_row, open_counter

REAL = Path(__file__).parents[3] / "shared" / "data" / "emotion" / "train.jsonl"

often = settings(max_examples=200, deadline=None, derandomize=True, database=None)
counts = st.dictionaries(st.integers(0, 100_000), st.integers(1, 50), min_size=1, max_size=60)


def chat(question: str, answer: Any, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **more}


def statistics(*rows: dict[str, Any], model: str | None = None, **options: Any) -> Statistics:
    collector = Collector(BaseModel.about(model), **options)
    for row in rows:
        collector.add(row)
    return collector.statistics("train.jsonl", "ab" * 32, 1234, 0)


# Numbers.


@often
@given(counts)
def test_a_percentile_is_the_number_at_its_nearest_rank(found: dict[int, int]) -> None:
    numbers = sorted(number for number, rows in found.items() for _ in range(rows))

    for percent in (1, 50, 95, 100):
        assert percentile(found, percent) == numbers[max(1, ceil(len(numbers) * percent / 100)) - 1]


def test_a_spread_of_nothing_is_zeros() -> None:
    assert distribution_of({}) == Distribution(0, 0, 0, 0)
    assert histogram({}) == ()


@often
@given(counts)
def test_every_row_is_in_the_one_bin_that_its_number_belongs_to(found: dict[int, int]) -> None:
    bins = histogram(found)

    for one in bins:
        top = one.high if one.high is not None else max(found) + 1
        assert one.rows == sum(rows for number, rows in found.items() if one.low <= number < top)
    assert sum(one.rows for one in bins) == sum(found.values())
    assert len(bins) <= MOST_BINS + 1
    assert [one.low for one in bins[1:]] == [one.high for one in bins[:-1]]


def test_a_far_tail_is_one_open_bin() -> None:
    found = dict.fromkeys(range(100, 120), 10) | {9_000: 1}

    bins = histogram(found)

    assert bins[-1] == Bin(120, None, 1)
    assert bins[-1].label == "120 or more"
    assert sum(one.rows for one in bins[:-1]) == 200


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [(1, 25), (4, 25), (5, 20), (10, 10), (33, 3), (34, 3), (480, 3), (8_333, 3), (8_334, 2),
     (12_501, 1), (25_000, 1), (1_000_000, 1)],
)  # fmt: skip
def test_the_default_rule_for_epochs(rows: int, epochs: int) -> None:
    assert default_epochs(rows) == epochs


def test_prices_come_from_the_table_that_is_given() -> None:
    table = {"gpt-b": Decimal("3.00"), "gpt-a": Decimal(25)}

    found = prices(1_000_000, 2_000_000, table)

    assert found == (
        Price("gpt-a", Decimal(25), Decimal(50)),
        Price("gpt-b", Decimal(3), Decimal(6)),
    )
    assert prices(1, 1, {}) == ()


# Tokens.


def test_the_tokens_are_those_of_each_row() -> None:
    rows = [chat("What is the capital of France?", "Paris."), chat("And of Italy?", "It is Rome.")]
    counted = [count_row(row, "chat", open_counter("o200k_base")) for row in rows]

    found = statistics(*rows, model="gpt-4.1-mini-2025-04-14").tokens

    assert found.billed == found.lengths.total == sum(one.training for one in counted)
    assert (found.low, found.high) == (
        sum(one.low for one in counted),
        sum(one.high for one in counted),
    )
    assert found.learnt == sum(one.assistant for one in counted)
    assert found.lengths.longest == max(one.training for one in counted)
    assert sum(map(TokensOfRow(BaseModel.about(None)), rows)) == found.billed


def test_a_training_is_so_many_epochs_of_them() -> None:
    found = statistics(*[chat(f"Question {n}?", "yes") for n in range(12)])

    tokens = found.tokens
    assert found.training == Training(8, tokens.billed * 8, tokens.low * 8, tokens.high * 8)


def test_rows_longer_than_the_training_context_are_cut() -> None:
    found = statistics(chat("q", "word " * 70_000), model="gpt-4.1-2025-04-14").tokens

    assert (found.billed, found.low, found.high, found.learnt) == (65_536,) * 4
    assert found.cut_rows == 1
    assert found.lengths.longest > 70_000


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gpt-4.1-mini-2025-04-14", 65_536), ("ft:gpt-4o-2024-08-06:org:x:id", 65_536),
     ("gpt-3.5-turbo-0613", 4_096), ("gpt-3.5-turbo-0125", 16_385), ("gpt-4-0613", 8_192),
     ("openai/gpt-4.1", 65_536), ("gpt-4.15", None), ("llama-3", None)],
)  # fmt: skip
def test_how_long_an_example_may_be_depends_on_the_model(model: str, tokens: int | None) -> None:
    assert training_context(model) == tokens


def test_a_model_whose_vocabulary_is_not_known_gives_an_estimate_and_says_so() -> None:
    found = statistics(chat("q", "a"), model="llama-3.1-8b")

    assert (found.base.encoding, found.base.exact, found.base.context) == (
        "o200k_base",
        False,
        None,
    )
    assert "llama-3.1-8b, an estimate with o200k_base" in statistics_text(found)
    assert statistics_document(found)["exact"] is False


def test_reinforcement_is_not_billed_by_the_token() -> None:
    row = {"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"}

    found = statistics(*[row] * 10)

    assert (found.formats, found.training) == ({"reinforcement": 10}, None)
    assert found.answers.rows == 0


# What the rows hold.


def test_roles_turns_tools_calls_and_images_are_counted() -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}}
    row = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "see"}, image, image]},
            {"role": "assistant", "tool_calls": [call, call]},
            {"role": "tool", "tool_call_id": "c1", "content": "4"},
            {"role": "assistant", "content": "Four."},
        ],
        "tools": [tool],
    }

    found = statistics(row, chat("q", "a"))

    assert found.roles == {"assistant": 3, "tool": 1, "user": 2}
    assert found.messages == Distribution(6, 2, 4, 4)
    assert (found.declared, found.calls, found.tool_rows) == ({"look_up": 1}, {"look_up": 2}, 1)
    assert (found.images, found.image_rows) == (2, 1)


def test_a_preference_row_counts_its_input_and_both_outputs() -> None:
    row = {
        "input": {"messages": [{"role": "user", "content": "q"}],
                  "tools": [{"type": "function", "function": {"name": "f"}}]},
        "preferred_output": [{"role": "assistant", "content": "good"}],
        "non_preferred_output": [{"role": "assistant", "content": "bad"}],
    }  # fmt: skip

    found = statistics(row, row)

    assert found.roles == {"assistant": 4, "user": 2}
    assert found.declared == {"f": 2}
    assert found.answers.repeated == (Answer("good", 4, 2, 1.0),)


def test_the_languages_of_the_questions() -> None:
    found = statistics(
        chat("What should I do when the train is late and I have to wait?", "a"),
        chat("Was soll ich tun, wenn der Zug zu spät ist und ich nicht warten kann?", "a"),
        chat("x", "a"),
    )

    assert found.languages == {"English": 1, "German": 1, "untold": 1}


def test_rows_of_no_known_format_are_counted_as_such_and_in_nothing_else() -> None:
    found = statistics(chat("q", "a"), {"zebra": 1}, {})

    assert found.formats == {"chat": 1, "unknown": 2}
    assert (found.rows, found.tokens.rows, found.answers.rows) == (3, 1, 1)


def test_names_of_functions_get_out_only_if_they_read_like_names() -> None:
    tally = NameCounts()

    for name in ["f", "My secret diary, page one", 7, None, "f"]:
        tally.add(name)
    for number in range(2 * MOST_NAMES):
        tally.add(f"name{number}")

    counts = tally.counts()
    assert counts["f"] == 2
    assert len(counts) == MOST_NAMES
    assert sum(counts.values()) == 5 + 2 * MOST_NAMES
    assert counts[OTHER] == 3 + 2 * MOST_NAMES - (MOST_NAMES - 2)
    assert not any("diary" in name for name in counts)


# Answers.


def test_answers_are_shown_only_if_they_are_short_and_repeat() -> None:
    label, long = "x" * LONGEST_LABEL, "y" * (LONGEST_LABEL + 1)
    said = [label, label, "yes", "yes", "yes", long, long, "said once"]

    found = statistics(*[chat(f"{n}", text) for n, text in enumerate(said)]).answers

    assert (found.rows, found.different, found.complete) == (8, 4, True)
    assert found.repeated == (
        Answer("yes", 3, 3, 3 / 8),
        Answer(label, LONGEST_LABEL, 2, 2 / 8),
        Answer(None, LONGEST_LABEL + 1, 2, 2 / 8),
    )


def test_a_text_that_is_asked_for_is_shown_and_cut() -> None:
    found = statistics(*[chat(f"{n}", "y" * 300) for n in range(2)], show_text=True).answers

    assert found.repeated == (Answer("y" * 200 + "…", 300, 2, 1.0),)


def test_what_would_steer_a_terminal_is_escaped_in_labels() -> None:
    found = statistics(*[chat(f"{n}", "\x1b[2J\nred\ud800") for n in range(2)]).answers

    assert found.repeated[0].text == "\\x1b[2J\\nred\\ud800"


def test_too_many_different_answers_are_counted_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_module, "MOST_DIFFERENT", 3)
    answers = Answers()

    for text in ["a", "b", "c", "d", "e", "a"]:
        answers.add(text)

    found = answers.shares(10)
    assert (found.rows, found.different, found.complete) == (6, 3, False)
    assert found.repeated == (Answer("a", 1, 2, 2 / 6),)


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"content": "Paris."}, "Paris."),
        (
            {"content": [{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}]},
            "Pa\\nris",
        ),
        ({"content": None, "refusal": "I can't."}, "I can't."),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No."),
        ({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}, "f({})"),
        ({"function_call": {"name": "f", "arguments": "{}"}}, "f({})"),
    ],
)
def test_an_answer_is_what_the_last_learnt_message_says(
    message: dict[str, Any], answer: str
) -> None:
    said = {"role": "assistant", **message}
    row = {"messages": [said, {"role": "assistant", "content": "unlearnt", "weight": 0}]}

    found = statistics(row, row).answers

    assert [one.text for one in found.repeated] == [answer]


KEYS = (
    "messages", "role", "content", "tools", "functions", "tool_calls", "function", "function_call",
    "name", "arguments", "input", "preferred_output", "prompt", "completion", "type", "text",
    "weight", "image_url", "refusal", "user", "assistant",
)  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["user", "assistant", "text", "image_url"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.lists(st.dictionaries(st.sampled_from(
    ["messages", "tools", "functions", "input", "prompt", "completion", "preferred_output"]),
    json_values, max_size=4), max_size=3))  # fmt: skip
def test_no_row_is_too_odd_to_be_counted(rows: list[dict[str, Any]]) -> None:
    found = statistics(*rows)

    assert found.rows == len(rows)
    assert json.loads(json.dumps(statistics_document(found)))["rows"] == len(rows)
    assert statistics_text(found)
    assert ET.fromstring(histogram_svg(found)).tag.endswith("svg")


# How it is printed.

TEXT = """\
train.jsonl: 4 rows, 1,234 bytes, chat
sha256 abababababababababababababababababababababababababababababababab

Tokens (gpt-4.1, o200k_base)
  one epoch  40 (between 40 and 52)
  per row    p50 10, p95 10, longest 10
  assistant  4
  epochs     25 by the default rule
  training   1,000 (between 1,000 and 1,300)
  gpt-4.1    $0.05 to $0.07

Rows
  messages   8; per row p50 2, p95 2, most 2
  roles      assistant 4, user 4
  languages  untold 4

Answers
  different  2 in 4 rows
  75.0%      3  yes

Rows by tokens
  10  ████████████████████████████████████████ 4"""


def test_the_whole_text() -> None:
    found = statistics(
        *[chat("q", answer) for answer in ("yes", "no", "yes", "yes")], model="gpt-4.1"
    )
    priced = prices(2_000, 2_800, {"gpt-4.1": Decimal(25)})

    assert statistics_text(found, priced) == TEXT
    assert statistics_text(found, priced, ascii_only=True) == TEXT.replace("█", "#")


def test_the_picture_says_what_it_shows_and_takes_any_name() -> None:
    collector = Collector(BaseModel.about(None))
    collector.add(chat("q", "a"))
    found = collector.statistics('<&"\x00\x1b.jsonl', "ab" * 32, 1, 0)

    picture = ET.fromstring(histogram_svg(found))

    space = "{http://www.w3.org/2000/svg}"
    assert picture.findtext(f"{space}title") == 'Tokens per row in <&"??.jsonl'
    assert len(picture.findall(f"{space}rect")) == 1


def test_a_long_path_is_cut_at_its_beginning_to_fit_the_picture() -> None:
    found = Collector(BaseModel.about(None)).statistics("a/" * 50 + "train.jsonl", "ab" * 32, 1, 0)

    title = ET.fromstring(histogram_svg(found)).findtext("{http://www.w3.org/2000/svg}title")

    assert title == "Tokens per row in …" + ("a/" * 50 + "train.jsonl")[-59:]


@pytest.mark.skipif(not REAL.is_file(), reason="the shared data is not here")
def test_the_emotion_data() -> None:
    rows = [json.loads(line) for line in REAL.read_text("utf-8").splitlines()]

    found = statistics(*rows, model="gpt-4.1-mini-2025-04-14")

    counter = open_counter("o200k_base")
    assert found.tokens.billed == sum(count_row(row, "chat", counter).training for row in rows)
    assert found.training == Training(3, 98_319, 98_319, 102_639)
    assert {one.text: one.rows for one in found.answers.repeated} == {
        "joy": 85, "love": 85, "surprise": 79, "anger": 78, "sadness": 77, "fear": 76,
    }  # fmt: skip
