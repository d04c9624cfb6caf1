"""A fault as a value: what it concerns, which of those it strikes, and what it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ftctl.emulator.http.wire import Pairs

Cut = Literal["before", "after"]
Malformed = Literal["text", "html", "truncated"]
Failure = Literal["access", "validation", "unsafe_file", "step", "screening"]

CUTS: tuple[Cut, ...] = get_args(Cut)
FAILURES: tuple[Failure, ...] = get_args(Failure)

_MALFORMED: Mapping[Malformed, str] = {
    "text": "answers with plain text",
    "html": "answers with a page of HTML",
    "truncated": "answers with half of the body",
}


LONGEST_FITTING = 4_096  # characters; what is longer fits no pattern, however it is made


def fits(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the whole text is of that pattern."""
    return len(text) <= LONGEST_FITTING and pattern.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Turns:
    """Which of the requests or jobs that a rule concerns it strikes, counted from 1."""

    numbers: frozenset[int] = frozenset()  # these; none named: see `every`
    every: int = 1
    times: int | None = None  # at most so many in all

    def strikes(self, number: int) -> bool:
        """Whether the rule strikes the one of this number."""
        hit = number in self.numbers if self.numbers else number % self.every == 0
        return hit and (self.times is None or self._hits(number) <= self.times)

    def _hits(self, number: int) -> int:
        """How many of the first so many it would strike without a limit."""
        if self.numbers:
            return sum(1 for one in self.numbers if one <= number)
        return number // self.every


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered in place of the request's own answer; `body` in place of the envelope."""

    status: int
    code: str | None
    kind: str
    message: str
    param: str | None
    headers: Pairs
    body: Any = None
    has_body: bool = False


@dataclass(frozen=True, slots=True)
class RequestRule:
    """Requests that go wrong. At most one of `answer`, `cut` and `malformed` is there."""

    methods: frozenset[str]  # none: all
    path: re.Pattern[str]
    turns: Turns
    latency_seconds: float
    answer: Answer | None
    cut: Cut | None
    malformed: Malformed | None

    def concerns(self, method: str, path: str) -> bool:
        """Whether a request is of those that the rule counts."""
        return (not self.methods or method in self.methods) and fits(self.path, path)

    @property
    def does(self) -> str:
        """What it does, in a few words."""
        words = [f"waits {self.latency_seconds:g} s"] if self.latency_seconds else []
        if self.answer is not None:
            words.append(f"answers {self.answer.status}")
        if self.cut is not None:
            words.append(f"hangs up {self.cut} the work")
        if self.malformed is not None:
            words.append(_MALFORMED[self.malformed])
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class JobRule:
    """Jobs that go wrong; a pattern that is None fits every job."""

    suffix: re.Pattern[str] | None
    model: re.Pattern[str] | None
    training_file: re.Pattern[str] | None  # of the file's name or id
    metadata: Mapping[str, str]
    turns: Turns
    fails: Failure | Literal["queued"]  # `queued`: it stays there
    step: int | None
    code: str | None
    message: str | None
    param: str | None


Rule = RequestRule | JobRule
