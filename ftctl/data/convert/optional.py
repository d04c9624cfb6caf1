"""Packages that only some users need: the module, or what to type to get it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ftctl.errors import FtctlError


def optional(module: str, extra: str, what: str) -> Any:
    """The module, imported now: both packages take a good part of a second."""
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise FtctlError(
            f"{what} needs the package {package}, which is not installed",
            f"pip install 'ftctl[{extra}]'",
        ) from None
