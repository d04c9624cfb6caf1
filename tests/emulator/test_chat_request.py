"""What a chat request may ask for, and the words in which it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from conftest import DATA
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.lab import Lab
from ftctl.emulator.chat.chat_request import FIELDS, read_chat_request
from ftctl.emulator.http.wire import ApiError

SPEC = DATA / "openapi" / "openai-fine-tuning.json"
CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Hello, json"}]
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWERED = {"role": "tool", "tool_call_id": "c1", "content": "grey"}


def refusal(**changes: Any) -> ApiError:
    """Why a request that is right but for these fields is refused."""
    with pytest.raises(ApiError) as caught:
        read_chat_request({"model": "gpt-4o", "messages": HELLO, **changes})
    return caught.value


def said(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


def user(content: Any) -> dict[str, Any]:
    return said({"role": "user", "content": content})


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"model": 4}, "model", "invalid_type"),
        ({"tools": None}, "tools", "invalid_type"),
        (said({"role": "assistant", "tool_calls": None}), "messages[0].tool_calls", "invalid_type"),
        (
            said({"role": "function", "name": "f"}),
            "messages[0].content",
            "missing_required_parameter",
        ),
        ({"logit_bias": {"1": 0.5}}, "logit_bias.1", "invalid_type"),
        ({"model": ""}, "model", None),
        ({"messages": None}, "messages", "invalid_type"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": [1]}, "messages[0]", "invalid_type"),
        ({"messages": [{}]}, "messages[0].role", "missing_required_parameter"),
        (said({"role": "bot", "content": ""}), "messages[0].role", "invalid_value"),
        (said({"role": "user"}), "messages[0].content", "missing_required_parameter"),
        (user(None), "messages[0].content", "invalid_type"),
        (user([]), "messages[0].content", "empty_array"),
        (user([{"type": "text"}]), "messages[0].content[0].text", "missing_required_parameter"),
        (user([{"type": "smell"}]), "messages[0].content[0].type", "invalid_value"),
        (user([{"type": "input_audio"}]), "messages[0].content[0].type", None),
        (
            user([{"type": "image_url", "image_url": {"url": "c:/cat.png"}}]),
            "messages[0].content[0].image_url.url",
            "invalid_value",
        ),
        (
            user([{"type": "file", "file": {}}]),
            "messages[0].content[0].file",
            "missing_required_parameter",
        ),
        (said({"role": "user", "content": "", "name": "a b"}), "messages[0].name", "invalid_value"),
        (
            said({"role": "system", "content": [{"type": "image_url"}]}),
            "messages[0].content[0].type",
            "invalid_value",
        ),
        (said({"role": "assistant"}), "messages[0].content", None),
        (
            said({"role": "assistant", "tool_calls": []}),
            "messages[0].tool_calls",
            "empty_array",
        ),
        (said(ANSWERED), "messages.[0].role", None),
        (said(ASKED), "messages.[1].role", None),
        (said(ASKED, *HELLO), "messages.[1].role", None),
        (said(ASKED, {**ANSWERED, "tool_call_id": "c2"}), "messages.[1].tool_call_id", None),
        (said(ASKED, ANSWERED, ANSWERED), "messages.[2].tool_call_id", None),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": "1"}, "temperature", "invalid_type"),
        ({"temperature": True}, "temperature", "invalid_type"),
        ({"temperature": 10**400}, "temperature", "decimal_above_max_value"),
        ({"top_p": -0.1}, "top_p", "decimal_below_min_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"n": 1.5}, "n", "invalid_type"),
        ({"presence_penalty": -3}, "presence_penalty", "decimal_below_min_value"),
        ({"frequency_penalty": 3}, "frequency_penalty", "decimal_above_max_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        (
            {"max_tokens": 1, "max_completion_tokens": 1},
            "max_tokens",
            "invalid_parameter_combination",
        ),
        ({"seed": 2**63}, "seed", "integer_above_max_value"),
        ({"stop": ["a"] * 5}, "stop", "array_above_max_length"),
        ({"stop": [1]}, "stop[0]", "invalid_type"),
        ({"stop": 1}, "stop", "invalid_type"),
        ({"logit_bias": {"word": 1}}, "logit_bias", "invalid_key"),
        ({"logit_bias": {"1": 101}}, "logit_bias.1", "integer_above_max_value"),
        ({"logprobs": 1}, "logprobs", "invalid_type"),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", "integer_above_max_value"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
        (
            {"stream": True, "stream_options": {"include_usage": 1}},
            "stream_options.include_usage",
            "invalid_type",
        ),
        ({"metadata": {"a": "b"}}, "metadata", None),
        ({"store": True, "metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"store": True, "metadata": {"k" * 65: ""}}, "metadata", "property_name_above_max_length"),
        ({"store": True, "metadata": {"a": "v" * 513}}, "metadata.a", "string_above_max_length"),
        (
            {"store": True, "metadata": {str(k): "" for k in range(17)}},
            "metadata",
            "object_above_max_properties",
        ),
        ({"tools": []}, "tools", "empty_array"),
        ({"tools": [LOOK] * 129}, "tools", "array_above_max_length"),
        ({"tools": [{"type": "custom"}]}, "tools[0].type", "invalid_value"),
        (
            {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            "tools[0].function.name",
            "invalid_value",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "a" * 65}}]},
            "tools[0].function.name",
            "string_above_max_length",
        ),
        ({"tool_choice": "auto"}, "tool_choice", None),
        ({"tools": [LOOK], "tool_choice": "any"}, "tool_choice", "invalid_value"),
        (
            {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "go"}}},
            "tool_choice",
            None,
        ),
        ({"parallel_tool_calls": True}, "parallel_tool_calls", None),
        ({"function_call": "auto"}, "function_call", None),
        ({"tools": [LOOK], "functions": [{"name": "look"}]}, "functions", None),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "response_format.json_schema.name",
            "missing_required_parameter",
        ),
        (
            {"response_format": {"type": "json_object"}, **user("Hello")},
            "messages",
            None,
        ),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"audio": {"voice": "ash", "format": "wav"}}, "audio", "unsupported_parameter"),
        ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
        ({"moderation": {"model": "m"}}, "moderation", "unsupported_parameter"),
        ({"verbosity": "low"}, "verbosity", "unsupported_value"),
        ({"service_tier": "gold"}, "service_tier", "invalid_value"),
        ({"safety_identifier": "x" * 65}, "safety_identifier", "string_above_max_length"),
        ({"prediction": {"type": "content"}}, "prediction.content", "missing_required_parameter"),
        ({"temprature": 1}, None, None),
    ],
)
def test_a_field_against_the_rules_is_named(
    changes: dict[str, Any], param: str | None, code: str | None
) -> None:
    error = refusal(**changes)

    assert (error.status, error.param, error.code) == (400, param, code)


def test_refusals_use_the_words_of_the_hosted_service() -> None:
    messages = {
        refusal(temperature=3).message,
        refusal(n="2").message,
        refusal(stop=[]).message,
        refusal(tone="dry").message,
        refusal(top_logprobs=1).message,
        refusal(messages=[{"role": "bot"}]).message,
        refusal(**said(ASKED)).message,
    }

    assert messages == {
        (
            "Invalid 'temperature': decimal above maximum value. "
            "Expected a value <= 2, but got 3 instead."
        ),
        "Invalid type for 'n': expected an integer, but got a string instead.",
        (
            "Invalid 'stop': empty array. "
            "Expected an array with minimum length 1, but got an empty array instead."
        ),
        "Unrecognized request argument supplied: tone",
        "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        (
            "Invalid value: 'bot'. Supported values are: "
            "'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
        ),
        (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: c1"
        ),
    }


@pytest.mark.parametrize(
    "changes",
    [
        dict.fromkeys(("temperature", "n", "stop", "seed", "stream_options", "metadata", "store")),
        {"n": 2.0, "temperature": 0, "top_p": 1, "seed": -(2**63), "stop": "", "user": "u"},
        {"tools": [LOOK], "tool_choice": "required", "parallel_tool_calls": False},
        {"functions": [{"name": "look"}], "function_call": {"name": "look"}},
        {"response_format": {"type": "json_object"}, "logit_bias": {"12": -100}},
        {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"store": True, "metadata": {str(k): "v" * 512 for k in range(16)}},
        said(ASKED, ANSWERED, *HELLO),
        said({"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}),
        said({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
        said({"role": "assistant", "content": "a", "annotations": [], "audio": None, "weight": 1}),
        user(
            [{"type": "image_url", "image_url": {"url": "data:image/png;base64,", "detail": "low"}}]
        ),
        user([{"type": "file", "file": {"file_id": "file-1"}}]),
    ],
)
def test_what_the_specification_allows_is_taken(changes: dict[str, Any]) -> None:
    request = read_chat_request({"model": "gpt-4o", "messages": HELLO, **changes})

    assert request.given["messages"] == changes.get("messages", HELLO)


@pytest.fixture(scope="module")
def specified() -> Draft202012Validator:
    """The specification's schema of the request."""
    if not SPEC.exists():
        pytest.skip(f"the public specification is not at {SPEC}")
    components = json.loads(SPEC.read_text())["components"]
    schema = components["schemas"]["CreateChatCompletionRequest"]
    return Draft202012Validator({**schema, "components": components})


def test_the_fields_are_those_of_the_specification(specified: Draft202012Validator) -> None:
    schemas = specified.schema["components"]["schemas"]

    def names(schema: Any) -> set[str]:
        found = set(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found |= names(schemas[part["$ref"].split("/")[-1]] if "$ref" in part else part)
        return found

    assert names(schemas["CreateChatCompletionRequest"]) == set(FIELDS)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_null_is_taken_where_the_specification_has_it(
    specified: Draft202012Validator, name: str
) -> None:
    body = {"model": "gpt-4o", "messages": HELLO, name: None}

    try:
        read_chat_request(body)
    except ApiError:
        taken = False
    else:
        taken = True

    assert taken == specified.is_valid(body)


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("chat"))
    with lab.emulator:
        yield lab


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("gpt-9", 404, "model_not_found"),
        ("ft:gpt-4o-2024-08-06:ftctl-emulator::none", 404, "model_not_found"),
        ("babbage-002", 404, None),
    ],
)
def test_a_model_that_cannot_chat_is_a_404(
    shared_lab: Lab, model: str, status: int, code: str | None
) -> None:
    error = shared_lab.refused("POST", CHAT, {"model": model, "messages": HELLO})

    assert (error["status"], error["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"max_tokens": 5}, "max_tokens", "unsupported_parameter"),
        ({"temperature": 0.2}, "temperature", "unsupported_value"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"stop": "x"}, "stop", "unsupported_parameter"),
        ({"reasoning_effort": "minimal"}, "reasoning_effort", "unsupported_value"),
    ],
)
def test_a_reasoning_model_takes_less(
    shared_lab: Lab, changes: dict[str, Any], param: str, code: str
) -> None:
    body = {"model": "o4-mini", "messages": HELLO}

    error = shared_lab.refused("POST", CHAT, {**body, **changes})
    status, _ = shared_lab.call(
        "POST", CHAT, {**body, "temperature": 1, "max_completion_tokens": 2}
    )

    assert (error["status"], error["param"], error["code"]) == (400, param, code)
    assert status == 200


def test_only_a_reasoning_model_takes_an_effort(shared_lab: Lab) -> None:
    body = {"messages": HELLO, "reasoning_effort": "low", "max_completion_tokens": 2}

    error = shared_lab.refused("POST", CHAT, {"model": "gpt-4o", **body})
    status, _ = shared_lab.call("POST", CHAT, {"model": "o4-mini", **body})

    assert error["message"] == "Unrecognized request argument supplied: reasoning_effort"
    assert status == 200


def test_a_body_that_nests_too_deeply_is_refused(shared_lab: Lab) -> None:
    deep = '{"a":' * 500 + "1" + "}" * 500
    body = json.dumps({"model": "gpt-4o", "messages": HELLO, "prediction": 0}).replace(
        ": 0", f": {deep}"
    )

    response = shared_lab.send("POST", CHAT, body.encode())

    assert response.status == 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "refusal", "file"])},
    optional=dict.fromkeys(("text", "image_url", "refusal", "file"), _JSON),
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "function", "developer"])},
    optional={
        "content": st.text() | st.lists(_PART, max_size=2) | _JSON,
        "tool_calls": st.lists(st.just(CALL), max_size=2) | _JSON,
        "tool_call_id": st.sampled_from(["c1", "c2"]) | _JSON,
        "function_call": _JSON,
        "refusal": _JSON,
        "name": _JSON,
    },
)
_TOOL = (
    st.just(LOOK) | st.fixed_dictionaries({"type": st.just("function"), "function": _JSON}) | _JSON
)
_BODIES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FIELDS, _JSON),
        "messages": st.lists(_MESSAGE, max_size=4) | st.just(HELLO),
        "tools": st.lists(_TOOL, max_size=2),
        "n": st.integers(1, 2),
        "stream": st.booleans(),
        "logprobs": st.booleans(),
    },
)


_KEPT = st.sets(st.sampled_from(sorted(FIELDS)), max_size=5)


@settings(max_examples=120, deadline=None)
@given(body=_BODIES, kept=_KEPT)
def test_nothing_is_taken_that_the_specification_has_not(
    specified: Draft202012Validator, body: dict[str, Any], kept: set[str]
) -> None:
    asked = {name: value for name, value in body.items() if name in kept}
    whole = {"model": "gpt-4o", "messages": HELLO, **asked}

    try:
        read_chat_request(whole)
    except ApiError:
        return

    specified.validate(whole)


@settings(max_examples=120, deadline=None)
@given(body=_BODIES, kept=_KEPT)
def test_no_request_whatever_makes_the_service_fail(
    shared_lab: Lab, body: dict[str, Any], kept: set[str]
) -> None:
    asked = {name: value for name, value in body.items() if name in kept}
    limited = {"model": "gpt-4o", "messages": HELLO, "max_completion_tokens": 4, **asked}

    response = shared_lab.send("POST", CHAT, json.dumps(limited).encode())

    assert response.status in (200, 400, 404)
    if response.stream is not None:
        assert list(response.stream)[-1] == b"data: [DONE]\n\n"
    elif response.status != 200:
        assert set(json.loads(response.body)["error"]) == {"message", "type", "param", "code"}


@settings(max_examples=40, deadline=None)
@given(body=_JSON, path=st.text(min_size=1), value=st.text())
def test_no_request_about_what_is_stored_makes_the_service_fail(
    shared_lab: Lab, body: Any, path: str, value: str
) -> None:
    names = ("after", "limit", "order", "model", f"metadata[{path}]")
    queries = [urlencode({name: value}) for name in names]
    targets = [f"{CHAT}/{quote(path, safe='')}", *(f"{CHAT}?{query}" for query in queries)]
    for method in ("GET", "POST", "DELETE"):
        for target in targets:
            response = shared_lab.send(method, target, json.dumps(body).encode())

            assert response.status < 500
