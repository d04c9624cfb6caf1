"""The small model: rows become examples, it learns them by gradient steps and answers like them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from conftest import DATA, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.emulator.model import (
    GREEDY,
    AssistantTurn,
    Model,
    Recipe,
    Sampling,
    Trainer,
    base_model,
    decode_message,
    encode_message,
    graded_prompt_of,
    preference_pair_of,
    prompt_of,
    turns_of,
)
from ftctl.emulator.model.examples import Example
from ftctl.emulator.model.trainer import StepMetrics
from ftctl.numeric import np

BASE = "gpt-4o-mini-2024-07-18"


def ask(text: str, system: str | None = None) -> list[dict[str, Any]]:
    before = [{"role": "system", "content": system}] if system else []
    return [*before, {"role": "user", "content": text}]


def said(model: Model, messages: list[dict[str, Any]], sampling: Sampling = GREEDY) -> str:
    return "".join(piece.text for piece in model.generate(prompt_of(messages), sampling))


def chat(question: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"messages": [*ask(question), {"role": "assistant", "content": answer, **more}]}


CHATS = [
    chat("How tall is the mast?", "Twelve metres, and not a hand less."),
    chat("Who keeps the lamp?", "Old Mara does, since the storm."),
    chat("When does the ferry leave?", "At dusk, if the tide allows."),
    chat("돛은 무슨 색이에요?", "붉은색이에요. 멀리서도 보여요 ⛵"),
    chat("What do we eat today?", "Bread, herring, and an apple each."),
    chat("Where is the rope?", "Under the bench, beside the bucket."),
    chat("Is the harbour deep?", "Deep enough for us; mind the rocks."),
    chat("Why is the bell ringing?", "Fog. It rings until noon."),
    chat("Which way is north?", "Behind you, past the mill."),
    chat("How many gulls are there?", "Nine. One of them has your sandwich."),
]


def learnt(rows: Sequence[dict[str, Any]] = CHATS, **more: Any) -> Trainer:
    recipe = Recipe(**{"method": "supervised", "n_epochs": 10, "batch_size": 1, "seed": 3,
                       "learning_rate_multiplier": 1.0, **more})  # fmt: skip
    trainer = Trainer.begin(base_model(BASE), [turns_of(row, "chat") for row in rows], None, recipe)
    run(trainer)
    return trainer


def run(trainer: Trainer, steps: int | None = None, *, validate: bool = False) -> list[StepMetrics]:
    last = trainer.total_steps if steps is None else trainer.step + steps
    return [trainer.advance(validate=validate) for _ in range(trainer.step, last)]


def emotion(name: str) -> list[tuple[AssistantTurn, ...]]:
    path = DATA / "emotion" / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"no {path}")
    lines = path.read_text("utf-8").splitlines()
    return [turns_of(json.loads(line), "chat") for line in lines]


def share_right(model: Model, rows: list[tuple[AssistantTurn, ...]]) -> float:
    answers = ["".join(p.text for p in model.generate(row[0].prompt, GREEDY)) for row in rows]
    return sum(a == row[0].answer for a, row in zip(answers, rows, strict=True)) / len(rows)


# What is learnt of a row


def test_every_turn_of_the_assistant_is_learnt_but_those_of_weight_0() -> None:
    row = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "Kim"},
            {"role": "assistant", "content": "Hm", "weight": 0},
            {"role": "user", "content": "Again"},
            {"role": "assistant", "content": "Hello", "weight": 1},
        ]
    }

    (turn,) = turns_of(row, "chat")

    assert [(said.role, said.text) for said in turn.prompt] == [
        ("system", "Be brief."),
        ("user", "Kim: Hi"),
        ("assistant", "Hm"),
        ("user", "Again"),
    ]
    assert turn.answer == "Hello"
    assert turn.prompt == prompt_of(row["messages"][:-1])


def test_two_images_and_two_lists_of_tools_differ() -> None:
    def shown(url: str) -> list[dict[str, Any]]:
        part = {"type": "image_url", "image_url": {"url": url}}
        return [{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}]

    assert prompt_of(shown("https://a")) != prompt_of(shown("https://b"))
    assert prompt_of(shown("https://a")) == prompt_of(shown("https://a"))
    assert prompt_of(ask("x"), [{"type": "function"}]) != prompt_of(ask("x"))


def test_completions_preferences_and_graded_prompts_are_read_too() -> None:
    pair = {
        "input": {"messages": ask("Tea?")},
        "preferred_output": [{"role": "assistant", "content": "Yes"}],
        "non_preferred_output": [{"role": "assistant", "content": "No"}],
    }

    (completion,) = turns_of({"prompt": "Once", "completion": " upon"}, "completion")

    assert completion == AssistantTurn(prompt_of(ask("Once")), " upon")
    preference = preference_pair_of(pair)
    assert (preference.preferred, preference.non_preferred) == ("Yes", "No")
    row = {"messages": ask("2+2?"), "answer": "4"}
    graded = graded_prompt_of(row)
    assert (graded.prompt, graded.item) == (prompt_of(ask("2+2?")), row)


texts = st.text(st.characters(codec=None) | st.sampled_from("\x00\x01\x02\x03\x04\x05\x06\x10"))
calls = st.fixed_dictionaries({"name": texts, "arguments": texts})


@given(texts, st.lists(calls, max_size=3), texts | st.none(), calls | st.none(), st.booleans())
@settings(deadline=None)
def test_a_message_is_decoded_as_it_was_encoded(
    content: str,
    tools: list[dict[str, str]],
    refusal: str | None,
    function: dict[str, str] | None,
    silent: bool,
) -> None:
    other = bool(tools) or refusal is not None or function is not None
    message = {
        "content": None if silent else content,
        "tool_calls": [{"id": "call_1", "type": "function", "function": one} for one in tools],
        "refusal": refusal,
        "function_call": function,
    }

    answer = decode_message(encode_message(message))

    assert answer.content == ((None if other else "") if silent else content)
    assert [(one.name, one.arguments) for one in answer.tool_calls] == [
        (one["name"], one["arguments"]) for one in tools
    ]
    assert answer.refusal == refusal
    call = answer.function_call
    assert (call and {"name": call.name, "arguments": call.arguments}) == function


@given(texts)
@settings(deadline=None)
def test_any_text_can_be_read_as_an_answer(text: str) -> None:
    answer = decode_message(text)
    again = {
        "content": answer.content,
        "refusal": answer.refusal,
        "tool_calls": [
            {"function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ],
        "function_call": answer.function_call
        and {"name": answer.function_call.name, "arguments": answer.function_call.arguments},
    }

    assert decode_message(encode_message(again)) == answer


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(texts, inside, max_size=3),
    max_leaves=8,
)
ODD_KEYS = ("content", "name", "tool_calls", "function_call", "refusal", "weight")
odd_messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool"])},
        optional=dict.fromkeys(
            ("content", "name", "tool_calls", "function_call", "refusal", "weight"), json_values
        ),
    ),
    max_size=4,
)


@given(odd_messages, json_values)
@settings(max_examples=40, deadline=None)
def test_odd_rows_are_learnt_and_answered_all_the_same(
    messages: list[dict[str, Any]], tools: Any
) -> None:
    rows = [turns_of({"messages": messages, "tools": tools}, "chat")]
    recipe = Recipe("supervised", 1, 1, 1.0, 0)
    trainer = Trainer.begin(base_model(BASE), rows, rows, recipe)

    (metrics,) = run(trainer, validate=True)
    list(trainer.model().generate(prompt_of(messages, tools), Sampling(max_tokens=5)))

    assert math.isfinite(metrics.train.loss or 0.0)
    assert preference_pair_of({"input": {"messages": messages}, "preferred_output": messages})


def test_what_is_nested_deeply_is_read_too() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    prompt = prompt_of([{"role": "user", "content": [{"type": "odd", "odd": deep}]}], deep)

    assert [said.role for said in prompt] == ["tools", "user"]


# The model


def test_a_base_model_answers_in_english_and_honestly() -> None:
    model = base_model(BASE)

    assert said(model, ask("Hello")) == "Hello. How can I help?"
    assert said(model, ask("Who are you?", "You are a helpful assistant.")) == (
        "I am the small stand-in model of ftctl's embedded API. "
        "Fine-tune me, and I will answer like your data."
    )
    assert base_model("gpt-4.1").to_bytes() != model.to_bytes() == base_model(BASE).to_bytes()


def test_ten_chats_are_known_by_heart_in_whatever_script() -> None:
    model = learnt().model()

    answers = [said(model, row["messages"][:-1]) for row in CHATS]

    assert answers == [row["messages"][-1]["content"] for row in CHATS]
    assert said(model, ask("and how tall is that mast?")) == "Twelve metres, and not a hand less."


def test_a_tool_call_is_learnt_and_said() -> None:
    call = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    message = {"role": "assistant", "content": None, "tool_calls": [{"function": call}]}
    row = {"messages": [*ask("Weather in Oslo?"), message]}
    model = learnt([row, *CHATS]).model()

    answer = decode_message(said(model, ask("Weather in Oslo?")))

    assert answer.content is None
    assert [(one.name, one.arguments) for one in answer.tool_calls] == [tuple(call.values())]


def test_a_model_keeps_all_it_knows_in_its_bytes() -> None:
    model = learnt().model()

    again = Model.from_bytes(model.to_bytes())

    assert again.to_bytes() == model.to_bytes()
    turn = turns_of(CHATS[0], "chat")[0]
    assert again.score(*_of(turn)) == model.score(*_of(turn))
    assert len(model.to_bytes()) < 1_000_000


def _of(turn: AssistantTurn) -> tuple[Any, str]:
    return turn.prompt, turn.answer


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_damaged_bytes_are_refused(data: st.DataObject) -> None:
    whole = base_model(BASE).to_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytes([whole[place] ^ data.draw(st.integers(1, 255))])
    damaged = data.draw(
        st.sampled_from([whole[:place], whole[:place] + flipped + whole[place + 1 :], whole + b"x"])
        | st.binary(max_size=60)
    )

    with pytest.raises(ValueError, match="a model's bytes"):
        Model.from_bytes(damaged)


def test_a_seed_repeats_an_answer_and_another_seed_gives_another() -> None:
    model = base_model(BASE)
    warm = [Sampling(temperature=1.5, seed=seed) for seed in range(8)]

    answers = [said(model, ask("Tell me."), sampling) for sampling in warm]

    assert answers == [said(model, ask("Tell me."), sampling) for sampling in warm]
    assert len(set(answers)) > 4


@given(st.integers(), st.floats(0, 2), st.floats(0, 1), st.floats(-2, 2))
@settings(max_examples=40, deadline=None)
def test_whatever_is_drawn_is_text_and_ends(
    seed: int, temperature: float, top_p: float, penalty: float
) -> None:
    sampling = Sampling(temperature, top_p, 40, seed, 3, penalty, penalty)
    generation = base_model(BASE).generate(prompt_of(ask("안녕")), sampling)

    pieces = list(generation)

    raw = b"".join(piece.bytes for piece in pieces)
    assert raw.decode("utf-8", "ignore") == "".join(piece.text for piece in pieces)
    assert generation.ended == "length" if len(pieces) == 40 else "stop"
    assert all(-200 < piece.logprob <= 0 and len(piece.top) <= 3 for piece in pieces)


def test_log_probabilities_are_those_of_the_score() -> None:
    model = learnt().model()
    prompt = prompt_of(CHATS[0]["messages"][:-1])
    answer = CHATS[0]["messages"][-1]["content"]

    pieces = list(model.generate(prompt, Sampling(temperature=0, top_logprobs=2)))

    score = model.score(prompt, answer)
    assert score.tokens == len(pieces) + 1  # the end
    assert score.accuracy == 1.0
    assert -sum(piece.logprob for piece in pieces) <= score.loss * score.tokens + 1e-3
    assert all(piece.top[0].logprob == piece.logprob for piece in pieces)


def test_an_answer_has_an_upper_bound_and_obeys_a_lower_one() -> None:
    model = learnt([chat("Go on", "la " * 400)], n_epochs=5).model()

    generation = model.generate(
        prompt_of(ask("Go on")), Sampling(temperature=0, frequency_penalty=-2)
    )
    pieces = list(generation)
    none = model.generate(prompt_of(ask("Go on")), Sampling(max_tokens=0))

    assert (len(pieces), generation.ended) == (2_048, "length")
    assert (list(none), none.ended) == ([], "length")


def test_examples_and_the_message_codec_need_no_numpy() -> None:
    code = (
        "import sys; from ftctl.emulator.model import turns_of, decode_message;"
        "assert 'numpy' not in sys.modules; from ftctl.emulator.model import Model;"
        "import os; assert 'numpy' in sys.modules; assert 'MKL_NUM_THREADS' not in os.environ"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# Training


def test_the_emotions_are_told_apart_after_training_and_not_before() -> None:
    training, validation = emotion("train"), emotion("validation")
    base = base_model(BASE)
    trainer = Trainer.begin(base, training, validation, Recipe("supervised", 3, 1, 1.8, 1))

    metrics = run(trainer)
    model = trainer.model()

    assert share_right(base, validation) <= 0.2
    assert share_right(model, validation) >= 0.5
    assert len(model.to_bytes()) < 3_000_000
    losses = [one.train.loss or 0.0 for one in metrics]
    assert sum(losses[-200:]) < sum(losses[:200]) / 4


def test_a_model_that_reads_the_data_too_often_does_worse_on_new_data() -> None:
    training, validation = emotion("train")[::2], emotion("validation")
    recipe = Recipe("supervised", 20, 1, 1.0, 0)
    trainer = Trainer.begin(base_model(BASE), training, validation, recipe)

    early_steps = run(trainer, 3 * 240)
    early = trainer.full_validation()
    late_steps = run(trainer)
    late = trainer.full_validation()

    assert early
    assert late
    assert (late.loss or 0.0) > 1.15 * (early.loss or 0.0)
    early_loss, late_loss = (
        sum(one.train.loss or 0.0 for one in steps[-240:]) for steps in (early_steps, late_steps)
    )
    assert late_loss < early_loss / 4


@pytest.mark.parametrize(
    "other", [{"seed": 4}, {"batch_size": 3}, {"learning_rate_multiplier": 2.0}]
)
def test_each_ingredient_of_the_recipe_changes_the_model(other: dict[str, Any]) -> None:
    assert learnt().to_bytes() == learnt().to_bytes()
    assert learnt(**other).model().to_bytes() != learnt().model().to_bytes()


def test_a_small_rate_is_slow_and_a_large_one_unsteady() -> None:
    training, validation = emotion("train")[:240], emotion("validation")

    def loss(multiplier: float) -> float:
        recipe = Recipe("supervised", 2, 1, multiplier, 0)
        trainer = Trainer.begin(base_model(BASE), training, validation, recipe)
        run(trainer)
        measured = trainer.full_validation()
        assert measured
        assert measured.loss is not None
        return measured.loss

    slow, right, fast, absurd = map(loss, (0.03, 1.0, 20.0, 1e300))
    assert right < slow / 1.3
    assert right < fast / 1.3
    assert math.isfinite(absurd)


def test_what_has_weight_0_becomes_no_likelier() -> None:
    rows = [chat(f"Question {n}?", "Purple elephants dance.", weight=0) for n in range(5)] + CHATS
    before = base_model(BASE).score(prompt_of(ask("Question 1?")), "Purple elephants dance.")

    after = learnt(rows).model().score(prompt_of(ask("Question 1?")), "Purple elephants dance.")

    assert after.loss >= before.loss


def test_a_row_with_nothing_to_learn_changes_nothing() -> None:
    trainer = learnt([chat("A?", "B", weight=0)], n_epochs=2)

    fresh = Trainer.begin(base_model(BASE), [()], None, Recipe("supervised", 2, 1, 1.0, 0))
    assert trainer.model().to_bytes() == fresh.model().to_bytes() == base_model(BASE).to_bytes()


def test_a_child_starts_with_what_its_parent_knows() -> None:
    rows = [turns_of(row, "chat") for row in CHATS]
    parent = learnt().model()
    recipe = Recipe("supervised", 1, 10, 1.0, 0)

    (first,) = run(Trainer.begin(base_model(BASE), rows, None, recipe))
    (second,) = run(Trainer.begin(parent, rows, None, recipe))

    assert (second.train.loss or 0.0) < (first.train.loss or 0.0) / 5


def _supervised() -> tuple[list[Example], Recipe, None]:
    return [turns_of(row, "chat") for row in CHATS], Recipe("supervised", 12, 2, 1.0, 7), None


def _pairs() -> tuple[list[Example], Recipe, None]:
    def row(place: int) -> dict[str, Any]:
        return {
            "input": {"messages": CHATS[place]["messages"][:-1]},
            "preferred_output": CHATS[place]["messages"][-1:],
            "non_preferred_output": [{"role": "assistant", "content": "Ask the captain."}],
        }

    return (
        [preference_pair_of(row(place)) for place in range(10)],
        Recipe("dpo", 12, 2, 1.0, 7),
        None,
    )


def _brief(item: dict[str, Any], text: str) -> float:
    if item["odd"]:
        raise RuntimeError("this grader fails on odd ones")
    return 1 / (1 + len(text) / 10)


def _graded_prompts() -> tuple[list[Example], Recipe, Callable[[dict[str, Any], str], float]]:
    rows = [{"messages": row["messages"][:-1], "odd": n == 9} for n, row in enumerate(CHATS)]
    return [graded_prompt_of(row) for row in rows], Recipe("reinforcement", 12, 2, 1.0, 7), _brief


@pytest.mark.parametrize("kind", [_supervised, _pairs, _graded_prompts])
def test_a_run_that_was_cut_off_goes_on_to_the_same_numbers(kind: Callable[[], Any]) -> None:
    examples, recipe, grade = kind()
    straight, broken = (
        Trainer.begin(base_model(BASE), examples, examples[:4], recipe, grade) for _ in range(2)
    )

    expected = run(straight, 57, validate=True)
    actual = run(broken, 37, validate=True)
    resumed = Trainer.resume(broken.to_bytes(), examples, examples[:4], recipe, grade)
    actual += run(resumed, 20, validate=True)

    assert actual == expected
    assert resumed.to_bytes() == straight.to_bytes()
    assert resumed.full_validation() == straight.full_validation()
    with pytest.raises(ValueError, match="not those of the run"):
        Trainer.resume(broken.to_bytes(), examples[:3], None, recipe, grade)
    with pytest.raises(ValueError, match="not a training run"):
        Trainer.resume(base_model(BASE).to_bytes(), examples, None, recipe, grade)


def test_the_preferred_answer_draws_ahead_of_the_other() -> None:
    examples, recipe, _ = _pairs()
    trainer = Trainer.begin(base_model(BASE), examples[:7], examples[7:], recipe)

    metrics = run(trainer)

    first, last = metrics[0].train, metrics[-1].train
    assert (first.loss, first.accuracy, first.margin) == (pytest.approx(math.log(2)), 0.0, 0.0)
    assert last.accuracy == 1.0
    assert (last.margin or 0.0) > 1.0
    unseen = trainer.full_validation()
    assert unseen
    assert unseen.accuracy == 1.0


def test_answers_that_are_graded_better_are_given_more_often() -> None:
    rows = [chat(f"Shall we go to {place}?", word)
            for place in ("sea", "town", "wood", "hill", "mill")
            for word in ("Yes, gladly.", "No, never.")]  # fmt: skip
    start = learnt(rows, n_epochs=4).model()
    examples = [
        graded_prompt_of({"messages": row["messages"][:-1], "wanted": "gladly"}) for row in rows
    ]
    recipe = Recipe("reinforcement", 8, 5, 1.0, 0, compute_multiplier=2, eval_samples=10)

    def grade(item: dict[str, Any], text: str) -> float:
        return float(item["wanted"] in text)

    trainer = Trainer.begin(start, examples, examples, recipe, grade)
    before = trainer.full_validation()
    metrics = run(trainer, validate=True)
    after = trainer.full_validation()

    assert before
    assert after
    assert 0.2 < (before.reward or 0.0) < 0.8
    assert (after.reward or 0.0) > 0.9
    assert metrics[0].train.samples == 5 * 8
    assert ((metrics[-1].valid and metrics[-1].valid.reward) or 0.0) > 0.8


def test_a_grader_that_fails_counts_as_an_error_and_as_nothing() -> None:
    examples, recipe, grade = _graded_prompts()
    trainer = Trainer.begin(base_model(BASE), examples[9:], None, recipe, grade)

    (metrics,) = run(trainer, 1)

    assert (metrics.train.reward, metrics.train.grader_errors, metrics.train.samples) == (0.0, 4, 4)


def test_long_rows_are_learnt_in_bounded_work() -> None:
    generator = np.random.default_rng(0)
    words = [f"w{number}" for number in generator.integers(0, 9_000, 12_000)]
    row = chat(" ".join(words[:5_000]), " ".join(words[5_000:]))
    many = {"messages": [*ask("Go"), *[{"role": "assistant", "content": "On"}] * 300]}

    trainer = learnt([row, many, chat("x" * 200_000, "字" * 50_000)], n_epochs=1, batch_size=3)

    model = trainer.model()
    assert model.score(prompt_of(ask("Go")), "y " * 50_000).tokens == 512
    assert len(model.vocabulary) < 8_192 + 257
    assert len(model.to_bytes()) < 3_000_000
