"""orjson's one door: the fast parser, for files that are worth its 27 ms of import."""

from __future__ import annotations

from functools import cache

from ftctl.data.scanning.check import Parser


@cache
def fast_parser() -> Parser:
    """The process's fast parser."""
    import orjson  # noqa: PLC0415 - small files are read without it

    return Parser(orjson.loads, orjson.dumps)
