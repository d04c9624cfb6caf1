"""A project's folder in; what of its own state git tracks, as problems, out.

`.ftctl` holds what this machine alone has made. What came with a checkout is another's word, be it
for a job that was bought or for the embedded API's whole account.
"""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

from ftctl.errors import Diagnostic, InvalidProject, Span
from ftctl.files import is_racy, signature_of
from ftctl.git_index import (
    Tracked,
    UnreadableIndexError,
    index_of,
    repositories_around,
    tracked_in,
)
from ftctl.manifest import shorten
from ftctl.project.document_cache import Documents

STATE_FOLDER = ".ftctl"
_LONGEST_PATH = 200  # characters of a path in a message


def tracked_state(root: Path, known: Documents | None = None) -> tuple[Diagnostic, ...]:
    """What git tracks at or below the state's folder: nothing, or an error. git is not asked.

    `known` remembers which index has nothing there.
    """
    if not os.path.lexists(root / STATE_FOLDER):
        return ()
    real = Path(os.path.realpath(root))
    top = next(repositories_around(real), None)
    way = (real / STATE_FOLDER).relative_to(top).as_posix() if top is not None else ""
    tracked = _tracked(top, way, known or Documents()) if top is not None else None
    if tracked is None:
        if not os.path.lexists(real / STATE_FOLDER / ".git"):
            return ()
        message = f"'{STATE_FOLDER}' is a git repository of its own; ftctl keeps its state there"
        return (_found(message, STATE_FOLDER, f"rm -rf {STATE_FOLDER}"),)
    path = os.path.relpath(tracked.top / tracked.path, real).replace(os.sep, "/")
    shown = shorten(path, _LONGEST_PATH)
    message = f"git tracks '{shown}', and {STATE_FOLDER} is for what this machine has made itself"
    folder = shlex.quote(path.partition("/")[0])
    cure = f"git rm -r -q --cached {folder} && printf '\\n{STATE_FOLDER}/\\n' >> .gitignore"
    return (_found(message, shown, cure),)


def require_untracked(root: Path) -> None:
    """`InvalidProject` where git tracks some of the state: for what reads it without a project."""
    problems = tracked_state(root)
    if problems:
        raise InvalidProject(problems)


def _found(message: str, shown: str, hint: str) -> Diagnostic:
    return Diagnostic("tracked-state", message, Span(shown), hint)


def _tracked(top: Path, way: str, known: Documents) -> Tracked | None:
    try:
        index = index_of(top)
        signature = signature_of(index)
        if signature is None or known.index_is_known(index, way, signature):
            return None
        read_at = time.time_ns()
        tracked = tracked_in(top, way)
    except UnreadableIndexError:
        return None  # of what is there, nothing causes a purchase
    if tracked is None and not is_racy(signature, read_at):
        known.remember_index(index, way, signature)
    return tracked
