"""A data file in, its check's result out; a file that has not changed since is not read again.

Like git's index: a file is the same while its size, times and inode are, unless it was touched so
shortly before it was read that a later change could bear the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from ftctl.cache.store import Store
from ftctl.dataset import read_dataset
from ftctl.errors import Diagnostic, Span
from ftctl.model import Dataset, Method

_RACY_NANOSECONDS = 2_000_000_000  # FAT keeps times to two seconds

_Found = tuple[Dataset | None, tuple[Diagnostic, ...]]


class Datasets:
    """Reads datasets, each file once."""

    def __init__(self, store: Store | None = None, now: Callable[[], int] = time.time_ns) -> None:
        self._store = store or Store(None, "")
        self._now = now  # nanoseconds; the files' clock, and so never the project's

    def read(
        self, name: str, source: Path, shown: str, method: Method | None, least: int
    ) -> _Found:
        """The dataset and its problems, as `read_dataset` gives them."""
        key = f"{source}|{method}|{least}".encode("unicode_escape").decode("ascii")
        before = _signature(source)
        known = _decoded(self._store.get(key), before, name, shown)
        if known is not None:
            return known
        now = self._now()
        dataset, problems = read_dataset(name, source, shown, method, least)
        if dataset is not None and before is not None and before == _signature(source):
            newest = max(before[1], before[2])
            if newest + _RACY_NANOSECONDS < now:
                content = astuple(dataset)[2:]
                notes = [[*astuple(one)[:2], one.span.line, one.span.column,
                          one.hint, one.severity] for one in problems]  # fmt: skip
                self._store.put(key, [before, content, notes])
        return dataset, problems


def _signature(source: Path) -> list[int] | None:
    """Changes when the file does."""
    try:
        found = source.stat()
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def _decoded(kept: Any, now: list[int] | None, name: str, shown: str) -> _Found | None:
    if now is None or kept is None or kept[0] != now:
        return None
    _, content, notes = kept
    problems = tuple(
        Diagnostic(code, message, Span(shown, line, column), hint, severity)
        for code, message, line, column, hint, severity in notes
    )
    return Dataset(name, shown, *content), problems
