"""A folder in; the git commit that it is at out."""

from __future__ import annotations

import subprocess
from pathlib import Path

_TIMEOUT_SECONDS = 5


def commit_of(root: Path) -> str | None:
    """The commit that the project's folder is at; None where there is none, or no git."""
    try:
        found = subprocess.run(  # noqa: S603 - no shell, and a fixed command
            ["git", "-C", str(root), "rev-parse", "HEAD"],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    commit = found.stdout.strip()
    return commit if found.returncode == 0 and commit else None
