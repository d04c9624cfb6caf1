"""Exchanges as they happen -> one of each kind."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace

from fidelity.bodies import (
    MOST_BYTES,
    members,
    read_answered_body,
    read_asked_body,
    read_query,
)
from fidelity.contradictions import BREAKING_TEMPERAMENTS
from fidelity.specification import OUTSIDE, Operation, Specification
from ftctl.emulator import Request, Response

MOST_KEPT = 20_000  # kinds; what comes after them is counted only
MOST_GLANCES = 500_000
FAULT_HEADER = "x-ftctl-fault"  # marks an answer that a test asked for by a fault
TEMPERAMENT_HEADER = "x-ftctl-temperament"  # names the ways of the service that answered

Kind = Hashable
Handed = tuple[int, int, Counter[tuple[str, int]], list[tuple[Kind, str, "Asked | Answered"]]]


@dataclass(frozen=True)
class Asked:
    """A request that was granted: its parameters and its body, as the specification types them.

    `body` is None where there was none. `test` met this kind first.
    """

    operation: Operation
    query: Mapping[str, object]
    content_type: str
    body: object
    test: str


@dataclass(frozen=True)
class Answered:
    """An answer, or for a list or a stream one part of it."""

    operation: Operation
    status: int
    content_type: str
    body: object
    test: str

    @property
    def failed(self) -> bool:
        """Whether the emulator says that it could not do its work: at the start or on the way."""
        broke_off = self.content_type == "text/event-stream" and _is_error(self.body)
        return self.status >= 500 or broke_off


class Recorder:
    """Keeps one exchange of each kind."""

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self.seen = 0
        self.left_out = 0  # kinds beyond MOST_KEPT
        self.met: Counter[tuple[str, int]] = Counter()
        self.kept: dict[Kind, Asked | Answered] = {}
        self._glances: set[int] = set()
        # Again in the same thread: a stream that was left may end while another is noted.
        self._turn = threading.RLock()

    def exchanges(self) -> tuple[Asked | Answered, ...]:
        """What was kept so far, in the order of its first meeting."""
        with self._turn:
            return tuple(self.kept.values())

    def handed_over(self) -> Handed:
        """What was met so far, for the recorder of another process: operations by their names."""
        kept = [(kind, one.operation.name, replace(one, operation=OUTSIDE))
                for kind, one in self.kept.items()]  # fmt: skip
        return self.seen, self.left_out, self.met, kept

    def take(self, handed: Handed) -> None:
        """Keep what another recorder met as if it had been met here."""
        seen, left_out, met, kept = handed
        operations = {one.name: one for one in self.specification.operations}
        self.seen += seen
        self.left_out += left_out
        self.met += met
        for kind, name, one in kept:
            self._keep_one(kind, replace(one, operation=operations.get(name, OUTSIDE)))

    def see(self, request: Request, response: Response) -> Response:
        """The same answer; one that comes in pieces is looked at when it has been read."""
        if not request.path.startswith("/v1/") or response.cut or _was_asked_for(response):
            return response
        if response.stream is not None:
            return replace(response, stream=self._followed(request, response, response.stream))
        self._note(request, response, response.body)
        return response

    def _followed(
        self, request: Request, response: Response, stream: Iterator[bytes]
    ) -> Iterator[bytes]:
        gathered, size = [], 0
        try:
            for piece in stream:
                size += len(piece)
                if size <= MOST_BYTES:
                    gathered.append(piece)
                yield piece
        finally:
            if hasattr(stream, "close"):
                stream.close()
            self._note(request, response, b"".join(gathered))

    def _note(self, request: Request, response: Response, body: bytes) -> None:
        operation = self.specification.operation(request.method, request.path)
        with self._turn:
            self.seen += 1
            self.met[operation.name, response.status] += 1
            glance = hash((request.method, request.path, request.query, response.status,
                           _glance(request.body), _glance(body)))  # fmt: skip
            if glance in self._glances:
                return
            if len(self._glances) < MOST_GLANCES:
                self._glances.add(glance)
            test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
            if response.status < 300:
                self._keep_asked(operation, request, test)
            self._keep_answered(operation, response, body, test)

    def _keep_asked(self, operation: Operation, request: Request, test: str) -> None:
        query = read_query(self.specification, operation, request)
        kind, body = read_asked_body(request) if operation.bodies else ("", None)
        self._keep(Asked(operation, query, kind, body, test), (kind, query, body))

    def _keep_answered(
        self, operation: Operation, response: Response, body: bytes, test: str
    ) -> None:
        kind = (_header(response, "content-type") or "").partition(";")[0].strip()
        for part in read_answered_body(kind, body):
            answered = Answered(operation, response.status, kind, part, test)
            # The members of a list are judged alone, so their kinds do not multiply.
            told = members(part) or part
            self._keep(answered, (response.status, kind, told))

    def _keep(self, one: Asked | Answered, told: tuple[object, ...]) -> None:
        # A failure counts for each test: only some may have the emulator fail.
        failing = one.test if isinstance(one, Answered) and one.failed else ""
        kind = (type(one).__name__, one.operation.name, self._kind(told), failing)
        self._keep_one(kind, one)

    def _keep_one(self, kind: Kind, one: Asked | Answered) -> None:
        if kind in self.kept:
            return
        if len(self.kept) >= MOST_KEPT:
            self.left_out += 1
            return
        self.kept[kind] = one

    def _kind(self, value: object) -> Kind:
        """The same for two values that no rule of the specification can tell apart."""
        match value:
            case str():
                is_word = value in self.specification.words
                return value if is_word else ("text", self._place(len(value)))
            case bool() | None:
                return ("constant", value)
            case int() | float():
                return ("whole" if value == value // 1 else "broken", self._place(value))
            case list() | tuple():
                return ("list", self._place(len(value)), frozenset(map(self._kind, value)))
            case dict():
                words = self.specification.words
                pairs = ((k if k in words else "", self._kind(v)) for k, v in value.items())
                return ("object", self._place(len(value)), frozenset(pairs))
        return type(value).__name__

    def _place(self, number: float) -> tuple[int, int]:
        bounds = self.specification.bounds
        return bisect_left(bounds, number), bisect_right(bounds, number)


_DIGITS = bytes.maketrans(b"23456789", b"11111111")


def _glance(body: bytes) -> bytes | int:
    """Cheap, and the same for bodies that differ in counters and moments alone."""
    return body.translate(_DIGITS) if len(body) <= MOST_BYTES else len(body)


def _was_asked_for(response: Response) -> bool:
    """Whether a test had the emulator answer in a way that the specification has not."""
    ways = (_header(response, TEMPERAMENT_HEADER) or "").split(", ")
    outside = any(way.partition("=")[0] in BREAKING_TEMPERAMENTS for way in ways)
    return outside or _header(response, FAULT_HEADER) is not None


def _header(response: Response, name: str) -> str | None:
    return next((value for key, value in response.headers if key == name), None)


def _is_error(part: object) -> bool:
    return isinstance(part, dict) and set(part) == {"error"}
