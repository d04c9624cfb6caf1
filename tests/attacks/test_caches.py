"""Caches, kept plans and state that somebody else brings: none is believed, none is waited for.

The money at stake: a run that costs $2.71 where the policy allows $1 a job, and trains one epoch.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import FINETUNE, HandClock, Result, Shell, cache_of, chat_rows, small_project

from ftctl import user_folders
from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.engine.plan_files import find_plan
from ftctl.git_index import folded
from ftctl.user_folders import NoPlace, cache_folder, open_cache

SECRET = "sk-proj-Zq8TnW3vXy7LpR2mKd5HsB9cF4gJ6aQe"
SETTINGS = "project: demo\nprovider: {type: openai}\npolicy: {max_cost_per_job: 1}\n"
TONE = """\
apiVersion: ftctl/v1
kind: FineTune
name: tone
base_model: gpt-4.1-2025-04-14
training: some
hyperparameters: {n_epochs: 1}
---
apiVersion: ftctl/v1
kind: Dataset
name: some
source: ../data/train.csv
convert: {template: {user: "{question}", assistant: "{answer}"}}
"""
ROWS = "question,answer\n" + "".join(
    f"Question {number}? {'word ' * 9_010},yes\n" for number in range(12)
)
DEAR = {"ftctl.yaml": SETTINGS, "finetunes/tone.yaml": TONE, "data/train.csv": ROWS}
HONEST = "error: tone may cost $2.71; policy.max_cost_per_job allows $1.00"
PLAN = ("plan", "--offline", "--format", "json")


def git(folder: Path, *arguments: str) -> str:
    """git as a person would run it, without that person's settings."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env={**clean, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "-m", "change")


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def forge(path: Path, old: bytes, new: bytes) -> None:
    """Change what a store says, so that it is whole again: nothing in it is secret."""
    head, _, body = path.read_bytes().partition(b"\n")
    assert old in body, body
    body = body.replace(old, new)
    stamp = head.split(b" ")[0]
    path.write_bytes(b"%b %b\n%b" % (stamp, hashlib.sha256(body).hexdigest().encode(), body))


@pytest.fixture(scope="session")
def poison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the project, as ftctl writes it, that lies in all that it says."""
    place = tmp_path_factory.mktemp("poison")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FTCTL_CACHE_DIR", str(place / "cache"))
        root = write(place / "donor", DEAR)
        for _ in "ab":
            assert run(PLAN, Settings(clock=HandClock(), environ={}, folder=root)) == 3
        cache = cache_of(root)
    forge(cache / "documents", b'"n_epochs":1}', b'"n_epochs":50}')
    forge(cache / "datasets", b"108288", b"1")
    forge(cache / "datasets", b"108324", b"1")
    (cache / "project").unlink()
    return cache


@pytest.fixture(scope="session")
def poisoned_data(poison: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that lies about one thing alone: what the steps make of the source."""
    cache = tmp_path_factory.mktemp("data") / "cache"
    shutil.copytree(poison, cache)
    (cache / "documents").unlink()
    (cache / "datasets").unlink()
    rows = chat_rows(12).encode()
    sha256 = hashlib.sha256(rows).hexdigest()
    (cache / "derived" / f"{sha256[:16]}.jsonl").write_bytes(rows)
    entry = next((cache / "derived").glob("*.json"))
    known = json.loads(entry.read_text("utf-8"))
    known["parts"]["all"] = [sha256, len(rows)]
    entry.write_text(json.dumps(known), "utf-8")
    return cache


def plant(poison: Path, folder: Path) -> None:
    """The poison as the cache in that folder: it speaks of the data that is made there."""
    shutil.copytree(poison, folder, dirs_exist_ok=True)
    if (folder / "datasets").exists():
        forge(folder / "datasets", os.fsencode(poison), os.fsencode(os.path.realpath(folder)))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the dear project in it."""
    root = write(tmp_path / "checkout", DEAR)
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    return root


@dataclass(frozen=True)
class Told:
    """What a plan says: its status, the epochs that would be trained, and the errors."""

    status: int
    epochs: int | None
    errors: str


def planned(shell: Shell, root: Path) -> Told:
    shell.folder = root
    return read(shell(*PLAN))


def read(result: Result) -> Told:
    if not result.out.startswith("{"):
        return Told(result.status, None, result.out + result.err)
    (change,) = json.loads(result.out)["changes"]
    (start,) = (step for step in change["steps"] if step["step"] == "start-job")
    return Told(result.status, start["spec"]["hyperparameters"]["n_epochs"], result.err)


def is_honest(told: Told) -> bool:
    return (told.status, told.epochs, HONEST in told.errors) == (3, 1, True)


def own_place(root: Path, home: Path) -> Path:
    """Where the cache of the project is, below a place for all of them; who knows CI knows it."""
    return home / "projects" / user_folders._name(os.path.realpath(root))


def test_the_forged_cache_would_be_believed_if_the_user_had_written_it(
    shell: Shell, checkout: Path, poison: Path
) -> None:
    cache_of(checkout).parent.mkdir(parents=True, mode=0o700)
    user = cache_of(checkout).parents[1]
    user.chmod(0o700)
    plant(poison, cache_of(checkout))

    told = planned(shell, checkout)

    assert (told.status, told.epochs) == (0, 50), told


# A pull request brings it.

Bring = Callable[[Path, Path, pytest.MonkeyPatch], None]  # checkout, poison


def old_place(tracked: bool) -> Bring:
    """Where versions until 2026-11 had their caches."""

    def bring(root: Path, poison: Path, _patch: pytest.MonkeyPatch) -> None:
        plant(poison, root / ".ftctl" / "cache")
        if tracked:
            commit(root)

    return bring


def inside(variable: str, *names: str, home: str = "ftctl", index: str = "2") -> Bring:
    """The user's place lies in the checkout, as where GitLab caches it, and git tracks it."""

    def bring(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
        patch.delenv("FTCTL_CACHE_DIR")
        patch.setenv(variable, str(root.joinpath(*names)))
        plant(poison, own_place(root, root.joinpath(*names, home)))
        git(root, "config", "index.version", index)
        commit(root)

    return bring


def split_index(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    inside("XDG_CACHE_HOME", ".cache")(root, poison, patch)
    git(root, "update-index", "--split-index")
    write(root, {"more.txt": "x"})
    commit(root)


def only_added(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    """Not even committed; git tracks it all the same."""
    inside("XDG_CACHE_HOME", ".cache")(root, poison, patch)
    git(root, "reset", "--quiet", "--soft", "HEAD~1")


def over_a_link(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("FTCTL_CACHE_DIR")
    patch.setenv("XDG_CACHE_HOME", str(root / ".cache"))
    plant(poison, own_place(root, root / "data" / "words" / "ftctl"))
    (root / ".cache").symlink_to("data/words")
    commit(root)


def over_a_link_of_ours(level: int) -> Bring:
    """One of ftctl's own folders is a link."""

    def bring(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setenv("FTCTL_CACHE_DIR", str(root / ".cache"))
        place = own_place(root, root / ".cache")
        links = [place.parents[1], place.parent, place]
        real = root / "data" / "words"
        links[level].parent.mkdir(parents=True, exist_ok=True)
        links[level].symlink_to(real)
        plant(poison, real / place.relative_to(links[level]))
        commit(root)

    return bring


def elsewhere_in_the_repository(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    """The project stands in a folder of the repository, the cache at its top."""
    patch.setenv("FTCTL_CACHE_DIR", str(root.parent / ".cache"))
    plant(poison, own_place(root, root.parent / ".cache"))
    shutil.move(root / ".git", root.parent / ".git")
    commit(root.parent)


def relative(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(root)
    patch.setenv("FTCTL_CACHE_DIR", ".cache/../.cache")
    plant(poison, own_place(root, root / ".cache"))
    commit(root)


def below_the_state(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("FTCTL_CACHE_DIR", str(root / ".ftctl" / "cache"))
    plant(poison, own_place(root, root / ".ftctl" / "cache"))
    commit(root)


def submodule(*names: str, deinitialised: bool = False, gone: bool = False) -> Bring:
    """It comes as a repository of its own, which git leaves behind when main is checked out."""

    def bring(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setenv("FTCTL_CACHE_DIR", str(root / ".cache"))
        place = own_place(root, root / ".cache")
        at = [root / ".cache", place.parent, place, *(place / name for name in names)][
            3 if names else 2 if not gone else 0
        ]
        origin = root.with_name("origin")
        if names:
            shutil.copytree(poison / names[0], origin)
        else:
            plant(poison, origin / place.relative_to(at))
            if (poison / "datasets").exists():
                forge(origin / place.relative_to(at) / "datasets", b"/origin/", b"/checkout/")
        git(origin, "init", "--quiet")
        commit(origin)
        at.parent.mkdir(parents=True, exist_ok=True)
        git(root, "checkout", "--quiet", "-b", "change")
        git(root, "submodule", "add", "--quiet", str(origin), str(at.relative_to(root)))
        commit(root)
        git(root, "checkout", "--quiet", "--force", "main")
        if names:  # the rest was kept by a run before
            plant(poison, place)
        assert (at / ".git").exists()
        if deinitialised:
            shutil.rmtree(root / ".git" / "modules")

    return bring


def embedded_repository(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    """A link in the index to a commit of nobody's."""
    inside("XDG_CACHE_HOME", ".cache")(root, poison, patch)
    git(root, "rm", "-r", "--quiet", "--cached", ".cache")
    head = git(root, "rev-parse", "HEAD").strip()
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{head},.cache")


def unreadable_index(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    inside("XDG_CACHE_HOME", ".cache")(root, poison, patch)
    (root / ".git" / "index").write_bytes(b"DIRC\0\0\0\5" + os.urandom(200))


def home_in_the_checkout(root: Path, poison: Path, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("XDG_CACHE_HOME", raising=False)
    inside("HOME", home=".cache/ftctl")(root, poison, patch)


BROUGHT: dict[str, Bring] = {
    "left in the workspace": old_place(tracked=False),
    "XDG_CACHE_HOME": inside("XDG_CACHE_HOME", ".cache"),
    "XDG_CACHE_HOME deep": inside("XDG_CACHE_HOME", "a", "b", "c"),
    "XDG_CACHE_HOME is the checkout": inside("XDG_CACHE_HOME"),
    "index 3": inside("XDG_CACHE_HOME", ".cache", index="3"),
    "index 4": inside("XDG_CACHE_HOME", ".cache", index="4"),
    "split index": split_index,
    "only added": only_added,
    "FTCTL_CACHE_DIR": inside("FTCTL_CACHE_DIR", ".cache", home=""),
    "FTCTL_CACHE_DIR relative": relative,
    "FTCTL_CACHE_DIR below .git's neighbour": inside("FTCTL_CACHE_DIR", ".gitlab", home=""),
    "HOME": home_in_the_checkout,
    "a tracked link": over_a_link,
    "a link as home": over_a_link_of_ours(0),
    "a link as projects": over_a_link_of_ours(1),
    "a link as the project": over_a_link_of_ours(2),
    "a folder of the repository": elsewhere_in_the_repository,
    "submodule left behind": submodule(),
    "submodule left behind, its repository gone": submodule(deinitialised=True),
    "submodule above": submodule(gone=True),
    "submodule of derived data": submodule("derived"),
    "submodule of fingerprints": submodule("fingerprints"),
    "gitlink": embedded_repository,
    "unreadable index": unreadable_index,
}


@pytest.mark.parametrize("bring", BROUGHT.values(), ids=BROUGHT)
def test_a_plan_is_honest_whatever_cache_a_checkout_brings(
    bring: Bring, shell: Shell, checkout: Path, poison: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(checkout, poison, monkeypatch)

    for _ in "ab":  # also once a run has kept what it found out
        assert is_honest(planned(shell, checkout))


DATA_BROUGHT = (
    "left in the workspace", "XDG_CACHE_HOME", "index 4", "a tracked link", "only added",
    "submodule left behind", "submodule above", "submodule of derived data", "a link as projects",
    "a folder of the repository",
)  # fmt: skip


@pytest.mark.parametrize("name", DATA_BROUGHT)
def test_data_is_what_the_source_gives_whatever_a_checkout_brings(
    name: str, shell: Shell, checkout: Path, poisoned_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROUGHT[name](checkout, poisoned_data, monkeypatch)

    for _ in "ab":
        assert is_honest(planned(shell, checkout))


def test_the_forged_data_would_be_believed_if_the_user_had_made_it(
    shell: Shell, checkout: Path, poisoned_data: Path
) -> None:
    cache_of(checkout).parent.mkdir(parents=True, mode=0o700)
    cache_of(checkout).parents[1].chmod(0o700)
    plant(poisoned_data, cache_of(checkout))

    told = planned(shell, checkout)

    assert (told.status, told.epochs) == (0, 1), told


@pytest.mark.parametrize("kind", ["all", "data"])
def test_a_pull_request_on_a_machine_that_keeps_its_workspace_is_planned_honestly(
    kind: str, shell: Shell, checkout: Path, poison: Path, poisoned_data: Path
) -> None:
    """The change brings caches and plans, is planned, and goes; then comes an honest one."""
    evil = poison if kind == "all" else poisoned_data
    shell.folder = checkout
    kept = ("plan", "--offline", "--base", "main")
    git(checkout, "checkout", "--quiet", "-b", "evil")
    plant(evil, checkout / ".ftctl" / "cache")
    write(checkout, {f".ftctl/plans/{'0' * 64}.json": "{}"})
    commit(checkout)
    refused = shell(*kept)
    assert (refused.status, "error[tracked-state]" in refused.out + refused.err) == (1, True)
    git(checkout, "checkout", "--quiet", "--force", "-B", "honest", "main")
    plant(evil, checkout / ".ftctl" / "cache")  # had it not been tracked

    for _ in "ab":
        result = shell(*kept)
        assert (result.status, HONEST in result.err) == (3, True)
        assert "n_epochs 1\n" in result.out
        assert not (checkout / ".ftctl" / "cache").exists()


@pytest.mark.parametrize("bring", [old_place(tracked=True), below_the_state], ids=["old", "new"])
def test_a_cache_below_the_state_stops_the_plan(
    bring: Bring, shell: Shell, checkout: Path, poison: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(checkout, poison, monkeypatch)

    told = planned(shell, checkout)

    assert (told.status, told.epochs) == (1, None)
    assert "error[tracked-state]: git tracks '.ftctl/cache/" in told.errors


def test_a_place_in_the_checkout_that_git_passes_over_is_of_use(
    shell: Shell, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTCTL_CACHE_DIR", str(checkout / ".cache" / "ftctl"))
    assert is_honest(planned(shell, checkout))
    kept = cache_of(checkout) / "documents"
    before = kept.stat().st_mtime_ns

    assert is_honest(planned(shell, checkout))

    assert kept.stat().st_mtime_ns == before
    assert git(checkout, "status", "--porcelain") == ""


def test_a_place_in_a_repository_without_any_file_yet_is_of_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    monkeypatch.setenv("FTCTL_CACHE_DIR", str(tmp_path / ".cache"))

    assert open_cache(tmp_path).is_dir()


def test_a_place_in_a_home_that_is_a_repository_is_of_use(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = write(tmp_path / "home", {".profile": "x"})
    git(home, "init", "--quiet")
    root = write(home / "src" / "project", DEAR)
    git(root, "init", "--quiet")
    commit(root)
    git(home, "add", ".profile", "src/project")
    monkeypatch.setenv("FTCTL_CACHE_DIR", str(root / ".cache"))

    assert is_honest(planned(shell, root))
    assert cache_of(root).is_dir()


def test_what_one_checkout_kept_is_not_told_to_another(
    shell: Shell, checkout: Path, poison: Path
) -> None:
    """A pull request's folder beside that of main, with the same user."""
    other = write(checkout.with_name("other"), DEAR)
    cache_of(checkout).parent.mkdir(parents=True, mode=0o700)
    cache_of(checkout).parents[1].chmod(0o700)
    plant(poison, cache_of(checkout))

    assert is_honest(planned(shell, other))
    assert planned(shell, checkout).epochs == 50  # it would have been believed


def test_a_link_to_the_checkout_is_the_same_checkout(checkout: Path) -> None:
    link = checkout.with_name("link")
    link.symlink_to(checkout)

    assert cache_of(link) == cache_of(checkout) == cache_of(link / "data" / "..")


# Plans that are kept by their digest.


@pytest.fixture
def kept(remote: Shell) -> tuple[Shell, Path]:
    """A plan that was made here, and its file."""
    remote.ok("plan")
    (path,) = (cache_of(remote.folder) / "plans").iterdir()
    return remote, path


Harm = Callable[[Path], object]
PLAN_HARMS: dict[str, Harm] = {
    "more is bought": lambda path: path.write_text(path.read_text().replace('"tone"', '"dear"')),
    "another digest inside": lambda path: path.write_text(
        path.read_text().replace(path.stem, "0" * 64)
    ),
    "another name": lambda path: path.rename(path.with_name("0" * 64 + ".json")),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "no JSON": lambda path: path.write_bytes(b"\xff\xfe{"),
    "a list": lambda path: path.write_text("[]"),
    "nested": lambda path: path.write_text("[" * 100_000),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "a link to a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    "offline": lambda path: path.write_text(
        path.read_text().replace('"offline": false', '"offline": true')
    ),
}


@pytest.mark.parametrize("harm", PLAN_HARMS.values(), ids=PLAN_HARMS)
def test_a_kept_plan_that_was_tampered_with_approves_nothing(
    harm: Harm, kept: tuple[Shell, Path]
) -> None:
    shell, path = kept
    digest = path.stem
    assert find_plan(shell.folder, digest) is not None

    harm(path)

    assert find_plan(shell.folder, digest) is None
    assert find_plan(shell.folder, "0" * 64) is None


def test_a_plan_that_a_checkout_brings_is_not_looked_for(kept: tuple[Shell, Path]) -> None:
    shell, path = kept
    (shell.folder / ".ftctl" / "plans").mkdir(parents=True)
    path.rename(shell.folder / ".ftctl" / "plans" / path.name)

    assert find_plan(shell.folder, path.stem) is None


# What git tracks below `.ftctl`.

COMMANDS = (
    ["validate"], ["plan"], ["plan", "--offline"], ["apply", "--auto-approve"], ["status"],
    ["output"], ["events", "tone"], ["wait"], ["cancel", "tone"], ["pause", "tone"],
    ["resume", "tone"], ["promote", "tone"], ["rollback", "tone"], ["import", "--all"],
    ["destroy", "--auto-approve"], ["emulator"],
)  # fmt: skip


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    """A project of the embedded API whose account came with the checkout."""
    root = write(tmp_path / "checkout", small_project())
    write(root, {".ftctl/emulator.sqlite3": "SQLite format 3"})
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    return root


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_a_state_that_git_tracks(
    command: list[str], shell: Shell, tracked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # git is not needed for that
    shell.folder = tracked

    result = shell(*command)

    assert result.status == 1
    assert "error[tracked-state]: git tracks '.ftctl/emulator.sqlite3'" in result.out + result.err


def test_the_doctor_tells_of_a_state_that_git_tracks(shell: Shell, tracked: Path) -> None:
    shell.folder = tracked

    assert (
        "fail  project: 1 problem, first .ftctl/emulator.sqlite3: git tracks" in shell("doctor").out
    )


def test_the_cure_works_as_it_stands(shell: Shell, tracked: Path) -> None:
    shell.folder = tracked
    cure = shell("validate").out.partition("hint: ")[2].strip()

    subprocess.run(["bash", "-ec", cure], cwd=tracked, check=True)

    assert shell("validate").status == 0
    assert git(tracked, "status", "--porcelain", "--", ".ftctl") == "D  .ftctl/emulator.sqlite3\n"
    # The line begins anew, also behind a last line without an end.
    assert (tracked / ".gitignore").read_text("utf-8") == "\n.ftctl/\n"


def _track(*names: str) -> Callable[[Path], Path]:
    def track(root: Path) -> Path:
        commit(write(root, dict.fromkeys(names, "x")))
        return root

    return track


def _index(version: str) -> Callable[[Path], Path]:
    def track(root: Path) -> Path:
        git(root, "config", "index.version", version)
        # Names that share their beginning with the one that is looked for: version 4 leaves it out.
        return _track(".ft-a", ".ftc", ".ftctl/a", ".ftctk/b")(root)

    return track


def _split(root: Path) -> Path:
    _track(".ftctl/a")(root)
    git(root, "update-index", "--split-index")
    return _track("b")(root)


def _in_a_folder(root: Path) -> Path:
    for name in ("finetunes", "data", "ftctl.yaml"):
        (root / "models").mkdir(exist_ok=True)
        (root / name).rename(root / "models" / name)
    return _track("models/.ftctl/intents/a.json")(root) / "models"


def _linked_state(root: Path) -> Path:
    (root / "state").mkdir()
    (root / ".ftctl").symlink_to("state")
    return _track("state/a")(root)


def _submodule_state(root: Path) -> Path:
    origin = write(root.with_name("origin"), {"emulator.sqlite3": "x"})
    git(origin, "init", "--quiet")
    commit(origin)
    git(root, "submodule", "add", "--quiet", str(origin), ".ftctl")
    return root


def _submodule_left_behind(root: Path) -> Path:
    commit(root)
    git(root, "checkout", "--quiet", "-b", "change")
    _submodule_state(root)
    commit(root)
    git(root, "checkout", "--quiet", "--force", "main")
    return root


def _project_in_a_submodule(root: Path) -> Path:
    commit(root)
    whole = root.with_name("whole")
    whole.mkdir()
    git(whole, "init", "--quiet")
    _track(".ftctl/a")(root)
    git(whole, "submodule", "add", "--quiet", str(root), "part")
    return whole / "part"


def _work_tree(root: Path) -> Path:
    _track(".ftctl/a")(root)
    git(root, "worktree", "add", "--quiet", "--detach", str(root.with_name("tree")))
    return root.with_name("tree")


def _over_a_link(root: Path) -> Path:
    _track(".ftctl/a")(root)
    root.with_name("link").symlink_to(root)
    return root.with_name("link")


def _sha256(root: Path) -> Path:
    shutil.rmtree(root / ".git")
    git(root, "init", "--quiet", "--object-format=sha256")
    return _track(".ftctl/a")(root)


def _only_meant(root: Path) -> Path:
    write(root, {".ftctl/a": "x"})
    git(root, "add", "--intent-to-add", ".ftctl/a")
    return root


def _many(root: Path) -> Path:
    return _track(*(f"a/{number}.txt" for number in range(300)), ".ftctl/z")(root)


TRACKED: dict[str, Callable[[Path], Path]] = {
    "intents": _track(".ftctl/intents/a.json"),
    "gitignore": _track(".ftctl/.gitignore"),
    "deep": _track(".ftctl/a/b/c/d"),
    "odd name": _track(".ftctl/ä\n\x1b[31m"),
    "a file in its place": _track(".ftctl"),
    "index 2": _index("2"),
    "index 3": _index("3"),
    "index 4": _index("4"),
    "split index": _split,
    "sha256": _sha256,
    "intent to add": _only_meant,
    "many files": _many,
    "a folder of the repository": _in_a_folder,
    "a link": _linked_state,
    "submodule": _submodule_state,
    "submodule left behind": _submodule_left_behind,
    "in a submodule": _project_in_a_submodule,
    "in a work tree": _work_tree,
    "over a link": _over_a_link,
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = write(tmp_path / "checkout", small_project())
    git(root, "init", "--quiet", "--initial-branch=main")
    return root


@pytest.mark.parametrize("track", TRACKED.values(), ids=TRACKED)
def test_state_that_git_tracks_is_found(
    track: Callable[[Path], Path], shell: Shell, repository: Path
) -> None:
    shell.folder = track(repository)

    for _ in "ab":
        result = shell("validate")
        assert result.status == 1
        assert "error[tracked-state]: " in result.out
        assert result.out.isprintable() or "\x1b" not in result.out


def _untracked(root: Path) -> Path:
    commit(root)
    return write(root, {".ftctl/a": "x"})


def _neighbours(root: Path) -> Path:
    write(root, {".ftctl/.gitignore": "*\n"})
    names = (
        ".ftctl-notes/a", ".ftctlx", "x.ftctl/a", "docs/.ftctl.md", "docs/ftctl~1", "ftctl.lock2",
        "other/.ftctl/a", ".gitignore", "ftctl/.ftctl", ".ftct/l",
    )  # fmt: skip
    for name in names:
        write(root, {name: ".ftctl/\n"})
    git(root, "add", "--force", "--", *names)
    return root


def _taken_back(root: Path) -> Path:
    _track(".ftctl/a")(root)
    git(root, "rm", "-r", "--quiet", "--cached", ".ftctl")
    return root


def _taken_back_from_a_split_index(root: Path) -> Path:
    _split(root)
    git(root, "rm", "-r", "--quiet", "--cached", ".ftctl")
    assert (root / ".git" / "index").read_bytes().count(b"link")
    return root


def _no_repository(root: Path) -> Path:
    shutil.rmtree(root / ".git")
    return write(root, {".ftctl/a": "x"})


def _odd_git(content: bytes | None) -> Callable[[Path], Path]:
    def change(root: Path) -> Path:
        shutil.rmtree(root / ".git")
        if content is None:
            os.mkfifo(root / ".git")
        else:
            (root / ".git").write_bytes(content)
        return write(root, {".ftctl/a": "x"})

    return change


def _odd_index(content: bytes | None) -> Callable[[Path], Path]:
    def change(root: Path) -> Path:
        if content is None:
            os.mkfifo(root / ".git" / "index")
        else:
            (root / ".git" / "index").write_bytes(content)
        return write(root, {".ftctl/a": "x"})

    return change


def _other_case(root: Path) -> Path:
    """Another folder, where the file system tells them apart; else the same."""
    _track(".FTCTL/a")(root)
    if (root / ".ftctl").exists():
        pytest.skip("this file system takes .FTCTL for .ftctl")
    return write(root, {".ftctl/a": "x"})


UNTRACKED: dict[str, Callable[[Path], Path]] = {
    "untracked": _untracked,
    "neighbours": _neighbours,
    "taken back": _taken_back,
    "taken back from a split index": _taken_back_from_a_split_index,
    "no repository": _no_repository,
    "another case": _other_case,
    "git leads nowhere": _odd_git(b"gitdir: /nowhere\n"),
    "git is empty": _odd_git(b""),
    "git is a pipe": _odd_git(None),
    "an index from the future": _odd_index(b"DIRC\0\0\0\x09\0\0\0\1" + b"x" * 100),
    "a cut index": _odd_index(b"DIRC\0\0\0\2\0\0\0\1.ftctl/"),
    "no index": _odd_index(b".ftctl/" * 100),
    "an index that counts to 4 billion": _odd_index(
        b"DIRC\0\0\0\2\xff\xff\xff\xff.ftctl/" + b"\0" * 100
    ),
    "a pipe as index": _odd_index(None),
}


@pytest.mark.parametrize("prepare", UNTRACKED.values(), ids=UNTRACKED)
def test_state_that_git_does_not_track_is_nobodys_business(
    prepare: Callable[[Path], Path], shell: Shell, repository: Path
) -> None:
    shell.folder = prepare(repository)

    for _ in "ab":
        assert shell("validate").status == 0


def test_an_index_that_was_looked_at_is_known_until_it_changes(
    shell: Shell, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.folder = _untracked(repository)
    index = repository / ".git" / "index"
    os.utime(index, (1_700_000_000, 1_700_000_000))
    monkeypatch.setattr("ftctl.project.tracked_state.is_racy", lambda *_: False)
    shell.ok("validate")
    with monkeypatch.context() as patch:
        patch.setattr("ftctl.project.tracked_state.tracked_in", lambda *_: pytest.fail("read"))
        shell.ok("validate")

    _track(".ftctl/b")(repository)

    assert shell("validate").status == 1


@pytest.mark.parametrize(
    "name",
    [".ftctl", ".FTCTL", ".FtCtL", ".ftctl.", ".ftctl. .", ".ftctl::$INDEX_ALLOCATION", "FTCTL~1",
     "ftctl~9", ".f\u200ctctl", "\ufeff.ftctl", ".ftctl\u202e"],
)  # fmt: skip
def test_names_that_some_file_system_takes_for_ours_are_looked_at(name: str) -> None:
    assert folded(name) == ".ftctl"


@pytest.mark.parametrize("name", ["ftctl", ".ftctl2", "x.ftctl", ".fтctl", "ftctl~x", ".ftctl~1"])
def test_names_that_none_takes_for_ours_are_not(name: str) -> None:
    assert folded(name) != ".ftctl"


def test_a_name_that_is_the_same_to_the_file_system_is_tracked_state(
    shell: Shell, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and Windows."""
    _track(".FTCTL/a")(repository)
    write(repository, {".ftctl/a": "x"})
    monkeypatch.setattr(Path, "samefile", lambda one, other: str(one).lower() == str(other).lower())
    shell.folder = repository

    told = shell("validate").out

    assert "error[tracked-state]: git tracks '.FTCTL/a'" in told
    assert "hint: git rm -r -q --cached .FTCTL && " in told


# What hangs, bursts or breaks whoever reads it.


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    (path / "within").mkdir(parents=True)


def device(path: Path) -> None:
    """A link to one: it gives zeros for ever."""
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    """A socket; its path may not be long."""
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def giant(path: Path) -> None:
    """A terabyte of nothing."""
    with path.open("wb") as stream:
        try:
            stream.truncate(1 << 40)
        except OSError:
            stream.truncate(1 << 33)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def empty(path: Path) -> None:
    path.touch()


def noise(path: Path) -> None:
    path.write_bytes(b"\xff\0{[\t" * 1_000)


ODD = (pipe, folder, device, listening, giant, loop, empty, noise)


def in_a_child(arguments: tuple[str, ...], root: Path, seconds: float = 60) -> tuple[int, str]:
    """How a command ends in a process of its own: status and all that it says; it must end."""
    told = root.with_name("told")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
    if child == 0:
        try:
            number = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(number, stream)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            settings = Settings(clock=HandClock(), environ={}, folder=root)
            status = run(arguments, settings)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:  # noqa: BLE001 - it must not go on with the tests
            status = 99
        os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), told.read_text("utf-8", "replace")
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail(f"{arguments} hangs")


def put(path: Path, odd: Callable[[Path], None]) -> None:
    """Put it in the place of what is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    odd(path)


IN_THE_CACHE = (
    "documents", "datasets", "hashes", "derived", "fingerprints", "plans", "project", ".gitignore",
    "KEY.json", "KEY.rows", "HASH.jsonl", "FINGERPRINTS",
)  # fmt: skip


def _in_the_cache(cache: Path, name: str) -> Path:
    derived = cache / "derived"
    match name:
        case "KEY.json":
            return next(derived.glob("*.json"))
        case "KEY.rows":
            return next(derived.glob("*.rows"))
        case "HASH.jsonl":
            return next(derived.glob("*.jsonl"))
        case "FINGERPRINTS":
            return next((cache / "fingerprints").iterdir())
        case _:
            return cache / name


@pytest.fixture(scope="module")
def planned_before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project, and all caches of a user who has planned it before."""
    place = tmp_path_factory.mktemp("before")
    root = write(place / "project", DEAR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FTCTL_CACHE_DIR", str(place / "cache"))
        for arguments in (PLAN, ("plan", "--offline")):
            run(arguments, Settings(clock=HandClock(), environ={}, folder=root))
    return root, place / "cache"


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
@pytest.mark.parametrize("name", IN_THE_CACHE)
def test_nothing_odd_in_the_cache_hangs_or_breaks_a_plan(
    name: str, odd: Callable[[Path], None], planned_before: tuple[Path, Path], user: Path
) -> None:
    root, kept = planned_before
    user.mkdir()
    shutil.copytree(kept, user / "cache")
    put(_in_the_cache(cache_of(root), name), odd)

    status, told = in_a_child(PLAN, root)

    assert "Traceback" not in told
    # Where data can be made nowhere, that is said, with what to do about it.
    assert (status == 3 and HONEST in told) or (status == 1 and "cannot be written" in told), told


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
@pytest.mark.parametrize("level", [0, 1, 2], ids=["home", "projects", "project"])
def test_nothing_odd_in_place_of_the_cache_hangs_or_breaks_a_plan(
    level: int, odd: Callable[[Path], None], planned_before: tuple[Path, Path]
) -> None:
    root, _ = planned_before
    cache = cache_of(root)
    put((cache.parents[1], cache.parent, cache)[level], odd)

    status, told = in_a_child(PLAN, root)

    assert (status, HONEST in told, "Traceback" in told) == (3, True, False), told
    assert ("note: nothing is kept for the next run: " in told) is (odd is not folder)


IN_THE_STATE = (
    ".ftctl", ".ftctl/intents", ".ftctl/intents/a.json", ".ftctl/emulator.sqlite3",
    ".ftctl/emulator.sqlite3-wal", ".ftctl/.gitignore", ".ftctl/cache", ".ftctl/plans",
    "ftctl.lock",
)  # fmt: skip


@pytest.mark.parametrize("odd", [pipe, folder, device, giant, noise], ids=lambda odd: odd.__name__)
@pytest.mark.parametrize("name", IN_THE_STATE)
def test_nothing_odd_in_the_state_hangs_or_breaks_a_run(
    name: str, odd: Callable[[Path], None], tmp_path: Path
) -> None:
    root = write(tmp_path / "project", small_project())
    put(root / name, odd)

    commands: tuple[tuple[str, ...], ...] = (("plan",),)
    if odd is pipe:  # the one that waits for ever
        commands = (("plan",), ("apply", "--auto-approve"))
    for arguments in commands:
        status, told = in_a_child(arguments, root)
        assert status in (0, 1, 4), told
        assert "Traceback" not in told
        assert status == 0 or "error: " in told or "error[" in told, told


# Whose the place is.


def _wide(*, level: int, mode: int) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def harm(cache: Path, _patch: pytest.MonkeyPatch) -> None:
        (cache.parents[1], cache.parent, cache)[level].chmod(mode)

    return harm


def _of_another(level: int) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def harm(cache: Path, _patch: pytest.MonkeyPatch) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown((cache.parents[1], cache.parent, cache)[level], 12_345, 12_345)

    return harm


def _swapped(level: int) -> Callable[[Path, pytest.MonkeyPatch], None]:
    """A link to a folder that holds the same."""

    def harm(cache: Path, _patch: pytest.MonkeyPatch) -> None:
        place = (cache.parents[1], cache.parent, cache)[level]
        place.rename(place.with_name("real"))
        place.symlink_to("real")

    return harm


def _unknown_user(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as some number: there is no HOME, and no list knows a home."""
    monkeypatch.delenv("FTCTL_CACHE_DIR", raising=False)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)


def _nowhere(home: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    """The system names no place that could be one."""

    def harm(_cache: Path, patch: pytest.MonkeyPatch) -> None:
        import platformdirs

        patch.delenv("FTCTL_CACHE_DIR")
        patch.setattr(platformdirs.PlatformDirs, "user_cache_dir", home)

    return harm


def _named(place: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    return lambda _cache, patch: patch.setenv("FTCTL_CACHE_DIR", place)


NOT_OURS: dict[str, Callable[[Path, pytest.MonkeyPatch], None]] = {
    "all may write": _wide(level=0, mode=0o777),
    "all may write, sticky": _wide(level=0, mode=0o1777),
    "a group may write": _wide(level=0, mode=0o770),
    "all may write to projects": _wide(level=1, mode=0o707),
    "all may write to the project": _wide(level=2, mode=0o702),
    "another's home": _of_another(0),
    "another's projects": _of_another(1),
    "another's project": _of_another(2),
    "a link as home": _swapped(0),
    "a link as projects": _swapped(1),
    "a link as project": _swapped(2),
    "no home": _nowhere("~/.cache/ftctl"),
    "a relative place": _nowhere(".cache/ftctl"),
    "a user whom no list knows": _unknown_user,
    "below a device": _named("/dev/null/cache"),
    "below a process": _named("/proc/self/nothing/cache"),
    "a name too long": _named("/tmp/" + "x" * 300),
    "a link to itself": _named("/proc/self/fd/999/x"),
}


@pytest.fixture
def poisoned_user(planned_before: tuple[Path, Path], poison: Path, user: Path) -> tuple[Path, Path]:
    """A project, and a cache of it in the user's place that would be believed."""
    root, kept = planned_before
    user.mkdir()
    shutil.copytree(kept, user / "cache")
    shutil.rmtree(cache_of(root))
    plant(poison, cache_of(root))
    return root, cache_of(root)


@pytest.mark.parametrize("harm", NOT_OURS.values(), ids=NOT_OURS)
def test_a_place_that_others_may_write_to_is_not_believed(
    harm: Callable[[Path, pytest.MonkeyPatch], None],
    shell: Shell,
    poisoned_user: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root, cache = poisoned_user
    harm(cache, monkeypatch)

    told = planned(shell, root)

    assert is_honest(told)
    assert "note: nothing is kept for the next run: " in told.errors
    assert cache_folder(root) is None or not cache_folder(root).exists()


def test_a_home_that_is_a_link_is_its_users_own(
    shell: Shell, planned_before: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """~/.cache on another disk: how one gets to ftctl's own folder does not matter."""
    (tmp_path / "disk").mkdir(mode=0o777)
    (tmp_path / "link").symlink_to("disk")
    monkeypatch.setenv("FTCTL_CACHE_DIR", str(tmp_path / "link" / "ftctl"))

    assert is_honest(planned(shell, planned_before[0]))
    assert (cache_of(planned_before[0]) / "documents").is_file()


def test_what_is_kept_is_for_its_user_alone(remote: Shell, user: Path) -> None:
    old = os.umask(0)
    try:
        remote.ok("plan")
    finally:
        os.umask(old)

    for path in (user / "cache").rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        public = path.name in (".gitignore", "CACHEDIR.TAG")
        assert mode & 0o022 == 0 or public, path
        assert mode & 0o077 == 0 or public, path
    assert stat.S_IMODE((user / "cache").stat().st_mode) == 0o700


def test_root_keeps_nothing_in_the_home_of_another(
    planned_before: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sudo: its user could not write there any more."""
    if os.geteuid() != 0:
        pytest.skip("only root can")
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 12_345, 12_345)
    monkeypatch.delenv("FTCTL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / ".cache"))

    with pytest.raises(NoPlace, match="home belongs to another user"):
        open_cache(planned_before[0])
    assert list((tmp_path / "home").iterdir()) == []


# What was refused is kept nowhere.

KEPT_NOWHERE: dict[str, dict[str, str]] = {
    "an unknown key of ftctl.yaml": {"ftctl.yaml": f"project: demo\napi_key: {SECRET}\n"},
    "a key of provider": {"ftctl.yaml": f"project: demo\nprovider: {{api_key: {SECRET}}}\n"},
    "a key as variable": {
        "ftctl.yaml": f"project: demo\nprovider: {{type: openai, api_key_env: {SECRET}}}\n"
    },
    "a password in an address": {
        "ftctl.yaml": (
            "project: demo\nprovider: {type: compatible,"
            f" base_url: 'https://me:{SECRET}@x.example/v1'}}\n"
        )
    },
    "metadata": {"finetunes/tone.yaml": FINETUNE + f"metadata: {{note: {SECRET}}}\n"},
    "an unknown key of a manifest": {"finetunes/tone.yaml": FINETUNE + f"api_key: {SECRET}\n"},
    "extra": {"finetunes/tone.yaml": FINETUNE + f"extra: {{token: {SECRET}}}\n"},
    "a second document": {
        "finetunes/tone.yaml": FINETUNE + f"---\nkind: Dataset\nname: {SECRET}\n"
    },
    "a document of no kind": {"finetunes/note.yaml": f"password: {SECRET}\n"},
    "defaults": {"ftctl.yaml": f"project: demo\ndefaults: {{metadata: {{a: {SECRET}}}}}\n"},
    "an environment that is not asked for": {
        "ftctl.yaml": f"project: demo\nenvironments: {{a: {{api_key: {SECRET}}}}}\n"
    },
}


@pytest.mark.parametrize("files", KEPT_NOWHERE.values(), ids=KEPT_NOWHERE)
def test_text_that_was_refused_is_kept_nowhere(
    files: Mapping[str, str], shell: Shell, tmp_path: Path, user: Path
) -> None:
    shell.folder = write(tmp_path / "project", small_project(**files))

    for command in ("validate", "plan"):
        assert shell(command).status == 1

    kept = b"".join(path.read_bytes() for path in user.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert not (shell.folder / ".ftctl" / "cache").exists()


def test_what_was_kept_goes_once_it_is_known_for_a_key(remote: Shell, user: Path) -> None:
    word = "sesame-open-up-0123456789"
    write(remote.folder, {"finetunes/tone.yaml": FINETUNE + f"metadata: {{note: {word}}}\n"})
    remote.ok("validate")
    kept = cache_of(remote.folder) / "documents"
    assert word.encode() in kept.read_bytes()
    remote.environ["OPENAI_API_KEY"] = word

    assert remote("validate").status == 1

    assert word.encode() not in kept.read_bytes()


def test_a_good_file_beside_a_refused_one_is_kept(shell: Shell, tmp_path: Path) -> None:
    files = small_project(**{"finetunes/bad.yaml": "kind: Dataset\n"})
    shell.folder = write(tmp_path / "project", files)

    assert shell("validate").status == 1

    kept = (cache_of(shell.folder) / "documents").read_bytes()
    assert b'"name":"tone"' in kept
    assert b'{"kind":"Dataset"}' not in kept
