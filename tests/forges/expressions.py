"""An expression of a workflow and what is known in; its value out, as GitHub documents it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|\|\||&&|==|!=|!|\(|\)|[A-Za-z_][\w.-]*)")
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def filled_in(text: str, known: Mapping[str, Any]) -> str:
    """The text with the value of every ${{ … }}."""
    return _HOLE.sub(lambda hole: _text(evaluate(hole[1], known)), text)


def condition(text: str | None, known: Mapping[str, Any]) -> bool:
    """Whether a step or job runs. Without always(), it does not after a failure."""
    if text is None:
        return not known["failed"]
    value = bool(evaluate(text.removeprefix("${{").removesuffix("}}"), known))
    return value and ("always()" in text or not known["failed"])


def evaluate(text: str, known: Mapping[str, Any]) -> Any:
    """The value of an expression; what is not known is the empty text, as at GitHub."""
    tokens = _tokens(text)
    parser = _Parser(tokens, known)
    value = parser.either()
    assert parser.at == len(tokens), f"left over in {text!r}"
    return value


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found, f"no token at {text[at:]!r}"
        tokens.append(found[1])
        at = found.end()
    return tokens


@dataclass
class _Parser:
    tokens: list[str]
    known: Mapping[str, Any]
    at: int = 0

    def _take(self, *wanted: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return True
        return False

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._same()
        while self._take("&&"):
            other = self._same()
            value = value and other
        return value

    def _same(self) -> Any:
        value = self._one()
        for sign in ("==", "!="):
            if self._take(sign):
                same = _text(value).lower() == _text(self._one()).lower()
                return same if sign == "==" else not same
        return value

    def _one(self) -> Any:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            value = self.either()
            assert self._take(")")
            return value
        token = self.tokens[self.at]
        self.at += 1
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._take("("):
            assert token == "always", f"{token}() is not known here"
            assert self._take(")")
            return True
        found: Any = self.known
        for name in token.split("."):
            found = found.get(name, "") if isinstance(found, Mapping) else ""
        return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
