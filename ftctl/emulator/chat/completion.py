"""The steps of an answer -> the objects of the wire: whole completions and chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ftctl.emulator.chat.deltas import CallDelta, Delta
from ftctl.emulator.chat.model_handle import GeneratedPiece
from ftctl.emulator.chat.tool_choice import Wire
from ftctl.emulator.http.wire import Json
from ftctl.emulator.ids import derived

FINGERPRINT = "fp_ftctl_emulator"
"""Tells every answer from one of the hosted service."""

_LEAST_LOGPROB = -9999.0  # what the hosted service says for as good as impossible

_MARKS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")


@dataclass(frozen=True, slots=True)
class Head:
    """What every part of one completion repeats; `created` in Unix seconds."""

    id: str
    model: str
    created: int
    wire: Wire
    logprobs: bool

    def object(self, kind: str, choices: list[Json], **beside: Any) -> Json:
        """A completion or a chunk, by its `object`."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **beside,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }


def whole_choice(head: Head, index: int, deltas: Iterable[Delta]) -> Json:
    """One choice of an answer that comes at once, from all its steps."""
    steps = list(deltas)
    refusal = "".join(delta.refusal for delta in steps)
    calls = _whole_calls([call for delta in steps for call in delta.calls])
    content = "".join(delta.content for delta in steps)
    message: Json = {
        "role": "assistant",
        "content": content or (None if refusal or calls else ""),
        "refusal": refusal or None,
        "annotations": [],
    }
    if calls and head.wire == "functions":
        message["function_call"] = calls[0]
    elif calls:
        message["tool_calls"] = [
            {"id": call_id(head, index, place), "type": "function", "function": call}
            for place, call in enumerate(calls)
        ]
    return {
        "index": index,
        "message": message,
        "logprobs": _logprobs(head, steps),
        "finish_reason": steps[-1].finish,
    }


def first_chunk(index: int, first: Delta) -> Json:
    """The choice that opens a stream: the role, and whether words or calls follow."""
    content = None if first.calls or first.refusal else ""
    delta = {"role": "assistant", "content": content, "refusal": None}
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


def chunks(head: Head, index: int, delta: Delta) -> list[Json]:
    """The choices of the chunks that tell one step; the end of an answer is a chunk of its own."""
    called = [_call_chunk(head, index, call) for call in delta.calls]
    said: Json = {}
    if delta.content or delta.content_tokens:
        said["content"] = delta.content
    if delta.refusal or delta.refusal_tokens:
        said["refusal"] = delta.refusal
    steps: list[Json] = [
        {"index": index, "delta": step, "logprobs": None, "finish_reason": None}
        for step in ([said] if said else []) + called
    ]
    if said:
        steps[0]["logprobs"] = _logprobs(head, [delta])
    if delta.finish is not None:
        steps.append({"index": index, "delta": {}, "logprobs": None, "finish_reason": delta.finish})
    return steps


def call_id(head: Head, index: int, place: int) -> str:
    """The id of a choice's call."""
    return derived("call_", head.id, index, place)


def _whole_calls(deltas: list[CallDelta]) -> list[Json]:
    calls: list[Json] = []
    for delta in deltas:
        if delta.name is not None:
            calls.append({"name": delta.name, "arguments": ""})
        calls[delta.index]["arguments"] += delta.arguments
    return calls


def _call_chunk(head: Head, index: int, call: CallDelta) -> Json:
    name = {} if call.name is None else {"name": call.name}
    function = {**name, "arguments": call.arguments}
    if head.wire == "functions":
        return {"function_call": function}
    chunk: Json = {"index": call.index, "function": function}
    if call.name is not None:
        chunk |= {"id": call_id(head, index, call.index), "type": "function"}
    return {"tool_calls": [chunk]}


def _logprobs(head: Head, deltas: list[Delta]) -> Json | None:
    if not head.logprobs:
        return None
    content = [piece for delta in deltas for piece in delta.content_tokens]
    refusal = [piece for delta in deltas for piece in delta.refusal_tokens]
    return {"content": _tokens(content) or None, "refusal": _tokens(refusal) or None}


def _tokens(pieces: list[GeneratedPiece]) -> list[Json]:
    return [
        {
            **_token(piece.raw.translate(None, _MARKS), piece.logprob),
            "top_logprobs": [
                _token(text, logprob)
                for text, logprob in piece.top
                if text and text == text.translate(None, _MARKS)
            ],
        }
        for piece in pieces
        if piece.raw.translate(None, _MARKS)
    ]


def _token(text: bytes, logprob: float) -> Json:
    try:
        shown = text.decode("utf-8")
    except UnicodeDecodeError:  # part of a character: written as the hosted service writes it
        shown = "bytes:" + "".join(f"\\x{byte:02x}" for byte in text)
    return {"token": shown, "logprob": max(logprob, _LEAST_LOGPROB), "bytes": list(text)}
