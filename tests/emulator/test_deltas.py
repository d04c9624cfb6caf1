"""What a client gets of an answer, step by step: never its encoding, half a character, too much."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.tokens import Counter, open_counter
from ftctl.emulator.chat.chat_request import Terms
from ftctl.emulator.chat.completion import Head, whole_choice
from ftctl.emulator.chat.deltas import Delta, deltas
from ftctl.emulator.chat.model_handle import GeneratedPiece
from ftctl.emulator.chat.tool_choice import NO_CALLS, Choice
from ftctl.emulator.model.message_codec import encode_message

ANY_CALL = Choice(None)


@cache
def counter() -> Counter:
    return open_counter("o200k_base")


def pieces_of(
    text: str, cuts: list[int] | None = None, ended: Any = "stop"
) -> Iterator[GeneratedPiece]:
    """The text in pieces: byte by byte, or of so many bytes each."""
    raw = text.encode()
    start = 0
    sizes = iter(cuts or [])
    while start < len(raw):
        end = start + next(sizes, 1)
        # A piece carries the characters that it makes whole.
        before = raw[:start].decode("utf-8", "ignore")
        after = raw[:end].decode("utf-8", "ignore")
        yield GeneratedPiece(after[len(before) :], raw[start:end], -0.5)
        start = end
    yield GeneratedPiece("", ended=ended)


def deltas_of(
    text: str, terms: Terms, cuts: list[int] | None = None, ended: Any = "stop"
) -> list[Delta]:
    return list(deltas(pieces_of(text, cuts, ended), terms, counter()))


def choice(steps: list[Delta], terms: Terms) -> Any:
    head = Head("chatcmpl-1", "gpt-4o", 1, terms.choice.wire, terms.logprobs)
    return whole_choice(head, 0, steps)


def call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "x", "type": "function", "function": {"name": name, "arguments": arguments}}


def called(message: Any) -> list[tuple[str, str]]:
    """The names and arguments of a message's calls."""
    functions = [one["function"] for one in message.get("tool_calls", [])]
    return [(function["name"], function["arguments"]) for function in functions]


_CALLS = st.lists(
    st.builds(call, st.text(min_size=1, max_size=6), st.text(max_size=12)), max_size=3
)
_STOPS = st.lists(st.text(alphabet="ab€", min_size=1, max_size=4), min_size=1, max_size=4)
_CUTS = st.lists(st.integers(1, 9), max_size=30)


@settings(deadline=None)
@given(
    content=st.text(max_size=40), calls=_CALLS, refusal=st.none() | st.text(max_size=8), cuts=_CUTS
)
def test_a_message_arrives_as_it_was_learnt_however_it_is_cut(
    content: str, calls: list[Any], refusal: str | None, cuts: list[int]
) -> None:
    learnt = {"content": content, "tool_calls": calls, "refusal": refusal}
    terms = Terms(ANY_CALL)

    message = choice(deltas_of(encode_message(learnt), terms, cuts), terms)["message"]

    assert (message["content"] or "") == content
    assert called(message) == [
        (one["function"]["name"], one["function"]["arguments"]) for one in calls
    ]
    assert message["refusal"] == (refusal or None)


@settings(deadline=None)
@given(content=st.text(alphabet="ab€", max_size=30), stops=_STOPS, cuts=_CUTS)
def test_nothing_of_a_stop_sequence_or_behind_it_is_told(
    content: str, stops: list[str], cuts: list[int]
) -> None:
    terms = Terms(NO_CALLS, stop=tuple(stops))

    steps = deltas_of(content, terms, cuts)

    complete = [
        (content.find(stop) + len(stop), content.find(stop)) for stop in stops if stop in content
    ]
    expected = content[: min(complete)[1]] if complete else content
    assert "".join(delta.content for delta in steps) == expected
    assert steps[-1].finish == "stop"


@settings(deadline=None)
@given(text=st.text(max_size=60), most=st.integers(1, 20), cuts=_CUTS)
def test_an_answer_keeps_to_the_limit_of_tokens(text: str, most: int, cuts: list[int]) -> None:
    terms = Terms(NO_CALLS, most_tokens=most)
    text = "".join(letter for letter in text if letter >= " ")

    steps = deltas_of(text, terms, cuts)

    said = "".join(delta.content for delta in steps)
    whole = counter().text(text)
    assert text.startswith(said)
    assert counter().text(said) <= most
    assert steps[-1].finish == ("stop" if said == text and whole < most else "length")
    # The last token may have been the start of a character: at most three of them go with it.
    assert said == text or counter().text(said) >= most - 3


def test_a_limit_cuts_a_piece_between_its_tokens() -> None:
    terms = Terms(NO_CALLS, most_tokens=2, logprobs=True)
    piece = "unbelievably"
    tokens = counter().encode(piece)
    assert len(tokens) > 2

    steps = deltas_of(piece, terms, cuts=[len(piece)])

    shown = choice(steps, terms)
    assert shown["message"]["content"] == counter().decode(tokens[:2])
    assert shown["finish_reason"] == "length"
    assert [one["token"] for one in shown["logprobs"]["content"]] == [counter().decode(tokens[:2])]


def test_a_character_is_told_whole_and_its_bytes_as_the_hosted_service_writes_them() -> None:
    terms = Terms(NO_CALLS, logprobs=True)

    steps = deltas_of("né", terms)

    assert [delta.content for delta in steps] == ["n", "é", ""]
    assert [one["token"] for one in choice(steps, terms)["logprobs"]["content"]] == [
        "n",
        "bytes:\\xc3",
        "bytes:\\xa9",
    ]


def test_a_call_is_told_by_its_name_first_and_then_by_its_arguments() -> None:
    text = encode_message(
        {"content": None, "tool_calls": [call("look", '{"a": 1}'), call("go", "{}")]}
    )

    steps = deltas_of(text, Terms(ANY_CALL), cuts=[3] * 50)

    calls = [one for delta in steps for one in delta.calls]
    assert [(one.index, one.name) for one in calls if one.name] == [(0, "look"), (1, "go")]
    assert "".join(one.arguments for one in calls if one.index == 0) == '{"a": 1}'
    assert steps[-1].finish == "tool_calls"


@pytest.mark.parametrize(
    ("terms", "calls", "finish"),
    [
        (Choice(None), ["look", "go"], "tool_calls"),
        (Choice(None, most=1), ["look"], "tool_calls"),
        (Choice(frozenset({"go"}), forced=True), ["go"], "stop"),
        (Choice(frozenset({"rest"})), [], "stop"),
        (NO_CALLS, [], "stop"),
    ],
)
def test_only_calls_that_the_request_permits_are_told(
    terms: Choice, calls: list[str], finish: str
) -> None:
    text = encode_message({"content": None, "tool_calls": [call("look", "{}"), call("go", "{}")]})

    shown = choice(deltas_of(text, Terms(terms)), Terms(terms))

    assert [name for name, _ in called(shown["message"])] == calls
    assert shown["message"]["content"] == (None if calls else "")
    assert shown["finish_reason"] == finish


def test_a_call_that_breaks_off_within_its_name_is_not_told() -> None:
    whole = encode_message({"content": None, "tool_calls": [call("look", '{"a": 1}')]})

    terms = Terms(ANY_CALL)
    within_name = choice(deltas_of(whole[:3], terms, ended="length"), terms)
    within_arguments = choice(deltas_of(whole[:9], terms, ended="length"), terms)

    assert "tool_calls" not in within_name["message"]
    assert called(within_arguments["message"]) == [("look", whole[6:9])]
    assert within_name["finish_reason"] == within_arguments["finish_reason"] == "length"


def test_the_older_form_of_a_call_is_told_in_the_form_that_was_asked_for() -> None:
    text = encode_message({"content": None, "function_call": {"name": "look", "arguments": "{}"}})
    older, newer = Terms(Choice(None, 1, "functions")), Terms(ANY_CALL)

    as_function = choice(deltas_of(text, older), older)
    as_tool = choice(deltas_of(text, newer), newer)

    assert as_function["message"]["function_call"] == {"name": "look", "arguments": "{}"}
    assert as_function["finish_reason"] == "function_call"
    assert called(as_tool["message"]) == [("look", "{}")]


def test_log_probabilities_show_no_encoding() -> None:
    text = encode_message({"content": "Yes.", "tool_calls": [call("look", "{}")]})
    terms = Terms(ANY_CALL, logprobs=True)

    # The second piece ends the content and opens the call.
    shown = choice(deltas_of(text, terms, cuts=[3, 3, 50]), terms)

    assert [one["token"] for one in shown["logprobs"]["content"]] == ["Yes", "."]
    assert shown["message"]["content"] == "Yes."
