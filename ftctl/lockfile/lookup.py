"""A fine-tune's name in, the model that applications use out, from `ftctl.lock` alone.

For programs that serve: the standard library's json is all that this loads.
"""

from __future__ import annotations

import json
import os

from ftctl.text.identifiers import is_identifier

TYPE_CHECKING = False  # type checkers take the name as true; `typing` itself costs 8 ms
if TYPE_CHECKING:
    from typing import Any

_FILE = "ftctl.lock"
_ALIAS = "prod"  # goes before the newest model
_DEFAULT = "default"  # the environment of a run without --env


class NoRelease(LookupError):
    """There is no release record, or it is no record."""


class UnknownFineTune(LookupError):
    """The record has no fine-tune of that name, or no environment."""


class UnknownAlias(LookupError):
    """The fine-tune is not promoted so, and has no model without a promotion."""


def model(
    name: str,
    alias: str | None = None,
    *,
    project: str | os.PathLike[str] | None = None,
    environment: str | None = None,
) -> str:
    """The model of a fine-tune: the one promoted as `alias`, or else as prod, or else the newest.

    `project` is the folder with ftctl.lock; without it that is $FTCTL_PROJECT, or the nearest
    one upward from the current folder. `environment` is that of --env; without it, $FTCTL_ENV.
    Raises `NoRelease`, `UnknownFineTune` or `UnknownAlias`, all of them `LookupError`.
    """
    path, finetunes = _finetunes(project, environment)
    if name not in finetunes:
        raise UnknownFineTune(f"{path} has no fine-tune {name!r}{_instead(name, finetunes)}")
    release = _model(finetunes[name], alias)
    if release is None:
        raise UnknownAlias(_why_none(name, finetunes[name], alias or _ALIAS, path))
    return release


def models(
    alias: str | None = None,
    *,
    project: str | os.PathLike[str] | None = None,
    environment: str | None = None,
) -> dict[str, str]:
    """The model of every fine-tune that has one, as `model` gives it, by the fine-tunes' names."""
    _, finetunes = _finetunes(project, environment)
    releases = {name: _model(entry, alias) for name, entry in sorted(finetunes.items())}
    return {name: release for name, release in releases.items() if release is not None}


def _model(entry: dict[str, Any], alias: str | None) -> str | None:
    """What is promoted goes before the newest also where it is gone: nobody chose the newest."""
    promoted = entry.get("promoted", {})
    newest = entry.get("model") if alias is None else None
    pointer = promoted.get(alias or _ALIAS)
    name = newest if pointer is None else pointer.get("model")
    # Whoever wrote the record, the name goes into requests, and perhaps onto a command line.
    if not isinstance(name, str) or not is_identifier(name) or _is_retired(entry, name):
        return None
    return name


def _is_retired(entry: dict[str, Any], model: str) -> bool:
    """Whether ftctl deleted the model, as it was asked to."""
    retired = entry.get("retired", ())
    return isinstance(retired, list) and any(
        isinstance(pointer, dict) and pointer.get("model") == model for pointer in retired
    )


def _why_none(name: str, entry: dict[str, Any], alias: str, path: str) -> str:
    promoted = entry.get("promoted", {})
    if alias in promoted:
        return (
            f"{name!r} is promoted as {alias!r} in {path}, but that model was deleted, or is none:"
            f" 'ftctl promote {name} --as {alias} --job ID' chooses another"
        )
    aliases = ", ".join(sorted(promoted))
    only = f", only as: {aliases}" if aliases else ", nor as anything else"
    return f"{name!r} is not promoted as {alias!r} in {path}{only}"


def _finetunes(
    project: str | os.PathLike[str] | None, environment: str | None
) -> tuple[str, dict[str, dict[str, Any]]]:
    """The record's path, and what it tells of each fine-tune in an environment."""
    path = _path(project)
    sections = _sections(path)
    section = environment or os.environ.get("FTCTL_ENV")
    if section is None:
        # A project that has one environment alone means that one.
        section = _DEFAULT if _DEFAULT in sections or len(sections) != 1 else next(iter(sections))
    if section not in sections and (section != _DEFAULT or sections):
        names = ", ".join(sorted(sections)) or "none"
        raise UnknownFineTune(f"{path} has no environment {section!r}, only: {names}")
    finetunes = sections.get(section, {}).get("finetunes", {})
    return path, finetunes


def _path(project: str | os.PathLike[str] | None) -> str:
    given = os.fspath(project) if project is not None else os.environ.get("FTCTL_PROJECT")
    if given:
        return os.path.join(given, _FILE)  # noqa: PTH118 - pathlib costs 9 ms
    folder = start = os.getcwd()  # noqa: PTH109
    while not os.path.isfile(os.path.join(folder, _FILE)):  # noqa: PTH113, PTH118
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            raise NoRelease(f"there is no {_FILE} in {start} or above it: set FTCTL_PROJECT")
        folder = above
    return os.path.join(folder, _FILE)  # noqa: PTH118


def _sections(path: str) -> dict[str, dict[str, Any]]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            document = json.load(file)
    except OSError as fault:
        raise NoRelease(f"{path} cannot be read: {fault.strerror}") from None
    except (ValueError, RecursionError):
        raise NoRelease(f"{path} is damaged: it is not JSON; take it back from git") from None
    if not _is_record(document):
        raise NoRelease(f"{path} is no release record that this version of ftctl knows")
    sections: dict[str, dict[str, Any]] = document.get("environments", {})
    return sections


def _is_record(document: object) -> bool:
    """Whether the parts that are asked for have the form that they have in version 1."""
    if not isinstance(document, dict):
        return False
    version, sections = document.get("lock_version"), document.get("environments", {})
    if not isinstance(version, str) or not version.startswith("1.") or not _is_tree(sections, 2):
        return False
    finetunes = [section.get("finetunes", {}) for section in sections.values()]
    if not all(_is_tree(section, 2) for section in finetunes):
        return False
    entries = [entry for section in finetunes for entry in section.values()]
    return all(_is_tree(entry.get("promoted", {}), 2) for entry in entries)


def _is_tree(value: object, levels: int) -> bool:
    """Whether it is a mapping, and so are its values, down to so many levels."""
    if not isinstance(value, dict):
        return False
    return levels == 1 or all(_is_tree(inner, levels - 1) for inner in value.values())


def _instead(name: str, known: dict[str, dict[str, Any]]) -> str:
    from ftctl.text.suggest import nearest  # noqa: PLC0415 - only for a fault

    if near := nearest(name, known):
        return f": did you mean {near!r}?"
    return f"; it has: {', '.join(sorted(known)) or 'none'}"
