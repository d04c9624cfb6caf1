"""A folder and a path in; whether that path may be read, links followed, and why not, out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ftctl.errors import Finding
from ftctl.manifest.decoding import LOG_COMMAND, shorten
from ftctl.text.invisible import first_hidden, is_invisible, name_of

_GIT = ".git"
_ANNEX = ("annex", "objects")  # git-annex links every file to there


@dataclass(frozen=True, slots=True)
class ReadScope:
    """From where files may be read. All are real places: no link is on the way to them."""

    home: Path  # the repository
    folders: tuple[Path, ...] = ()  # what ftctl.yaml lists outside it
    told_by: str = "ftctl.yaml"  # the file that lists them, as people know it

    def refuses(self, path: Path, shown: str) -> Finding | None:
        """Why the file may not be read, or None: also where nobody could, as at a loop of links."""
        try:
            real = Path(os.path.realpath(path, strict=True))
        except FileNotFoundError:
            real = Path(os.path.realpath(path))
        except (OSError, ValueError):
            return None
        if real.is_relative_to(self.home):
            return _refuses_git(real.relative_to(self.home), shown)
        if any(real.is_relative_to(folder) for folder in self.folders):
            return None
        # By its name alone it lies inside: then only a link can have led out.
        linked = Path(os.path.normpath(path)).is_relative_to(self.home)
        what = "is reached over a link that leads" if linked else "lies"
        return Finding(
            "source-outside",
            f"'{shown}' {what} outside the repository",
            f"copy it into the repository, or have {self.told_by} list its folder:"
            " 'sources: {outside: [DIR]}'",
        )


def _refuses_git(path: Path, shown: str) -> Finding | None:
    """What git keeps for itself: a checkout in CI leaves a token in its configuration."""
    parts = [part.lower() for part in path.parts]
    if _GIT not in parts or tuple(parts[parts.index(_GIT) + 1 :][:2]) == _ANNEX:
        return None
    message = f"'{shown}' is one of git's own files"
    return Finding("source-outside", message, "copy it out of .git, into the repository")


def read_scope_of(root: Path, listed: Sequence[str] = (), told_by: str = "ftctl.yaml") -> ReadScope:
    """What a project in the folder `root` may read; `listed` counts from there.

    A listed folder that stands in the repository does not count: as a link, its target would be
    the choice of whoever may change the repository.
    """
    home, real = repository_of(root), os.path.realpath(root)
    places = (Path(os.path.normpath(Path(real, one))) for one in listed if "\0" not in one)
    folders = (Path(os.path.realpath(one)) for one in places if not one.is_relative_to(home))
    return ReadScope(home, tuple(folders), told_by)


def repository_of(root: Path) -> Path:
    """The nearest folder upwards that git keeps, as a real place; `root` where there is none."""
    real = Path(os.path.realpath(root))
    return next((one for one in (real, *real.parents) if os.path.lexists(one / _GIT)), real)


def unprintable(shown: str) -> Finding | None:
    """What to say of a path that cannot be shown as it is, in a terminal or in a workflow's log."""
    hidden = first_hidden(shown)
    printable = all(letter.isprintable() or is_invisible(letter) for letter in shown)
    if hidden is None and printable and not LOG_COMMAND.search(shown):
        return None
    what = "characters that cannot be shown" if hidden is None else name_of(shown[hidden])
    message = f"the path '{shorten(shown)}' holds {what}"
    return Finding("unprintable-path", message, "rename the file, or its folder")
