"""The endpoint that answers: POST /v1/chat/completions, whole or as a stream of events."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.api.stored_completions import keep_completion
from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.chat.chat_request import ChatRequest, read_chat_request
from ftctl.emulator.chat.completion import Head, chunks, first_chunk, whole_choice
from ftctl.emulator.chat.deltas import Delta, deltas
from ftctl.emulator.chat.model_handle import ModelHandle, find_model_handle, generate
from ftctl.emulator.chat.supported_parameters import check_fit
from ftctl.emulator.chat.token_usage import counter_of, usage
from ftctl.emulator.http.wire import ApiError, Json, Response, answer, json_object, to_json
from ftctl.emulator.ids import derived_number, fresh
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.models import find_model

MOST_PIECES = 2_048
"""Of one answer; a longer one ends by its length, whatever limit was asked for."""

MOST_PIECES_IN_ALL = 16_384
"""Of all the choices of one request: with many, each may be shorter."""

_SEEDS = 2**63
_LOG = logging.getLogger(__name__)


def create_completion(context: RequestContext) -> Response:
    """POST /v1/chat/completions. No transaction is open while the answer is thought out."""
    request = read_chat_request(json_object(context.request))
    with context.reading() if context.settings.id_seed is None else context.writing() as session:
        task = _task(context, session, request)
    task = replace(task, handle=task.handle.ready())
    if request.stream:
        headers = (("content-type", "text/event-stream; charset=utf-8"),)
        return Response(200, headers, b"", stream=_events(context, task))
    return answer(_whole(context, task, [list(steps) for steps in _answers(task)]))


@dataclass(frozen=True, slots=True)
class CompletionTask:
    """A request, who answers it, and the head of the answer."""

    request: ChatRequest
    handle: ModelHandle
    head: Head
    base: str


def _task(context: RequestContext, session: Session, request: ChatRequest) -> CompletionTask:
    tuned = find_model(session, request.model)
    base = BY_NAME.get(request.model if tuned is None else tuned.base)
    if base is None:
        message = f"The model `{request.model}` does not exist or you do not have access to it."
        raise ApiError(404, message, code="model_not_found")
    check_fit(request, base)
    model = base.name if tuned is None else tuned.id
    head = Head(
        id=_new_id(session, context.settings.id_seed),
        model=model,
        created=int(session.now),
        wire=request.terms.choice.wire,
        logprobs=request.terms.logprobs,
    )
    return CompletionTask(request, find_model_handle(session, model, base.name), head, base.name)


def _new_id(session: Session, id_seed: int | None) -> str:
    """Only with a seed for ids are the answers numbered, also those that are not stored."""
    if id_seed is None:
        return fresh("chatcmpl-", None, 0)
    serial = session.next_serial("completions")
    session.run("DELETE FROM sqlite_sequence WHERE name = 'completions'")
    session.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('completions', ?)", serial)
    return fresh("chatcmpl-", id_seed, serial)


def _answers(task: CompletionTask) -> list[Iterator[Delta]]:
    """The steps of each choice, none of them made yet."""
    request = task.request
    seed = request.manner.seed
    root = derived_number(_SEEDS, task.head.id, "seed") if seed is None else seed
    most = min(MOST_PIECES, MOST_PIECES_IN_ALL // request.n)
    counter = counter_of(task.base)
    return [
        deltas(
            generate(task.handle, request, seed=(root, index), most_pieces=most),
            request.terms,
            counter,
        )
        for index in range(request.n)
    ]


def _whole(context: RequestContext, task: CompletionTask, answers: list[list[Delta]]) -> Json:
    """The completion, kept if the request wants it."""
    choices = [whole_choice(task.head, index, steps) for index, steps in enumerate(answers)]
    used = usage(task.request, [choice["message"] for choice in choices], counter_of(task.base))
    shown = task.head.object("chat.completion", choices, usage=used)
    if task.request.store:
        with context.writing() as session:
            keep_completion(session, task.request, shown)
    return shown


def _events(context: RequestContext, task: CompletionTask) -> Iterator[bytes]:
    """The stream. What breaks it is its last event: the status has long been sent."""
    try:
        yield from _chunks(context, task)
        yield b"data: [DONE]\n\n"
    except Exception:  # noqa: BLE001 - a client must learn of any fault whatever
        _LOG.exception("a stream of %s broke off", task.head.id)
        fault = "The emulator could not finish this answer; its log has the details."
        error = {"message": fault, "type": "server_error", "param": None, "code": None}
        yield _event({"error": error})


def _chunks(context: RequestContext, task: CompletionTask) -> Iterator[bytes]:
    request = task.request
    answers: list[list[Delta]] = [[] for _ in range(request.n)]
    beside = {"usage": None} if request.include_usage else {}
    for index, delta in _in_turn(_answers(task)):
        steps = chunks(task.head, index, delta)
        if not answers[index]:
            steps.insert(0, first_chunk(index, delta))
        answers[index].append(delta)
        for step in steps:
            yield _event(task.head.object("chat.completion.chunk", [step], **beside))
    if request.include_usage or request.store:
        used = _whole(context, task, answers)["usage"]
        if request.include_usage:
            yield _event(task.head.object("chat.completion.chunk", [], usage=used))


def _in_turn(answers: list[Iterator[Delta]]) -> Iterator[tuple[int, Delta]]:
    """One step of each choice after the other, until all have ended."""
    left = dict(enumerate(answers))
    while left:
        for index, coming in list(left.items()):
            delta = next(coming, None)
            if delta is None:
                del left[index]
            else:
                yield index, delta


def _event(value: Json) -> bytes:
    return b"data: " + to_json(value).encode("ascii") + b"\n\n"
