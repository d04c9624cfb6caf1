"""A folder and a path in; whether the path leads out of the folder, links followed, out."""

from __future__ import annotations

import os
from pathlib import Path


def outside(root: Path, path: Path) -> bool:
    """Whether `path`, with every link followed, is not below `root`.

    What does not exist yet counts as what its links and the folders that exist make of it. What
    cannot be followed, as a loop of links or a folder that may not be read, counts as outside.
    """
    try:
        home = os.path.realpath(root, strict=True)
        try:
            real = os.path.realpath(path, strict=True)
        except FileNotFoundError:
            real = os.path.realpath(path)
    except (OSError, ValueError):
        return True
    return not Path(real).is_relative_to(home)
