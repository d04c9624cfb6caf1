"""A file is written whole or not at all, whoever looks, links or kills in between."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftctl.files import (
    AtomicWriter,
    file_fault,
    is_racy,
    keep_out_of_git,
    sha256_of,
    signature_of,
    sweep_drafts,
    write_atomically,
)

OLD, NEW = b"old\n" * 3, b"new and longer\n" * 3


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "file.json"
    path.write_bytes(OLD)
    return path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def in_a_process(body: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    lines = ("import os, signal, sys", "from pathlib import Path", "import ftctl.files as files")
    script = "\n".join([*lines, body])
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


# The hash and the state of a file.


def test_the_hash_is_that_of_the_bytes(target: Path) -> None:
    assert sha256_of(target) == hashlib.sha256(OLD).hexdigest()


def test_what_is_no_regular_file_has_no_hash_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    odd = ["pipe", "gone", ".", "nul\0byte"]

    assert [sha256_of(tmp_path / name) for name in odd] == [None] * 4
    assert signature_of(tmp_path / "gone") is None
    assert signature_of(tmp_path / "nul\0byte") is None


def test_a_file_that_was_just_written_may_change_without_a_trace(target: Path) -> None:
    signature = signature_of(target)
    assert signature is not None
    written = max(signature[1:3])

    assert is_racy(signature, written + 2_000_000_000)
    assert not is_racy(signature, written + 2_000_000_001)


# Writing.


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("content", [NEW, NEW.decode(), "é\n", ""])
def test_the_new_file_takes_the_old_ones_place(
    target: Path, content: bytes | str, durable: bool
) -> None:
    write_atomically(target, content, durable=durable)

    expected = content.encode() if isinstance(content, str) else content
    assert target.read_bytes() == expected
    assert list(target.parent.iterdir()) == [target]


def test_a_new_file_has_what_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    write_atomically(tmp_path / "new", NEW)

    assert mode_of(tmp_path / "new") == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444, 0o755])
def test_a_file_that_is_replaced_hands_on_its_permissions(target: Path, mode: int) -> None:
    target.chmod(mode)

    write_atomically(target, NEW)

    assert (target.read_bytes(), mode_of(target)) == (NEW, mode)


def test_a_private_file_is_for_its_owner_alone_whatever_was_there(target: Path) -> None:
    target.chmod(0o644)

    write_atomically(target, NEW, private=True)

    assert (target.read_bytes(), mode_of(target)) == (NEW, 0o600)


def test_no_draft_can_be_read_by_more_people_than_the_private_file(tmp_path: Path) -> None:
    with AtomicWriter(tmp_path, private=True) as draft:
        assert mode_of(draft.path) == 0o600


@pytest.mark.parametrize("where", ["outside/secret", "gone", "outside"])
def test_a_link_is_replaced_and_never_written_through(tmp_path: Path, where: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(OLD)
    (outside / "secret").chmod(0o600)
    project = tmp_path / "project"
    project.mkdir()
    link = project / "file.json"
    link.symlink_to(tmp_path / where)

    write_atomically(link, NEW)

    assert not link.is_symlink()
    assert link.read_bytes() == NEW
    assert mode_of(link) & 0o044  # nor does the link's target hand on its permissions
    assert (outside / "secret").read_bytes() == OLD
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert not (tmp_path / "gone").exists()


def test_a_draft_cannot_be_laid_out_for_us_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # so that its name can be guessed
    victim = tmp_path / "victim"
    victim.write_bytes(OLD)
    (tmp_path / f".new-{os.getpid()}-{bytes(6).hex()}.tmp").symlink_to(victim)

    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "new", NEW)

    assert victim.read_bytes() == OLD


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_or_device_keeps_its_place(tmp_path: Path, linked: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    named = tmp_path / "link" if linked else pipe

    with pytest.raises(OSError, match="Not a regular file"):
        write_atomically(named, NEW)

    assert pipe.is_fifo()
    assert (tmp_path / "link").is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_directory_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "folder", NEW)

    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_without_replace_no_file_is_written_over(target: Path) -> None:
    with pytest.raises(FileExistsError):
        write_atomically(target, NEW, replace=False)

    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]
    write_atomically(target.with_name("new"), NEW, replace=False)
    assert target.with_name("new").read_bytes() == NEW
    assert len(list(target.parent.iterdir())) == 2


@pytest.mark.parametrize("there", ["file", "link", "nothing"])
def test_where_the_file_system_has_no_links_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "target"
    if there == "file":
        target.write_bytes(OLD)
    elif there == "link":
        target.symlink_to(tmp_path / "gone")

    if there == "nothing":
        write_atomically(target, NEW, replace=False)
        assert target.read_bytes() == NEW
    else:
        with pytest.raises(FileExistsError):
            write_atomically(target, NEW, replace=False)
        assert target.is_symlink() or target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


def test_names_as_long_as_the_file_system_takes_are_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "é" * 127, "한" * 85):
        write_atomically(tmp_path / name, NEW)

        assert (tmp_path / name).read_bytes() == NEW


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_before_we_go_on(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(number: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "bytes")
        sync(number)

    def replaced(source: Path, there: Path) -> None:
        done.append("name")
        replace(source, there)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)

    write_atomically(target, NEW)
    durable, done[:] = [*done], []
    write_atomically(target, OLD, durable=False)

    assert durable == ["bytes", "name", "folder"]
    assert done == ["name"]


# Ends in the middle.


@pytest.mark.parametrize("point", ["os.fsync", "os.replace"])
def test_a_writer_that_is_killed_leaves_the_old_file_and_a_draft_that_is_swept(
    target: Path, point: str
) -> None:
    body = (
        f"{point} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write_atomically(Path(sys.argv[1]), 'new')"
    )

    killed = in_a_process(body, target)

    assert killed.returncode == -signal.SIGKILL
    assert target.read_bytes() == OLD
    (draft,) = set(target.parent.iterdir()) - {target}
    sweep_drafts(target.parent)
    assert draft.exists()  # so young that its writer might not have locked it yet
    os.utime(draft, (draft.stat().st_atime, draft.stat().st_mtime - 61))
    sweep_drafts(target.parent, "other")
    assert draft.exists()
    sweep_drafts(target.parent, target.name)
    assert list(target.parent.iterdir()) == [target]


def test_who_writes_alone_sweeps_at_once(target: Path) -> None:
    draft = target.with_name(f".{target.name}-1-a.tmp")
    draft.write_bytes(NEW)

    sweep_drafts(target.parent, target.name, alone=True)

    assert list(target.parent.iterdir()) == [target]


def test_a_draft_that_is_being_written_is_not_swept_however_old(target: Path) -> None:
    with AtomicWriter(target.parent) as draft:
        draft.write(NEW)
        draft.finish()
        os.utime(draft.path, (0, 0))

        sweeper = in_a_process("files.sweep_drafts(Path(sys.argv[1]))", target.parent)

        assert sweeper.returncode == 0
        draft.keep(target)
    assert target.read_bytes() == NEW


def test_other_files_are_not_swept(tmp_path: Path) -> None:
    names = {"notes.tmp", ".draft-1.json", ".gitignore", "draft"}
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))

    sweep_drafts(tmp_path, alone=True)
    sweep_drafts(tmp_path / "gone")

    assert {path.name for path in tmp_path.iterdir()} == names


_FULL = """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # as a disk with so much room
try:
    files.write_atomically(Path(sys.argv[1]), b'x' * 100_000)
except OSError as fault:
    print(fault.strerror)
"""


def test_a_full_disk_leaves_the_old_file_and_no_draft(target: Path) -> None:
    written = in_a_process(_FULL, target)

    assert written.stdout == "File too large\n"
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


def test_an_interruption_leaves_no_draft(target: Path) -> None:
    def interrupted() -> None:
        with AtomicWriter(target.parent) as draft:
            draft.write(NEW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert list(target.parent.iterdir()) == [target]


def test_who_reads_meanwhile_finds_one_of_two_whole_files(target: Path) -> None:
    over = threading.Event()

    def write() -> None:
        for turn in range(300):
            write_atomically(target, (OLD, NEW)[turn % 2], durable=False)
        over.set()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    seen = set()
    while not over.is_set():
        seen.add(target.read_bytes())
    for writer in writers:
        writer.join()

    assert seen <= {OLD, NEW}
    assert list(target.parent.iterdir()) == [target]


# What goes in bit by bit.


def test_a_draft_knows_what_was_written(tmp_path: Path) -> None:
    with AtomicWriter(tmp_path) as draft:
        for piece in (OLD, NEW):
            draft.write(piece)

        assert (draft.bytes, draft.head(6)) == (len(OLD + NEW), OLD[:6])
        assert draft.sha256 == hashlib.sha256(OLD + NEW).hexdigest()
        assert draft.keep(tmp_path / "kept").read_bytes() == OLD + NEW
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]


def test_what_is_not_kept_goes_with_its_block(tmp_path: Path) -> None:
    with AtomicWriter(tmp_path) as draft:
        draft.write(NEW)

    assert list(tmp_path.iterdir()) == []


# Around files.


def test_git_passes_over_a_folder_for_what_may_be_thrown_away(tmp_path: Path) -> None:
    keep_out_of_git(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / ".gitignore").write_text("mine\n")
    keep_out_of_git(tmp_path / "a" / "b")
    keep_out_of_git(tmp_path / "c")

    assert (tmp_path / "a" / "b" / ".gitignore").read_text() == "mine\n"
    assert (tmp_path / "c" / ".gitignore").read_text() == "*\n"


def test_the_file_for_git_is_not_written_through_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / ".gitignore").symlink_to(tmp_path / "elsewhere")

    keep_out_of_git(folder)

    assert not (tmp_path / "elsewhere").exists()


def test_a_fault_says_which_file_and_why() -> None:
    told = file_fault("a.json", OSError(28, "No space left on device"), hint="make room")

    assert (str(told), told.hint) == (
        "a.json cannot be written: No space left on device",
        "make room",
    )
    assert str(file_fault("b", OSError(), cannot_be="read")) == "b cannot be read: OSError"
