"""`--encoding NAME` on a command line; Python's name of it comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ftctl.data.encodings.names import UTF_8, UnknownEncoding, text_encoding

F = TypeVar("F", bound=Callable[..., Any])


class _TextEncoding(click.ParamType):  # type: ignore[type-arg] # click before 8.4 has none
    name = "encoding"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        try:
            return text_encoding(str(value))
        except UnknownEncoding as fault:
            return self.fail(f"'{value}' {fault.message}; {fault.hint}", param, ctx)


def encoding_option(files: str) -> Callable[[F], F]:
    """The option, for what `files` says."""
    return click.option(
        "--encoding",
        type=_TextEncoding(),
        metavar="NAME",
        callback=_other_than_utf8,
        help=f"What the text of {files} is in: cp949, cp932, gb18030, ….  [default: UTF-8]",
    )


def _other_than_utf8(_: click.Context, __: click.Parameter, encoding: str | None) -> str | None:
    return None if encoding in UTF_8 else encoding
