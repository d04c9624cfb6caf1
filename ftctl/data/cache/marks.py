"""Marks of a file's rows, in files of their own: they are large, and most runs need none."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.cache.store import write_whole

if TYPE_CHECKING:
    from ftctl.data.quality import Collected

_UNUSED_SECONDS = 30 * 86_400


class MarksFolder:
    """Nothing here fails: what cannot be read is not there, what cannot be written is not kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> Collected | None:
        """What was put, if it is whole."""
        if self._folder is None:
            return None
        from ftctl.data.quality import Collected  # noqa: PLC0415 - only where marks are wanted

        with contextlib.suppress(OSError, ValueError):
            return Collected.from_bytes(self._path(self._folder, key).read_bytes())
        return None

    def put(self, key: str, collected: Collected) -> None:
        """Keep it, and let go of what nobody has written for a month."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            write_whole(self._path(self._folder, key), collected.to_bytes())
            for path in self._folder.iterdir():
                if path.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                    path.unlink(missing_ok=True)

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
