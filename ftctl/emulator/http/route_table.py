"""A table of methods and paths -> the handler of a request, or the methods that its path has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

Handler = TypeVar("Handler")


@dataclass(frozen=True, slots=True)
class Match(Generic[Handler]):
    """A handler with the decoded parameters of the path."""

    handler: Handler
    path: dict[str, str]


class RouteTable(Generic[Handler]):
    """Routes to be found; in a path, `{name}` is one segment, `{name*}` one or more."""

    def __init__(self, routes: Iterable[tuple[str, str, Handler]], below: str = "") -> None:
        self._routes = [
            (method, _pattern(below + path), handler) for method, path, handler in routes
        ]

    def find(self, method: str, path: str) -> Match[Handler] | tuple[str, ...]:
        """The route for the percent-encoded path, or the methods that it has: none if unknown."""
        allowed = []
        for route_method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if route_method == method:
                texts = match.groupdict().items()
                return Match(handler, {name: _decoded(text) for name, text in texts})
            allowed.append(route_method)
        return tuple(allowed)


def _decoded(text: str) -> str:
    # Half characters, which only an in-process caller can send, would not fit into the database.
    return unquote(text).encode("utf-8", "replace").decode("utf-8")


def _pattern(template: str) -> re.Pattern[str]:
    whole = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", whole))
