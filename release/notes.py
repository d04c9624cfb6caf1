"""A revision in; what has changed for users since the version before it, as Markdown, out.

    python -I release/notes.py v1.2.0

The notes are those of changes/ that the version before it did not have yet. A tag must say the
version that the package says.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_TAG = re.compile(r"v\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_VERSION = re.compile(r'(?m)^__version__ = "([^"]+)"$')


class NoRelease(Exception):
    """What is wrong with the revision."""


def notes(repository: Path, revision: str) -> str:
    """The notes of the version at that revision.

    Raises NoRelease for a tag that says another version, or without anything new to tell.
    """
    version = _version_at(repository, revision)
    if _TAG.fullmatch(revision) and revision != f"v{version}":
        raise NoRelease(f"the tag says {revision}, and ftctl/__init__.py there says {version}")
    before = _tag_before(repository, revision)
    known = set(_fragments(repository, before)) if before else set()
    fragments = [path for path in _fragments(repository, revision) if path not in known]
    if not fragments:
        raise NoRelease(f"nothing was added to changes/ since {before}")
    parts = [_git(repository, "show", f"{revision}:{path}").strip() for path in fragments]
    return "\n\n".join([f"# ftctl {version}", *map(_a_level_lower, parts)]) + "\n"


def _version_at(repository: Path, revision: str) -> str:
    found = _VERSION.search(_git(repository, "show", f"{revision}:ftctl/__init__.py"))
    if found is None:
        raise NoRelease(f"ftctl/__init__.py at {revision} says no version")
    return found[1]


def _tag_before(repository: Path, revision: str) -> str | None:
    """The newest version's tag among the commits before this revision's own."""
    commit = _git(repository, "rev-parse", f"{revision}^{{commit}}")
    tags = _git(repository, "tag", "--sort=-version:refname", "--merged", commit.strip())
    for tag in tags.split():
        if _TAG.fullmatch(tag) and _git(repository, "rev-parse", f"{tag}^{{commit}}") != commit:
            return tag
    return None


def _fragments(repository: Path, revision: str) -> list[str]:
    listed = _git(repository, "ls-tree", "-r", "--name-only", "-z", revision, "changes/")
    return sorted(path for path in listed.split("\0") if path.endswith(".md"))


def _a_level_lower(text: str) -> str:
    """Its headings one level down, below the release's own; code blocks stay as they are."""
    lines, fenced = [], False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not fenced else line)
    return "\n".join(lines)


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoRelease(done.stderr.strip())
    return done.stdout


def main(arguments: list[str]) -> int:
    try:
        sys.stdout.write(notes(Path.cwd(), arguments[0] if arguments else "HEAD"))
    except NoRelease as error:
        sys.stderr.write(f"no release notes: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
