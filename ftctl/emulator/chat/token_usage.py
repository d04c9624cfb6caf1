"""The tokens of a request and of its answers, as the hosted service counts them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ftctl.emulator.chat.chat_request import ChatRequest
from ftctl.emulator.http.wire import Json

if TYPE_CHECKING:
    from ftctl.data.tokens import Counter


def counter_of(base: str) -> Counter:
    """The counter of a base model's vocabulary."""
    from ftctl.data.tokens import encoding_for, open_counter

    return open_counter(encoding_for(base) or "o200k_base")


def usage(request: ChatRequest, messages: Iterable[Json], counter: Counter) -> Json:
    """`messages` are the answers, one a choice."""
    from ftctl.data.tokens import completion_tokens, prompt_tokens

    asked = prompt_tokens(request.messages, request.tools, counter)
    said = sum(completion_tokens(text, counter) for message in messages for text in _texts(message))
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _texts(message: Json) -> Iterable[str]:
    """What a model wrote of a message: its text, and each call's name and arguments."""
    yield message["content"] or ""
    yield message["refusal"] or ""
    functions = [call["function"] for call in message.get("tool_calls", [])]
    if "function_call" in message:
        functions.append(message["function_call"])
    for function in functions:
        yield function["name"]
        yield function["arguments"]
