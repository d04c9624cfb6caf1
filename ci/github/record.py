"""The release record of applies that nobody has committed: found, put together, and brought home.

A run of the apply workflow keeps ftctl.lock as an artifact, with the ids of the artifacts that it
knew (`known`). `fetch` merges into the checkout's file what such runs kept and this checkout does
not know. `keep` does that again after an apply and leaves what is to be kept. `bring` merges what
this run kept into the default branch, by a commit of that one file: pushed, or as a pull request.

What is fetched may stop a purchase and never cause one. Still it is taken only where GitHub says
that the apply workflow made it, on a commit of the default branch (docs/decisions/0026).

Shapes of answers: docs.github.com/rest, API version 2022-11-28, as read on 2026-11-30.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import random
import struct
import subprocess
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from forge import Api, Missing, Unanswered, at, number, shown
from job import Job

MOST_LOCK = 16 * 1024 * 1024  # bytes of ftctl.lock: some 10,000 fine-tunes
MOST_SAID = 64 * 1024
MOST_ARCHIVE = 16 * 1024 * 1024
MOST_RATIO = 200  # of a file to its place in the archive
MOST_LISTED = 300  # artifacts of this name that are looked at, newest first
MOST_TAKEN = 20  # of them that are merged; mostly the newest knows all before it
MOST_LOOKED = 60  # of which the runs are asked for
MOST_KNOWN = 500  # ids that a record says it knows
MOST_COMMITS = 30  # that are placed before or after this one; beyond, one counts as newer
MOST_TRIES = 12
LOCK = "ftctl.lock"
EVENTS = {"push", "workflow_dispatch"}  # of the apply workflow


class Refused(Exception):
    """It is not done; the sentence says why."""


class Conflict(Exception):
    """A branch is not any more what it was when it was looked at."""


@dataclass
class Record:
    """One project and environment, and what is known of its record."""

    api: Api
    place: str  # environment and folder, as they stand in names
    path: str  # of the file, from the top of the repository
    workflows: tuple[str, ...]  # paths of those that apply
    folder: Path  # for files of ours
    program: str  # ftctl
    known: set[int] = field(default_factory=set)

    @property
    def artifact(self) -> str:
        return f"ftctl-lock-{self.place}"

    @property
    def branch(self) -> str:
        """One for the file: its environments are proposed together. No dot, which git minds."""
        folder = self.place if "~" in self.place else self.place.partition("@")[2]
        end = "" if folder == "." else f"-{folder.replace('.', '_2e').replace('~', '_7e')}"
        return f"ftctl/lock{end}"

    # What runs kept.

    def fetch(self, ours: Path) -> list[str]:
        """Merge into `ours` what runs kept and is not known yet; a line for each that was."""
        lines: list[str] = []
        home = _Home.of(self.api)
        taken = looked = 0
        for artifact in self._candidates():
            newest, run = number(artifact, "id"), number(artifact, "workflow_run", "id")
            if newest in self.known or not self._is_here(artifact, home):
                continue
            looked += 1
            if taken == MOST_TAKEN or looked > MOST_LOOKED:
                break
            try:
                self._refuse_others(artifact, home)
                theirs, knows = self._unpacked(artifact)
                commit = text(artifact, "workflow_run", "head_sha")
                lines += self._merge(self._lock_at(commit), ours, theirs)
            except (Refused, Missing) as reason:
                lines.append(f"What run {run} kept was left: {reason}")
                continue
            self.known |= {newest, *knows}
            taken += 1
            lines.append(f"What run {run} recorded is known here.")
        return lines

    def forget_newer(self, commit: str) -> None:
        """Do not know any more what runs of newer commits kept.

        An apply takes out of the record what its manifests do not have. Those of an older commit
        do not have what a newer one added, and must not be what took it out. Where GitHub does not
        say which commit is newer, nothing is known any more: then whoever fetches takes all of it.
        """
        known, self.known = self.known, set()
        if not known or _Home.of(self.api).tip == commit:  # nothing is newer
            self.known = known
            return
        kept: dict[str, set[int]] = {}
        for artifact in self._candidates():
            kept.setdefault(text(artifact, "workflow_run", "head_sha"), set()).add(
                number(artifact, "id")
            )
        kept = {head: ids & known for head, ids in kept.items() if ids & known}
        for place, (head, ids) in enumerate(kept.items()):
            if place >= MOST_COMMITS or not self._is_behind(head, commit):
                known -= ids
        self.known = known

    def _is_behind(self, head: str, commit: str) -> bool:
        try:
            return head == commit or _merge_base(self.api, commit, head) == head
        except Missing:
            return False

    def _candidates(self) -> list[Any]:
        found: list[Any] = []
        for page in range(1, MOST_LISTED // 100 + 1):
            path = f"actions/artifacts?name={quote(self.artifact, safe='')}"
            answer = self.api.get(f"{path}&per_page=100&page={page}")
            items = at(answer, "artifacts")
            if not isinstance(items, list):
                raise Unanswered(f"GitHub's answer to {path} is no list")
            found += items
            if len(items) < 100:
                break
        ours = [one for one in found if at(one, "name") == self.artifact]
        ours = [one for one in ours if at(one, "expired") is False]
        return sorted(ours, key=lambda one: number(one, "id"), reverse=True)

    def _is_here(self, artifact: Any, home: _Home) -> bool:
        """Whether an artifact says that it is of the default branch, and of no fork."""
        wanted = {
            "repository_id": home.id, "head_repository_id": home.id, "head_branch": home.branch
        }  # fmt: skip
        return all(at(artifact, "workflow_run", key) == value for key, value in wanted.items())

    def _refuse_others(self, artifact: Any, home: _Home) -> None:
        """Raise `Refused` unless the apply workflow made it, on what the default branch has."""
        run = self.api.get(f"actions/runs/{number(artifact, 'workflow_run', 'id')}")
        head = text(artifact, "workflow_run", "head_sha")
        wanted: list[tuple[tuple[str, ...], Any]] = [
            (("repository", "id"), home.id),
            (("head_repository", "id"), home.id),
            (("head_branch",), home.branch),
            (("head_sha",), head),
        ]
        for keys, value in wanted:
            if at(run, *keys) != value:
                raise Refused(f"the {' '.join(keys)} of that run is {shown(at(run, *keys))}")
        # Some answers have the revision behind it.
        path = str(at(run, "path")).partition("@")[0]
        if path not in self.workflows or at(run, "workflow_id") != self._workflow_id(path):
            raise Refused(f"it is of {shown(path)}, and not of {shown(self.workflows[0])}")
        if at(run, "event") not in EVENTS:
            raise Refused(f"it is for {shown(at(run, 'event'))}, which applies nothing")
        # A tag may bear the branch's name. What is on the branch was reviewed, the workflow too.
        if _merge_base(self.api, head, home.tip) != head:
            raise Refused(f"commit {head} is not on {shown(home.branch)}")

    def _workflow_id(self, path: str) -> int | None:
        try:
            workflow = self.api.get(f"actions/workflows/{quote(Path(path).name, safe='')}")
        except Missing:
            return None
        return number(workflow, "id") if at(workflow, "path") == path else None

    def _unpacked(self, artifact: Any) -> tuple[bytes, set[int]]:
        if number(artifact, "size_in_bytes") > MOST_ARCHIVE:
            raise Refused("what a run kept is larger than a record")
        data = self.api.download(f"actions/artifacts/{number(artifact, 'id')}/zip", MOST_ARCHIVE)
        # Only what upload-artifact of version 4 and later made has a digest.
        digest = at(artifact, "digest")
        if digest is not None and digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
            raise Refused("what a run kept is not what it uploaded: its hash differs")
        files = unpack(data)
        if LOCK not in files:
            raise Refused("what a run kept holds no record")
        try:
            said = json.loads(files.get("record.json", b"{}"))
        except (ValueError, RecursionError):
            said = {}
        known = at(said, "known")
        ids = known[:MOST_KNOWN] if isinstance(known, list) else []
        return files[LOCK], {one for one in ids if type(one) is int}

    def _lock_at(self, commit: str) -> bytes:
        """The file as a commit has it; no bytes where it has none."""
        blob = self._blob(commit)
        return b"" if blob is None else self._content(blob)

    def _content(self, blob: str) -> bytes:
        answer = self.api.get(f"git/blobs/{blob}")
        try:
            return base64.b64decode(text(answer, "content"))
        except ValueError:
            raise Unanswered("GitHub's answer is no file") from None

    def _blob(self, commit: str) -> str | None:
        """The id of the file at a commit; None where none is. `Refused` for a link."""
        tree = text(self.api.get(f"git/commits/{commit}"), "tree", "sha")
        *folders, name = self.path.split("/")
        for folder in folders:
            entry = self._entry(tree, folder)
            if entry is None or at(entry, "type") != "tree":
                return None
            tree = text(entry, "sha")
        entry = self._entry(tree, name)
        if entry is not None and at(entry, "mode") not in {"100644", "100755"}:
            raise Refused(f"{self.path} of commit {commit} is no plain file")
        return None if entry is None else text(entry, "sha")

    def _entry(self, tree: str, name: str) -> Any:
        answer = self.api.get(f"git/trees/{tree}")
        entries = at(answer, "tree")
        if not isinstance(entries, list) or at(answer, "truncated") is not False:
            raise Unanswered("GitHub does not list the whole of a folder")
        return next((entry for entry in entries if at(entry, "path") == name), None)

    def _merge(self, base: bytes, ours: Path, theirs: bytes) -> list[str]:
        """Merge as `ftctl lock merge` does, which checks all three; what it decided."""
        sides = [self.folder / "base.lock", self.folder / "theirs.lock"]
        for path, content in zip(sides, (base, theirs), strict=True):
            path.write_bytes(content)
        done = subprocess.run(  # noqa: S603 # no word of it is anybody's but ours
            [self.program, "lock", "merge", sides[0], ours, sides[1]],
            env={k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TMPDIR"}},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = (done.stdout + done.stderr).strip()
        if done.returncode:
            raise Refused(f"the records can not be merged: {said}")
        return said.splitlines()

    def keep(self, ours: Path, into: Path) -> None:
        """Leave what an artifact is made of."""
        into.mkdir(exist_ok=True)
        (into / LOCK).write_bytes(ours.read_bytes())
        known = sorted(self.known, reverse=True)[:MOST_KNOWN]
        (into / "record.json").write_text(json.dumps({"format": 1, "known": known}), "utf-8")

    # What is brought home.

    def bring(self, how: str, run: int, ref: str, commit: str) -> list[str]:
        """Merge what this run kept into the default branch, by `push` or by `pull-request`."""
        branch = _Home.of(self.api).branch
        if ref != f"refs/heads/{branch}":
            raise Refused(f"what {shown(ref)} applied is no record of {shown(branch)}")
        path = f"actions/runs/{run}/artifacts?name={quote(self.artifact, safe='')}"
        kept = [
            one
            for one in self.api.pages(path, "artifacts")
            if at(one, "name") == self.artifact and at(one, "workflow_run", "id") == run
        ]
        if not kept:
            return ["This run kept no record: there is nothing to bring home."]
        newest = max(kept, key=lambda one: number(one, "id"))
        theirs, knows = self._unpacked(newest)
        knows.add(number(newest, "id"))
        base = self._lock_at(commit)
        for tried in range(MOST_TRIES):
            self.known = set(knows)
            try:
                return self._bring_once(how, base, theirs)
            except Conflict:
                time.sleep(random.uniform(0, 0.2 * (tried + 1)))  # noqa: S311 # no secret
        raise Refused(f"the branch was moved by others {MOST_TRIES} times: run this job again")

    def _bring_once(self, how: str, base: bytes, theirs: bytes) -> list[str]:
        """Merge it into what the default branch is now, with what this run did not know.

        What stands on a branch of ours is not taken: others may push there.
        """
        home = _Home.of(self.api)
        here = self._lock_at(home.tip)
        ours = self.folder / "ours.lock"
        ours.write_bytes(here)
        lines = [*self._merge(base, ours, theirs), *self.fetch(ours)]
        merged = ours.read_bytes()
        pull = self._pull(home, self.branch) if how == "pull-request" else None
        if merged == here and pull is None:
            return [*lines, f"{self.path} on {home.branch} knows all of it already."]
        tree = self._tree(home, merged)
        if how == "push":
            made = self._commit(tree, [home.tip], " [skip ci]")
            self._move(home.branch, made)
            return [*lines, f"{home.branch} has it as {made}."]
        return [*lines, self._propose(home, tree, pull)]

    def _propose(self, home: _Home, tree: str, pull: int | None) -> str:
        """Keep one branch with this tree, and one pull request of it."""
        tip = _tip(self.api, self.branch)
        if pull is None or tip is None or self._tree_of(tip) != tree:
            parents = list(dict.fromkeys(one for one in (tip, home.tip) if one))
            made = self._commit(tree, parents)
            if tip is None:
                body = {"ref": f"refs/heads/{self.branch}", "sha": made}
                self._send("POST", "git/refs", body)
            else:
                self._move(self.branch, made)
        if pull is None:
            pull = self._open(home, self.branch)
        return f"Pull request #{pull} has it, on the branch {self.branch}."

    def _pull(self, home: _Home, branch: str) -> int | None:
        head = quote(f"{self.api.repository.partition('/')[0]}:{branch}", safe="")
        for one in self.api.pages(f"pulls?state=open&head={head}"):
            if (
                at(one, "head", "ref") == branch
                and at(one, "head", "repo", "id") == home.id
                and at(one, "base", "ref") == home.branch
            ):
                return number(one, "number")
        return None

    def _open(self, home: _Home, branch: str) -> int:
        made = self._send(
            "POST",
            "pulls",
            {
                "title": f"Record what was applied: {shown(self.path)[1:-1]}",
                "head": branch,
                "base": home.branch,
                "body": f"An apply changed `{LOCK}`, the record of releases, and nothing else. Its"
                " newest run has the log. While this is open, later applies add to it.",
            },
        )
        return number(made, "number")

    def _tree_of(self, commit: str) -> str:
        return text(self.api.get(f"git/commits/{commit}"), "tree", "sha")

    def _tree(self, home: _Home, content: bytes) -> str:
        """The default branch with this file, and nothing besides."""
        entry = {"path": self.path, "mode": "100644", "type": "blob", "content": content.decode()}
        base = self._tree_of(home.tip)
        made = self._send("POST", "git/trees", {"base_tree": base, "tree": [entry]})
        return text(made, "sha")

    def _commit(self, tree: str, parents: list[str], end: str = "") -> str:
        # Without an author it is the token's own, and GitHub signs it.
        message = f"Record what was applied ({self.place}){end}"
        body = {"message": message, "tree": tree, "parents": parents}
        return text(self._send("POST", "git/commits", body), "sha")

    def _move(self, branch: str, commit: str) -> None:
        """Let a branch go forward to a commit; `Conflict` where somebody else moved it first."""
        path = f"git/refs/heads/{quote(branch)}"
        self._send("PATCH", path, {"sha": commit, "force": False})

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        try:
            return self.api.send(method, path, body)
        except Unanswered as unanswered:
            words = str(unanswered)
            moved = "fast forward" in words.lower() or "already exists" in words.lower()
            if unanswered.status == 409 or moved:
                raise Conflict from None
            raise Refused(f"{words}{_cure(words, unanswered.status)}") from None


def _cure(words: str, status: int) -> str:
    lower = words.lower()
    if "create or approve pull requests" in lower or "create pull requests" in lower:
        return (
            ": Settings, Actions, General, 'Allow GitHub Actions to create and approve pull"
            " requests'; or 'record: push'"
        )
    if "rule" in lower or "protected" in lower:
        return ": the branch takes no push of this token; use 'record: pull-request'"
    if status in {401, 403}:
        return ": the job needs 'contents: write', and 'pull-requests: write' for a pull request"
    return ""


@dataclass(frozen=True)
class _Home:
    """The repository and its default branch."""

    id: int
    branch: str
    tip: str

    @staticmethod
    def of(api: Api) -> _Home:
        repository = api.get("")
        branch = text(repository, "default_branch")
        tip = _tip(api, branch)
        if tip is None:
            raise Unanswered(f"GitHub has no branch {shown(branch)}")
        return _Home(number(repository, "id"), branch, tip)


def _tip(api: Api, branch: str) -> str | None:
    """The commit of a branch; a tag of its name is none."""
    try:
        return text(api.get(f"git/ref/heads/{quote(branch)}"), "object", "sha")
    except Missing:
        return None


def _merge_base(api: Api, one: str, other: str) -> str:
    compared = api.get(f"compare/{one}...{other}?per_page=1")
    return text(compared, "merge_base_commit", "sha")


def unpack(data: bytes) -> dict[str, bytes]:
    """The record and what it says it knows, out of an archive; `Refused` for any other.

    The size of the list of entries is looked at first: zipfile reads all of it.
    """
    most = {LOCK: MOST_LOCK, "record.json": MOST_SAID}
    ending = data.rfind(b"PK\x05\x06")
    if ending < 0 or len(data) - ending < 22:
        raise Refused("what a run kept is no archive")
    entries = int.from_bytes(data[ending + 10 : ending + 12], "little")
    listed = int.from_bytes(data[ending + 12 : ending + 16], "little")
    if entries > len(most) or listed > 1024:
        raise Refused("what a run kept holds other files than a record")
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                limit = min(most.get(info.filename, -1), MOST_RATIO * max(info.compress_size, 1))
                if info.file_size > limit or info.filename in files:
                    raise Refused("what a run kept holds other files than a record")
                with archive.open(info) as packed:
                    files[info.filename] = packed.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError,
            RuntimeError):  # fmt: skip
        raise Refused("what a run kept is an archive that can not be read") from None
    return files


def text(value: Any, *keys: str) -> str:
    """What stands under these keys and must be a text."""
    found = at(value, *keys)
    if not isinstance(found, str):
        raise Unanswered(f"GitHub gave no text for {'.'.join(keys)}")
    return found


def _record(api: Api, job: Job) -> Record:
    folder = job.folder / "record"
    folder.mkdir(exist_ok=True)
    known = folder / "known.json"
    return Record(
        api,
        place=job.place,
        path=job.environ["RECORD_PATH"],
        workflows=tuple(job.environ["INPUT_APPLY_WORKFLOW"].split()),
        folder=folder,
        program=job.environ["RECORD_PROGRAM"],
        known=set(json.loads(known.read_text("utf-8"))) if known.exists() else set(),
    )


def fetch(api: Api, job: Job) -> int:
    """Merge into the checkout's file what earlier applies kept."""
    record = _record(api, job)
    return _told(lambda: record.fetch(Path(job.environ["RECORD_LOCK"])), record)


def keep(api: Api, job: Job) -> int:
    """After an apply: the same, since others may have ended meanwhile; and leave it to be kept.

    What runs of newer commits kept is merged again: this apply may have taken it out.
    """
    record = _record(api, job)
    ours = Path(job.environ["RECORD_LOCK"])

    def again() -> list[str]:
        record.forget_newer(job.environ["GITHUB_SHA"])
        return record.fetch(ours)

    status = _told(again, record)
    if ours.is_file():
        record.keep(ours, record.folder / "kept")
    return status


def bring(api: Api, job: Job) -> int:
    """Bring home what this run kept."""
    record = _record(api, job)
    how, ref, commit = (job.environ[one] for one in ("INPUT_RECORD", "GITHUB_REF", "GITHUB_SHA"))
    return _told(lambda: record.bring(how, job.run, ref, commit), record)


def _told(do: Callable[[], list[str]], record: Record) -> int:
    """Print what was done, or on the last line why it was not; 0, or 1."""
    status = 0
    try:
        lines = do()
    except Missing as missing:
        lines, status = [f"GitHub has nothing at {missing}"], 1
    except (Refused, Unanswered) as reason:
        lines, status = [str(reason)], 1
    (record.folder / "known.json").write_text(json.dumps(sorted(record.known)), "utf-8")
    print("\n".join(lines))  # noqa: T201 # a step shows it
    return status
