"""Graders: what each kind scores, what it refuses, and how it says that it could not score."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import openai
import pytest
from conftest import DATA, rounds
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.lab import JOBS, Lab
from ftctl.emulator import EmulatorTransport, Settings
from ftctl.emulator.graders import (
    GraderError,
    GraderTools,
    PythonGradersOff,
    find_ask,
    grade,
    make_grade,
)
from ftctl.emulator.graders.expression import BadFormula, NoValue, evaluate, names_in, parse_formula
from ftctl.emulator.graders.grader_errors import Errors
from ftctl.emulator.graders.meteor import align
from ftctl.emulator.graders.porter_stemmer import stem
from ftctl.emulator.graders.python_grader import run_source
from ftctl.emulator.graders.scoring import sample_of
from ftctl.emulator.graders.templates import MAX_TEXT, BadTemplate, check_template, render
from ftctl.emulator.graders.text_similarity import METRICS, common_length, similarity
from ftctl.emulator.http.wire import ApiError, Json
from ftctl.emulator.model.message_codec import encode_message
from ftctl.emulator.storage.database import Session

SPEC = DATA / "openapi" / "openai-fine-tuning.json"
RUN = "/v1/fine_tuning/alpha/graders/run"
VALIDATE = "/v1/fine_tuning/alpha/graders/validate"

CHECK: Json = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
CLOSE: Json = {
    "type": "text_similarity",
    "name": "close",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "fuzzy_match",
}
JUDGE: Json = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1",
    "input": [{"role": "user", "content": "Score {{sample.output_text}} from 0 to 1."}],
}
LABELS: Json = {
    "type": "label_model",
    "name": "labels",
    "model": "gpt-4.1",
    "input": [{"role": "user", "content": "Label {{sample.output_text}}."}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
PURE = GraderTools()


def python(source: str) -> Json:
    return {"type": "python", "name": "mine", "source": source}


def multi(formula: str, **graders: Json) -> Json:
    return {"type": "multi", "name": "all", "graders": graders, "calculate_output": formula}


def answering(text: str) -> GraderTools:
    """With a model that always says this."""
    return GraderTools(ask=lambda _model, _messages, _sampling: text)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state", training=False, python_graders=True)
    with lab.emulator:
        yield lab


def run(lab: Lab, grader: Json, sample: str = "", **item: Any) -> Any:
    status, answer = lab.call("POST", RUN, {"grader": grader, "item": item, "model_sample": sample})
    assert status == 200, answer
    return answer


def flags(answer: Any) -> set[str]:
    """The errors that are set, without their details."""
    return {name for name, value in answer["metadata"]["errors"].items() if value is True}


# --- texts


@pytest.mark.parametrize(
    ("operation", "text", "reference", "score"),
    [
        ("eq", "Paris", "Paris", 1),
        ("eq", "paris", "Paris", 0),
        ("ne", "paris", "Paris", 1),
        ("ne", "Paris", "Paris", 0),
        ("like", "In Paris, of course", "Paris", 1),
        ("like", "In paris, of course", "Paris", 0),
        ("ilike", "IN PARIS, OF COURSE", "Paris", 1),
        ("ilike", "STRASSE", "straße", 1),
        ("ilike", "London", "Paris", 0),
    ],
)
def test_a_string_check_scores_all_or_nothing(
    operation: str, text: str, reference: str, score: int
) -> None:
    grader = {**CHECK, "operation": operation}

    assert grade(grader, {"answer": reference}, text, PURE) == score


SIX = "the cat sat on the mat"


@pytest.mark.parametrize(
    ("metric", "text", "reference", "score"),
    [
        ("fuzzy_match", "abcd", "abcd", 1),
        ("fuzzy_match", "", "", 1),
        ("fuzzy_match", "abc", "", 0),
        ("fuzzy_match", "kitten", "sitting", 8 / 13),  # 4 letters in common: i t t n
        ("rouge_1", "the cat", SIX, 4 / 8),  # 2 shared; 2 words and 6
        ("rouge_1", "The CAT!", "the cat", 1),
        ("rouge_1", "the the the", "the cat", 2 / 5),  # shared once only
        ("rouge_2", "the cat ran", SIX, 2 / 7),  # 1 shared; 2 pairs and 5
        ("rouge_3", "the cat sat", SIX, 2 / 5),
        ("rouge_5", "the cat sat", SIX, 0),
        ("rouge_l", "cat the mat", SIX, 6 / 9),
        ("rouge_l", "mat cat", SIX, 2 / 8),
        ("rouge_1", "서울 은 수도", "서울 은 도시", 2 / 3),
        ("gleu", "the cat", SIX, 3 / 18),  # 2 words and 1 pair of 6 + 5 + 4 + 3
        ("gleu", SIX, SIX, 1),
        # Words 2/3, pairs (1+1)/(2+1), then (0+1)/(1+1) and (0+1)/(0+1); no brevity penalty.
        ("bleu", "the cat ran", "the cat", (2 / 3 * 2 / 3 * 1 / 2 * 1) ** 0.25),
        # All that is there is right, but it is too short by a factor of e^(1 - 6/2).
        ("bleu", "the cat", SIX, math.exp(-2)),
        ("bleu", SIX, SIX, 1),
        ("bleu", "dogs", SIX, 0),
        ("bleu", "", SIX, 0),
        # One chunk of 6 matches: 1 - (1/6)^3 / 2.
        ("meteor", SIX, SIX, 1 - 0.5 / 216),
        # Banerjee and Lavie's own example of chunks: "on the mat" and "sat the cat" swapped.
        ("meteor", "on the mat sat the cat", SIX, 1 - 0.5 * (3 / 6) ** 3),
        # P = 1, R = 1/2: 10 * 0.5 / (0.5 + 9) in one chunk of 3.
        ("meteor", "the cat sat", SIX, 5 / 9.5 * (1 - 0.5 / 27)),
        # The stems agree.
        ("meteor", "cats sitting", "cat sits", 1 - 0.5 / 8),
        ("meteor", "dogs", "cats", 0),
    ],
)
def test_a_metric_gives_what_its_definition_gives(
    metric: str, text: str, reference: str, score: float
) -> None:
    assert similarity(metric, text, reference) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@given(st.text(max_size=40), st.text(max_size=40))
@example("", "")
@example("a b c d e f", "a b c d e f")
@settings(max_examples=40, deadline=None)
def test_every_metric_stays_between_0_and_1(metric: str, text: str, reference: str) -> None:
    assert 0 <= similarity(metric, text, reference) <= 1 + 1e-12


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_the_longest_common_subsequence_is_that_of_the_table(left: str, right: str) -> None:
    row = [0] * (len(right) + 1)
    for one in left:
        before = row[:]
        for at, other in enumerate(right):
            row[at + 1] = before[at] + 1 if one == other else max(row[at], before[at + 1])

    assert common_length(left, right) == row[-1]


def test_long_texts_take_no_quadratic_time() -> None:
    text, reference = "ab c" * (MAX_TEXT // 4), "b ac" * (MAX_TEXT // 4)
    began = time.perf_counter()

    scores = [similarity(metric, text, reference) for metric in METRICS]

    assert len(scores) == len(METRICS)
    assert time.perf_counter() - began < 20


def test_words_are_aligned_once_each_and_in_runs() -> None:
    assert align(["a", "b", "a"], ["a", "x", "a", "b"]) == {0: 0, 1: 3, 2: 2}
    assert align(["b", "c"], ["c", "b", "c"]) == {0: 1, 1: 2}
    assert align(["runs"], ["running", "runs"]) == {0: 1}


PORTER = """
caresses caress ponies poni cats cat agreed agre plastered plaster bled bled sing sing
conflated conflat troubled troubl sized size hopping hop falling fall hissing hiss filing file
happy happi sky sky relational relat rational ration vietnamization vietnam operator oper
hopefulness hope sensibiliti sensibl electrical electr goodness good replacement replac
adoption adopt communism commun rate rate controll control roll roll
generalizations gener oscillators oscil
"""


def pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize(("word", "root"), pairs(PORTER.split()))
def test_stems_are_those_of_the_published_examples(word: str, root: str) -> None:
    assert stem(word) == root


# --- templates

SPACES = {
    "item": {"x": {"y": [10, {"z": "deep"}]}, "a-b": 1, "none": None, "text": "{{item.x}}"},
    "sample": sample_of('{"name": "Ann", "age": 7}'),
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain { } text }}", "plain { } text }}"),
        ("open {{item.x", "open {{item.x"),
        ("{{item.x.y[0]}} and {{ item.x.y[1].z }}", "10 and deep"),
        ("{{item['x'].y[1]}}", '{"z": "deep"}'),
        ('{{item["a-b"]}}{{item.a-b}}', "11"),
        ("{{item.none}}", "null"),
        ("{{item.text}}", "{{item.x}}"),  # what was put in is not filled again
        ("{{sample.output_json.name}} is {{sample.output_json.age}}", "Ann is 7"),
        ("{{sample.output_text}}", '{"name": "Ann", "age": 7}'),
        ("{{sample.output_tools}}", "[]"),
        ("{{sample.choices[0].message.role}}", "assistant"),
    ],
)
def test_a_template_is_filled(template: str, text: str) -> None:
    check_template(template)

    assert render(template, SPACES) == text


@pytest.mark.parametrize(
    "template",
    ["{{}}", "{{item}}", "{{sample}}", "{{x.y}}", "{{item.}}", "{{item.x[}}", "{{item.x[-1]}}",
     "{{item.x | upper}}", "{{sample.output}}", "{{{item.x}}}", "{{item.x()}}",
     "{{item" + ".x" * 600 + "}}"],
)  # fmt: skip
def test_a_place_that_nothing_could_fill_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        check_template(template)


@pytest.mark.parametrize(
    ("template", "flag"),
    [
        ("{{item.missing}}", "invalid_variable_error"),
        ("{{item.x.y[2]}}", "invalid_variable_error"),
        ("{{item.x[0]}}", "invalid_variable_error"),
        ("{{item.none.more}}", "invalid_variable_error"),
        ("{{sample.output_tools[0].function.name}}", "invalid_variable_error"),
        ("{{sample.output_json.missing}}", "invalid_variable_error"),
        ("{{sample.output_audio.data}}", "invalid_variable_error"),
    ],
)
def test_what_is_missing_is_told(template: str, flag: str) -> None:
    with pytest.raises(GraderError) as caught:
        render(template, SPACES)

    assert caught.value.flag == flag


def test_a_sample_that_is_no_json_has_no_output_json() -> None:
    for text in ("plain", "NaN", "[" * 100_000):
        with pytest.raises(GraderError) as caught:
            render("{{sample.output_json}}", {"item": {}, "sample": sample_of(text)})

        assert caught.value.flag == "sample_parse_error"


def test_a_text_that_grows_without_bound_is_cut_short() -> None:
    spaces = {"item": {"x": "y" * 1_000}, "sample": {}}

    with pytest.raises(GraderError) as caught:
        render("{{item.x}}" * 1_000_000, spaces)

    assert caught.value.flag == "truncated_observation_error"


def test_the_calls_of_tools_in_a_sample_can_be_graded() -> None:
    call = {"type": "function", "function": {"name": "look_up", "arguments": '{"city":"Rom"}'}}
    text = encode_message({"role": "assistant", "content": None, "tool_calls": [call]})
    grader = {
        **CHECK,
        "input": "{{sample.output_tools[0].function.name}} "
        "{{sample.choices[0].message.tool_calls[0].function.arguments}}",
        "reference": 'look_up {"city":"{{item.city}}"}',
    }

    assert grade(grader, {"city": "Rom"}, text, PURE) == 1


@given(st.text("{}item.sample[]0'\"xy ", max_size=40))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        check_template(text)
    except BadTemplate:
        return
    with suppress(GraderError):  # something is missing: any other exception is a bug
        assert isinstance(render(text, SPACES), str)


# --- formulas


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("16 / 4 / 2", 2),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("--3 + +2", 5),
        ("2 * -3", -6),
        (".5 + 1. + 1e1", 11.5),
        ("min(3, a, 5) + max(1, b)", 1.25),
        ("min(2) + abs(-3)", 5),
        ("floor(2.7) + ceil(2.1)", 5),
        ("sqrt(16) + log(exp(2))", 6),
        ("0.5 * a + 0.5 * b", 0.625),
        ("min", 9),  # a grader may be named like a function
        ("größe", 4),
        ("+".join(["1"] * 1_500), 1_500),
        ("(" * 35 + "a" + ")" * 35, 0.25),
    ],
)
def test_a_formula_is_worked_out(text: str, value: float) -> None:
    scores = {"a": 0.25, "b": 1.0, "min": 9.0, "größe": 4.0}

    assert evaluate(parse_formula(text), scores) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 +", "* 2", "(1", "1)", "1 2", "a b", "f(1)", "min()", "min(1,)", "sqrt(1, 2)",
     "a ** b", "a == b", "a.b", "__import__('os')", "a[0]", "lambda: 1", "1;2", "a%b", "(" * 5_000,
     "-" * 3_999 + "1", "2^" * 1_999 + "2", "1" * 4_001, "abs(" * 900 + "1" + ")" * 900],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(BadFormula):
        parse_formula(text)


@pytest.mark.parametrize(
    "text",
    ["1 / 0", "a / (a - a)", "0 ^ -1", "sqrt(-1)", "log(0)", "(-8) ^ (1/3)", "exp(1000)",
     "10 ^ 400", "1e999", "1e308 * 10 - 1e308 * 10", "floor(1e999)", "9" * 3_000],
)  # fmt: skip
def test_a_formula_without_a_finite_value_says_so(text: str) -> None:
    formula = parse_formula(text)

    with pytest.raises(NoValue):
        evaluate(formula, {"a": 1.0})


@given(st.text("0123456789.eE+-*/^(), abminsqrtlog_", max_size=60))
@settings(max_examples=rounds(400))
def test_any_text_is_a_formula_with_a_number_or_refused(text: str) -> None:
    try:
        formula = parse_formula(text)
        value = evaluate(formula, dict.fromkeys(names_in(formula), 0.5))
    except (BadFormula, NoValue):
        return

    assert math.isfinite(value)


# --- several graders in one


def test_a_multi_grader_weighs_its_parts(lab: Lab) -> None:
    grader = multi("(same + close) / 2", same=CHECK, close=CLOSE)

    answer = run(lab, grader, "kitten", answer="sitting")

    assert answer["sub_rewards"] == {"same": 0.0, "close": pytest.approx(8 / 13)}
    assert answer["reward"] == pytest.approx(4 / 13)
    assert answer["metadata"]["scores"] == answer["sub_rewards"]
    assert flags(answer) == set()


def test_a_single_part_goes_by_its_own_name(lab: Lab) -> None:
    grader = {"type": "multi", "name": "m", "graders": CHECK, "calculate_output": "1 - same"}

    assert run(lab, grader, "x", answer="y")["reward"] == 1


def test_a_part_that_cannot_score_counts_as_0_and_is_told(lab: Lab) -> None:
    missing = {**CHECK, "input": "{{item.missing}}"}

    answer = run(lab, multi("a + b", a=CHECK, b=missing), "x", answer="x")

    assert answer["sub_rewards"] == {"a": 1.0, "b": 0.0}
    assert (answer["reward"], flags(answer)) == (1.0, {"invalid_variable_error"})


def test_a_formula_without_a_value_is_an_error_and_no_reward(lab: Lab) -> None:
    answer = run(lab, multi("1 / same", same=CHECK), "x", answer="y")

    assert (answer["reward"], flags(answer)) == (0.0, {"other_error"})


# --- models


@pytest.mark.parametrize(
    ("said", "reward"),
    [
        ("0.7", 0.7),
        (" 1 \n", 1),
        ('{"result": 0.25, "steps": []}', 0.25),
        ("7", 1),  # cut to the range
        ("-3", 0),
    ],
)
def test_a_models_number_is_the_score(said: str, reward: float) -> None:
    assert grade(JUDGE, {}, "x", answering(said)) == reward


def test_a_training_reward_stays_between_0_and_1() -> None:
    grader = {**JUDGE, "range": [-10, 10]}

    assert grade(grader, {}, "x", answering("7")) == 1
    assert grade(grader, {}, "x", answering("-7")) == 0
    assert grade(multi("5 * a", a=grader), {}, "x", answering("0.1")) == 0.5


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ("I would say 0.7", "model_grader_parse_error"),
        ("", "model_grader_parse_error"),
        ("true", "model_grader_parse_error"),
        ('{"result": "high"}', "model_grader_parse_error"),
        ('{"result": 1e999}', "model_grader_parse_error"),
        ("1e999", "model_grader_parse_error"),
        (encode_message({"role": "assistant", "refusal": "No."}), "model_grader_refusal_error"),
    ],
)
def test_words_that_are_no_score_are_an_error(said: str, flag: str) -> None:
    with pytest.raises(GraderError) as caught:
        grade(JUDGE, {}, "x", answering(said))

    assert caught.value.flag == flag


@pytest.mark.parametrize(
    ("said", "reward"),
    [("good", 1), ("Bad", 0), ('{"label": "good"}', 1), ('{"result": "bad"}', 0)],
)
def test_a_models_label_passes_or_not(said: str, reward: float) -> None:
    assert grade(multi("labels", labels=LABELS), {}, "x", answering(said)) == reward


def test_a_model_is_asked_with_filled_messages_and_a_seed() -> None:
    asked: list[Any] = []

    def ask(model: str, messages: list[Json], sampling: Json) -> str:
        asked.append((model, messages, sampling))
        return "1"

    parts = [
        {"type": "input_text", "text": "A {{item.x}}"},
        "B",
        {"type": "input_image", "image_url": "https://e.org/{{item.x}}.png"},
    ]
    grader = {
        **JUDGE,
        "input": [{"role": "system", "content": "S"}, {"role": "user", "content": parts}],
        "sampling_params": {"temperature": 0, "max_completions_tokens": 9, "top_p": None},
    }

    grade(grader, {"x": 3}, "", GraderTools(ask=ask))

    image = {"type": "image_url", "image_url": {"url": "https://e.org/3.png"}}
    content = [{"type": "text", "text": "A 3"}, {"type": "text", "text": "B"}, image]
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": content}]
    assert asked == [
        ("gpt-4.1", messages, {"seed": 0, "temperature": 0, "max_completion_tokens": 9})
    ]


def test_a_model_that_is_not_there_is_the_services_fault_and_no_crash(lab: Lab) -> None:
    for model in ("gpt-9", "ft:gpt-4.1:x::y", "babbage-002"):
        answer = run(lab, {**JUDGE, "model": model}, "x")

        assert (answer["reward"], flags(answer)) == (0.0, {"model_grader_server_error"})
        assert model in answer["metadata"]["errors"]["model_grader_server_error_details"]


def test_the_emulators_own_model_is_asked_and_its_tokens_are_counted(lab: Lab) -> None:
    answer = run(lab, {**JUDGE, "sampling_params": {"temperature": 0}}, "x")

    used = answer["model_grader_token_usage_per_model"]
    counts = used["gpt-4.1-2025-04-14"]
    assert set(used) == {"gpt-4.1-2025-04-14"}
    assert counts["total_tokens"] == counts["prompt_tokens"] + counts["completion_tokens"]
    assert min(counts["prompt_tokens"], counts["completion_tokens"]) > 0
    assert answer["metadata"]["token_usage"] == counts["total_tokens"]
    assert answer["metadata"]["sampled_model_name"] == "gpt-4.1-2025-04-14"
    assert flags(answer) == {"model_grader_parse_error"}  # it is no judge: it chats


def test_the_same_sample_gets_the_same_words_of_a_model(lab: Lab) -> None:
    with lab.emulator._store.transaction("DEFERRED") as connection:
        ask = find_ask(Session(connection, lab.now), JUDGE)
    messages = [{"role": "user", "content": "Hello"}]

    first, second = (ask("gpt-4.1", messages, {"seed": 0}) for _ in range(2))

    assert first == second
    with pytest.raises(ApiError):
        ask("gpt-4o", messages, {})  # not one of the grader's


# --- Python


@pytest.mark.parametrize(
    ("source", "reward"),
    [
        ("def grade(sample, item): return len(sample['output_text']) / item['most']", 0.5),
        ("import math\ngrade = lambda sample, item: math.sqrt(0.25)", 0.5),
        ("def grade(sample, item): return sample['output_json']", None),
        ("def grade(sample, item):\n print('x' * 10**6)\n return True", 1.0),
        ("import numpy\ndef grade(sample, item): return numpy.float32(0.25)", 0.25),
    ],
)
def test_python_source_scores(lab: Lab, source: str, reward: float | None) -> None:
    answer = run(lab, python(source), "hello", most=10)

    assert answer["reward"] == (reward or 0.0)
    assert flags(answer) == (set() if reward else {"python_grader_runtime_error"})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def grade(s, i): return 1 / 0", "ZeroDivisionError: division by zero"),
        ("def grade(s, i): return 'high'", "grade returned str, which is no number."),
        ("def grade(s, i): return float('nan')", "grade returned nan, which is not finite."),
        ("def grade(s, i): return None", "not 'NoneType'"),
        ("def grade(s): return 1", "TypeError"),
        ("def score(s, i): return 1", "There is no function 'grade' in the source."),
        ("def grade(s, i) return 1", "SyntaxError"),
        ("def grade(s, i): raise SystemExit(0)", "SystemExit: 0"),
        ("def grade(s, i): return bytearray(3 << 30)", "MemoryError"),
        ("def grade(s, i): open('f', 'wb').write(b'x' * (65 << 20))", "File too large"),
        ("def grade(s, i): return 10 ** 400", "OverflowError"),
    ],
)
def test_source_that_fails_is_told_with_its_own_traceback(source: str, words: str) -> None:
    with pytest.raises(GraderError) as caught:
        run_source(source, sample_of("x"), {}, 60)

    assert caught.value.flag == "python_grader_runtime_error"
    assert words in caught.value.details
    assert "sandbox" not in caught.value.details


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def grade(s, i):\n while True: pass", "timeout"),
        ("import time\ndef grade(s, i): time.sleep(60)", "timeout"),
        ("import os\ndef grade(s, i): os._exit(3)", "crash"),
        ("import ctypes\ndef grade(s, i): ctypes.string_at(0)", "crash"),
        ("import os\ndef grade(s, i): os._exit(0)", "no_answer"),
    ],
)
def test_a_process_that_gives_no_answer_is_ended_and_told(source: str, kind: str) -> None:
    began = time.monotonic()

    with pytest.raises(GraderError) as caught:
        run_source(source, sample_of("x"), {}, seconds=0.7)

    assert (caught.value.flag, caught.value.details) == ("python_grader_server_error", kind)
    assert time.monotonic() - began < 10


def test_source_finds_no_environment_and_an_empty_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    (tmp_path / "grade_help.py").write_text("x = 1")
    monkeypatch.chdir(tmp_path)
    source = (
        "import os, sys\n"
        "def grade(s, i):\n"
        "    bad = 'OPENAI_API_KEY' in os.environ or 'HOME' in os.environ\n"
        "    return float(bad or bool(os.listdir('.')) or '' in sys.path)"
    )

    assert run_source(source, sample_of(""), {}, 60) == 0


def test_source_cannot_lift_its_limits() -> None:
    source = (
        "import resource\n"
        "def grade(s, i):\n"
        "    kinds = resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU\n"
        "    most = [resource.getrlimit(kind)[1] for kind in kinds]\n"
        "    return float(resource.RLIM_INFINITY in most)"
    )

    assert run_source(source, sample_of(""), {}, 60) == 0


def test_python_is_off_until_it_is_allowed(tmp_path: Path) -> None:
    grader = python("def grade(s, i): return 1.0")
    with (lab := Lab(tmp_path, training=False)).emulator:
        for body in (grader, multi("a", a=grader)):
            error = lab.refused("POST", RUN, {"grader": body, "model_sample": ""})

            assert (error["status"], error["code"]) == (400, "python_graders_off")
            assert "ftctl emulator --python-graders" in error["message"]
    with pytest.raises(PythonGradersOff):
        make_grade(grader, Settings())
    assert make_grade(grader, Settings(python_graders=True))({}, "") == 1.0


# --- the endpoints


def test_an_answer_says_all_that_the_specification_wants(lab: Lab) -> None:
    answer = run(lab, CHECK, "x", answer="x")

    seconds = answer["metadata"].pop("execution_time")
    assert 0 <= seconds < 10
    assert answer == {
        "reward": 1.0,
        "metadata": {
            "name": "same",
            "type": "string_check",
            "errors": Errors().shown(),
            "scores": {},
            "token_usage": None,
            "sampled_model_name": None,
        },
        "sub_rewards": {},
        "model_grader_token_usage_per_model": {},
    }


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"grader": None}, "grader"),
        ({"grader": {"type": "endpoint"}}, "grader"),
        ({"grader": LABELS}, "grader"),  # inside a multi-grader only
        ({"grader": {**CHECK, "operation": "neq"}}, "grader.operation"),
        ({"grader": {**CHECK, "input": "{{x}}"}}, "grader.input"),
        ({"grader": {**CLOSE, "reference": "{{item}}"}}, "grader.reference"),
        ({"grader": {**CLOSE, "evaluation_metric": "cosine"}}, "grader.evaluation_metric"),
        ({"grader": {**JUDGE, "input": ["hi"]}}, "grader.input[0].role"),
        ({"grader": {**JUDGE, "input": [{"role": "user"}]}}, "grader.input[0].content"),
        ({"grader": {**JUDGE, "range": [1]}}, "grader.range"),
        ({"grader": {**JUDGE, "range": [1, 0]}}, "grader.range"),
        ({"grader": {**JUDGE, "range": [0, 10**400]}}, "grader.range"),
        ({"grader": {**JUDGE, "sampling_params": []}}, "grader.sampling_params"),
        (
            {"grader": {**JUDGE, "sampling_params": {"top_p": 2}}},
            "grader.sampling_params.top_p",
        ),
        ({"grader": multi("a", a={**LABELS, "labels": []})}, "grader.graders.a.labels"),
        (
            {"grader": multi("a", a={**LABELS, "passing_labels": ["fine"]})},
            "grader.graders.a.passing_labels",
        ),
        ({"grader": multi("a", a=multi("b", b=CHECK))}, "grader.graders.a"),
        ({"grader": multi("a +", a=CHECK)}, "grader.calculate_output"),
        ({"grader": multi("b", a=CHECK)}, "grader.calculate_output"),
        ({"grader": multi("1", **dict.fromkeys(map(str, range(51)), CHECK))}, "grader.graders"),
        ({"item": []}, "item"),
        ({"model_sample": None}, "model_sample"),
        ({"model_sample": {}}, "model_sample"),
    ],
)
def test_a_request_that_breaks_a_rule_is_a_400_that_names_the_field(
    lab: Lab, change: Json, param: str
) -> None:
    error = lab.refused("POST", RUN, {"grader": CHECK, "model_sample": "", **change})

    assert (error["status"], error["param"]) == (400, param)


def test_what_is_nested_too_deeply_is_refused(lab: Lab) -> None:
    deep = b'{"a":' * 150 + b"1" + b"}" * 150
    check = json.dumps(CHECK).encode()
    bodies = [
        b'{"model_sample":"","grader":' + check + b',"item":' + deep + b"}",
        b'{"model_sample":"","grader":' + check[:-1] + b',"more":' + deep + b"}}",
    ]

    for body in bodies:
        for target in (RUN, VALIDATE):
            response = lab.send("POST", target, body)
            assert response.status in ({400} if b'"more"' in body or target == RUN else {200})


@pytest.mark.parametrize("grader", [CHECK, CLOSE, JUDGE, python("def grade(s, i): return 1.0"),
                                    multi("a + b", a=CHECK, b=LABELS)])  # fmt: skip
def test_a_grader_that_can_score_is_valid(lab: Lab, grader: Json) -> None:
    assert lab.call("POST", VALIDATE, {"grader": grader}) == (200, {"grader": grader})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def grade(s, i) return 1", "SyntaxError: expected ':'"),
        ("def score(s, i): return 1", "There is no function 'grade' in the source."),
        ("(" * 100_000, "too many nested parentheses"),
        ("grade = 1\0", "null bytes"),
    ],
)
def test_source_that_cannot_be_used_is_not_valid(lab: Lab, source: str, words: str) -> None:
    for grader, at in ((python(source), ""), (multi("a", a=python(source)), ".graders.a")):
        error = lab.refused("POST", VALIDATE, {"grader": grader})

        assert (error["status"], error["param"]) == (400, f"grader{at}.source")
        assert words in error["message"]


def test_validating_runs_nothing(lab: Lab, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    source = f"open({str(mark)!r}, 'w')\ndef grade(s, i): return 1.0"

    lab.call("POST", VALIDATE, {"grader": python(source)})
    validated = mark.exists()
    run(lab, python(source))

    assert (validated, mark.exists()) == (False, True)


def test_a_job_refuses_what_a_run_refuses(lab: Lab) -> None:
    for grader in ({**CHECK, "input": "{{x}}"}, multi("b", a=CHECK)):
        method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
        file = lab.upload()
        body = {
            "model": "o4-mini", "training_file": file, "validation_file": file, "method": method
        }  # fmt: skip

        error = lab.refused("POST", JOBS, body)

        assert error["param"].startswith("method.reinforcement.grader.")


def test_the_public_client_runs_and_validates(lab: Lab) -> None:
    transport = EmulatorTransport(lab.emulator)
    client = openai.OpenAI(api_key="any", http_client=httpx2.Client(transport=transport))
    graders = client.fine_tuning.alpha.graders
    grader: Any = CLOSE

    ran = graders.run(grader=grader, item={"answer": "sitting"}, model_sample="kitten")
    validated = graders.validate(grader=grader)

    assert ran.reward == pytest.approx(8 / 13)
    assert (ran.metadata.name, ran.metadata.errors.other_error) == ("close", False)
    assert validated.grader is not None
    assert validated.grader.type == "text_similarity"


def _check_schema(path: str, answer: Any) -> None:
    spec = json.loads(SPEC.read_text())
    answered = spec["paths"][path]["post"]["responses"]["200"]
    schema = answered["content"]["application/json"]["schema"]
    whole = {**schema, "components": spec["components"]}
    jsonschema.Draft202012Validator(whole).validate(answer)


@pytest.mark.skipif(not SPEC.exists(), reason=f"the public specification is not at {SPEC}")
def test_every_answer_fits_the_specification(lab: Lab) -> None:
    graders = [
        CHECK,
        CLOSE,
        {**CHECK, "input": "{{item.missing}}"},
        JUDGE,
        {**JUDGE, "model": "none"},
        python("def grade(s, i): return 0.5"),
        python("def grade(s, i): return 1 / 0"),
        multi("a + b", a=CHECK, b=JUDGE),
    ]

    for grader in graders:
        _check_schema("/fine_tuning/alpha/graders/run", run(lab, grader, "x", answer="x"))
    for grader in graders[:-1]:  # its map of graders is in the guide, not in the specification
        status, answer = lab.call("POST", VALIDATE, {"grader": grader})
        assert status == 200
        _check_schema("/fine_tuning/alpha/graders/validate", answer)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_NAMES = "input reference range sampling_params name graders model calculate_output type more"
_GRADERS = st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from([CHECK, CLOSE, {**JUDGE, "model": "none"}, multi("a", a=CHECK)]),
    st.dictionaries(st.sampled_from(_NAMES.split()), _ANYTHING, max_size=3),
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("graders"), training=False)
    with lab.emulator:
        yield lab


@settings(max_examples=rounds(250), deadline=None)
@given(_ANYTHING | _GRADERS, _ANYTHING, _ANYTHING | st.text())
@example({**CHECK, "model": []}, {}, "")
def test_no_body_is_answered_with_a_fault_of_ours(
    fuzzed: Lab, grader: Any, item: Any, sample: Any
) -> None:
    content = json.dumps({"grader": grader, "item": item, "model_sample": sample}).encode()

    for target in (RUN, VALIDATE):
        response = fuzzed.send("POST", target, content)

        assert response.status < 500
        assert "error" in json.loads(response.body) or response.status == 200
