"""What is said about a file's rows together, and about two files."""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.formats.formats import RowChecker
from ftctl.data.quality import (
    CHECKS,
    CODES,
    FingerprintTable,
    RowFingerprint,
    check_table,
    fingerprint_of,
    leaks,
)
from ftctl.data.quality.fingerprint_table import DETAILS, _few, _many
from ftctl.data.quality.fingerprints import ROW
from ftctl.data.quality.key_groups import Common, equal_rows, middle, most_common
from ftctl.data.quality.key_groups import _many as _many_groups
from ftctl.data.quality.moderation import LONGEST_CHARACTERS, moderate
from ftctl.data.quality.similar import alike, signature_of
from ftctl.domain.quality_settings import NO_SETTINGS, PROJECT_DEFAULTS, QualitySettings
from ftctl.errors import Finding

Row = dict[str, Any]
EVERYTHING = QualitySettings()
IGNORED = replace(EVERYTHING, **dict.fromkeys(set(CHECKS.values()), "ignore"))  # type: ignore[arg-type]

_VOCABULARY = (
    "amber basket candle dragon engine forest garden hammer island jacket kettle ladder marble "
    "needle orange pencil quiver ribbon saddle tunnel uncle velvet window yellow zipper anchor "
    "bottle copper dinner effort flavor gentle hollow insect jungle kitten lemon mirror noodle"
)
WORDS = _VOCABULARY.split()


def sentence(seed: int, words: int = 30) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def chat(question: str, answer: str, system: str | None = None, **more: Any) -> Row:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return {"messages": messages, **more}


def pair(question: str, good: str, bad: str) -> Row:
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }


def varied(count: int, first: int = 1000) -> list[Row]:
    """Good rows, no two alike."""
    return [chat(sentence(first + n), sentence(-first - n, 12)) for n in range(count)]


def collect(
    rows: Sequence[Mapping[str, Any]], settings: QualitySettings = EVERYTHING, form: Any = "chat"
) -> FingerprintTable:
    fingerprints = FingerprintTable(form)
    for line, row in enumerate(rows, 1):
        fingerprints.add(fingerprint_of(row, form, line, settings))
    return fingerprints


def said(
    rows: Sequence[Mapping[str, Any]], form: Any = "chat", **settings: Any
) -> list[tuple[int | None, str, str]]:
    settings = replace(EVERYTHING, **settings)
    found = check_table(collect(rows, settings, form), settings)
    return [(one.line, one.code, one.message) for one in found]


def test_good_rows_raise_no_doubt() -> None:
    assert said(varied(60)) == []


def test_each_check_has_an_off_switch_and_a_level() -> None:
    rows = [chat("same", ""), chat("same", ""), chat("mail jane@acme.com", "x")]
    levels = set(CHECKS.values())

    assert set(CHECKS) == set(CODES)
    assert levels <= {field.name for field in fields(QualitySettings)}
    assert check_table(collect(rows, IGNORED), IGNORED) == []
    for level in ("warning", "error"):
        settings = replace(IGNORED, duplicates=level)
        assert check_table(collect(rows, settings), settings) == [
            Finding(
                "duplicate-row",
                "the row is that of line 1 once more",
                "take it out: it is paid for and learnt once more in every epoch",
                2,
                severity=level,
            )
        ]


def test_settings_come_from_the_project_file() -> None:
    config = {"leakage": "error", "allow": ["acme.com"], "regions": ["KR"], "similarity": 0.9}

    settings = QualitySettings.from_config(config)

    assert settings == replace(
        PROJECT_DEFAULTS, leakage="error", allow=("acme.com",), regions=("KR",), similarity=0.9
    )
    assert QualitySettings.from_config({}) == PROJECT_DEFAULTS


def test_the_schema_and_the_settings_have_the_same_keys_and_defaults() -> None:
    schema = json.loads((ROOT / "schemas/project.json").read_text())["$defs"]["quality"]
    names = [field.name for field in fields(QualitySettings) if field.name not in NO_SETTINGS]

    assert [*schema["properties"]] == names
    for name, described in schema["properties"].items():
        default = getattr(PROJECT_DEFAULTS, name)
        assert described.get("default", []) == (
            list(default) if isinstance(default, tuple) else default
        )


def test_a_large_file_is_not_searched_for_near_duplicates() -> None:
    settings = QualitySettings(near_duplicates_up_to_bytes=100)

    assert settings.for_file(100).signs
    assert not settings.for_file(101).signs
    assert not collect(varied(3), settings.for_file(101)).signed


def test_a_repeated_row_is_told_with_the_line_of_the_first() -> None:
    good = varied(3)

    assert said([*good, good[1], good[1]]) == [
        (4, "duplicate-row", "the row is that of line 2 once more"),
        (5, "duplicate-row", "the row is that of line 2 once more"),
    ]
    assert said([*good, good[1], good[1]], duplicate_share=0.4) == []


def test_the_order_of_keys_makes_no_other_row() -> None:
    row = chat("what is it", "a tree")
    turned = json.loads(json.dumps(row, sort_keys=True))

    assert [code for _, code, _ in said([row, turned])] == ["duplicate-row"]


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 0},
        {"name": "bob"},
        {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
    ],
)
def test_what_changes_what_is_learnt_makes_another_row(change: Row) -> None:
    row = chat("what is it", "a tree")
    other = {"messages": [row["messages"][0], {**row["messages"][1], **change}]}

    assert "duplicate-row" not in [code for _, code, _ in said([row, other])]


def test_rows_that_read_the_same_are_told() -> None:
    rows = [chat("What is it?", "A tree."), chat("what  is it", "a tree")]

    message = "the row differs from that of line 1 only in case, spaces or punctuation"
    assert said(rows) == [(2, "near-duplicate-row", message)]


def test_a_prompt_with_two_answers_is_a_contradiction() -> None:
    rows = [chat("i love it!", "joy"), chat("I love it", "love"), chat("I love it.", "Joy")]

    found = [one for one in said(rows) if one[1] == "contradictory-rows"]

    assert found == [
        (2, "contradictory-rows", "the prompt is that of line 1, but the answer is another")
    ]
    assert said(rows, answers_per_prompt=2, near_duplicates="ignore") == []


def test_another_system_message_makes_another_question() -> None:
    rows = [chat("hello", "hallo", "Say it in German."), chat("hello", "salut", "In French.")]

    assert said(rows) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("what is 5 + 3", "what is 5 - 3"), ("what is 1.5 x 2", "what is 15 x 2")],
)
def test_other_sums_are_other_questions(one: str, other: str) -> None:
    assert said([chat(one, "a"), chat(other, "b")]) == []


def test_an_instruction_to_write_has_many_answers() -> None:
    rows = [chat("write a product text", sentence(n)) for n in range(30)]

    assert said(rows) == []
    other = [chat("write a product text", sentence(9000 + n)) for n in range(5)]
    assert leaks(collect(rows), collect(other), EVERYTHING) == []
    assert len(leaks(collect(rows[:20]), collect(other), EVERYTHING)) == 5


def test_a_turned_preference_is_a_contradiction_and_a_second_pair_is_none() -> None:
    rows = [pair("q", "a", "b"), pair("q", "c", "d"), pair("q", "b", "a")]

    assert said(rows, "preference") == [
        (3, "contradictory-rows", "line 1 has the same prompt and outputs, but prefers the other")
    ]


def test_a_prompt_with_a_few_other_words_is_nearly_a_duplicate() -> None:
    words = sentence(1, 120).split()
    near = [*words[:60], "something", *words[61:]]
    rows = [chat(" ".join(words), "a"), *varied(5), chat(" ".join(near), "b")]

    ((line, code, message),) = said(rows)

    assert (line, code) == (7, "near-duplicate-row")
    assert message.startswith("about 9")
    assert message.endswith("% of the prompt's phrases are those of line 1")
    assert said(rows, similarity=1.0) == []


def test_rows_of_a_template_are_told_of_once() -> None:
    frame = sentence(7, 200)
    rows = [chat(f"{frame} {n}", sentence(n, 8)) for n in range(60)]

    found = said(rows)

    assert [(line, code) for line, code, _ in found] == [(None, "near-duplicate-row")]
    assert found[0][2].startswith("59 rows differ from that of line 1 in a few words only")


def test_many_refusals_are_told_with_their_share() -> None:
    no = "I'm sorry, but I can't help with that."
    rows = [chat(sentence(n), no if n % 5 == 0 else sentence(-n - 1, 9)) for n in range(50)]

    assert said(rows) == [
        (None, "many-refusals",
         "20 % of the answers refuse (10 of 50), such as lines 1, 6, 11, 16, 21"),
    ]  # fmt: skip
    assert said(rows, refusal_share=0.2) == []


def test_one_answer_in_most_rows_is_told() -> None:
    rows = [chat(sentence(n), "Yes." if n < 30 else sentence(-n, 9)) for n in range(50)]

    assert said(rows) == [
        (None, "one-answer",
         "60 % of the rows have the same answer (30 of 50), first in line 1"),
    ]  # fmt: skip
    assert said(rows, one_answer_share=0.6) == []


def test_labels_may_be_uneven_but_not_to_the_last() -> None:
    uneven = [chat(sentence(n), "joy" if n % 5 else "fear") for n in range(50)]
    nearly_one = [chat(sentence(n), "joy" if n else "fear") for n in range(50)]

    assert said(uneven) == []
    assert [code for _, code, _ in said(nearly_one)] == ["one-answer"]


def test_a_row_of_unusual_length_is_told() -> None:
    rows = [*varied(30), chat(sentence(1, 600), "a"), chat("b", "c")]

    assert [(line, code) for line, code, _ in said(rows)] == [
        (31, "unusual-length"),
        (32, "unusual-length"),
    ]
    assert said(rows, length_factor=500) == []


def test_lengths_that_differ_all_over_are_usual() -> None:
    rows = [chat(sentence(n, 2 ** (n % 10)), sentence(-n - 1)) for n in range(60)]

    assert said(rows) == []


def test_a_language_that_strayed_in_is_told() -> None:
    english = "this is what you asked for and it will be with you when the week is over"
    german = "das ist nicht das was ich mir gewünscht habe und ich bin auch nicht zufrieden"
    rows = [chat(sentence(n), f"{english} {n}") for n in range(40)]

    assert said([*rows, chat(sentence(99), german)]) == [
        (41, "mixed-languages",
         "the answer is in German; 98 % of the answers are in English"),
    ]  # fmt: skip
    assert said([*rows, *(chat(sentence(90 + n), f"{german} {n}") for n in range(9))]) == []


EMPTY = {
    "": "the answer is empty",
    " \n": "the answer is empty",
    "…": "the answer is a placeholder",
    "TODO": "the answer is a placeholder",
    "N/A": "the answer is a word for a missing value",
    "what is it": "the answer is the question once more",
}


@pytest.mark.parametrize(("answer", "message"), EMPTY.items())
def test_a_row_that_teaches_nothing_is_told(answer: str, message: str) -> None:
    rows = [*varied(3), chat("what is it", answer)]

    assert said(rows) == [(4, "teaches-nothing", message)]
    assert said(rows, empty_share=0.25) == []


def test_an_empty_answer_is_told_alike_in_every_format() -> None:
    """And by nothing else: no service's words against it are known."""
    asked = [sentence(1000 + n) for n in range(4)]
    answers = ["one", "two", "", "four"]
    files: dict[str, list[Row]] = {
        "chat": [chat(*both) for both in zip(asked, answers, strict=True)],
        "completion": [
            {"prompt": prompt, "completion": text}
            for prompt, text in zip(asked, answers, strict=True)
        ],
        "preference": [
            pair(prompt, text, f"not {prompt}") for prompt, text in zip(asked, answers, strict=True)
        ],
    }

    for form, rows in files.items():
        checker = RowChecker(None)
        assert said(rows, form) == [(3, "teaches-nothing", "the answer is empty")]
        assert [finding for row in rows for finding in checker.check(row)] == []
        assert checker.format == form


def test_none_may_be_a_label() -> None:
    rows = [chat(sentence(n), ("none", "some", "many")[n % 3]) for n in range(60)]

    assert said(rows) == []


def test_a_call_needs_no_text() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    row = {"messages": [
        {"role": "user", "content": "do it"}, {"role": "assistant", "tool_calls": [call]},
    ]}  # fmt: skip

    assert said([*varied(3), row]) == []


def test_keys_and_personal_data_are_told_with_their_place() -> None:
    key = "sk-" + "".join(random.Random(3).choices(WORDS[0] + "XQZ0123456789bdfhk", k=40))
    rows = [
        chat("who?", "jane.doe@acme.com"),
        chat(f"use {key} please", "done"),
        {"prompt": "x", "completion": "y"},
    ]

    assert said(rows[:2]) == [
        (1, "personal-data", "messages[1].content holds an e-mail address, j…@acme.com"),
        (2, "secret", f"messages[0].content holds an OpenAI key, sk-…{key[-4:]}"),
    ]
    assert said(rows[:1], allow=("acme.com",)) == []
    assert said([{"prompt": "+49 30 9018 2034", "completion": "ok"}], "completion") == [
        (1, "personal-data", "prompt holds a phone number, +49…34")
    ]


def test_what_stands_in_every_system_message_is_told_of_once() -> None:
    rows = [chat(sentence(n), sentence(-n - 1), "Write to jane@acme.com.") for n in range(150)]

    message = "messages[0].content holds an e-mail address, j…@acme.com, as 149 other rows may"
    assert said(rows) == [(1, "personal-data", message)]


def test_every_row_with_personal_data_is_told_though_few_are_told_in_detail() -> None:
    rows = [chat(f"{sentence(n)} p{n}@acme.com", sentence(-n - 1)) for n in range(DETAILS + 20)]

    found = said(rows)

    assert [line for line, _, _ in found] == list(range(1, DETAILS + 21))
    assert found[DETAILS - 1][2].startswith("messages[0].content holds an e-mail address")
    assert found[DETAILS][2] == "the row holds personal data"


def test_a_pictures_bytes_are_not_searched() -> None:
    url = "data:image/png;base64,+14152009911/AAAA"
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what?"}]
    row = {"messages": [
        {"role": "user", "content": content}, {"role": "assistant", "content": "a cat"},
    ]}  # fmt: skip

    assert said([row]) == []


# Two files.


def test_rows_that_leak_are_told_with_the_strongest_reason() -> None:
    words = sentence(1, 120).split()
    training = [*varied(10), chat(" ".join(words), "yes")]
    held_out = [
        *varied(3, 5000),
        training[4],
        chat(training[5]["messages"][0]["content"].upper() + "!", "another"),
        chat(" ".join([*words[:50], "else", *words[51:]]), "no"),
    ]

    found = leaks(collect(training), collect(held_out), EVERYTHING)

    assert [(one.line, one.code) for one in found] == [
        (4, "leaked-row"),
        (5, "leaked-row"),
        (6, "nearly-leaked-row"),
    ]
    assert found[0].message == "the row is also line 5 of the training file"
    assert found[1].message == "the prompt is also that of line 6 of the training file"
    assert found[2].message.endswith("are those of line 11 of the training file")
    assert leaks(collect(training), collect(held_out), QualitySettings(leakage_share=0.5)) == []
    assert leaks(collect(training), collect(held_out), IGNORED) == []
    strict = leaks(collect(training), collect(held_out), QualitySettings(leakage="error"))
    assert {one.severity for one in strict} == {"error"}


def test_leaks_are_found_from_what_is_kept_of_both_files() -> None:
    training, held_out = collect(varied(20)), collect([*varied(2, 5000), varied(20)[7]])
    kept = [FingerprintTable.from_bytes(one.to_bytes()) for one in (training, held_out)]

    assert leaks(*kept, EVERYTHING) == leaks(training, held_out, EVERYTHING)
    assert [one.line for one in leaks(*kept, EVERYTHING)] == [3]


def test_files_of_one_template_are_told_of_once() -> None:
    frame = sentence(7, 200)
    training, held_out = (
        collect([chat(f"{frame} {mark}{n}", str(n)) for n in range(30)]) for mark in "ab"
    )

    found = leaks(training, held_out, EVERYTHING)

    assert [(one.line, one.code) for one in found] == [(None, "nearly-leaked-row")]


# What is kept.

_TEXT = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    [
        "",
        "a",
        "A!",
        "joy",
        "N/A",
        "jane@acme.com",
        "I'm sorry, but I can't help with that.",
        "\ud83d",
    ]
)
_ROWS = st.lists(st.builds(chat, _TEXT, _TEXT, st.none() | _TEXT), max_size=12)


@settings(deadline=None)
@given(_ROWS, st.randoms(use_true_random=False), st.booleans())
def test_the_order_and_parts_in_which_rows_come_make_no_difference(
    rows: list[Row], chance: random.Random, signs: bool
) -> None:
    settings = EVERYTHING if signs else replace(EVERYTHING, near_duplicates="ignore")
    whole = collect(rows, settings)
    taken = [fingerprint_of(row, "chat", line, settings) for line, row in enumerate(rows, 1)]
    chance.shuffle(taken)
    cut = chance.randint(0, len(rows))
    shuffled, first, second = (
        FingerprintTable("chat"),
        collect(rows[:cut], settings),
        collect(rows[cut:], settings),
    )
    for one in taken:
        shuffled.add(one)
    first.merge(second, offset=cut)

    assert shuffled.to_bytes() == whole.to_bytes() == first.to_bytes()
    found = check_table(shuffled, settings)
    assert found == check_table(whole, settings) == check_table(first, settings)


@settings(deadline=None)
@given(_ROWS)
def test_what_is_kept_reads_back_the_same(rows: list[Row]) -> None:
    fingerprints = collect(rows)
    kept = fingerprints.to_bytes()

    assert FingerprintTable.from_bytes(kept) == fingerprints
    assert FingerprintTable.from_bytes(kept).to_bytes() == kept
    read_again = FingerprintTable.from_bytes(kept)
    assert check_table(read_again, EVERYTHING) == check_table(fingerprints, EVERYTHING)


@given(st.binary(max_size=60))
def test_anything_else_is_not_read_back(kept: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        FingerprintTable.from_bytes(kept)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_byte_is_noticed(place: int, value: int) -> None:
    kept = bytearray(collect(varied(3)).to_bytes())
    place %= len(kept)
    same = kept[place] == value
    kept[place] = value

    if same:
        assert len(FingerprintTable.from_bytes(bytes(kept))) == 3
    else:
        with pytest.raises(ValueError, match="damaged"):
            FingerprintTable.from_bytes(bytes(kept))


def test_a_row_is_kept_in_at_most_a_hundred_bytes() -> None:
    rows = varied(200)

    assert len(collect(rows).to_bytes()) <= 100 * 200 + 100
    assert len(collect(rows, IGNORED).to_bytes()) <= 36 * 200 + 100


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["role", "content", "tool_calls", "text", "type", "function", "name",
                         "image_url", "url", "messages", "weight", "refusal"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
_KEYS = st.sampled_from(
    ["messages", "tools", "input", "prompt", "completion", "preferred_output",
     "non_preferred_output", "functions", "reference"]
)  # fmt: skip


@settings(deadline=None)
@given(
    st.dictionaries(_KEYS, _JSON),
    st.sampled_from(["chat", "completion", "preference", "reinforcement"]),
)
def test_no_row_is_too_odd_to_be_marked(row: Row, form: Any) -> None:
    fingerprints = collect([row, row], EVERYTHING, form)

    found = check_table(fingerprints, EVERYTHING)
    assert [one.line for one in found if one.code == "duplicate-row"] == [2]


def test_a_row_that_is_nested_deep_has_a_fingerprint() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    fingerprint_of(
        {"messages": [{"role": "user", "content": "x"}], "deep": deep}, "reinforcement", 1
    )


@given(
    st.lists(
        st.tuples(
            *(st.integers(0, 2**64 - 1) for _ in range(3)), *(st.integers(0, 255) for _ in range(4))
        ),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_few_and_many_rows_are_read_alike(
    fields: list[tuple[int, ...]], chance: random.Random
) -> None:
    rows = [ROW.pack(line, *one) for line, one in enumerate(fields, 1)]
    chance.shuffle(rows)
    signatures = b"".join(ROW.unpack(row)[0].to_bytes(64, "little") for row in rows)
    packed = bytearray(b"".join(rows))

    for signed in (b"", signatures):
        if rows:
            assert _few(packed, signed) == _many(packed, signed)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40))
def test_few_and_many_keys_are_grouped_alike(keys: list[int]) -> None:
    column = array("Q", keys)

    assert list(equal_rows(column)) == list(_many_groups(column))
    assert most_common(column).rows == keys.count(most_common(column).key)


def test_of_many_keys_the_most_common_is_told() -> None:
    column = array("Q", [*range(60_000), 2**64 - 1, 2**64 - 1])

    assert middle(column) == 30_000.5
    assert middle(array("d", [4.0, 1.0, 2.0])) == 2.0
    assert most_common(column) == Common(60_001, 2**64 - 1, 2)
    assert list(equal_rows(column)) == [[60_000, 60_001]]


# Similarity.


def phrases(words: list[bytes]) -> set[tuple[bytes, ...]]:
    return set(zip(words, words[1:], words[2:], strict=False))


@pytest.mark.parametrize("words", [20, 60, 200, 3000])
@pytest.mark.parametrize("changed", [0, 1, 3, 8])
def test_the_estimate_is_near_the_exact_similarity(words: int, changed: int) -> None:
    errors = []
    for seed in range(40):
        chance = random.Random(seed)
        one = [str(chance.randrange(100_000)).encode() for _ in range(words)]
        other = list(one)
        for place in chance.sample(range(words), changed):
            other[place] = b"new"
        exact = len(phrases(one) & phrases(other)) / len(phrases(one) | phrases(other))
        found = alike([signature_of(one), signature_of(other)], 0.0)
        # Signatures that agree in no band are not compared at all; with 0.7 that is rare.
        if found or exact > 0.7:
            assert len(found) == 1
            errors.append(found[0].similarity - exact)

    if errors:
        assert abs(sum(errors) / len(errors)) < 0.08
        assert max(map(abs, errors)) < 0.25


def test_texts_that_share_nothing_are_not_alike() -> None:
    signatures = [signature_of([f"{seed}-{n}".encode() for n in range(50)]) for seed in range(400)]

    assert alike(signatures, 0.2) == []


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    chance = random.Random(4)
    text = "".join(chr(chance.randrange(0x4E00, 0x9F00)) for _ in range(300))
    near = text[:150] + "新" + text[151:]
    other = text[::-1]
    one, two, three = (signature_of([part.encode()]) for part in (text, near, other))

    assert [(pair.later, pair.earlier) for pair in alike([one, two, three], 0.8)] == [(1, 0)]


def test_short_texts_are_not_compared() -> None:
    assert signature_of(b"what is five plus three".split()) == bytes(64)
    assert alike([bytes(64), bytes(64)], 0.0) == []


# Moderation.


def asker(log: list[list[str]]) -> Any:
    def ask(texts: Sequence[str]) -> list[tuple[str, ...]]:
        log.append(list(texts))
        return [("violence", "hate") if "bad" in text else () for text in texts]

    return ask


ASKED = QualitySettings(moderation="warning")


def test_flagged_rows_are_named() -> None:
    rows = [*varied(40), chat("a bad question", "no")]

    found = list(moderate(enumerate(rows, 1), "chat", asker([]), {}, ASKED))

    assert [(one.line, one.code, one.message, one.severity) for one in found] == [
        (41, "flagged-row", "moderation flags the row for hate, violence", "warning")
    ]


def test_moderation_is_off_unless_asked_for() -> None:
    log: list[list[str]] = []

    assert list(moderate([(1, chat("bad", "x"))], "chat", asker(log), {}, EVERYTHING)) == []
    assert log == []


def test_no_row_is_asked_about_twice() -> None:
    log: list[list[str]] = []
    known: dict[str, tuple[str, ...]] = {}
    rows = [*varied(70), *varied(70)]

    list(moderate(enumerate(rows, 1), "chat", asker(log), known, ASKED))
    again = list(moderate(enumerate(rows, 1), "chat", asker(log), known, ASKED))

    assert again == []
    assert sum(map(len, log)) == len(known) == 70
    assert max(map(len, log)) <= 32


def test_what_was_answered_stays_known_when_the_service_fails() -> None:
    log: list[list[str]] = []
    known: dict[str, tuple[str, ...]] = {}

    def ask(texts: Sequence[str]) -> list[tuple[str, ...]]:
        if log:
            raise TimeoutError
        return asker(log)(texts)

    with pytest.raises(TimeoutError):
        list(moderate(enumerate(varied(70), 1), "chat", ask, known, ASKED))

    assert len(known) == 32


def test_a_long_row_is_asked_about_in_pieces() -> None:
    log: list[list[str]] = []
    row = chat("x" * (3 * LONGEST_CHARACTERS) + " bad", "y")

    found = list(moderate([(1, row)], "chat", asker(log), {}, replace(ASKED, moderation="error")))

    assert [(one.line, one.severity) for one in found] == [(1, "error")]
    assert max(len(text) for batch in log for text in batch) == LONGEST_CHARACTERS


def test_a_large_file_is_kept_and_read_back_the_same() -> None:
    large = FingerprintTable("chat")
    for line in range(60_000, 0, -1):
        large.add(RowFingerprint(ROW.pack(line, line * 7, line * 11, line % 5, 9, 1, 1, 0)))

    kept = large.to_bytes()

    assert FingerprintTable.from_bytes(kept).to_bytes() == kept
    assert kept.count(ROW.pack(1, 7, 11, 1, 9, 1, 1, 0) + ROW.pack(2, 14, 22, 2, 9, 1, 1, 0)) == 1
    assert check_table(large, EVERYTHING) == []


@pytest.mark.parametrize("said_so", ["010-2345-6789", "+82 10-2345-6789", "phone 415-555-2671"])
def test_rows_with_a_phone_number_an_account_and_a_key_are_told_of_each(said_so: str) -> None:
    chance = random.Random(said_so)
    rows = []
    for number in range(50):
        key = "".join(chance.choices("0123456789abcdef", k=40))
        text = f"{sentence(number)} {said_so}, DE89 3704 0044 0532 0130 00, WANDB_API_KEY={key}"
        rows.append(chat(sentence(-number - 1), text))

    held = [(line, code) for line, code, _ in said(rows)]

    assert held.count((50, "personal-data")) == 2  # the number and the account
    for line in range(1, 51):
        assert {code for at, code in held if at == line} >= {"personal-data", "secret"}
