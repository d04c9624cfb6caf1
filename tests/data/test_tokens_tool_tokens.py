"""What a list of tools costs: between OpenAI's formula for requests and the list's JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ftctl.data.tokens import Counter, count_row, open_counter, prompt_tokens
from ftctl.data.tokens.tool_tokens import NO_TOOLS, ToolTokens, tool_tokens

# The tool and the chat of OpenAI's cookbook, How_to_count_tokens_with_tiktoken.
LOCATION = {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}
UNIT = {
    "type": "string",
    "description": "The unit of temperature to return",
    "enum": ["celsius", "fahrenheit"],
}
WEATHER = {
    "name": "get_current_weather",
    "description": "Get the current weather in a given location",
    "parameters": {
        "type": "object",
        "properties": {"location": LOCATION, "unit": UNIT},
        "required": ["location"],
    },
}
ASKED = [
    {
        "role": "system",
        "content": "You are a helpful assistant that can answer to questions about the weather.",
    },
    {"role": "user", "content": "What's the weather like in San Francisco?"},
]


def wrapped(*functions: Any) -> list[Any]:
    return [{"type": "function", "function": function} for function in functions]


def with_parameters(**properties: Any) -> list[Any]:
    return wrapped({"name": "f", "parameters": {"type": "object", "properties": properties}})


def formula(tools: Any, counter: Counter) -> int:
    return tool_tokens(tools, counter).likely


@pytest.mark.parametrize(("encoding", "reported"), [("o200k_base", 101), ("cl100k_base", 105)])
def test_a_request_with_a_tool_counts_what_the_api_reported(encoding: str, reported: int) -> None:
    assert prompt_tokens(ASKED, wrapped(WEATHER), open_counter(encoding)) == reported


def test_the_range_goes_from_the_formula_to_the_json() -> None:
    counter = open_counter("o200k_base")
    tools = wrapped(WEATHER)
    written = counter.text(json.dumps(tools, separators=(",", ":")))

    assert tool_tokens(tools, counter) == ToolTokens(68, 68, written)
    assert written == 86


def test_a_rows_range_has_that_of_its_tools() -> None:
    counter = open_counter("o200k_base")
    bare = count_row({"messages": ASKED}, "chat", counter)

    row = count_row({"messages": ASKED, "tools": wrapped(WEATHER)}, "chat", counter)

    assert (row.training - bare.training, row.low - bare.low, row.high - bare.high) == (68, 68, 86)


def test_the_older_form_costs_by_the_same_formula() -> None:
    counter = open_counter("o200k_base")

    assert formula([WEATHER], counter) == formula(wrapped(WEATHER), counter)


def test_a_property_inside_another_costs_as_one() -> None:
    counter = open_counter("o200k_base")
    flat = formula(with_parameters(at={"type": "object"}), counter)
    inner = {"type": "object", "properties": {"city": {"type": "string"}}}

    costs = {
        "in an object": with_parameters(at=inner),
        "in a list": with_parameters(at={"type": "object", "items": inner}),
        "in a choice": with_parameters(at={"type": "object", "anyOf": [inner, {"type": "null"}]}),
    }

    assert {formula(tools, counter) for tools in costs.values()} == {
        flat + 3 + 3 + counter.text("city:string:")
    }


def test_values_are_no_properties() -> None:
    counter = open_counter("o200k_base")
    value = {"properties": {"city": {"type": "string"}}}

    plain = formula(with_parameters(at={"type": "object"}), counter)

    for key in ("default", "const", "examples"):
        assert formula(with_parameters(at={"type": "object", key: value}), counter) == plain


@pytest.mark.parametrize(
    "tools",
    [[None], ["text"], [{"function": 3}], [{"function": {"name": 7, "parameters": "x"}}],
     with_parameters(a=None, b=[], c={"enum": "x"}, d={"enum": [1, None, {"a": []}]}),
     wrapped({"parameters": {"properties": [1]}}), [[[]]]],
)  # fmt: skip
def test_no_list_stops_the_count(tools: Any) -> None:
    likely, low, high = tool_tokens(tools, open_counter("o200k_base"))

    assert 0 < low <= likely <= high


def test_what_is_no_json_costs_nothing() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    assert tool_tokens(deep, open_counter("o200k_base")) == NO_TOOLS
    assert tool_tokens([{1, 2}], open_counter("o200k_base")) == NO_TOOLS
