"""The body of a create request -> a request that keeps the API's rules, or a 400."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ftctl.emulator.chat.field_readers import (
    Read,
    array,
    check_depth,
    flag,
    mapping,
    missing,
    nullable,
    number,
    one_of,
    optional,
    refused,
    required,
    text,
    whole,
    wrong_type,
)
from ftctl.emulator.chat.messages import contents, read_messages
from ftctl.emulator.chat.tool_choice import (
    NAME,
    Choice,
    choice_of,
    read_function_call,
    read_functions,
    read_tool_choice,
    read_tools,
)
from ftctl.emulator.http.wire import ApiError, Json, bad_request

MOST_CHOICES = 128
MOST_STOPS = 4
MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512
_MOST_TOKENS = 2**31 - 1
_SEEDS = 2**63  # as many on either side of 0


@dataclass(frozen=True, slots=True)
class Manner:
    """How to draw an answer; without a seed each request draws anew."""

    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What an answer may hold and where it ends; `most_tokens` None sets no limit."""

    choice: Choice
    stop: tuple[str, ...] = ()
    most_tokens: int | None = None
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What was asked for; whether its model exists is checked against the store."""

    model: str
    messages: list[Json]
    tools: list[Json]  # or the older functions
    manner: Manner
    terms: Terms
    n: int
    stream: bool
    include_usage: bool
    store: bool
    metadata: dict[str, str]
    given: Mapping[str, Any]  # the fields that were sent and are not null, each read


def read_chat_request(body: Json) -> ChatRequest:
    """Checks every field that the specification has, and refuses any other."""
    for name in body:
        if name not in FIELDS:
            raise bad_request(f"Unrecognized request argument supplied: {name[:64]}", None)
    for name in ("model", "messages"):
        if name not in body:
            raise missing(name)
    check_depth(body)
    read = {name: FIELDS[name](value, name) for name, value in body.items()}
    given = {name: value for name, value in read.items() if value is not None}
    _check_together(given)
    return ChatRequest(
        model=given["model"],
        messages=given["messages"],
        tools=given.get("tools") or given.get("functions") or [],
        manner=_manner(given),
        terms=_terms(given),
        n=given.get("n", 1),
        stream=given.get("stream", False),
        include_usage=given.get("stream_options", {}).get("include_usage") or False,
        store=given.get("store", False),
        metadata=given.get("metadata", {}),
        given=MappingProxyType(given),
    )


def read_metadata(value: Any, where: str) -> dict[str, str]:
    """At most 16 pairs of strings."""
    pairs = mapping(value, where)
    if len(pairs) > MOST_PAIRS:
        expected = f"an object with at most {MOST_PAIRS} properties"
        got = f"an object with {len(pairs)} properties"
        code = "object_above_max_properties"
        raise refused(where, "too many properties", expected, got, code)
    for key, value_of_key in pairs.items():
        if len(key) > LONGEST_KEY:
            expected = f"a property name with maximum length {LONGEST_KEY}"
            got = f"a property name with length {len(key)}"
            code = "property_name_above_max_length"
            raise refused(where, "property name too long", expected, got, code)
        text(LONGEST_VALUE)(value_of_key, f"{where}.{key}")
    return pairs


def _manner(given: Json) -> Manner:
    names = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
    asked = {name: given[name] for name in (*names, "top_logprobs") if name in given}
    return Manner(**asked)


def _terms(given: Json) -> Terms:
    return Terms(
        choice=choice_of(given),
        stop=given.get("stop", ()),
        most_tokens=given.get("max_completion_tokens", given.get("max_tokens")),
        logprobs=given.get("logprobs", False),
    )


def _check_together(given: Json) -> None:
    """What is right alone and wrong beside, or without, another field."""
    if "max_tokens" in given and "max_completion_tokens" in given:
        both = "'max_tokens' and 'max_completion_tokens'"
        fault = f"Setting {both} at the same time is not supported."
        raise bad_request(fault, "max_tokens", "invalid_parameter_combination")
    for name, needed in _ONLY_WITH.items():
        if name in given and not given.get(needed):
            fault = f"The '{name}' parameter is only allowed when '{needed}' is enabled."
            raise bad_request(fault, name)
    wants_json = given.get("response_format", {}).get("type") == "json_object"
    if wants_json and "json" not in contents(given["messages"]).lower():
        fault = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'."
        )
        raise bad_request(fault, "messages")


_ONLY_WITH = {"top_logprobs": "logprobs", "stream_options": "stream", "metadata": "store"}


def _model(value: Any, where: str) -> str:
    name: str = text()(value, where)
    if not name:
        raise bad_request("you must provide a model parameter", where)
    return name


def _stop(value: Any, where: str) -> tuple[str, ...]:
    """The sequences; an empty one ends nothing."""
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list):
        raise wrong_type(value, where, "one of a string or array of strings")
    stops = array(text(), least=1, most=MOST_STOPS, of="strings")(value, where)
    return tuple(stop for stop in stops if stop)


def _logit_bias(value: Any, where: str) -> Json:
    """Checked and not applied: its tokens are those of a vocabulary that no model here has."""
    for token, bias in mapping(value, where).items():
        if not (token.isascii() and token.isdigit()):
            cure = "You should only be submitting non-negative integers."
            message = f"Invalid key in '{where}': {token[:64]}. {cure}"
            raise bad_request(message, where, "invalid_key")
        whole(-100, 100)(bias, f"{where}.{token[:64]}")
    return mapping(value, where)


def _stream_options(value: Any, where: str) -> Json:
    options = mapping(value, where)
    for name in ("include_usage", "include_obfuscation"):
        optional(options, name, where, flag)
    return options


def _response_format(value: Any, where: str) -> Json:
    wanted = mapping(value, where)
    kind = required(wanted, "type", where, one_of("json_object", "json_schema", "text"))
    if kind == "json_schema":
        inside = f"{where}.json_schema"
        schema = required(wanted, "json_schema", where, mapping)
        required(schema, "name", inside, NAME)
        optional(schema, "description", inside, text())
        optional(schema, "schema", inside, mapping)
        optional(schema, "strict", inside, nullable(flag))
    return wanted


def _modalities(value: Any, where: str) -> list[str]:
    wanted: list[str] = array(one_of("text", "audio"), of="strings")(value, where)
    if "audio" in wanted:
        raise _unsupported(where, "audio output")
    return wanted


def _audio(_value: Any, where: str) -> Json:
    raise _unsupported(where, "audio output")


def _web_search(_value: Any, where: str) -> Json:
    raise _unsupported(where, "web search")


def _moderation(_value: Any, where: str) -> Json:
    raise _unsupported(where, "moderation")


def _unsupported(where: str, what: str) -> ApiError:
    message = f"Unsupported parameter: '{where}': {what} is not supported with this model."
    return bad_request(message, where, "unsupported_parameter")


def _prediction(value: Any, where: str) -> Json:
    prediction = mapping(value, where)
    required(prediction, "type", where, one_of("content"))
    content = required(prediction, "content", where, lambda value, _where: value)
    if not isinstance(content, str):
        array(_predicted_part, least=1)(content, f"{where}.content")
    return prediction


def _predicted_part(value: Any, where: str) -> Json:
    part = mapping(value, where)
    required(part, "type", where, one_of("text"))
    required(part, "text", where, text())
    return part


def _verbosity(value: Any, where: str) -> str:
    level: str = one_of("low", "medium", "high")(value, where)
    if level != "medium":
        fault = f"'{where}' does not support '{level}' with this model."
        message = f"Unsupported value: {fault} Supported values are: 'medium'."
        raise bad_request(message, where, "unsupported_value")
    return level


def _cache_options(value: Any, where: str) -> Json:
    options = mapping(value, where)
    optional(options, "ttl", where, one_of("30m"))
    optional(options, "mode", where, one_of("implicit", "explicit"))
    return options


FIELDS: Mapping[str, Read] = MappingProxyType(
    {
        "model": _model,
        "messages": read_messages,
        "tools": read_tools,
        "tool_choice": read_tool_choice,
        "parallel_tool_calls": flag,
        "functions": read_functions,
        "function_call": read_function_call,
        "response_format": _response_format,
        "temperature": nullable(number(0, 2)),
        "top_p": nullable(number(0, 1)),
        "n": nullable(whole(1, MOST_CHOICES)),
        "stop": nullable(_stop),
        "max_tokens": nullable(whole(1, _MOST_TOKENS)),
        "max_completion_tokens": nullable(whole(1, _MOST_TOKENS)),
        "frequency_penalty": nullable(number(-2, 2)),
        "presence_penalty": nullable(number(-2, 2)),
        "logit_bias": nullable(_logit_bias),
        "logprobs": nullable(flag),
        "top_logprobs": whole(0, 20),
        "seed": nullable(whole(-_SEEDS, _SEEDS - 1)),
        "stream": nullable(flag),
        "stream_options": nullable(_stream_options),
        "store": nullable(flag),
        "metadata": nullable(read_metadata),
        "user": text(),
        "safety_identifier": nullable(text(64)),
        "service_tier": nullable(one_of("auto", "default", "flex", "scale", "priority", "fast")),
        "reasoning_effort": nullable(
            one_of("none", "minimal", "low", "medium", "high", "xhigh", "max")
        ),
        "verbosity": nullable(_verbosity),
        "modalities": nullable(_modalities),
        "audio": nullable(_audio),
        "prediction": nullable(_prediction),
        "web_search_options": _web_search,
        "moderation": nullable(_moderation),
        "prompt_cache_key": nullable(text()),
        "prompt_cache_retention": nullable(one_of("in_memory", "24h")),
        "prompt_cache_options": _cache_options,
    }
)
"""Every field of the specification and its reader. Where null is taken, it is no field at all."""
