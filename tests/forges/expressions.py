"""An expression of a workflow and what is known in; its value out, as GitHub documents it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*('(?:[^']|'')*'|\|\||&&|==|!=|!|\(|\)|\[|\]|,|\d+|[A-Za-z_](?:[\w-]|\.(?:[A-Za-z_*]))*)"
)
_STATUS = re.compile(r"\b(always|success|failure|cancelled)\s*\(")
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def filled_in(text: str, known: Mapping[str, Any]) -> str:
    """The text with the value of every ${{ … }}."""
    return _HOLE.sub(lambda hole: _text(evaluate(hole[1], known)), text)


def condition(text: str | bool | None, known: Mapping[str, Any]) -> bool:
    """Whether a step or job runs. Without a status function, success() is meant beside the rest.

    `failed` says that a step before or a needed job failed, `skipped` that a needed job did not
    run, `cancelled` that somebody stopped the run.
    """
    if text is None:
        return _succeeded(known)
    text = str(text).strip().removeprefix("${{").removesuffix("}}")
    value = bool(evaluate(text, known))
    return value and (bool(_STATUS.search(text)) or _succeeded(known))


def value_of(text: Any, known: Mapping[str, Any]) -> Any:
    """The value of a setting that may be one ${{ … }}: what that gives, else the setting."""
    if isinstance(text, str) and (found := _HOLE.fullmatch(text.strip())):
        return evaluate(found[1], known)
    return filled_in(text, known) if isinstance(text, str) else text


def _succeeded(known: Mapping[str, Any]) -> bool:
    return not (known["failed"] or known.get("skipped") or known.get("cancelled"))


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
        if token.isdigit():
            return int(token)
        if token.lower() in _WORDS:
            return _WORDS[token.lower()]
        found: Any
        if self._take("("):
            found = self._call(token)
        else:
            found = self.known
            for name in token.split("."):
                found = _within(found, name)
        while self._take("["):
            found = _within(found, self.either())
            assert self._take("]")
        return found

    def _call(self, name: str) -> Any:
        given = []
        while not self._take(")"):
            given.append(self.either())
            self._take(",")
        if name.lower() in _STATES:
            return _STATES[name.lower()](self.known)
        assert name.lower() in _FUNCTIONS, f"{name}() is not known here"
        return _FUNCTIONS[name.lower()](*given)


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return _text(what).lower() in [_text(one).lower() for one in where]
    return _text(what).lower() in _text(where).lower()


_WORDS = {"true": True, "false": False, "null": None}
_STATES: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "always": lambda known: True,
    "success": _succeeded,
    "failure": lambda known: bool(known["failed"]),
    "cancelled": lambda known: bool(known.get("cancelled")),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda text, start: _text(text).lower().startswith(_text(start).lower()),
    "endswith": lambda text, end: _text(text).lower().endswith(_text(end).lower()),
    "format": lambda text, *values: re.sub(
        r"\{(\d+)\}", lambda one: _text(values[int(one[1])]), text
    ),
    "join": lambda values, between=",": between.join(map(_text, values)),
    "tojson": lambda value: json.dumps(value, indent=2),
    "fromjson": json.loads,
}


def _within(value: Any, name: Any) -> Any:
    if name == "*":
        return list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(value, list):
        if isinstance(name, int):
            return value[name] if name < len(value) else ""
        return [_within(one, name) for one in value]
    return value.get(name, "") if isinstance(value, Mapping) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
