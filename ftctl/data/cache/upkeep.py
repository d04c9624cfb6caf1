"""A project's cache in; the caches of all projects, within bounds, out.

Once a day for each project in use: what nobody has used for a month goes, and of more than 10 GiB
the projects that were used the longest ago. Nothing here fails, and nothing else is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ftctl.files import read_regular
from ftctl.user_folders import ABOUT, is_cache

UNUSED_SECONDS = 30 * 86_400
MOST_BYTES = 10 * 1024**3

_DAY_SECONDS = 86_400


def tend(folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Mark a project's cache as used, and let go of what is not, of it and of all others.

    Deleted is only what says of itself that it is such a cache: the folder for all of them is one
    that people name, and may hold other things.
    """
    now = time.time()  # the files' clock, and so never the project's
    with suppress(OSError, ValueError):
        about = folder / ABOUT
        if _age(about, now) > _DAY_SECONDS:
            os.utime(about)
            _sweep(folder, now, most_bytes)


def _sweep(folder: Path, now: float, most_bytes: int) -> None:
    sizes: dict[Path, int] = {}
    ages: dict[Path, float] = {}
    for project in filter(is_cache, _folders(folder.parent)):
        ages[project] = _age(project / ABOUT, now, project)
        if project != folder and ages[project] > UNUSED_SECONDS:
            _remove(project)
            continue
        _sweep_project(project, now)
        sizes[project] = sum(_sizes(project))
    excess = sum(sizes.values()) - most_bytes
    for project in sorted(sizes, key=lambda one: ages[one], reverse=True):
        if excess <= 0:
            break
        if project != folder and ages[project] > _DAY_SECONDS:  # else somebody may be at work
            _remove(project)
            excess -= sizes[project]


def _sweep_project(project: Path, now: float) -> None:
    """What was downloaded or made of it, and nobody has used for a month."""
    sources = project / "sources"
    for path in _files(sources):
        mark = sources / "known" / f"{path.name}.seen"
        if min(_age(path, now), _age(mark, now, path)) > UNUSED_SECONDS:
            _unlink(path)
            _unlink(mark)
    for note in _files(sources / "known"):
        kept = note.suffix == ".seen" and (sources / note.stem).exists()
        if not kept and _age(note, now) > UNUSED_SECONDS:
            _unlink(note)
    derived = project / "derived"
    used: set[str] = set()
    for path in _files(derived):
        if path.suffix == ".json":
            if _age(path, now) > UNUSED_SECONDS:
                _unlink(path)
            else:
                used |= _parts(path)
    entries = {path.stem for path in _files(derived) if path.suffix == ".json"}
    for path in _files(derived):
        owner = path.stem.partition("-")[0]
        orphan = (path.suffix == ".jsonl" and path.stem not in used) or (
            path.suffix == ".rows" and owner not in entries
        )
        if orphan and _age(path, now) > _DAY_SECONDS:  # a run may be about to name it
            _unlink(path)


def _parts(entry: Path) -> set[str]:
    """How the files are called that an entry of derived data names."""
    with suppress(ValueError, AttributeError, TypeError, RecursionError):
        known = json.loads(read_regular(entry, 1 << 20) or b"{}")
        before = (known.get("before") or {}).get("parts", {})  # of earlier versions
        parts = [sha256 for sha256, _size in known.get("parts", {}).values()]
        return {str(sha256)[:16] for sha256 in (*parts, *before.values())}
    return set()


def _age(path: Path, now: float, otherwise: Path | None = None) -> float:
    """Seconds since it was written; of another path where there is none."""
    try:
        return now - path.lstat().st_mtime
    except OSError:
        return now - otherwise.lstat().st_mtime if otherwise is not None else 0.0


def _folders(folder: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (Path(one.path) for one in entries if one.is_dir(follow_symlinks=False))


def _files(folder: Path) -> list[Path]:
    if folder.is_symlink():
        return []
    with suppress(OSError), os.scandir(folder) as entries:
        return [Path(one.path) for one in entries if one.is_file(follow_symlinks=False)]
    return []


def _sizes(folder: Path) -> Iterator[int]:
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # it follows no link


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
