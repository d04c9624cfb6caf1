"""A multi-grader's `calculate_output` -> a number, by a grammar of its own: nothing is executed.

sum     = product (("+" | "-") product)*
product = sign (("*" | "/") sign)*
sign    = ("+" | "-") sign | power
power   = atom ["^" sign]              so 2^3^2 is 2^9, and -2^2 is -4
atom    = number | name | name "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

MAX_FORMULA = 4_000
"""Characters."""
MAX_DEPTH = 40
"""Brackets, signs and powers inside one another."""

_WORD = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<mark>[-+*/^(),]))"
)

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,  # the natural one
}
_SEVERAL = ("min", "max")


class BadFormula(Exception):
    """The text is no formula."""


class NoValue(Exception):
    """The formula has no finite, real value for these numbers."""


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A grader's score."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or a function, and what it is applied to."""

    name: str
    operands: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Sums or products in a row, carried out from the left; flat, however long it is."""

    first: Formula
    rest: tuple[tuple[str, Formula], ...]


Formula = Number | Name | Operation | Chain


def parse_formula(text: str) -> Formula:
    """The formula that the text spells; BadFormula says what is wrong with it."""
    if len(text) > MAX_FORMULA:
        raise BadFormula(f"a formula has at most {MAX_FORMULA} characters")
    reader = _Reader(list(_words(text)))
    formula = reader.sum(0)
    if reader.next is not None:
        raise BadFormula(f"'{reader.next}' stands where an operator should")
    return formula


def names_in(formula: Formula) -> frozenset[str]:
    """The scores that it needs."""
    match formula:
        case Name(name):
            return frozenset({name})
        case Operation(_, operands):
            return frozenset().union(*map(names_in, operands))
        case Chain(first, rest):
            return names_in(first).union(*(names_in(operand) for _, operand in rest))
        case _:
            return frozenset()


def evaluate(formula: Formula, scores: Mapping[str, float]) -> float:
    """Its value, always finite; NoValue, or KeyError for a name without a score."""
    try:
        value = _value(formula, scores)
    except (ArithmeticError, ValueError) as fault:
        raise NoValue(str(fault)) from None
    if not math.isfinite(value):
        raise NoValue("the result is not a finite number")
    return value


def _value(formula: Formula, scores: Mapping[str, float]) -> float:
    match formula:
        case Number(value):
            return value
        case Name(name):
            return scores[name]
        case Operation(name, operands):
            values = [_value(operand, scores) for operand in operands]
            return float(_OPERATIONS[name](*values))
        case Chain(first, rest):
            total = _value(first, scores)
            for mark, operand in rest:
                total = _OPERATIONS[mark](total, _value(operand, scores))
            return total


_OPERATIONS: Mapping[str, Callable[..., float]] = {
    **FUNCTIONS,
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "^": math.pow,  # stays real: a root of a negative number is an error, no complex number
    "negative": lambda value: -value,
}


def _words(text: str) -> Iterator[str]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _WORD.match(text, at)
        if match is None:
            raise BadFormula(f"'{text[at:].lstrip()[:1]}' is no part of a formula")
        yield match[0].strip()
        at = match.end()


@dataclass(slots=True)
class _Reader:
    """Reads words from the left; each method takes one of the grammar's rules."""

    words: list[str]
    at: int = field(default=0)

    @property
    def next(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def sum(self, depth: int) -> Formula:
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> Formula:
        return self._chain(("*", "/"), self._sign, depth)

    def _chain(
        self, marks: tuple[str, ...], operand: Callable[[int], Formula], depth: int
    ) -> Formula:
        first = operand(depth)
        rest = []
        while self.next in marks:
            rest.append((self._take(), operand(depth)))
        return Chain(first, tuple(rest)) if rest else first

    def _sign(self, depth: int) -> Formula:
        _check_depth(depth)
        if self.next == "+":
            self._take()
            return self._sign(depth + 1)
        if self.next == "-":
            self._take()
            return Operation("negative", (self._sign(depth + 1),))
        base = self._atom(depth)
        if self.next != "^":
            return base
        self._take()
        return Operation("^", (base, self._sign(depth + 1)))

    def _atom(self, depth: int) -> Formula:
        word = self._take()
        if word == "(":
            inside = self.sum(depth + 1)
            self._expect(")")
            return inside
        if word[0].isdecimal() or word[0] == ".":
            return Number(float(word))
        if word in "+-*/^),":
            raise BadFormula(f"'{word}' stands where a value should")
        return self._call(word, depth) if self.next == "(" else Name(word)

    def _call(self, name: str, depth: int) -> Formula:
        if name not in FUNCTIONS:
            raise BadFormula(f"'{name}' is no function; there are {', '.join(FUNCTIONS)}")
        self._expect("(")
        operands = [self.sum(depth + 1)]
        while self.next == ",":
            self._take()
            operands.append(self.sum(depth + 1))
        self._expect(")")
        if name in _SEVERAL:
            return Operation(name, tuple(operands)) if len(operands) > 1 else operands[0]
        if len(operands) > 1:
            raise BadFormula(f"{name} takes one value")
        return Operation(name, tuple(operands))

    def _take(self) -> str:
        word = self.next
        if word is None:
            raise BadFormula("it ends too early")
        self.at += 1
        return word

    def _expect(self, mark: str) -> None:
        word = self._take()
        if word != mark:
            raise BadFormula(f"'{word}' stands where '{mark}' should")


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise BadFormula(f"it is nested over {MAX_DEPTH} deep")
