"""A project's folder in; the places that are the user's own, outside of any checkout, out.

What a plan believes is kept there: nobody who only brings a checkout can put anything into it. A
place is none where it is somebody else's, or where the system says none: then nothing is kept.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path

CACHE_VARIABLE = "FTCTL_CACHE_DIR"
STATE_VARIABLE = "FTCTL_STATE_DIR"

_LONGEST_NAME = 40  # characters of a project's folder, for people who look into the cache
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folder(project: Path) -> Path | None:
    """Where what can be found out again is kept for the project at that path.

    Two checkouts have two, whatever leads to them. It need not exist; see `make_private`.
    """
    home = cache_home()
    if home is None:
        return None
    where = os.path.realpath(project)
    key = hashlib.sha256(os.fsencode(where)).hexdigest()[:32]
    name = _ODD.sub("-", Path(where).name)[:_LONGEST_NAME].strip(".-")
    folder = home / "projects" / (f"{name}-{key}" if name else key)
    return folder if is_ours(home / "projects") and is_ours(folder) else None


def cache_home() -> Path | None:
    """Where the caches of all projects are."""
    return _place(CACHE_VARIABLE, "user_cache_dir")


def state_folder() -> Path | None:
    """Where is kept what ftctl remembers of its user's decisions. It need not exist."""
    return _place(STATE_VARIABLE, "user_state_dir")


def _place(variable: str, kind: str) -> Path | None:
    named = os.environ.get(variable)
    if named:
        folder = Path(os.path.abspath(named))  # noqa: PTH100 - pathlib would follow links
    else:
        import platformdirs  # noqa: PLC0415 - not where the variable names the place

        folder = Path(getattr(platformdirs.PlatformDirs("ftctl", appauthor=False), kind))
        if not folder.is_absolute():  # no HOME, or a variable that the standard says to pass over
            return None
    return folder if is_ours(folder) else None


def is_ours(folder: Path) -> bool:
    """Whether what is at that path is a folder that nobody but its user (or root) can write to.

    True where there is nothing yet. A link is nobody's; how one gets to the folder does not matter.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) and _is_private(found)


def _is_private(found: os.stat_result) -> bool:
    if os.name == "nt":  # its rights are not in the mode, and a profile is the user's alone
        return True
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & _OTHERS_WRITE


def make_private(folder: Path) -> None:
    """Make a folder for its user alone, and what leads to it; OSError where it is not ours."""
    try:
        folder.mkdir(mode=0o700, parents=False)
    except FileNotFoundError:
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        if not is_ours(folder):
            raise OSError(errno.EPERM, "is not this user's own folder", str(folder)) from None
