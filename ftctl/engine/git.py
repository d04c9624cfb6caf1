"""A folder in a repository and a question in; what git says, and nobody's program run, out.

What git is asked here reads objects alone: no index, no work tree, no filters, no hooks. A
repository's own settings cannot make that run a program, nor fetch anything.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from ftctl.catalog.variables import without_identity
from ftctl.data.sources import repository_of
from ftctl.errors import FtctlError, UsageError
from ftctl.manifest import shorten

_TIMEOUT_SECONDS = 120
_MOST_SETTINGS = 100
_KEPT = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})

# Against a repository that comes with settings: a bare one in a folder of the checkout is none.
_OPTIONS = (
    "--no-pager", "--no-replace-objects", "--literal-pathspecs",
    "-c", "safe.bareRepository=explicit",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never",
    "-c", "core.sshCommand=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}

# A branch, tag, hash or such with ~1, ^2 or @{1}; ':' and '..' would make something else of it.
_REVISION = re.compile(r"(?!-)(?!.*\.\.)[^\s:\x00-\x20\x7f?*\[\\]+")
_SUFFIX = re.compile(r"[~^:]|@\{")
# What a name may stand for, as git's documentation of revisions lists it.
_MEANINGS = (
    "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD",
)  # fmt: skip
_HASH = re.compile(r"[0-9a-f]{7,64}")
_BRANCH = re.compile(r"[\w./-]+")
_LONGEST_REVISION = 256


Place = Literal["behind", "ahead", "aside", "unknown"]  # of a commit, to the one checked out


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a commit has it."""

    id: str  # of its content
    mode: str  # such as 100644; 120000 for a link
    size: int  # bytes

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, whose content is the path that it leads to."""
        return self.mode == "120000"


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository around a folder."""

    top: Path
    within: PurePosixPath  # the folder's path from the top

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names; letters and digits alone."""
        if len(revision) > _LONGEST_REVISION or not _REVISION.fullmatch(revision):
            raise UsageError(
                f"'{shorten(revision)}' is no git revision",
                "name a branch, a tag or a commit, such as origin/main",
            )
        wanted = f"{revision}^{{commit}}"
        answer = self.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", wanted])
        found = answer.text.strip()
        if answer.status != 0 or not found.isalnum():
            self._require_trusted()
            raise FtctlError(*self._unknown(revision))
        return found

    def _require_trusted(self) -> None:
        """Raise `FtctlError` where git reads nothing here: the folder is another user's."""
        if b"dubious ownership" in self.ask(["rev-parse", "--git-dir"]).errors:
            raise FtctlError(
                f"git reads nothing in {self.top}, since the folder belongs to another user",
                f"git config --global --add safe.directory {shlex.quote(str(self.top))}",
            )

    def require_one_meaning(self, revision: str) -> None:
        """Raise `FtctlError` where a name stands for several commits, by what kind of name it is.

        Git takes a tag before a branch, and a clone has the tags of whoever may push one.
        """
        name = _SUFFIX.split(revision, maxsplit=1)[0]
        if name.startswith("refs/"):
            return
        asked = [form.format(name) for form in _MEANINGS]
        form = "--format=%(refname) %(objectname) %(*objectname)"
        answer = self.ask(["for-each-ref", form, *asked])
        there = {}
        for line in answer.text.splitlines():
            ref, first, *peeled = line.split()
            if ref in asked:
                there[ref] = peeled[0] if peeled else first
        if len({*there.values()}) > 1:
            known = " and ".join(sorted(there))
            hint = f"name the one that is meant: {min(there)}"
            message = f"'{shorten(revision)}' stands for several commits here: {known}"
            raise FtctlError(message, hint)

    @property
    def superproject(self) -> str | None:
        """The folder of the repository that this one is a submodule of; None for any other."""
        answer = self.ask(["rev-parse", "--show-superproject-working-tree"])
        return answer.text.strip() or None

    def place(self, commit: str) -> Place:
        """Where a commit stands, by its whole id, to the one that is checked out."""
        if self.ask(["cat-file", "-e", f"{commit}^{{commit}}"]).status != 0:
            return "unknown"
        if self.ask(["merge-base", "--is-ancestor", commit, "HEAD"]).status == 0:
            return "behind"
        ahead = self.ask(["merge-base", "--is-ancestor", "HEAD", commit]).status == 0
        return "ahead" if ahead else "aside"

    @property
    def is_shallow(self) -> bool:
        """Whether it was cloned without its whole history."""
        return self.ask(["rev-parse", "--is-shallow-repository"]).text.strip() == "true"

    def _unknown(self, revision: str) -> tuple[str, str]:
        shallow = "; this clone is shallow and has few of its commits" if self.is_shallow else ""
        branch = shorten(revision.removeprefix("refs/heads/").removeprefix("origin/"))
        message = f"git does not know the revision '{shorten(revision)}' here{shallow}"
        known = self.ask(["remote", "get-url", "origin"]).status == 0
        if not known or _BRANCH.fullmatch(branch) is None:
            return message, "check its name: 'git branch --all' lists the branches"
        if _HASH.fullmatch(branch):
            return message, f"fetch it first: git fetch origin {branch}"
        # By its full name: a clone of one branch takes no note of another that is only fetched.
        here = f"refs/remotes/origin/{branch}" if revision.startswith("origin/") else branch
        return message, f"fetch it first: git fetch origin {branch}:{here}"

    def entry(self, commit: str, path: str) -> Entry | None:
        """The file at a path that counts from the folder; None where the commit has none there."""
        way = self._from_top(path)
        if way is None:
            return None
        return self._listed(path, [commit, "--", way]).get(way)

    def entries(self, commit: str, path: str) -> dict[str, Entry]:
        """Every file below a path that counts from the folder, by its own such path."""
        way = os.path.normpath(self.within / path)
        if way.startswith("..") or Path(way).is_absolute() or "\0" in way:
            return {}
        within = [] if way == "." else ["--", way.replace(os.sep, "/")]
        found = self._listed(path, ["-r", commit, *within])
        return {os.path.relpath(name, self.within): entry for name, entry in found.items()}

    def _listed(self, path: str, arguments: Sequence[str]) -> dict[str, Entry]:
        """The files that git lists, by their path from the top."""
        answer = self.ask(["ls-tree", "-l", "-z", "--full-tree", *arguments])
        if answer.status != 0:
            raise FtctlError(
                f"git cannot say what {shorten(path)} was: {answer.complaint}",
                "fetch all of the repository's files: git fetch --refetch --no-filter",
            )
        found = {}
        for line in answer.output.split(b"\0"):
            head, tab, name = line.partition(b"\t")
            facts = head.decode("ascii", "replace").split()
            if tab and len(facts) == 4 and facts[1] == "blob":
                found[os.fsdecode(name)] = Entry(facts[2], facts[0], int(facts[3]))
        return found

    def content(self, entry: Entry, to: BinaryIO | None = None) -> bytes:
        """The file's bytes, or nothing where they go to a file that is open for writing."""
        answer = self.ask(["cat-file", "blob", entry.id], to)
        if answer.status != 0:
            raise FtctlError(f"git cannot read {entry.id}: {answer.complaint}")
        return answer.output

    def _from_top(self, path: str) -> str | None:
        way = os.path.normpath(self.within / path)
        inside = not way.startswith("..") and not Path(way).is_absolute() and "\0" not in way
        return way.replace(os.sep, "/") if inside and way != "." else None

    def ask(self, arguments: Sequence[str], to: BinaryIO | None = None) -> Answer:
        """What git says. The question is no user's text, or stands behind `--end-of-options`."""
        return ask_git(arguments, self.top, to)


@dataclass(frozen=True, slots=True)
class Answer:
    """How git ended, and what it said."""

    status: int
    output: bytes
    errors: bytes

    @property
    def text(self) -> str:
        """The output as text."""
        return self.output.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """The first line of what git complains of."""
        lines = self.errors.decode("utf-8", "replace").strip().splitlines()
        return shorten(lines[0].removeprefix("fatal: "), 200) if lines else "no reason given"


def repository_around(folder: Path) -> Repository:
    """The repository that the folder belongs to, or `FtctlError`.

    Found by its `.git` and asked from its top: git itself would take a folder of the checkout for a
    repository, with settings of its own, if it looks like one.
    """
    real = Path(os.path.realpath(folder))
    top = repository_of(real)
    if not os.path.lexists(top / ".git"):
        raise FtctlError(f"{folder} is in no git repository", "leave --base out, or clone it")
    return Repository(top, PurePosixPath(real.relative_to(top).as_posix()))


def commit_of(folder: Path) -> str | None:
    """The commit that a folder is at; None where there is none, or no git."""
    try:
        return repository_around(folder).commit("HEAD")
    except FtctlError:
        return None


def ask_git(arguments: Sequence[str], folder: Path, to: BinaryIO | None = None) -> Answer:
    """What git says when it is asked in a folder."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no option made of a user's text
            ["git", *_OPTIONS, *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            env=_surroundings(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if to is None else to,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        reason = "git is not installed" if folder.is_dir() else f"there is no folder {folder}"
        raise FtctlError(reason, "check the path") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as fault:
        raise FtctlError(f"git cannot be asked: {type(fault).__name__}") from None
    return Answer(done.returncode, done.stdout or b"", done.stderr or b"")


def _surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what would point git to another repository, as it does within a hook.

    Nor with what a forge lets this job prove who it is with.
    """
    kept = {
        name: value
        for name, value in without_identity(environ).items()
        if not name.startswith("GIT_") or name in _KEPT
    }
    return {**kept, **_trusted(environ), **_ENVIRONMENT}


def _trusted(environ: Mapping[str, str]) -> dict[str, str]:
    """The folders that the environment has git read although they are another user's.

    Containers of CI say so in GIT_CONFIG_KEY_0 and its kin; nothing else of those counts.
    """
    count = environ.get("GIT_CONFIG_COUNT", "")
    numbers = range(min(int(count), _MOST_SETTINGS) if count.isascii() and count.isdigit() else 0)
    places = [
        environ.get(f"GIT_CONFIG_VALUE_{number}", "")
        for number in numbers
        if environ.get(f"GIT_CONFIG_KEY_{number}", "").lower() == "safe.directory"
    ]
    kept = {"GIT_CONFIG_COUNT": str(len(places))} if places else {}
    for number, place in enumerate(places):
        kept |= {f"GIT_CONFIG_KEY_{number}": "safe.directory", f"GIT_CONFIG_VALUE_{number}": place}
    return kept
