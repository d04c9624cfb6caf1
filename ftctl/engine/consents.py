"""What ftctl.yaml would have sent or run in; whether this user has let it before, out.

Each pair of an address and a variable, and each program of a project, is a file of its own in the
user's state folder: two processes that remember at once do not write over each other, and whoever
wants to take one back removes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftctl.domain.service_address import ServiceAddress
from ftctl.files import write_atomically
from ftctl.user_folders import is_ours, make_private, state_folder

_MOST_BYTES = 64 * 1024
_LONGEST_NAME = 60
_ODD = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class AddressUse:
    """What would go where.

    `variables` are names; the program of `api_key_command` stands for the key that it prints.
    `along` is what ftctl.yaml has sent besides: a gateway may be told with it where to send on.
    """

    address: ServiceAddress
    variables: tuple[str, ...]
    along: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandUse:
    """Programs that ftctl.yaml has run, each with its arguments, and what for."""

    commands: tuple[tuple[str, ...], ...]
    purpose: str


Use = AddressUse | CommandUse


def remembered(use: Use, project: Path) -> bool:
    """Whether all of it was allowed before. What cannot be read was not."""
    folder = _folder(use, project)
    if folder is None:
        return False
    return all(_read(folder / name) == entry for name, entry in _entries(use, project))


def remember(use: Use, project: Path, day: str) -> Path | None:
    """Keep that it was allowed; the folder, or None where there is no place for it."""
    folder = _folder(use, project)
    if folder is None:
        return None
    try:
        make_private(folder)
        for name, entry in _entries(use, project):
            text = json.dumps({**entry, "allowed_on": day}, indent=2, sort_keys=True)
            write_atomically(folder / name, f"{text}\n", private=True)
    except OSError:
        return None
    return folder


def _folder(use: Use, project: Path) -> Path | None:
    """Where they are; None where a checkout could bring them along."""
    state = state_folder()
    if state is None:
        return None
    folder = state / ("addresses" if isinstance(use, AddressUse) else "commands")
    inside = Path(os.path.realpath(folder)).is_relative_to(_checkout(project))
    return folder if not inside and is_ours(folder) else None


def _checkout(project: Path) -> Path:
    """The repository around a project, as far as its folders tell.

    A home that is kept in git is none: its user's own state is not brought along by a project.
    """
    root = Path(os.path.realpath(project))
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - it never fails
    around = (
        folder
        for folder in (root, *root.parents)
        if os.path.lexists(folder / ".git") and str(folder) != home
    )
    return next(around, root)


def _entries(use: Use, project: Path) -> list[tuple[str, dict[str, Any]]]:
    """The files' names and what is in them."""
    entries: list[dict[str, Any]]
    if isinstance(use, AddressUse):
        name = use.address.host
        entries = [
            {"address": str(use.address), "variable": variable, "along": [*use.along]}
            for variable in use.variables
        ]
    else:
        root = os.path.realpath(project)
        name = Path(root).name.lower()
        entries = [{"command": [*command], "project": root} for command in use.commands]
    stem = _ODD.sub("-", name)[:_LONGEST_NAME].strip(".-") or "unnamed"
    return [(f"{stem}-{_digest(entry)}.json", entry) for entry in entries]


def _digest(entry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry).encode()).hexdigest()[:32]


def _read(path: Path) -> dict[str, Any] | None:
    """What a file says, without its day; None for what is none of ours."""
    with suppress(OSError, ValueError, RecursionError):
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _NO_WAIT)
        with os.fdopen(number, "rb") as stream:
            if not _is_private_file(os.fstat(number)):
                return None
            entry = json.loads(stream.read(_MOST_BYTES))
        if isinstance(entry, dict):
            entry.pop("allowed_on", None)
            return entry
    return None


_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # a pipe there holds nobody up


def _is_private_file(found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    if os.name == "nt":
        return True
    others = stat.S_IWGRP | stat.S_IWOTH
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & others


def is_allowed(address: ServiceAddress, allowed: Sequence[ServiceAddress]) -> bool:
    """Whether an address is one of these, or below one of them."""
    return any(address.is_below(one) for one in allowed)
