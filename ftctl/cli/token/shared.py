"""What the commands of `ftctl token` share: where the forge's token is, how a key is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import Settings
from ftctl.errors import FtctlError
from ftctl.identity.short_key import ShortKey

F = TypeVar("F", bound=Callable[..., Any])


class Word(click.ParamType[str]):
    """A word of a form that goes into an address or a question as it is."""

    def __init__(self, form: str, what: str) -> None:
        self.name = what
        self._form, self._what = re.compile(form), what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not self._form.fullmatch(str(value)):
            self.fail(f"{str(value)[:60]!r} is not {self._what}", param, ctx)
        return str(value)


def identity_options(command: F) -> F:
    """Add the options that say where the token is, and how the key is printed."""
    for option in (
        click.option(
            "--exchange-url", metavar="URL", hidden=True,
            help="Ask here, on this machine, instead of the service: for tests.",
        ),
        click.option(
            "--format", "form", type=click.Choice(["key", "json"]), default="key",
            help="The key alone, or with 'expires_in', its seconds.",
        ),
        click.option(
            "--identity-token-file", "file", metavar="FILE", type=click.Path(path_type=Path),
            help="The forge's token stands in this file, as in a pod of Kubernetes.",
        ),
        click.option(
            "--identity-token-env", "variable", metavar="NAME",
            help="The variable that holds the forge's token: FTCTL_ID_TOKEN, or FTCTL_ID_TOKEN_…",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def print_key(settings: Settings, key: ShortKey, form: str) -> int:
    """The key, for the program that reads it: `Connection` of ftctl, or another."""
    if not key.text.isascii() or not key.text.isprintable() or " " in key.text:
        raise FtctlError("what was given has characters that no key has")
    if form == "key":
        settings.console.key(key.text)
        return DONE
    document: dict[str, object] = {"access_token": key.text}
    if key.seconds is not None:
        document["expires_in"] = int(key.seconds)
    settings.console.key(json.dumps(document, sort_keys=True))
    return DONE
