"""A revision of the project's repository in; a folder with its files, for a while, out."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from ftctl.engine.git import repository_around
from ftctl.errors import FtctlError
from ftctl.files import scratch_folder


@contextmanager
def project_files(root: Path, revision: str | None) -> Iterator[Path]:
    """Where programs run that the settings name: in the project's folder, or in its copy.

    With a revision it is a copy of that one's files: a change must not bring along the program
    that judges it, or that is given a key.
    """
    if revision is None:
        yield root
        return
    repository = repository_around(root)
    with scratch_folder() as scratch, TemporaryFile() as archive:
        answer = repository.ask(["archive", "--format=tar", repository.commit(revision)], archive)
        if answer.status != 0:
            raise FtctlError(f"git cannot give the files of {revision}: {answer.complaint}")
        archive.seek(0)
        _unpack(archive, scratch)
        folder = scratch / repository.within
        yield folder if folder.is_dir() else scratch


def _unpack(archive: IO[bytes], folder: Path) -> None:
    """Files and folders alone: a link may lead anywhere."""
    with tarfile.open(fileobj=archive) as files:
        found = [one for one in files if one.isreg() or one.isdir()]
        if hasattr(tarfile, "data_filter"):  # since 3.11.4
            files.extractall(folder, found, filter="data")
        else:
            files.extractall(folder, found)  # noqa: S202 - git has no path that leads out
