"""Whether a base model takes what a request asks for: not every model takes every field."""

from __future__ import annotations

from ftctl.emulator.base_models import BaseModel
from ftctl.emulator.chat.chat_request import ChatRequest
from ftctl.emulator.http.wire import ApiError, bad_request


def check_fit(request: ChatRequest, base: BaseModel) -> None:
    """A 404 for a model that does not chat, a 400 for a field that it does not take."""
    if base.completion:
        message = (
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
            "Did you mean to use v1/completions?"
        )
        raise ApiError(404, message, param="model")
    if _reasons(base):
        _check_reasoning(request)
    elif "reasoning_effort" in request.given:
        raise bad_request("Unrecognized request argument supplied: reasoning_effort", None)


def _reasons(base: BaseModel) -> bool:
    return base.methods == ("reinforcement",)


_NOT_TAKEN = ("stop", "logit_bias", "logprobs", "top_logprobs", "parallel_tool_calls")
_FIXED = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
_EFFORTS = ("low", "medium", "high")


def _check_reasoning(request: ChatRequest) -> None:
    """Models that reason draw in a way of their own (the reasoning guide, 2025)."""
    given = request.given
    if "max_tokens" in given:
        raise _not_taken("max_tokens", " Use 'max_completion_tokens' instead.")
    for name in _NOT_TAKEN:
        if given.get(name):
            raise _not_taken(name)
    for name, only in _FIXED.items():
        if given.get(name, only) != only:
            cure = f"Only the default ({only}) value is supported."
            raise _not_this_value(name, f"{given[name]:g}", cure)
    effort = given.get("reasoning_effort", "medium")
    if effort not in _EFFORTS:
        cure = "Supported values are: 'low', 'medium', and 'high'."
        raise _not_this_value("reasoning_effort", f"'{effort}'", cure)


def _not_taken(name: str, cure: str = "") -> ApiError:
    message = f"Unsupported parameter: '{name}' is not supported with this model.{cure}"
    return bad_request(message, name, "unsupported_parameter")


def _not_this_value(name: str, value: str, cure: str) -> ApiError:
    message = f"Unsupported value: '{name}' does not support {value} with this model. {cure}"
    return bad_request(message, name, "unsupported_value")
