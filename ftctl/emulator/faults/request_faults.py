"""A request -> the fault that it meets; its own way of answering -> the answer it gets instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ftctl.emulator.faults.rule_store import all_faults, meet
from ftctl.emulator.faults.rules import Answer, Malformed, RequestRule
from ftctl.emulator.http.wire import ApiError, Request, Response, refusal, to_json
from ftctl.emulator.storage.database import Session, Store

NOT_JSON = b"upstream connect error or disconnect before headers\n"
HTML = (
    b"<html>\n<head><title>502 Bad Gateway</title></head>\n"
    b"<body><h1>Bad Gateway</h1></body>\n</html>\n"
)


@dataclass(frozen=True, slots=True)
class Struck:
    """A request's fault and the number under which it stands in the store."""

    number: int
    rule: RequestRule


class RequestFaults:
    """The rules for requests, read again only when somebody has written to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: int | None = None
        self._rules: tuple[tuple[int, RequestRule], ...] = ()

    def strike(self, request: Request) -> Struck | None:
        """The first fault whose turn it is, every rule that concerns the request being counted."""
        concerned = [
            (number, rule)
            for number, rule in self._present()
            if rule.concerns(request.method, request.path)
        ]
        if not concerned:
            return None
        with self._store.transaction("IMMEDIATE") as connection:
            session = Session(connection, 0.0)
            turns = [(number, rule, meet(session, number)) for number, rule in concerned]
        for number, rule, met in turns:
            if met is not None and rule.turns.strikes(met):
                return Struck(number, rule)
        return None

    def forget(self) -> None:
        """This process has changed the rules: SQLite tells only of what others changed."""
        self._version = None

    def _present(self) -> tuple[tuple[int, RequestRule], ...]:
        with self._store.transaction("DEFERRED") as connection:
            version = int(connection.execute("PRAGMA data_version").fetchone()[0])
            if version != self._version:
                kept = all_faults(Session(connection, 0.0))
                self._rules = tuple(
                    (fault.number, fault.rule)
                    for fault in kept
                    if isinstance(fault.rule, RequestRule)
                )
                self._version = version
            return self._rules


def struck_answer(struck: Struck, work: Callable[[], Response]) -> Response:
    """What the client gets; `work` carries the request out, where the fault lets it."""
    rule = struck.rule
    if rule.answer is not None:
        response = _given_answer(rule.answer)
    elif rule.cut == "before":
        response = Response(503, (), b"", cut=True)
    elif rule.cut == "after":
        response = replace(work(), cut=True)
    elif rule.malformed is not None:
        response = _malformed(work(), rule.malformed)
    else:
        response = work()
    return replace(
        response,
        headers=(*response.headers, ("x-ftctl-fault", str(struck.number))),
        delay_seconds=response.delay_seconds + rule.latency_seconds,
    )


def _given_answer(answer: Answer) -> Response:
    if answer.has_body:
        body = to_json(answer.body).encode("ascii")
        return Response(
            answer.status, (("content-type", "application/json"), *answer.headers), body
        )
    return refusal(
        ApiError(
            answer.status,
            answer.message,
            param=answer.param,
            code=answer.code,
            kind=answer.kind,
            headers=answer.headers,
        )
    )


def _malformed(response: Response, kind: Malformed) -> Response:
    """What a proxy in between makes of the answer; the request has been carried out."""
    match kind:
        case "text":
            return _body(response, "text/plain", NOT_JSON)
        case "html":
            return replace(_body(response, "text/html", HTML), status=502)
        case "truncated":
            whole = response.body if response.stream is None else next(response.stream, b"")
            return replace(response, body=whole[: len(whole) // 2], stream=None)


def _body(response: Response, kind: str, body: bytes) -> Response:
    return replace(response, headers=(("content-type", kind),), body=body, stream=None)
