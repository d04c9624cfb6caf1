"""orjson's one door: the fast parser, for files that are worth its 27 ms of import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Parser:
    """How rows become values fast, and values JSON again."""

    loads: Callable[[bytes], Any]
    dumps: Callable[[Any], bytes]


@cache
def orjson_parser() -> Parser:
    """The process's fast parser."""
    import orjson  # noqa: PLC0415 - small files are read without it

    return Parser(orjson.loads, orjson.dumps)
