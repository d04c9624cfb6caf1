"""A file's fingerprints in, a file of their own out: they are large, and most runs need none."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.cache.store import write_whole
from ftctl.files import read_regular

if TYPE_CHECKING:
    from ftctl.data.quality import FingerprintTable

_UNUSED_SECONDS = 30 * 86_400
_MOST_BYTES = 1 << 30  # of a file that is read back


class FingerprintFiles:
    """Nothing here fails: what cannot be read is not there, what cannot be written is not kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> FingerprintTable | None:
        """What was put, if it is whole."""
        if self._folder is None:
            return None
        from ftctl.data.quality import FingerprintTable  # noqa: PLC0415 - only where they are wanted

        content = read_regular(self._path(self._folder, key), _MOST_BYTES)
        with contextlib.suppress(ValueError):
            return None if content is None else FingerprintTable.from_bytes(content)
        return None

    def put(self, key: str, fingerprints: FingerprintTable) -> None:
        """Keep it, and let go of what nobody has written for a month."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            write_whole(self._path(self._folder, key), fingerprints.to_bytes())
            for path in self._folder.iterdir():
                if path.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                    path.unlink(missing_ok=True)

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
